"""What a run did, and which of the reasons for passing over a file are no reason to warn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ragqa.walk import EXCLUDED, HISTORY, IGNORED, OWN, UNKNOWN

# Skipped for these reasons, a file is no reason to warn.
HARMLESS = frozenset({"empty", EXCLUDED, HISTORY, IGNORED, OWN, UNKNOWN})


@dataclass(slots=True)
class Summary:
    """What a run did. It grows while the run goes on, so an interrupted one can still be reported.

    Attributes:
        skipped: Files, or folders that were passed over whole, with the reason.
        stale: How many documents stay as they were, because their file cannot be read now.
        repaired: How many documents hold bytes that could not be decoded.
        remarks: Files with how they were read, where that is worth saying, such as `read as cp1252`.
        reused: How many passages came with their vectors; None where none could.
        notes: Lines for a person.
    """

    indexed: int = 0
    unchanged: int = 0
    moved: int = 0
    removed: int = 0
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    passages: int = 0
    stale: int = 0
    repaired: int = 0
    remarks: list[tuple[Path, str]] = field(default_factory=list)
    seconds: float = 0.0
    reused: int | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def warnings(self) -> list[tuple[Path, str]]:
        """What was skipped and ought not to have been."""
        return [(path, reason) for path, reason in self.skipped if reason not in HARMLESS]

    @property
    def reasons(self) -> Counter[str]:
        return Counter(reason for _path, reason in self.skipped)


Progress = Callable[[int, int, Summary], None]
"""Called with (files done, files in all, summary so far)."""
