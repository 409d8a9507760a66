"""Ignore files: whose rules hold where."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragqa.walk import Wanted, find_files


def tree(root: Path, **files: str) -> Path:
    """Files by path; a path without text has its name for one."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text or name)
    return root


def found(root: Path, **wanted: bool) -> list[str]:
    return [str(file.path.relative_to(root)) for file in find_files([root], Wanted(**wanted))[0]]


def passed(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): reason for path, reason in find_files([root], Wanted())[1]}


def test_what_an_ignore_file_names_is_left_out_and_counted(tmp_path: Path):
    tree(tmp_path, **{".gitignore": "build/\n*.log.txt\n", "a.md": "", "b.log.txt": "", "build/c.md": "", "x/d.md": ""})
    assert found(tmp_path) == ["a.md", "x/d.md"]
    assert passed(tmp_path) == {"b.log.txt": "ignored", "build": "ignored"}


def test_a_folder_that_is_left_out_counts_once(tmp_path: Path):
    tree(tmp_path, **{".gitignore": "deep\n"}, **{f"deep/{n}/a.md": "" for n in range(5)})
    assert passed(tmp_path) == {"deep": "ignored"}


def test_an_inner_ignore_file_counts_more_than_an_outer_one(tmp_path: Path):
    tree(tmp_path, **{".gitignore": "*.txt\n", "x/.gitignore": "!keep.txt\n", "x/keep.txt": "", "x/b.txt": ""})
    assert found(tmp_path) == ["x/keep.txt"]


def test_a_rule_with_a_slash_counts_from_its_own_folder(tmp_path: Path):
    tree(tmp_path, **{"x/.gitignore": "/a.md\n", "a.md": "", "x/a.md": "", "x/y/a.md": ""})
    assert found(tmp_path) == ["a.md", "x/y/a.md"]


def test_ragqas_own_ignore_file_counts_more_than_gits(tmp_path: Path):
    tree(tmp_path, **{".gitignore": "*.txt\n", ".ragqaignore": "!b.txt\na.md\n", "a.md": "", "b.txt": "", "c.txt": ""})
    assert found(tmp_path) == ["b.txt"]


def test_what_a_repository_excludes_for_itself_is_left_out(tmp_path: Path):
    tree(tmp_path, **{".git/info/exclude": "mine.md\n", "mine.md": "", "yours.md": ""})
    assert found(tmp_path) == ["yours.md"]


def test_rules_of_the_folders_above_hold_up_to_the_top_of_the_repository(tmp_path: Path):
    tree(tmp_path, **{".gitignore": "b.md\n", "repo/.git/HEAD": "", "repo/.gitignore": "docs/a.md\n"})
    docs = tree(tmp_path / "repo" / "docs", **{"a.md": "", "b.md": "", "c.md": ""})
    assert found(docs) == ["b.md", "c.md"]


def test_without_a_repository_no_rule_of_a_folder_above_holds(tmp_path: Path):
    docs = tree(tmp_path / "docs", **{"a.md": ""})
    tree(tmp_path, **{".gitignore": "*.md\n"})
    assert found(docs) == ["a.md"]


def test_an_ignored_folder_that_was_asked_for_is_walked(tmp_path: Path):
    tree(tmp_path, **{".git/HEAD": "", ".gitignore": "build/\n", "build/a.md": ""})
    assert found(tmp_path / "build") == ["a.md"]


def test_no_ignore_takes_everything(tmp_path: Path):
    tree(tmp_path, **{".gitignore": "*\n", "a.md": ""})
    assert found(tmp_path) == []
    assert found(tmp_path, ignored=True) == ["a.md"]


def test_a_mark_before_the_first_rule_is_none_of_it(tmp_path: Path):
    tree(tmp_path, **{".gitignore": "\ufeffprivate/\n", "private/a.md": "", "b.md": ""})
    assert found(tmp_path) == ["b.md"]


@pytest.mark.parametrize("rules", ["*\n!*/\n!*.md\n", "**\n!**/\n!*.md\n", "*\n!*.*\n!*/\n"])
def test_folders_are_entered_where_all_but_some_files_are_left_out(tmp_path: Path, rules: str):
    tree(tmp_path, **{".gitignore": rules, "docs/deep/d.md": "", "docs/e": "", "r.md": ""})
    assert found(tmp_path) == ["r.md", "docs/deep/d.md"]


@pytest.mark.parametrize("rule", ["*a" * 30 + "*b", "**/a" * 30 + "/b", "/**/*a*a" * 30 + "/b", "?*" * 60 + "b"])
def test_a_rule_with_many_stars_takes_no_time(tmp_path: Path, rule: str):
    deep = "/".join(["a" * 99] * 35)
    tree(tmp_path, **{".gitignore": rule, "a" * 240 + ".md": "", f"{deep}/a.md": ""})
    assert len(found(tmp_path)) == 2  # tried one way after another, it would not come back


def test_what_is_named_outright_counts_in_however_long_a_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ragqa.walk.patterns._MOST", 20)  # bytes
    tree(tmp_path, **{".gitignore": "/a.md\nb*.md\n" + "*z.md\n" * 4, "a.md": "", "b.md": "", "z.md": "", "x/a.md": ""})
    assert found(tmp_path) == ["b.md", "x/a.md"]


@pytest.mark.parametrize("rule", ["!", "**", "\\", "[", "[z-a]", "[a-\\]", "caf\\xe9", "#a.md", "", "\x00"])
def test_a_strange_rule_harms_nobody(tmp_path: Path, rule: str):
    tree(tmp_path, **{".gitignore": f"{rule}\nb.md\n", "x/b.md": "", "a.md": ""})
    assert found(tmp_path) == ([] if rule == "**" else ["a.md"])


def test_an_ignore_file_that_is_none_is_passed_over(tmp_path: Path):
    tree(tmp_path, **{".gitignore/a.md": "", ".ragqaignore": "", "a.md": ""})
    (tmp_path / ".ragqaignore").unlink()
    (tmp_path / ".ragqaignore").symlink_to("/dev/zero")
    assert found(tmp_path) == ["a.md"]
