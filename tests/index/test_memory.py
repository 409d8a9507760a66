"""What a run takes in memory as folders grow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import resource, sys
from pathlib import Path
from ragqa.store.opening import create_index
from tests.fakes import WordEmbedder
from tests.index.updating import update

class Forgetful(WordEmbedder):
    def embed_passages(self, texts):
        vectors = super().embed_passages(texts)
        self.embedded.clear()
        return vectors

folder = Path(sys.argv[1])
store = create_index(folder / "index.db", fingerprint="f", model="words", dim=64)
store._db.execute("PRAGMA synchronous = OFF")
print(update(store, folder / "notes", embedder=Forgetful()).indexed)
unit = 1024 if sys.platform == "linux" else 1
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
"""
MANY, FEW = 5000, 1000  # the first thousand also pay for what every run takes
EACH = 2000  # bytes that may be remembered of a file; measured: 1,220 to 1,260


def peak(folder: Path, files: int) -> int:
    """Bytes at most in memory while so many files are indexed."""
    for n in range(files):
        place = folder / "notes" / f"{n % 10}" / f"{n}.md"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"# Note {n}\n\nThis is note number {n}.\n")
    program = [sys.executable, "-B", "-c", PROGRAM, folder]
    done = subprocess.run(program, cwd=ROOT, check=True, capture_output=True, text=True)
    indexed, most = map(int, done.stdout.split())
    assert indexed == files
    return most


def test_more_files_hardly_take_more_memory(tmp_path: Path):  # fault 8
    few, many = peak(tmp_path / "few", FEW), peak(tmp_path / "many", MANY)
    assert many - few < EACH * (MANY - FEW)
