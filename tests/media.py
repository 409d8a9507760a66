"""Disks that are full, cannot be written, or are gone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

# What is run there: it stores documents until that fails, and prints how many were stored and how it ended.
FILL = """
import sys
from pathlib import Path
from ragqa.errors import RagqaError
from tests.fakes import document, passage
from tests.stores.test_sqlite import made, unit

stored = 0
try:
    store = made(Path(sys.argv[1]))
    while stored < 5000:
        text = f"document {stored} " + "word " * 3000
        store.add(document(text, id=f"n/{stored}.md"), [passage(text, document=f"n/{stored}.md")], unit(1))
        stored += 1
except RagqaError as error:
    print(stored, error.exit_code, error.message.replace(sys.argv[1], "index.db"), error.hint, sep="|")
"""
# Every read of a file of SQLite's fails, as if the drive had been pulled out.
GONE = """
import sys
import apsw

class File(apsw.VFSFile):
    def __init__(self, name, flags):
        super().__init__("unix", name, flags)
    def xRead(self, amount, offset):
        raise apsw.IOError("the drive is gone")

class Gone(apsw.VFS):
    def __init__(self):
        super().__init__("gone", "unix", makedefault=True)
    def xOpen(self, name, flags):
        return File(name, flags)

vfs = Gone()
sys.excepthook = sys.unraisablehook = lambda *error: None
sys.argv = ["ragqa", *sys.argv[1:]]
from ragqa.cli.app import main
main()
"""


def mounts_are_allowed() -> bool:
    """Whether this user may mount file systems of his own."""
    return on_a_mount("true").returncode == 0


def on_a_mount(script: str, *arguments: object, size: str = "3m") -> subprocess.CompletedProcess[str]:
    """Run a line of bash whose working folder is a small file system of its own; `$PYTHON` is this one."""
    whole = f'folder=$(mktemp -d) && mount -t tmpfs -o size={size} none "$folder" && cd "$folder" && {script}'
    own = ["env", f"PYTHON={sys.executable}", f"PYTHONPATH={ROOT}", "RAGQA_WARM=0", "bash", "-c", whole, "bash"]
    command = ["unshare", "-rm", *own, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
