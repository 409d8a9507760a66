"""Question → answer: retrieve, choose evidence, let the Llama write, show of it what the evidence carries."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ulid import ULID

from ragqa.embed import Embedder
from ragqa.errors import UsageError
from ragqa.evidence import select
from ragqa.generate import Generator
from ragqa.prompt import Template, pack
from ragqa.read import fresh
from ragqa.retrieve import Retrieved, retrieve
from ragqa.sentences import sentence_spans
from ragqa.store import VectorStore
from ragqa.support import signals, support
from ragqa.tally import extent, tally
from ragqa.types import Answer, Citation, Evidence, Filter, Prompt, Sentence, Status, Tally
from ragqa.verify import verify
from ragqa.whole import concerns_whole, recognise

NOT_HERE = "These documents do not answer that."
CONSIDERED = 24  # sentences of evidence that the Llama's words are held against
LISTED = 20  # documents that an answer by counting names


@dataclass(frozen=True, slots=True)
class Writing:
    """How the Llama is asked: none of it is needed when only quotes are wanted.

    Attributes:
        budget: Most tokens of the prompt.
        max_tokens: Most tokens of the answer.
        sentences: Most sentences of it; what a small model says after two is seldom about the question.
    """

    generator: Generator
    template: Template
    budget: int
    max_tokens: int
    system: str | None = None
    sentences: int = 2


@dataclass(frozen=True, slots=True)
class _Written:
    """What the Llama wrote, judged; nothing when it was not asked."""

    prompt: Prompt | None = None
    sentences: tuple[Sentence, ...] = ()
    tokens: int = 0


NOTHING = _Written()


@dataclass(slots=True)
class Stopwatch:
    """Milliseconds by stage, each stage named when it ends; one that comes twice is added up."""

    started: float = field(default_factory=time.perf_counter)
    last: float = field(default_factory=time.perf_counter)
    ms: dict[str, int] = field(default_factory=dict)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.ms[stage] = self.ms.get(stage, 0) + round((now - self.last) * 1000)
        self.last = now
        self.ms["total"] = round((now - self.started) * 1000)


def answer_question(
    question: str,
    *,
    embedder: Embedder,
    store: VectorStore,
    writing: Writing | None,
    k: int,
    quotes: int,
    min_support: float,
    where: Filter | None = None,
    watch: Stopwatch | None = None,
    say: Callable[[str], None] = lambda stage: None,
) -> Answer:
    """Answer from the documents, or say that they do not; what counting answers is counted.

    Args:
        writing: The Llama and its prompt; None quotes only.
        k: Passages to retrieve and to offer to the Llama.
        quotes: Sentences to quote.
        min_support: Below this support nothing is answered, and the Llama is not asked.
        say: Told what is being done, for people who wait.
    """
    watch = watch or Stopwatch()
    counted = answer_by_counting(question, store=store, where=where, watch=watch)
    if counted:
        return counted
    question = require_question(question, embedder)
    say("searching")
    retrieved = retrieve(question, embedder=embedder, store=store, k=k, where=where, lap=watch.lap)
    evidence = select(retrieved, embedder=embedder, question=question, k=CONSIDERED)
    judged = signals(retrieved, evidence, question)
    watch.lap("evidence")
    written = NOTHING
    abstains = not evidence or support(judged) < min_support
    if writing and not abstains:
        written = _write(question, retrieved, evidence, writing, watch, say)
    status, sentences, cited = _settle(written.sentences, evidence, quotes, abstains)
    return Answer(
        id=str(ULID()),
        question=question,
        query=question,
        status=status,
        text={"abstained": NOT_HERE, "quoted": _quotation(cited), "answered": _prose(sentences)}[status],
        written=sentences,
        citations=tuple(_citation(n, one, store) for n, one in enumerate(cited, start=1)),
        hits=retrieved.hits,
        support=round(support(judged), 3),
        of_documents=store.count_documents(where),
        prompt=written.prompt,
        completion_tokens=written.tokens,
        context=writing.generator.context if writing else 0,
        timing_ms=watch.ms,
        models={"embed": embedder.name, "generate": writing.generator.name if writing else None},
        signals=judged,
        whole_corpus=concerns_whole(question),
        evidence=tuple(evidence),
    )


def answer_by_counting(
    question: str, *, store: VectorStore, where: Filter | None = None, watch: Stopwatch | None = None
) -> Answer | None:
    """Count or list documents where that is what is asked, without any model; None for every other question."""
    watch = watch or Stopwatch()
    question = _in_one_line(question)
    asked = recognise(question)
    counted = tally(asked, store=store, where=where) if asked else None
    if not counted:
        return None
    quoted = [one.evidence for one in counted.listed if one.evidence]
    watch.lap("search")
    return Answer(
        id=str(ULID()),
        question=question,
        query=question,
        status="answered" if counted.count else "abstained",
        text="\n".join([counted.text, *_list(counted)]),
        written=(),
        citations=tuple(_citation(n, one, store) for n, one in enumerate(quoted, start=1)),
        hits=tuple(one.hit for one in quoted),
        support=1.0 if counted.count else 0.0,
        of_documents=counted.documents,
        prompt=None,
        completion_tokens=0,
        context=0,
        timing_ms=watch.ms,
        models={"embed": None, "generate": None},
        tally=counted,
    )


def _list(counted: Tally) -> list[str]:
    """The documents by their ids, a line each, with the numbers of their quotes."""
    lines = []
    for n, one in enumerate(counted.listed[:LISTED], start=1):
        line = f"{one.id}, {extent(one, counted.counted)}"
        lines.append(f"{line} [{n}]" if one.evidence else line)
    more = len(counted.listed) - LISTED
    return [*lines, f"and {more} more"] if more > 0 else lines


def _in_one_line(question: str) -> str:
    return " ".join(question.encode("utf-8", "replace").decode().replace("\0", " ").split())


def require_question(question: str, embedder: Embedder) -> str:
    """The question in one line, as text that every library takes.

    Raises:
        UsageError: It is empty, or longer than the embedder can read.
    """
    question = _in_one_line(question)
    if not question:
        raise UsageError("the question is empty")
    tokens = embedder.count_tokens(question) if len(question) < 20 * embedder.max_tokens else len(question) // 2
    if tokens > embedder.max_tokens:
        raise UsageError(
            f"the question has about {tokens} tokens; {embedder.max_tokens} can be read", "ask a shorter one"
        )
    return question


def _write(
    question: str,
    retrieved: Retrieved,
    evidence: Sequence[Evidence],
    writing: Writing,
    watch: Stopwatch,
    say: Callable[[str], None],
) -> _Written:
    """Let the Llama write, and judge each of its sentences."""
    generator = writing.generator
    prompt = pack(
        question,
        retrieved.hits,
        template=writing.template,
        chat_format=generator.chat_format,
        budget=min(writing.budget, generator.context - writing.max_tokens),
        count=generator.count_tokens,
        system=writing.system,
    )
    watch.lap("prompt")
    say("writing")
    parts: list[str] = []
    for part in generator.generate(prompt, max_tokens=writing.max_tokens):
        if not parts:
            watch.lap("first_token")
        parts.append(part)
        if _complete("".join(parts), writing.sentences):
            break
    watch.lap("generate")
    text = "".join(parts)
    spans = list(sentence_spans(text))
    if len(parts) >= writing.max_tokens or len(spans) > writing.sentences:  # the last sentence is not whole
        text = text[: spans[-1][0]]
    return _Written(prompt, tuple(verify(text, evidence, question)), len(parts))


def _complete(text: str, sentences: int) -> bool:
    """Whether all that was asked for is written: a paragraph, or so many sentences and the start of another."""
    return "\n\n" in text.lstrip() or len(list(sentence_spans(text))) > sentences


def _settle(
    sentences: Sequence[Sentence], evidence: Sequence[Evidence], quotes: int, abstains: bool
) -> tuple[Status, tuple[Sentence, ...], list[Evidence]]:
    """Decide what is shown: the status, the sentences with citations renumbered, and the quotes."""
    used = {n for sentence in sentences for n in sentence.citations}
    # Words that rest on none of the best quotes may be true, but they answer something else.
    answers = any(n <= quotes for n in used)
    places = [n for n in range(1, len(evidence) + 1) if n <= quotes or (answers and n in used)]
    renumbered = tuple(
        replace(sentence, citations=tuple(places.index(n) + 1 for n in sentence.citations if n in places))
        for sentence in sentences
    )
    status: Status = "abstained" if abstains else "answered" if answers else "quoted"
    return status, renumbered, [evidence[n - 1] for n in places]


def _citation(n: int, evidence: Evidence, store: VectorStore) -> Citation:
    record = store.record(evidence.hit.passage.document_id)
    return Citation(n, evidence, fresh(evidence.hit.path, record.sha256) if record else "deleted")


def _prose(sentences: Sequence[Sentence]) -> str:
    shown = (sentence for sentence in sentences if sentence.verdict != "unsupported")
    return " ".join(f"{s.text} {''.join(f'[{n}]' for n in s.citations)}" for s in shown)


def _quotation(cited: Sequence[Evidence]) -> str:
    return "\n".join(numbered(n, one) for n, one in enumerate(cited, start=1))


def numbered(n: int, evidence: Evidence) -> str:
    """A quote with its number: behind a sentence, before a block of code."""
    quote = quotation(evidence)
    return f"[{n}]\n{quote}" if is_block(evidence) else f"{quote} [{n}]"


def quotation(evidence: Evidence) -> str:
    """A quote between quotation marks on one line; code of several lines as it stands, indented."""
    quote = evidence.quote
    if is_block(evidence):
        return "\n".join("    " + line for line in quote.splitlines())
    return f"“{' '.join(quote.split())}”"


def is_block(evidence: Evidence) -> bool:
    return evidence.code and "\n" in evidence.quote
