"""Whether a whole question opens no socket: asked of both models on a small index of its own, and watched.

Python's audit hook names the code that tries. Code in C goes past it; so the question is asked once more where there is
no network to go to, and there the kernel counts what wanted to leave.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ragqa.doctor import Finding, Subject

ALONE = ("unshare", "--map-root-user", "--net")
PATIENCE = 300.0  # seconds, as the models may have to be prepared first
REPORT = "please report this as a fault of ragqa, with this line"


def offline(subject: Subject) -> Iterator[Finding]:
    """Both ways of watching, where the system permits them."""
    subject.progress("asking a question under watch", 0.0)
    yield _finding("offline, watched", "a whole question with both models tried no network", *_asked(subject, ()))
    subject.progress("asking a question without a network", 0.5)
    if not _permitted():
        said = "this system lets no process have a network of its own, so code in C was not watched"
        yield Finding("note", "offline, cut off", said)
        return
    said = "answered where there is no network, and nothing wanted to leave"
    yield _finding("offline, cut off", said, *_asked(subject, ALONE))


def _permitted() -> bool:
    if not shutil.which(ALONE[0]):
        return False
    return subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0


def _finding(about: str, well: str, code: int, attempts: list[str], error: str) -> Finding:
    if attempts:
        return Finding("fault", about, "; ".join(attempts), REPORT)
    if code:
        return Finding("fault", about, f"the question failed with exit code {code}: {error}", "ragqa doctor")
    return Finding("ok", about, well)


def _asked(subject: Subject, before: Sequence[str]) -> tuple[int, list[str], str]:
    """Exit code, what tried to use a network, and the last line of what was said about it."""
    with tempfile.TemporaryDirectory(prefix="ragqa-doctor-") as folder:
        witness = Path(folder) / "witness.json"
        program = [sys.executable, "-m", "ragqa.doctor.rehearsal", folder, str(witness)]
        command = [*before, *program, *(["alone"] if before else [])]
        apart = {"RAGQA_WARM": "0", "RAGQA_LOG": "0"}  # from the user's warm process and history
        environ = {**os.environ, **subject.environ, **apart}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", env=environ, timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            return 1, [], f"it was not done after {PATIENCE:.0f} seconds"
        lines = done.stderr.strip().splitlines()
        attempts = json.loads(witness.read_text(encoding="utf-8")) if witness.is_file() else []
        return done.returncode, attempts, next((line for line in lines if line.startswith("ragqa:")), "no reason given")
