"""A conversation over documents that are small enough to work out by hand."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ragqa.cli import asking as door
from ragqa.cli.asking import Asking
from ragqa.cli.chat.talk import Talk
from ragqa.cli.recording import Recording
from ragqa.interaction import signs_of
from ragqa.prompt import load_template
from ragqa.settings import Settings
from ragqa.store.exact import ExactStore
from ragqa.types import Prompt
from ragqa.write import Writing
from tests.fakes import ORIGIN, EchoGenerator, WordEmbedder, document, passage

TEXTS = {
    "bridge.md": "The iron bridge was opened in 1894 by the mayor. The iron bridge is painted red because rust shows.",
    "bread.md": "Bread keeps longest in a wooden box. The wooden box wants holes for the air.",
}
OPENED = "When was the iron bridge opened by the mayor?"
PAINTED = "Why is the iron bridge painted red?"
BREAD = "Where does bread keep longest in a wooden box?"


class Llama(EchoGenerator):
    """Says nothing, so that quotes answer; or is stopped while it writes."""

    def __init__(self) -> None:
        super().__init__(context=4096)
        self.stops_with: BaseException | None = None

    def generate(self, prompt: Prompt, *, max_tokens: int) -> Iterator[str]:
        if self.stops_with:
            raise self.stops_with
        return super().generate(prompt, max_tokens=max_tokens)


@pytest.fixture
def llama() -> Llama:
    return Llama()


@pytest.fixture
def store(tmp_path: Path) -> ExactStore:
    kept = ExactStore(centre=ORIGIN)
    for name, text in TEXTS.items():
        keep(kept, tmp_path / name, text, collection=Path(name).stem)
    return kept


def keep(store: ExactStore, path: Path, text: str, *, collection: str) -> None:
    """Write a document of one passage and have it in the store."""
    path.write_text(text)
    vectors, (tokens,) = WordEmbedder().passage_tokens([text])
    file = document(text, id=path.name, path=path, collection=collection)
    store.add(file, [passage(text, document=path.name)], vectors, [signs_of(tokens, ORIGIN)])


@pytest.fixture
def talk(tmp_path: Path, store: ExactStore, llama: Llama, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Talk]:
    """Begins a conversation; the one that `turns` are of is gone on with."""

    def writing(settings: Settings, system: str | None, say: object) -> Writing:
        template = load_template(settings.template, settings.prompts)
        return Writing(llama, template, settings.budget or 1000, 50, system)

    monkeypatch.setattr(door, "open_to_read", lambda settings, say: store)
    monkeypatch.setattr(door, "open_embedder_of", lambda store, settings, say: WordEmbedder())
    monkeypatch.setattr(door, "open_writing", writing)
    monkeypatch.setattr(door, "warn_if_exposed", lambda db, quiet: None)
    home = tmp_path / "home"
    settings = Settings(home, home / "config.toml", home / "index.db")

    def begin(*, decorated: bool = True, conversation: str = "", turns: object = (), logged: bool = True) -> Talk:
        recording = Recording(settings.logs if logged else None, quiet=True)
        asking = Asking(settings, quiet=True, many=True)
        return Talk(asking, recording, turns=list(turns), conversation=conversation, decorated=decorated)  # type: ignore[call-overload]

    return begin


@contextmanager
def no_room() -> Iterator[None]:
    """Meanwhile no file can grow, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
