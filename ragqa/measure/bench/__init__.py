"""What ragqa costs here in time and memory, each figure beside the limit of the machine or beside another program.

A measurement is several samples, and what it is compared with is sampled in turn with it: on a machine that others use
too, two figures taken minutes apart say more about the others than about either of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

Sampled = TypeVar("Sampled")
Progress = Callable[[int, int], None]
"""Called with (rounds done, rounds in all)."""

LESS_IS_BETTER = frozenset({"s", "ms", "MB"})


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row of the report.

    Attributes:
        unit: Seconds, milliseconds and megabytes are better when less; everything else is better when more.
        samples: One a round, in the order in which they were taken.
        beside: What it is compared with; empty where there is nothing.
        references: Samples of that in the same unit, each from the same round.
        at: What the cost grows with, and its unit, such as (10000, "vectors"); None where nothing is varied.
    """

    name: str
    unit: str
    samples: Sequence[float]
    beside: str = ""
    references: Sequence[float] = ()
    at: tuple[int, str] | None = None

    @property
    def title(self) -> str:
        """The name, and at which size."""
        return f"{self.name}, {self.at[0]:,} {self.at[1]}" if self.at else self.name

    @property
    def value(self) -> float:
        return median(self.samples)

    @property
    def reference(self) -> float | None:
        return median(self.references) if self.references else None

    @property
    def ratio(self) -> float | None:
        """How many times as good as what stands beside it; under 1 it is worse. None where nothing does.

        It is the median of the rounds' own ratios, so that a slow round does not count against one side only.
        """
        if not self.references:
            return None
        pairs = list(zip(self.samples, self.references, strict=True))
        less = self.unit in LESS_IS_BETTER
        return median(theirs / ours if less else ours / theirs for ours, theirs in pairs)


def in_turn(
    measures: Mapping[str, Callable[[], Sampled]],
    rounds: int,
    progress: Progress = lambda done, total: None,
) -> dict[str, list[Sampled]]:
    """Take each measure once a round; every second round goes through them backwards.

    So what changes while they are taken – other programs, heat, a cache that fills – falls on all of them alike.
    """
    samples: dict[str, list[Sampled]] = {name: [] for name in measures}
    for done in range(rounds):
        progress(done, rounds)
        names = list(measures)
        for name in names if done % 2 == 0 else reversed(names):
            samples[name].append(measures[name]())
    progress(rounds, rounds)
    return samples
