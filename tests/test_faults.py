"""`scripts/faults` shows what ragqa stands for only where a test is marked with it, and none that only looks so."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import faults


def test_every_fault_that_ragqa_stands_for_is_provoked_by_a_test():
    assert set(faults.ROWS) - set(faults.marked()) == set()


def test_a_number_is_seen_above_a_test_beside_it_and_in_its_first_line():
    text = """
# faults 3, 4 and 5
@mark
def test_one():
    assert True

def test_two():  # fault 6
    assert True

def test_three():
    work()  # fault 7
    assert True  # fault 8

# fault 9

def test_four():
    assert True
"""
    assert list(faults._rows(text)) == [
        *((row, "test_one") for row in (3, 4, 5)),
        (6, "test_two"),
        (7, "test_three"),
    ]


def test_a_row_whose_tests_are_all_skipped_is_not_said_to_be_in_order(tmp_path: Path):
    path = tmp_path / "test_it.py"
    path.write_text(
        "import pytest\ndef test_a():\n    pytest.skip('no disk')\n"
        "@pytest.mark.skipif(True, reason='no: key')\ndef test_b():\n    pass\ndef test_c():\n    pass\n"
    )
    alone = f"{path}::test_a", f"{path}::test_b"
    assert faults.run_tests(list(alone)) == ("skipped", "tests: 2 skipped (no disk; no: key)")
    assert faults.run_tests([*alone, f"{path}::test_c"]) == ("ok", "tests: 1 passed, 2 skipped")


def test_a_row_without_a_test_is_missing_and_no_success(capsys: pytest.CaptureFixture[str]):
    assert faults.main(["999"]) == 1
    assert capsys.readouterr().out == "999 MISSING no test is marked with it\n"
