"""SQLite files of other programs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from ragqa.errors import UsageError
from ragqa.foreign import open_foreign


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    path = tmp_path / "posts.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE posts (id, body)")
        db.execute("INSERT INTO posts VALUES (1, 'lamp'), (2, 'bread')")
        db.execute("CREATE VIRTUAL TABLE words USING fts5 (body)")
        db.execute("INSERT INTO words SELECT body FROM posts")
    return path


def asked(path: Path, query: str, seconds: float = 5.0) -> list[list[object]]:
    with open_foreign(path, seconds) as file:
        return [[value for _name, value in row] for row in file.rows(query)]


def files(folder: Path) -> Iterator[tuple[str, bytes, int]]:
    return ((path.name, path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(folder.iterdir()))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT id, body FROM posts", [[1, "lamp"], [2, "bread"]]),
        ("SELECT upper(body) FROM posts WHERE id = 1", [["LAMP"]]),
        ("SELECT body FROM words WHERE words MATCH 'lamp'", [["lamp"]]),
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT max(i) FROM n", [[3]]),
        ("SELECT value FROM json_each('[1, 2]')", [[1], [2]]),
    ],
)
def test_a_query_reads(posts: Path, query: str, found: list[list[object]]):
    assert asked(posts, query) == found


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM posts",
        "INSERT INTO posts VALUES (3, 'x')",
        "CREATE TEMP TABLE t (x)",
        "ATTACH '/tmp/other.db' AS other",
        "PRAGMA journal_mode = wal",
        "VACUUM INTO '/tmp/copy.db'",
        "SELECT load_extension('/tmp/x.so')",
        "SELECT id FROM posts; DROP TABLE posts",
        "SELECT nothing FROM nowhere",
        "no SQL at all",
    ],
)
def test_a_query_does_nothing_else(posts: Path, query: str):
    before = list(files(posts.parent))
    with pytest.raises(UsageError):
        asked(posts, query)
    assert list(files(posts.parent)) == before


def test_a_row_that_takes_too_long_is_not_waited_for(posts: Path):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(UsageError, match=r"over 0\.2 s"):
        asked(posts, endless, seconds=0.2)


def test_a_file_that_nobody_has_open_gets_no_other_beside_it(posts: Path):
    with sqlite3.connect(posts) as db:
        db.execute("PRAGMA journal_mode = wal")
    db.close()
    with open_foreign(posts) as file:
        assert len(list(file.rows("SELECT id FROM posts"))) == 2
        assert [path.name for path in posts.parent.iterdir()] == ["posts.db"]


def test_what_another_program_wrote_last_is_read_from_its_log(posts: Path):
    db = sqlite3.connect(posts)
    db.execute("PRAGMA journal_mode = wal")
    db.execute("INSERT INTO posts VALUES (3, 'new')")
    db.commit()
    assert asked(posts, "SELECT body FROM posts WHERE id = 3") == [["new"]]
    db.close()


def test_what_is_no_database_is_refused(tmp_path: Path):
    (tmp_path / "a.txt").write_text("text")
    for path in (tmp_path / "a.txt", tmp_path / "none.db", tmp_path, Path("/dev/null")):
        with pytest.raises(UsageError):
            asked(path, "SELECT 1")


def test_a_damaged_database_is_refused(posts: Path):
    posts.write_bytes(posts.read_bytes()[:100] + b"\xff" * 4000)
    with pytest.raises(UsageError):
        asked(posts, "SELECT * FROM posts")
