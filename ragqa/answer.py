"""Question → answer: retrieve, choose evidence, let the Llama write, show of it what the evidence carries."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ulid import ULID

from ragqa.embed import Embedder
from ragqa.errors import UsageError
from ragqa.evidence import select, signals, support
from ragqa.files import MAX_FILE_SIZE
from ragqa.prompt import Layout
from ragqa.read.freshness import cite
from ragqa.retrieve import retrieve
from ragqa.store import VectorStore
from ragqa.types import Answer, Evidence, Filter, Sentence, Status
from ragqa.write import NOTHING, Writing, write

NOT_HERE = "These documents do not answer that."
CONSIDERED = 24  # sentences of evidence that the Llama's words are held against


@dataclass(slots=True)
class Stopwatch:
    """Milliseconds by stage, each stage named when it ends."""

    started: float = field(default_factory=time.perf_counter)
    last: float = field(default_factory=time.perf_counter)
    ms: dict[str, int] = field(default_factory=dict)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.ms[stage] = round((now - self.last) * 1000)
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
    max_file_size: int = MAX_FILE_SIZE,
    watch: Stopwatch | None = None,
    say: Callable[[str], None] = lambda stage: None,
    on_sentence: Callable[[str], None] = lambda text: None,
) -> Answer:
    """Answer from the documents, or say that they do not.

    Args:
        writing: The Llama and its prompt; None quotes only.
        k: Passages to retrieve and to offer to the Llama.
        quotes: Sentences to quote.
        min_support: Below this support nothing is answered, and the Llama is not asked.
        max_file_size: Bytes; a cited file that has outgrown this is not read again.
        say: Told what is being done, for people who wait.
        on_sentence: Told the answer so far each time the Llama has added a sentence that will be shown; each
            text begins with the one before.
    """
    watch = watch or Stopwatch()
    question = require_question(question, embedder)
    say("searching")
    retrieved = retrieve(question, embedder=embedder, store=store, k=k, where=where, lap=watch.lap)
    evidence = select(retrieved, embedder=embedder, k=CONSIDERED)
    judged = signals(retrieved, evidence)
    watch.lap("evidence")
    written, layout = NOTHING, writing.template.layout if writing else "prose"
    abstains = not evidence or support(judged) < min_support
    if writing and not abstains:
        told = _telling(on_sentence, evidence, quotes, layout)
        written = write(question, retrieved.hits, evidence, writing, lap=watch.lap, say=say, judged=told)
    status, sentences, cited = _settle(written.sentences, evidence, quotes, abstains)
    return Answer(
        id=str(ULID()),
        question=question,
        query=question,
        status=status,
        text={"abstained": NOT_HERE, "quoted": _quotation(cited), "answered": _prose(sentences, layout)}[status],
        written=sentences,
        citations=cite(cited, store.record, max_size=max_file_size),
        hits=retrieved.hits,
        support=round(support(judged), 3),
        of_documents=store.count_documents(where),
        prompt=written.prompt,
        completion_tokens=written.tokens,
        context=writing.generator.context if writing else 0,
        timing_ms=watch.ms,
        models={"embed": embedder.name, "generate": writing.generator.name if writing else None},
        signals=judged,
    )


def require_question(question: str, embedder: Embedder) -> str:
    """The question in one line, as text that every library takes.

    Raises:
        UsageError: It is empty, or longer than the embedder can read.
    """
    question = " ".join(question.encode("utf-8", "replace").decode().replace("\0", " ").split())
    if not question:
        raise UsageError("the question is empty")
    tokens = embedder.count_tokens(question) if len(question) < 20 * embedder.max_tokens else len(question) // 2
    if tokens > embedder.max_tokens:
        raise UsageError(
            f"the question has about {tokens} tokens; {embedder.max_tokens} can be read", "ask a shorter one"
        )
    return question


def _settle(
    sentences: Sequence[Sentence], evidence: Sequence[Evidence], quotes: int, abstains: bool
) -> tuple[Status, tuple[Sentence, ...], list[Evidence]]:
    """Decide what is shown: the status, the sentences with citations renumbered, and the quotes."""
    used = {n for sentence in sentences for n in sentence.citations}
    # Words that rest on none of the best quotes may be true, but they answer something else.
    answers = any(n <= quotes for n in used)
    # In the order in which they are first cited, so that no number changes when a sentence is added.
    others = dict.fromkeys(n for sentence in sentences for n in sentence.citations if n > quotes and answers)
    places = [*range(1, min(quotes, len(evidence)) + 1), *others]
    renumbered = tuple(
        replace(sentence, citations=tuple(places.index(n) + 1 for n in sentence.citations if n in places))
        for sentence in sentences
    )
    status: Status = "abstained" if abstains else "answered" if answers else "quoted"
    return status, renumbered, [evidence[n - 1] for n in places]


def _telling(
    tell: Callable[[str], None], evidence: Sequence[Evidence], quotes: int, layout: Layout
) -> Callable[[Sequence[Sentence]], None]:
    """Tells the answer as it grows, by the rule it is settled by: nothing until a sentence rests on the best quotes."""
    last = ""

    def judged(sentences: Sequence[Sentence]) -> None:
        nonlocal last
        status, shown, _cited = _settle(sentences, evidence, quotes, abstains=False)
        text = _prose(shown, layout) if status == "answered" else ""
        if text != last:
            tell(text)
        last = text

    return judged


def _prose(sentences: Sequence[Sentence], layout: Layout) -> str:
    shown = (sentence for sentence in sentences if sentence.verdict != "unsupported")
    cited = [f"{s.text} {''.join(f'[{n}]' for n in s.citations)}" for s in shown]
    return "\n".join(f"- {one}" for one in cited) if layout == "list" else " ".join(cited)


def _quotation(cited: Sequence[Evidence]) -> str:
    return "\n".join(numbered(n, one) for n, one in enumerate(cited, start=1))


def numbered(n: int, evidence: Evidence) -> str:
    """A quote with its number: behind a sentence, before a block of code."""
    quote = quotation(evidence)
    return f"[{n}]\n{quote}" if is_block(evidence) else f"{quote} [{n}]"


def quotation(evidence: Evidence) -> str:
    """A quote between quotation marks on one line; code of several lines as it stands, indented."""
    return laid_out(evidence.quote, is_block(evidence))


def laid_out(quote: str, block: bool) -> str:
    return "\n".join("    " + line for line in quote.splitlines()) if block else f"“{' '.join(quote.split())}”"


def is_block(evidence: Evidence) -> bool:
    return evidence.code and "\n" in evidence.quote
