"""The tables that find the vectors nearest to another.

`vectors` is the record: every vector in float32 with its checksum. Where a search may see up to `EXACT` of them,
sqlite-vec compares it with each. Where it may see more, it reads `sketches` instead, which are 13 times smaller, and
sqlite-vec compares the vectors of the most promising `CANDIDATES` only.

A group of sketches holds passages of one collection, so a search that may see some collections reads nothing of the
others. It is made anew from its vectors whenever one comes or goes, in the same transaction, and so depends on nothing
but what is stored.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence

import apsw
import numpy as np
from numpy.typing import NDArray

from ragqa.store.filter import condition_of, in_collections
from ragqa.store.rows import batched
from ragqa.store.sketch import GROUP, Best, Keys, Sketches, as_query, estimate, sketch, unlike
from ragqa.types import Filter, Matrix, Vector

EXACT = 20_000  # passages; comparing with each takes under 20 ms
CANDIDATES = 2000  # recall is .99 and more from 1,000 on; as many again cost a millisecond or two
CANDIDATES_EACH = 20  # for each passage asked for, where that is more
AT_ONCE = 16  # groups; more make no difference, fewer leave NumPy's time for a call in sight

TABLES = """
CREATE TABLE sketches (
  key INTEGER PRIMARY KEY,
  collection TEXT NOT NULL,
  size INTEGER NOT NULL,
  passages BLOB NOT NULL,
  mean BLOB NOT NULL,
  steps BLOB NOT NULL,
  weights BLOB NOT NULL,
  bits BLOB NOT NULL
);
CREATE INDEX sketches_with_room ON sketches (collection, size);
CREATE TABLE vectors (
  passage INTEGER PRIMARY KEY REFERENCES passages(key) ON DELETE CASCADE,
  sketches INTEGER NOT NULL,
  vector BLOB NOT NULL,
  crc32 INTEGER NOT NULL
);
"""


class Nearest:
    """The tables in an open index. Who adds or removes has begun a transaction and will end it."""

    def __init__(self, db: apsw.Connection, dim: int, exact: int = EXACT) -> None:
        self.db = db
        self.dim = dim
        self.exact = exact

    def add(self, keys: Sequence[int], vectors: Matrix, collection: str) -> None:
        """Store vectors of unit length under keys that are new."""
        added = 0
        while added < len(keys):
            group, before = self._with_room(collection)
            some = slice(added, added + GROUP - len(before))
            added = min(some.stop, len(keys))
            within = np.concatenate([before, np.asarray(keys[some], np.int64)])
            self._write(group, within, np.concatenate([self._vectors(before), vectors[some]]))
            self.db.executemany("INSERT INTO vectors VALUES (?, ?, ?, ?)", _rows(keys[some], group, vectors[some]))

    def remove(self, keys: Sequence[int]) -> None:
        wanted = json.dumps(list(keys))
        some = "passage IN (SELECT value FROM json_each(?))"
        rows = self.db.execute(f"SELECT DISTINCT sketches FROM vectors WHERE {some}", (wanted,))
        groups = [int(str(group)) for (group,) in rows]
        self.db.execute(f"DELETE FROM vectors WHERE {some}", (wanted,))
        for group in groups:
            within = self._passages(group)
            left = within[~np.isin(within, keys)]
            if len(left):
                self._write(group, left, self._vectors(left))
            else:
                self.db.execute("DELETE FROM sketches WHERE key = ?", (group,))

    def rename(self, old: str, new: str) -> None:
        """Give a collection a name that none has."""
        self.db.execute("UPDATE sketches SET collection = ? WHERE collection = ?", (new, old))

    def count(self, where: Filter | None = None) -> int:
        """How many vectors there are in the collections that a search may see."""
        condition, values = in_collections(where)
        total = f"SELECT coalesce(sum(size), 0) FROM sketches WHERE 1{condition}"
        return int(self.db.execute(total, tuple(values)).get)

    def search(self, vector: Vector, k: int, where: Filter | None = None) -> list[tuple[int, float]]:
        """Keys and cosine similarities of the `k` nearest, best first; all of one moment, whoever is writing."""
        with self.db:
            found: list[tuple[int, float]] = self._compare(vector, k, self._among(vector, k, where))
        return found

    def _among(self, vector: Vector, k: int, where: Filter | None) -> Keys | None:
        """Which vectors to compare with; None: with all."""
        allowed = self._allowed(where) if where and where.narrows else None
        if (self.count(where) if allowed is None else len(allowed)) > self.exact:
            return self._promising(vector, max(CANDIDATES, CANDIDATES_EACH * k), where, allowed)
        if allowed is not None:
            return allowed
        return self._seen(where) if where and where.collections else None

    def _allowed(self, where: Filter) -> Keys:
        """Keys of the passages of those documents."""
        condition, values = condition_of(where)
        found = f"SELECT p.key FROM passages p JOIN documents d ON d.key = p.document{condition}"
        return np.fromiter((key for (key,) in self.db.execute(found, values)), np.int64)

    def _compare(self, vector: Vector, k: int, among: Keys | None) -> list[tuple[int, float]]:
        """sqlite-vec's distance of each of some vectors, or of all."""
        some = "" if among is None else " WHERE passage IN (SELECT value FROM json_each(?3))"
        rows = self.db.execute(
            f"SELECT passage, vec_distance_cosine(vector, ?1) AS distance FROM vectors{some}"
            " ORDER BY distance, passage LIMIT ?2",
            (vector.astype("<f4").tobytes(), k, *(() if among is None else (json.dumps(among.tolist()),))),
        )
        return [(key, 1 - _sound(key, distance)) for key, distance in rows]

    def _seen(self, where: Filter) -> Keys:
        condition, values = in_collections(where)
        rows = self.db.execute(f"SELECT passages FROM sketches WHERE 1{condition}", tuple(values))
        return np.frombuffer(b"".join(passages for (passages,) in rows), "<i8")

    def _promising(self, vector: Vector, count: int, where: Filter | None, allowed: Keys | None) -> Keys:
        """Keys of the `count` vectors whose sketches are nearest; of those that are allowed, if that is said."""
        condition, values = in_collections(where)
        query, best = as_query(vector), Best(count)
        rows = self.db.execute(f"SELECT passages, mean, weights, bits FROM sketches WHERE 1{condition}", tuple(values))
        for batch in batched(rows, AT_ONCE):
            passages, means, weights, bits = zip(*batch, strict=True)
            near = _numbers(means).reshape(-1, self.dim) @ vector
            shared = np.repeat(near, [len(keys) // 8 for keys in passages])
            apart = estimate(query, _numbers(weights), np.concatenate([*map(self._bits, bits)], axis=2))
            keys, near = np.frombuffer(b"".join(passages), "<i8"), shared + apart
            if allowed is not None:
                seen = np.isin(keys, allowed)
                keys, near = keys[seen], near[seen]
            best.add(keys, near)
        return best.keys()

    def faults(self) -> Iterator[tuple[int, str]]:
        """The key of each passage whose sketch is not that of its vector, and why. Vectors are checked elsewhere."""
        placed = dict(self.db.execute("SELECT passage, sketches FROM vectors"))
        for group, keys, made in self._groups():
            for key in keys.tolist():
                if placed.get(key) == group:
                    del placed[key]
                else:
                    yield key, "its sketch is of no vector"
            for key in self._unlike(keys, made):
                yield key, "its sketch is not that of its vector"
        for key in placed:
            yield key, "not in sketches"

    def _groups(self) -> Iterator[tuple[int, Keys, Sketches]]:
        """All but those in which something is missing."""
        words, dim = -(-self.dim // 64), self.dim
        rows = self.db.execute("SELECT key, size, passages, mean, steps, weights, bits FROM sketches")
        for key, size, passages, mean, steps, weights, bits in rows:
            lengths = [len(part) for part in (passages, mean, steps, weights, bits)]
            if lengths == [8 * size, 4 * dim, 4 * size, 4 * size, 16 * words * size]:
                made = Sketches(_numbers([mean]), _numbers([steps]), _numbers([weights]), self._bits(bits))
                yield key, np.frombuffer(passages, "<i8"), made

    def _unlike(self, keys: Keys, made: Sketches) -> list[int]:
        """Those whose vector is sound and would be sketched in another way."""
        found = "SELECT passage, vector, crc32 FROM vectors WHERE passage IN (SELECT value FROM json_each(?))"
        vectors = {
            key: np.frombuffer(vector, "<f4")
            for key, vector, crc in self.db.execute(found, (json.dumps(keys.tolist()),))
            if len(vector) == 4 * self.dim and zlib.crc32(vector) == crc
        }
        rows = [row for row, key in enumerate(keys.tolist()) if key in vectors]
        if not rows:
            return []
        some = Sketches(made.mean, made.steps[rows], made.weights[rows], made.bits[:, :, rows])
        wrong = unlike(np.array([vectors[key] for key in keys[rows].tolist()]), some)
        return [int(key) for key in keys[rows][wrong]]

    def _with_room(self, collection: str) -> tuple[int, Keys]:
        """The group of a collection with most room and who is in it; a new one where all are full."""
        found = "SELECT key FROM sketches WHERE collection = ? AND size < ? ORDER BY size LIMIT 1"
        group = self.db.execute(found, (collection, GROUP)).get
        if group is not None:
            return group, self._passages(group)
        empty = "INSERT INTO sketches (collection, size, passages, mean, steps, weights, bits)"
        self.db.execute(f"{empty} VALUES (?, 0, x'', x'', x'', x'', x'')", (collection,))
        return self.db.last_insert_rowid(), np.zeros(0, np.int64)

    def _write(self, group: int, passages: Keys, vectors: Matrix) -> None:
        made = sketch(vectors)
        self.db.execute(
            "UPDATE sketches SET size = ?, passages = ?, mean = ?, steps = ?, weights = ?, bits = ? WHERE key = ?",
            (
                len(passages),
                passages.astype("<i8").tobytes(),
                *(part.astype("<f4").tobytes() for part in (made.mean, made.steps, made.weights)),
                made.bits.tobytes(),
                group,
            ),
        )

    def _passages(self, group: int) -> Keys:
        """Raises ValueError: the group is not there, so the index is damaged."""
        passages = self.db.execute("SELECT passages FROM sketches WHERE key = ?", (group,)).get
        if passages is None:
            raise ValueError(f"group {group} of the sketches is missing")
        return np.frombuffer(passages, "<i8")

    def _vectors(self, passages: Keys) -> Matrix:
        """(n, dim), in the order of the keys."""
        found = "SELECT vector FROM json_each(?) JOIN vectors ON passage = value ORDER BY json_each.key"
        rows = self.db.execute(found, (json.dumps(passages.tolist()),))
        return np.frombuffer(b"".join(vector for (vector,) in rows), "<f4").reshape(-1, self.dim)

    def _bits(self, stored: bytes) -> NDArray[np.uint64]:
        return np.frombuffer(stored, np.uint64).reshape(2, -(-self.dim // 64), -1)


def _sound(key: int, distance: float | None) -> float:
    """Raises ValueError: the vector has no direction, so the index is damaged."""
    if distance is None:
        raise ValueError(f"the vector of passage {key} has no length")
    return distance


def _numbers(stored: Sequence[bytes]) -> Vector:
    return np.frombuffer(b"".join(stored), "<f4")


def _rows(keys: Sequence[int], group: int, vectors: Matrix) -> Iterator[tuple[int, int, bytes, int]]:
    for key, vector in zip(keys, vectors.astype("<f4"), strict=True):
        blob = vector.tobytes()
        yield key, group, blob, zlib.crc32(blob)
