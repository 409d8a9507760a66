"""What is said of the machine, from what systems say of themselves."""

from __future__ import annotations

import pytest

from ragqa.measure.bench.machine import Moment, cores_of_others, facts, processor_name, warnings, worked

CPUINFO = """processor	: 0
cpu family	: 25
model		: 17
model name	: AMD EPYC 9R14

processor	: 1
model name	: another
"""


def test_the_processor_is_named_with_family_and_model():
    assert processor_name(CPUINFO) == "AMD EPYC 9R14 (family 25, model 17)"


def test_a_processor_without_a_name_has_the_machines():
    assert processor_name("Features : fp asimd\n") != ""


def test_work_is_all_that_is_not_idle_or_waiting_for_a_disk():
    # user, nice, system, idle, iowait, irq, softirq, steal; the two for guests are in user and nice already
    assert worked("cpu 100 20 30 4000 500 6 7 37 90 10\ncpu0 1 2 3", ticks=100) == 2.0


def test_others_used_what_is_not_our_own():
    assert cores_of_others(Moment(0.0, 100.0, 10.0), Moment(10.0, 125.0, 20.0)) == 1.5


def test_clocks_that_do_not_agree_leave_others_at_nothing():
    assert cores_of_others(Moment(0.0, 100.0, 10.0), Moment(10.0, 105.0, 20.0)) == 0.0


def test_where_the_system_does_not_say_nothing_is_known_of_others():
    assert cores_of_others(Moment(0.0, None, 10.0), Moment(10.0, None, 20.0)) is None


@pytest.mark.parametrize(("load", "others"), [(0.1, None), (0.1, 0.05), (1.9, 0.05)])
def test_a_quiet_machine_needs_no_warning(load: float, others: float | None):
    assert warnings(load, others) == []


@pytest.mark.parametrize(("load", "others"), [(1.9, None), (0.0, 0.8)])
def test_a_busy_machine_is_told_of(load: float, others: float | None):
    (warning,) = warnings(load, others)
    assert "busy" in warning


def test_facts_name_the_machine_and_the_packages():
    known = facts(2)
    assert {"processor", "cores", "memory", "system", "python", "numpy", "onnxruntime", "llama-cpp-python"} <= set(
        known
    )
    assert all(known.values())
