"""What `--where` says, as a filter."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragqa.errors import UsageError
from ragqa.types import Filter
from ragqa.where import parse_where

HERE = Path("/home/me")


def parsed(*terms: str, here: Path = HERE) -> Filter:
    return parse_where(terms, here=here)


def test_nothing_said_narrows_nothing():
    assert parsed() == Filter()
    assert not parse_where([], collections=["notes"], here=HERE).narrows


def test_terms_of_a_kind_are_alternatives_and_kinds_hold_together():
    made = parsed("tag:sea", "tag:#Light", "type:markdown", "tag:sea")
    assert (made.tags, made.types, made.paths) == (("sea", "light"), ("markdown",), ())
    assert made.terms == ("tag:sea", "tag:#Light", "type:markdown", "tag:sea")


def test_a_format_has_the_name_of_its_suffix_too():
    assert parsed("type:md", "type:.TXT").types == ("markdown", "text")


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [
        ("2024", "2024-01-01", "2024-12-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2023-02", "2023-02-01", "2023-02-28"),
        ("2024-12", "2024-12-01", "2024-12-31"),
        ("2024-01-31", "2024-01-31", "2024-01-31"),
        ("9999", "9999-01-01", "9999-12-31"),
    ],
)
def test_part_of_a_date_means_its_first_day_and_its_last(said: str, first: str, last: str):
    assert (parsed(f"after:{said}").after, parsed(f"before:{said}").before) == (first, last)


def test_of_several_dates_the_widest_counts():
    made = parsed("after:2024", "after:2023", "before:2024", "before:2025")
    assert (made.after, made.before) == ("2023-01-01", "2025-12-31")


@pytest.mark.parametrize(
    "said",
    ["yesterday", "24", "2024-13", "2024-00", "2024-01-00", "2023-02-29", "2024-1-1", "0000", "2024-01-31T10:00"],
)
@pytest.mark.parametrize("kind", ["after", "before"])
def test_what_is_no_date_is_refused(kind: str, said: str):
    with pytest.raises(UsageError, match="not a date"):
        parsed(f"{kind}:{said}")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("tags:sea", "tag:sea"),
        ("typ:pdf", "type:pdf"),
        ("Tags:sea", "tag:sea"),
        ("befor:2024", "before:2024"),
        ("since:2024", "after:"),
        ("collection:notes", "-c"),
        ("folder:notes", "path:notes"),
    ],
)
def test_a_kind_that_there_is_not_is_refused_with_those_there_are(said: str, meant: str):
    with pytest.raises(UsageError, match=f"did you mean {meant}") as refused:
        parsed(said)
    assert all(f"{kind}:" in refused.value.hint for kind in ("path", "tag", "type", "after", "before"))


def test_a_format_that_there_is_not_is_refused_with_those_there_are():
    with pytest.raises(UsageError, match="no such format") as refused:
        parsed("type:floppy")
    assert "markdown" in refused.value.hint
    with pytest.raises(UsageError, match="did you mean type:xlsx"):
        parsed("type:xls")


@pytest.mark.parametrize("said", ["", " ", "tag:", "after: "])
def test_a_term_that_says_nothing_is_refused(said: str):
    with pytest.raises(UsageError, match="nothing is said"):
        parsed(said)


@pytest.mark.parametrize("said", ["a:b.md", "notes/12:30.md", "C:notes", "meeting:2024"])
def test_any_other_colon_is_a_part_of_a_path(said: str):
    assert said in parsed(said).paths


def test_a_path_is_meant_from_the_working_folder_as_well_as_in_the_index():
    assert parsed("notes/2024/*").paths == ("notes/2024/*", "/home/me/notes/2024/*")
    assert parsed("../other/").paths == ("../other", "/home/other")
    assert parsed("/elsewhere/a.md").paths == ("/elsewhere/a.md",)


def test_a_path_may_say_that_it_is_one():
    assert parsed("path:notes/2024/*").paths == parsed("notes/2024/*").paths
    assert parsed("path:tag:a.md").paths == ("tag:a.md", "**/tag:a.md", "/home/me/tag:a.md")


def test_a_name_alone_is_found_in_any_folder():
    assert parsed("bridge.md").paths == ("bridge.md", "**/bridge.md", "/home/me/bridge.md")


def test_the_home_of_the_user_may_be_quoted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", "/home/you")
    assert "/home/you/notes" in parsed("~/notes").paths


def test_a_link_is_followed_as_the_index_does(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert {str(tmp_path / "link"), str(tmp_path.resolve() / "real")} <= set(parsed("link", here=tmp_path).paths)


def test_a_bracket_may_be_a_part_of_a_name():
    assert parsed("/n/[old].md").paths == ("/n/[old].md", "/n/[[]old].md")


def test_accents_are_meant_however_they_are_written():
    made = parsed("tag:Ka\u0308se", "Ka\u0308se.md")
    assert (made.tags, made.paths[0]) == (("k\u00e4se",), "K\u00e4se.md")


def test_a_pattern_longer_than_sqlite_compares_is_refused():
    with pytest.raises(UsageError, match="too long"):
        parsed("x" * 60_000)


@given(st.text())
def test_every_text_is_a_filter_or_refused(said: str):
    try:
        made = parsed(said)
    except UsageError:
        return
    assert made.narrows
    for value in (*made.paths, *made.tags):
        value.encode()  # SQLite takes it
