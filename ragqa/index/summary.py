"""What a run did, and which of the reasons for passing over a file are no reason to warn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HARMLESS = frozenset({"empty"})  # skipped for these reasons, a file is no reason to warn


@dataclass(slots=True)
class Summary:
    """What a run did. It grows while the run goes on, so an interrupted one can still be reported."""

    indexed: int = 0
    unchanged: int = 0
    moved: int = 0
    removed: int = 0
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    passages: int = 0
    repaired: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def reasons(self) -> Counter[str]:
        return Counter(reason for _path, reason in self.skipped)


Progress = Callable[[int, int, Summary], None]
"""Called with (files done, files in all, summary so far)."""
