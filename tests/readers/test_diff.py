"""Differences between files, read as what they are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragqa.read import STDIN, Source, read_document
from ragqa.read.apart import Child
from ragqa.read.diff import diff_blocks, is_diff

DIFF = """\
The fee is raised.

It had not changed since 1994.

diff --git a/fees.txt b/fees.txt
index 1..2 100644
--- a/fees.txt
+++ b/fees.txt
@@ -1,3 +1,3 @@ Fees
 Fees are due in May.
-The fee is 20 crowns.
+The fee is 25 crowns.
 
@@ -9 +9 @@
--- a line that looks like a head
+++ another one
diff --git a/old.txt b/new.txt
similarity index 100%
rename from old.txt
rename to new.txt
"""  # noqa: W293


def blocks(text: str) -> list[tuple[str, tuple[str, ...], str]]:
    return [(block.kind, block.heading, text[block.start : block.end]) for block in diff_blocks(text)]


def test_each_piece_is_code_under_the_name_of_its_file():
    told, more, head, first, second, renamed = blocks(DIFF)
    assert (told[0], told[2]) == ("paragraph", "The fee is raised.\n\n")
    assert more[0] == "paragraph"
    assert {head[:2], first[:2], second[:2]} == {("code", ("fees.txt",))}
    assert head[2].startswith("diff --git")
    assert first[2].startswith("@@ -1,3 +1,3 @@ Fees\n")
    assert renamed == ("code", ("new.txt",), DIFF[DIFF.index("diff --git a/old") :])


def test_a_removed_line_that_looks_like_a_head_is_a_line():
    assert blocks(DIFF)[4][2] == "@@ -9 +9 @@\n--- a line that looks like a head\n+++ another one\n"


@pytest.mark.parametrize(
    ("names", "name"),
    [
        ("--- /dev/null\n+++ b/new.txt\n", "new.txt"),
        ("--- a/gone.txt\n+++ /dev/null\n", "gone.txt"),
        ("--- old/a.txt\t2026-01-01 00:00:00\n+++ new/a.txt\t2026-01-02 00:00:00\n", "new/a.txt"),
    ],
)
def test_a_file_is_called_what_it_is_now_or_what_it_was(names: str, name: str):
    assert [heading for _kind, heading, _text in blocks(f"{names}@@ -1 +1 @@\n-a\n+b\n")] == [(name,), (name,)]


@given(st.text(alphabet="-+@ \na1,/", max_size=200), st.integers(0, len(DIFF)))
def test_the_blocks_cover_any_text_without_gaps(text: str, at: int):
    mixed = DIFF[:at] + text + DIFF[at:]
    assert "".join(part for _kind, _heading, part in blocks(mixed)) == mixed


@pytest.mark.parametrize(
    "text", ["", "--- a\n+++ b\n", "@@ -1 +1 @@\n", "---\n\n- a\n+ b\n", "--- a\nx\n+++ b\n@@ x\n"]
)
def test_what_only_resembles_one_is_none(text: str):
    assert not is_diff(text)


def test_what_git_prints_is_one(tmp_path: Path):
    for name, text in (("a", "one\ntwo\n"), ("b", "one\nthree\n")):
        (tmp_path / name).write_text(text)
    command = ["git", "diff", "--no-index", "a", "b"]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    assert is_diff(printed)
    assert [heading for _kind, heading, _text in blocks(printed)] == [("b",), ("b",)]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (DIFF, {"paragraph", "code"}),
        ("## Fees\n\nThe fee is 25 crowns.\n", {"heading", "paragraph"}),
        ("# a remark\nfee = 25\n", {"paragraph"}),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n", {"table"}),
    ],
)
def test_standard_input_is_read_as_what_it_looks_like(text: str, kinds: set[str]):
    document = read_document(Source(STDIN, text.encode(), "", 0), "-", "default", Child())
    assert {block.kind for block in document.blocks} == kinds


@pytest.mark.timeout(20)
@pytest.mark.parametrize("head", ["diff --git a/x b/x\n--- ", "--- ", "--- a\n+++ "])
def test_a_name_as_long_as_the_file_takes_no_time(head: str):
    text = head + "--- a" * 200_000 + "\nfoo\n"
    assert not is_diff(text)
    assert "".join(text[block.start : block.end] for block in diff_blocks(text)) == text


def test_names_that_stand_inside_a_line_are_none():
    assert not is_diff("as in --- a\n+++ b\n@@ -1 +1 @@\n-a\n+b\n")


@pytest.mark.parametrize("text", ["--- a\n+++ b", "diff --git a/x b/x", "--- a\n+++ b\n@@ -1 +1 @@", "x\n--- a\n+++ "])
def test_a_difference_that_breaks_off_is_read_to_its_end(text: str):
    blocks = diff_blocks(text)
    assert "".join(text[block.start : block.end] for block in blocks) == text
