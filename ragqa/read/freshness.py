"""Where a quote stands now: the cited files, and only those, are read again when the answer is given."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragqa.errors import BadInput
from ragqa.files import MAX_FILE_SIZE
from ragqa.read import STDIN, read_source
from ragqa.read.text import decode
from ragqa.types import Citation, DocumentRecord, Evidence, Freshness


@dataclass(frozen=True, slots=True)
class _Now:
    """A file as it is now; `text` only where its bytes differ from those indexed, `reason` where it has none."""

    fresh: Freshness
    text: str = ""
    reason: str = ""


def cite(
    evidence: Sequence[Evidence], record: Callable[[str], DocumentRecord | None], *, max_size: int = MAX_FILE_SIZE
) -> tuple[Citation, ...]:
    """Number the quotes from 1, and say of each whether and on which lines it still stands.

    A file is hashed, once however often it is cited: size and time alone are no proof, tools restore both.
    Nothing here blocks or fails; a file that cannot be read has changed, with the reason.

    Args:
        record: What the index remembers of a document, by id.
        max_size: Bytes; of a larger file nothing is said but that it has changed.
    """
    files: dict[str, _Now] = {}
    for one in evidence:
        id = one.hit.passage.document_id
        if id not in files:
            files[id] = _look(one.hit.path, record(id), max_size)
    return tuple(_citation(n, one, files[one.hit.passage.document_id]) for n, one in enumerate(evidence, start=1))


def line_of(quote: str, text: str, *, near: int) -> int | None:
    """The line, from 1, on which `quote` begins in `text`; of several the one nearest to line `near`.

    Line ends may differ. A stretch of a longer word or number is not the quote: `hunter2` does not stand in
    `hunter22`, nor `5 °C` in `-5 °C`.
    """
    text, quote = text.replace("\r\n", "\n"), quote.replace("\r\n", "\n")
    best, line, counted = None, 1, 0
    for match in _whole(quote).finditer(text):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        if best is None or abs(line - near) < abs(best - near):
            best = line
        if line >= near:  # those behind it are farther away
            break
    return best


def _look(path: Path, record: DocumentRecord | None, max_size: int) -> _Now:
    if path == STDIN:  # it cannot be read twice, and nobody can have changed it
        return _Now("same")
    if record is None:  # forgotten by another process since it was found
        return _Now("deleted")
    try:
        source = read_source(path, max_size)
        if source.sha256 == record.sha256:
            return _Now("same")
        return _Now("changed", text=decode(str(path), source.content)[0])
    except BadInput as error:
        gone = isinstance(error.__cause__, FileNotFoundError | NotADirectoryError)
        return _Now("deleted") if gone else _Now("changed", reason=error.reason)


def _citation(n: int, one: Evidence, now: _Now) -> Citation:
    line = line_of(one.quote, now.text, near=one.line_start) if now.fresh == "changed" else None
    if line is None:
        return Citation(n, one, now.fresh, one.line_start, one.line_end, now.fresh == "same", now.reason)
    fresh: Freshness = "changed" if line == one.line_start else "moved"
    return Citation(n, one, fresh, line, line + one.quote.count("\n"), stands=True)


def _whole(quote: str) -> re.Pattern[str]:
    before = r"(?<![\w+-])(?<!\w[^\w\s])" if re.match(r"\w", quote) else ""
    after = r"(?!\S*\w)" if re.search(r"\w\Z", quote) else ""
    return re.compile(before + re.escape(quote) + after)
