"""Samples taken in turn, what they come to, and how they are shown."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ragqa.cli.as_json import benchmark_json
from ragqa.measure.bench import Measurement, in_turn
from ragqa.measure.bench.report import COLUMNS, Report, cells, figure


def test_every_measure_is_taken_once_a_round_and_every_second_round_backwards():
    taken: list[str] = []

    def measure(name: str) -> int:
        taken.append(name)
        return len(taken)

    samples = in_turn({name: lambda name=name: measure(name) for name in "abc"}, 3)
    assert "".join(taken) == "abc" + "cba" + "abc"
    assert samples == {"a": [1, 6, 7], "b": [2, 5, 8], "c": [3, 4, 9]}


def test_progress_is_told_round_by_round():
    told: list[tuple[int, int]] = []
    in_turn({"a": lambda: 0}, 2, lambda done, total: told.append((done, total)))
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_the_value_is_the_median():
    assert Measurement("ask", "s", [1.0, 9.0, 2.0]).value == 2.0


@pytest.mark.parametrize(
    ("unit", "ours", "theirs", "ratio"),
    [
        ("s", [2.0], [10.0], 5.0),  # a fifth of the time is five times as good
        ("MB", [400.0], [100.0], 0.25),
        ("passages/s", [90.0], [30.0], 3.0),
        ("share", [0.9], [1.0], 0.9),
    ],
)
def test_the_ratio_says_how_many_times_as_good_it_is(unit: str, ours: list[float], theirs: list[float], ratio: float):
    assert Measurement("a", unit, ours, "b", theirs).ratio == pytest.approx(ratio)


def test_the_ratio_is_the_median_of_the_rounds_own_ratios():
    # The second round was slow for both. Their medians, 3 and 8, would say 2.7.
    assert Measurement("a", "s", [1.0, 5.0, 3.0], "b", [2.0, 10.0, 8.0]).ratio == 2.0


def test_beside_nothing_there_is_no_ratio():
    alone = Measurement("a", "s", [1.0])
    assert (alone.ratio, alone.reference) == (None, None)


def test_a_sample_without_its_counterpart_is_a_fault():
    with pytest.raises(ValueError, match="zip"):
        _ = Measurement("a", "s", [1.0, 2.0], "b", [1.0]).ratio


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.01234, "0.012"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (12345.6, "12,346"), (0.0, "0.000")],
)
def test_a_figure_has_three_digits(value: float, shown: str):
    assert figure(value) == shown


ROWS: Sequence[Measurement] = [
    Measurement("ask, last word", "s", [1.5, 1.0, 2.0], "article's pipeline", [15.0, 10.0, 30.0]),
    Measurement("recall@10", "share", [0.97], at=(10_000, "vectors")),
]


def test_a_row_of_the_table_says_what_it_is_beside():
    first, second = cells(Report({}, {"cold": ROWS}))
    assert dict(zip(COLUMNS, first, strict=True)) == {
        "": "cold",
        "measure": "ask, last word",
        "median": "1.50",
        "unit": "s",
        "lowest to highest": "1.00 to 2.00",
        "n": "3",
        "beside": "article's pipeline",
        "its median": "15.0",
        "times as good": "10.0",
    }
    assert second == ("cold", "recall@10, 10,000 vectors", "0.970", "share", "", "1", "", "", "")


def test_the_json_holds_the_same_rows_unrounded():
    document = benchmark_json(Report({"cores": "2"}, {"cold": ROWS}, ["busy"]))
    assert list(document) == ["schema", "facts", "notes", "rows"]
    assert (document["schema"], document["facts"], document["notes"]) == ("ragqa.bench/1", {"cores": "2"}, ["busy"])
    first, second = document["rows"]
    assert first == {
        "room": "cold",
        "name": "ask, last word",
        "at": None,
        "unit": "s",
        "value": 1.5,
        "low": 1.0,
        "high": 2.0,
        "n": 3,
        "beside": {"name": "article's pipeline", "value": 15.0},
        "times_as_good": 10.0,
    }
    assert (second["at"], second["beside"]) == ({"value": 10_000, "unit": "vectors"}, None)
