"""Every error ragqa raises on purpose, with the exit code it ends the command with.

To catch one is to catch all below it:

    RagqaError                      1
    ├─ UsageError                   2   the command line or a setting makes no sense
    ├─ NothingFound                 4   no document is what was asked for
    ├─ NoIndex                     10   nothing has been indexed yet
    ├─ IndexLocked                 11   another process is writing
    ├─ ModelError                  12   missing, damaged, or of a kind that is not loaded
    │  └─ FingerprintMismatch      12   the index was made with another model
    ├─ IndexDamaged                13   it cannot be read, or not all of it
    │  └─ UnknownIndex             13   something else's, or from a newer version of ragqa
    ├─ NotWritable                 14   no space, no permission, standard output closed
    ├─ NetworkBlocked              16   something other than `models pull` tried to use the network
    └─ BadInput                     3   one document cannot be read; the others can
"""

from __future__ import annotations


class RagqaError(Exception):
    """An error whose message a person can act on.

    Attributes:
        message: The thing and the cause, on one line.
        hint: The next step, or empty.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(RagqaError):
    exit_code = 2


class NothingFound(RagqaError):
    exit_code = 4


class BadInput(RagqaError):
    """One document cannot be read.

    Attributes:
        reason: A few words without the name, so that equal reasons can be counted together.
    """

    exit_code = 3

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class NoIndex(RagqaError):
    exit_code = 10


class IndexLocked(RagqaError):
    exit_code = 11


class ModelError(RagqaError):
    exit_code = 12


class FingerprintMismatch(ModelError):
    pass


class IndexDamaged(RagqaError):
    exit_code = 13


class UnknownIndex(IndexDamaged):
    pass


class NotWritable(RagqaError):
    exit_code = 14


class NetworkBlocked(RagqaError):
    exit_code = 16
