"""What `ragqa bench` measures with: a folder of its own with an index of the notes, and the commands that are run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ragqa.catalogue import DEFAULTS
from ragqa.cli.open import open_embedder, open_to_read, open_writing
from ragqa.errors import RagqaError, UsageError
from ragqa.models import Manifest, ready
from ragqa.settings import Settings

if TYPE_CHECKING:
    from ragqa.embed.onnx import OnnxEmbedder
    from ragqa.measure.bench.cold import Command
    from ragqa.measure.bench.limits import Gauges
    from ragqa.store.sqlite import SQLiteStore
    from ragqa.types import Passage
    from ragqa.write import Writing

SKIPPED = (0, 3)  # exit codes of an index that was made, the second with files left out
ASKED = (0, 4)  # exit codes of a question that was answered, or refused
Say = Callable[[str], None]


@dataclass
class Workbench:
    """Notes, a question, and all that is opened to measure with; each is opened when it is first used.

    Attributes:
        folder: Empty at first, and removed afterwards; the user's index is not touched.
        given: The user's settings, of which models and threads are used; the rest is as it comes.
        peer: Where `scripts/bench` has set up `llm` with the same notes; None leaves it out.
    """

    folder: Path
    given: Settings
    notes: Path
    question: str
    rounds: int
    quick: bool
    peer: Path | None
    say: Say
    progress: Callable[[str], Callable[[int, int], None]]
    remarks: list[str] = field(default_factory=list)

    @cached_property
    def home(self) -> Path:
        """A RAGQA_HOME with the user's models, made ready if they were not."""
        for name in DEFAULTS.values():
            ready(self.given.models, name, self.say)
        home = self.folder / "home"
        home.mkdir(mode=0o700)
        (home / "models").symlink_to(self.given.models.resolve())
        return home

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """Of commands: as it is, without settings of the user's own, and without a warm process."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAGQA_")}
        own = {"RAGQA_HOME": str(self.home), "RAGQA_THREADS": str(self.given.cores), "RAGQA_WARM": "0"}
        return kept | own

    @cached_property
    def settings(self) -> Settings:
        return Settings(
            home=self.home, config=self.home / "config.toml", db=self.home / "index.db", threads=self.given.cores
        )

    @cached_property
    def gauges(self) -> Gauges:
        from ragqa.measure.bench.limits import Gauges

        return Gauges(self.given.cores)

    @cached_property
    def store(self) -> SQLiteStore:
        """The notes, indexed by the command itself."""
        self.say("indexing the notes")
        self.command("index", str(self.notes), "-q", codes=SKIPPED).run()
        return open_to_read(self.settings)

    @cached_property
    def embedder(self) -> OnnxEmbedder:
        from ragqa.embed.onnx import OnnxEmbedder

        embedder = open_embedder(self.settings, self.say)
        assert isinstance(embedder, OnnxEmbedder), "the default embedder runs in ONNX Runtime"
        return embedder

    @cached_property
    def writing(self) -> Writing:
        return open_writing(self.settings, None, self.say)

    @property
    def llama(self) -> Manifest:
        return ready(self.settings.models, DEFAULTS["generate"], self.say)

    def passages(self, most: int) -> list[Passage]:
        """The first passages of the notes."""
        return list(islice((one for batch, _vectors in self.store.vectors() for one in batch), most))

    def read(self, passages: Iterable[Passage]) -> list[str]:
        """What the embedder reads of passages."""
        from ragqa.chunk import embedded_text

        embedder = self.embedder
        return [embedded_text(one, embedder.count_tokens, embedder.max_tokens) for one in passages]

    def command(self, *words: str, codes: Collection[int] = ASKED) -> Command:
        """`ragqa` with these arguments, in a folder where no project has settings."""
        return self._command([*ragqa(), *words], self.environment, codes)

    def python(self, program: str) -> Command:
        """This Python with a program of one line."""
        return self._command([sys.executable, "-c", program], self.environment, (0,))

    def script(self, script: str, *arguments: str, codes: Collection[int] = (0,)) -> Command:
        """A line of bash, in which the peer's commands are found."""
        more = {}
        if self.peer:
            more = {
                "PATH": f"{self.peer / 'venv' / 'bin'}:{self.environment.get('PATH', '')}",
                "LLM_USER_PATH": str(self.peer / "llm"),
                "HF_HUB_OFFLINE": "1",
            }
        words = ["bash", "-o", "pipefail", "-c", script, "bench", *arguments]
        return self._command(words, {**self.environment, **more}, codes)

    def _command(self, words: Sequence[str], environment: Mapping[str, str], codes: Collection[int]) -> Command:
        from ragqa.measure.bench.cold import Command

        return Command(words, environment, self.folder, codes=codes)

    @contextmanager
    def served(self) -> Iterator[Mapping[str, str] | None]:
        """The environment of commands that a warm process answers; None where this version has none."""
        environment = {name: value for name, value in self.environment.items() if name != "RAGQA_WARM"}

        def serve(option: str) -> bool:
            # No pipes: a process in the background would hold them open.
            none, command = subprocess.DEVNULL, [*ragqa(), "serve", option]
            return subprocess.call(command, env=environment, stdin=none, stdout=none, stderr=none) == 0

        if not serve("--help"):
            yield None
            return
        if not serve("--background"):
            raise RagqaError("`ragqa serve --background` does not start", "run it by itself to see why")
        try:
            yield environment
        finally:
            serve("--stop")


def ragqa() -> list[str]:
    """The command as it was installed beside this Python."""
    installed = Path(sys.executable).with_name("ragqa")
    return [str(installed)] if installed.exists() else [sys.executable, "-m", "ragqa"]


def require_peer(peer: Path | None) -> Path | None:
    """The folder of the peer, absolute.

    Raises:
        UsageError: It was not set up, or what its pipeline needs is not there.
    """
    if peer is None:
        return None
    for part in ("venv/bin/llm", "llm/embeddings.db"):
        if not (peer / part).exists():
            raise UsageError(f"{peer}: no {part}, so no peer to measure", "`scripts/bench` sets one up")
    for tool in ("bash", "jq"):
        if not shutil.which(tool):
            raise UsageError(f"{tool} is not installed, and the peer's pipeline needs it", f"install {tool}")
    return peer.resolve()
