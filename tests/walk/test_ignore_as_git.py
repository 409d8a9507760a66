"""What ignore files leave out, next to what git leaves out of the same folders."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragqa.walk import Wanted, find_files

GIT = shutil.which("git")
pytestmark = pytest.mark.skipif(GIT is None, reason="git is not installed")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty one, whose ignore files may be laid into any folder."""
    path = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", "--bare", path], check=True, env=environment(path))
    return path


def environment(repository: Path) -> dict[str, str]:
    """Without what the user of this machine told git."""
    nothing = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "XDG_CONFIG_HOME": str(repository)}
    return {"PATH": os.environ["PATH"], "HOME": str(repository), **nothing}


def lay(root: Path, files: dict[bytes, bytes]) -> None:
    for name, content in files.items():
        path = root / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def as_git(repository: Path, root: Path) -> set[bytes]:
    command = ["git", f"--git-dir={repository}", f"--work-tree={root}", "-c", "core.bare=false"]
    listed = subprocess.run(
        [*command, "ls-files", "--others", "--exclude-standard", "-z"],
        check=True,
        capture_output=True,
        cwd=root,
        env=environment(repository),
    )
    return {path for path in listed.stdout.split(b"\0") if path}


def as_ragqa(root: Path) -> set[bytes]:
    files, _passed = find_files([root], Wanted(glob="*", hidden=True))
    return {os.fsencode(file.path.relative_to(root)) for file in files}


TREE = [
    *(b"a", b"a.md", b"b.txt", b"r.md", b"docs/d.md", b"docs/d.txt", b"docs/a/b/x.md", b"docs/b/x.md", b"build/a.md"),
    *(b"foox/bar", b"foo/y/bar", b"src/build/b.md", b"a b", b"end ", b"#a", b"!a", b"[a]", b"back\\slash", b"*", b"Z"),
    *("é.md".encode(), "l\u2028b.txt".encode(), b"\xe9.md", b"line\nend.md", b"v\x0bt"),
]
FILES = [
    *("*\n!*/\n!*.md", "**\n!**/\n!*.md", "*\n!*.*\n!*/", "/*\n!/docs/\n/docs/*\n!/docs/d.md", "docs/\n!docs/d.md"),
    *("*.md\n!r.md", "!r.md\n*.md", "build/", "/build/", "build", "/build", "docs/*", "docs/**", "docs/**/x.md", "!*"),
    *("**/b", "**/b/", "docs/**/b/x.md", "a/**", "***/x.md", "foo**/bar", "docs/d**", "**\\/x.md", "*/*/*", "/*", "/"),
    *("//", "!", "!/", "*", "**", "a ", "a\\ b", "end\\ ", "end ", "\\#a", "\\!a", "\\[a]", "[[]a]", "back\\\\slash"),
    *("back\\", "\\*", "[*]", "[a", "[]", "[!]", "[z-a].md", "[!b].md", "[^b].*", "[a-\\b]*", "[]-a]", "[a\\]].md"),
    *("[[:alpha:]]", "[[:upper:]]", "[[:nothing:]]", "[[:]a]", "[![:alnum:]]*", "?.md", "??.md", "[é].md", "é.md"),
    *("a\r\nr.md\r\n", "a\r\r\n", "\ufeffr.md\na", "\ufeff#a", "l\u2028b.txt", "r.md\u2028a", "v\x0bt", "v\ft", "v*t"),
    *("line*", "r.md\t", "a\0b", "  a", "a\n\n\n", "#a", " #a", "docs//d.md", "docs//", "DOCS", "*a*a*a*b", "*b*.txt"),
]


@pytest.mark.parametrize("rules", FILES)
def test_what_is_left_out_is_what_git_leaves_out(rules: str, repository: Path, tmp_path: Path):
    lay(tmp_path, dict.fromkeys(TREE, b"") | {b".gitignore": rules.encode()})
    assert as_ragqa(tmp_path) == as_git(repository, tmp_path)


def test_bytes_that_are_no_letters_are_read_as_git_reads_them(repository: Path, tmp_path: Path):
    lay(tmp_path, dict.fromkeys(TREE, b"") | {b".gitignore": b"\xe9.md\n[\xc3].md\n\xff*\n[\x80-\xff]*.txt"})
    assert as_ragqa(tmp_path) == as_git(repository, tmp_path)
    assert b"\xe9.md" not in as_ragqa(tmp_path)


NAMES = st.sampled_from([b"a", b"b", b"ab", b"ba", b"a.md", b"c", b"A", b"*", b"\\", b"a ", b"#a", b"]", b"-", b"\xc3"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(b"/".join)
PIECES = st.sampled_from(
    [
        *(
            b"a",
            b"b",
            b"ab",
            b".md",
            b"*",
            b"*",
            b"?",
            b"/",
            b"/",
            b"**",
            b"**/",
            b"/**",
            b"/**/",
            b"*.md",
            b" ",
            b"\\",
        ),
        *(
            b"[ab]",
            b"[!a]",
            b"[^b-]",
            b"[]a]",
            b"[a-c]",
            b"[c-a]",
            b"[a-\\]]",
            b"[a",
            b"[[:alpha:]]",
            b"]",
            b"-",
            b"\r",
        ),
    ]
)
LINES = st.builds(bytes.__add__, st.sampled_from([b"", b"", b"!", b"#"]), st.lists(PIECES, max_size=5).map(b"".join))
LISTS = st.lists(LINES, min_size=1, max_size=5).map(b"\n".join)


@settings(max_examples=60)
@given(paths=st.lists(PATHS, min_size=2, max_size=10), outer=LISTS, inner=LISTS, below=NAMES)
def test_any_patterns_leave_out_of_any_folders_what_git_leaves_out(
    repository: Path, paths: list[bytes], outer: bytes, inner: bytes, below: bytes
):
    with TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        for name, content in {**dict.fromkeys(paths, b""), b".gitignore": outer, below + b"/.gitignore": inner}.items():
            with suppress(OSError):  # a file may stand where this one needs a folder
                lay(root, {name: content})
        assert as_ragqa(root) == as_git(repository, root)
