"""What `ragqa bench` measures with: a folder of its own with an index of the notes, and the commands that are run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ragqa.catalogue import DEFAULTS
from ragqa.cli.open import open_embedder, open_to_read, open_writing
from ragqa.errors import NoIndex, RagqaError, UsageError
from ragqa.manifest import MANIFEST, Manifest
from ragqa.models import ready
from ragqa.settings import Settings

if TYPE_CHECKING:
    from ragqa.document import Passage
    from ragqa.embed.onnx import OnnxEmbedder
    from ragqa.measure.bench.cold import Command
    from ragqa.measure.bench.limits import Gauges
    from ragqa.store.sqlite import SQLiteStore
    from ragqa.write import Writing

SKIPPED = (0, 3)  # exit codes of an index that was made, the second with files left out
ASKED = (0, 4)  # exit codes of a question that was answered, or refused
SIGNALLED = 128  # a command that signal n ends has exit code 128 + n
PEER_PASSAGES = "passages.jsonl"  # in the peer's folder, once all of them are embedded
NOTHING_TO_READ = "no Markdown or text in it, so nothing to measure on"
OTHER_NOTES = "name a folder of notes with `--notes`"
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
        """A RAGQA_HOME with the default models of the user, made ready if they were not."""
        home = self.folder / "home"
        for name in DEFAULTS.values():
            ready(self.given.models, name, self.say)
            share_model(self.given.models.resolve() / name, home / "models" / name)
        home.chmod(0o700)
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
        """The notes, indexed by the command itself.

        Raises:
            UsageError: There is no text in them.
        """
        self.say("indexing the notes")
        self.command("index", str(self.notes), "-q", codes=SKIPPED).run()
        try:
            return open_to_read(self.settings)
        except NoIndex as error:
            raise UsageError(f"{self.notes}: {NOTHING_TO_READ}", OTHER_NOTES) from error

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
    def served(self) -> Iterator[Mapping[str, str]]:
        """The environment of commands that a warm process answers."""
        environment = {name: value for name, value in self.environment.items() if name != "RAGQA_WARM"}

        def serve(option: str) -> bool:
            # No pipes: a process in the background would hold them open.
            none, command = subprocess.DEVNULL, [*ragqa(), "serve", option]
            return subprocess.call(command, env=environment, stdin=none, stdout=none, stderr=none) == 0

        try:
            if not serve("--background"):
                raise RagqaError("`ragqa serve --background` does not start", "run it by itself to see why")
            yield environment
        finally:
            serve("--stop")


def ragqa() -> list[str]:
    """The command as it was installed beside this Python."""
    installed = Path(sys.executable).with_name("ragqa")
    return [str(installed)] if installed.exists() else [sys.executable, "-m", "ragqa"]


def share_model(folder: Path, place: Path) -> None:
    """Have a model in another place, too: its files as links, so that nothing made in that place lands in `folder`.

    What a Llama has read of the beginnings of prompts is copied, since a question finds it there.
    """
    place.mkdir(parents=True)
    for path in folder.iterdir():
        if path.is_dir():
            shutil.copytree(path, place / path.name)
        elif path.name == MANIFEST:
            shutil.copy2(path, place)
        else:
            (place / path.name).symlink_to(path)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Meanwhile SIGTERM and SIGHUP raise SystemExit, so that whatever is open is taken down, and only the first counts.

    A signal that whoever started this command had ignored, as `nohup` does, stays so.
    """
    heard = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}

    def end(number: int, frame: object) -> NoReturn:
        for other in heard:
            signal.signal(other, signal.SIG_IGN)
        raise SystemExit(SIGNALLED + number)

    for number, was in heard.items():
        if was != signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, was in heard.items():
            signal.signal(number, was)


def require_notes(notes: Path) -> Path:
    """The folder or file of notes, absolute.

    Raises:
        UsageError: It is not there, or there is nothing in it that can be read.
    """
    from ragqa.walk import Wanted, find_files
    from ragqa.walk.roots import resolve_roots

    try:
        (root,) = resolve_roots([notes]).real
    except UsageError as error:
        raise UsageError(f"--notes {error.message}", OTHER_NOTES) from error
    if not find_files([root], Wanted())[0]:
        raise UsageError(f"--notes {notes}: {NOTHING_TO_READ}", OTHER_NOTES)
    return root


def require_same_notes(bench: Workbench) -> None:
    """Nothing where there is no peer.

    Raises:
        UsageError: The peer has embedded other passages than those that ragqa is measured on.
    """
    if not bench.peer:
        return
    from ragqa.embed import PASSAGE_PREFIX
    from ragqa.measure.bench.indexing import write_passages

    every = (one for batch, _vectors in bench.store.vectors() for one in batch)
    ours = write_passages(every, bench.folder / "all.jsonl", PASSAGE_PREFIX)
    if sorted(contents(ours)) != sorted(contents(bench.peer / PEER_PASSAGES)):
        raise UsageError(
            f"{bench.peer} was set up with other notes than {bench.notes}, or before they were changed",
            "`scripts/bench`, with the same `--notes`, sets it up with them",
        )


def contents(path: Path) -> list[str]:
    """The texts of a file that `write_passages` wrote; how the documents are called does not matter.

    Raises:
        UsageError: It is another kind of file.
    """
    try:
        return [json.loads(line)["content"] for line in path.read_text(encoding="utf-8").splitlines()]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: not written by `scripts/bench`", "remove it, and `scripts/bench` again") from error


def require_peer(peer: Path | None) -> Path | None:
    """The folder of the peer, absolute.

    Raises:
        UsageError: It was not set up, or what its pipeline needs is not there.
    """
    if peer is None:
        return None
    for part in ("venv/bin/llm", "llm/embeddings.db", PEER_PASSAGES):
        if not (peer / part).exists():
            raise UsageError(f"{peer}: no {part}, so no peer to measure", "`scripts/bench` sets one up")
    for tool in ("bash", "jq"):
        if not shutil.which(tool):
            raise UsageError(f"{tool} is not installed, and the peer's pipeline needs it", f"install {tool}")
    return peer.resolve()
