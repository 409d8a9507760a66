"""The door of all commands, without a process of its own."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from ragqa.cli.app import _run
from tests.conftest import Done, Ragqa


@pytest.fixture
def quick(ragqa: Ragqa, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """The same door as `ragqa`, where there are many small cases."""
    monkeypatch.chdir(ragqa.cwd)
    for name in [name for name in os.environ if name.startswith("RAGQA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RAGQA_HOME", str(ragqa.home))

    def run(*arguments: str) -> Done:
        return Done(_run(arguments), *capsys.readouterr())

    return run
