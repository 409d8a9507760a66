"""Question → answer: retrieve, choose evidence, let the Llama write, show of it what the evidence carries."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from textwrap import dedent, indent

from ulid import ULID

from ragqa.condense import Condensed
from ragqa.embed import Embedder
from ragqa.errors import UsageError
from ragqa.evidence import enough, select
from ragqa.files import MAX_FILE_SIZE
from ragqa.mark import mark
from ragqa.prompt import Layout
from ragqa.read.freshness import cite
from ragqa.retrieve import retrieve
from ragqa.store import VectorStore
from ragqa.support import asked_near, signals, support
from ragqa.tally import extent, tally
from ragqa.terms import terms
from ragqa.turn import Turn
from ragqa.types import Answer, Evidence, Filter, Sentence, Status, Tally
from ragqa.whole import concerns_whole, recognise
from ragqa.write import NOTHING, Writing, write

NOT_HERE = "These documents do not answer that."
CONSIDERED = 24  # sentences of evidence that the Llama's words are held against
NEAREST = 2  # sentences that are shown though they do not answer
LISTED = 20  # documents that an answer by counting names


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
    follows: Condensed | None = None,
    turns: Sequence[Turn] = (),
    where: Filter | None = None,
    max_file_size: int = MAX_FILE_SIZE,
    watch: Stopwatch | None = None,
    say: Callable[[str], None] = lambda stage: None,
    on_evidence: Callable[[Sequence[Evidence]], None] = lambda evidence: None,
    on_sentence: Callable[[str], None] = lambda text: None,
) -> Answer:
    """Answer from the documents, or say that they do not; what counting answers is counted.

    Args:
        writing: The Llama and its prompt; None quotes only.
        k: Passages to retrieve and to offer to the Llama.
        quotes: Sentences to quote at most; fewer where fewer very likely answer.
        min_support: Below this support nothing is answered, and the Llama is not asked.
        follows: The question joined with what it follows on, where it does not stand by itself.
        turns: What was said before in the conversation, oldest first, for a Llama that can make use of it.
        max_file_size: Bytes; a cited file that has outgrown this is not read again.
        say: Told what is being done, for people who wait.
        on_evidence: Told the quotes as soon as they are chosen; the Llama takes its time over them, but changes none.
        on_sentence: Told the answer so far each time the Llama has added a sentence that will be shown; each
            text begins with the one before.
    """
    watch = watch or Stopwatch()
    question = _in_one_line(question)
    query = _in_one_line(follows.query) if follows else question
    counted = answer_by_counting(query, store=store, where=where, watch=watch)
    if counted:
        return replace(counted, question=question)
    searched = require_question(follows.searched if follows else question, embedder)
    say("searching")
    retrieved = retrieve(searched, embedder=embedder, store=store, k=k, where=where, once=True, lap=watch.lap)
    evidence = select(retrieved, embedder=embedder, question=searched, k=CONSIDERED)
    judged = signals(retrieved, evidence, searched)
    if follows:
        judged |= asked_near(question, evidence, embedder=embedder, store=store)
    supported = support(judged, store.calibration)
    abstains = not evidence or supported < min_support
    quotes = min(quotes, NEAREST) if abstains else enough(evidence, quotes)
    watch.lap("evidence")
    if not abstains:
        on_evidence(evidence[:quotes])
        small = writing.generator if writing and writing.small else None
        if small:
            say("marking")
        evidence = mark(query, evidence, retrieved=retrieved, embedder=embedder, generator=small, quotes=quotes)
        watch.lap("mark")
    written, layout = NOTHING, writing.template.layout if writing else "prose"
    if writing and not abstains:
        told = _telling(on_sentence, evidence, quotes, layout)
        written = write(query, retrieved.hits, evidence, writing, turns=turns, lap=watch.lap, say=say, judged=told)
    status, sentences, cited = _settle(written.sentences, evidence, quotes, abstains)
    return Answer(
        id=str(ULID()),
        question=question,
        query=query,
        status=status,
        text={"abstained": NOT_HERE, "quoted": _quotation(cited), "answered": _prose(sentences, layout)}[status],
        written=sentences,
        citations=cite(cited, store.record, max_size=max_file_size),
        hits=retrieved.hits,
        support=round(supported, 3),
        of_documents=store.count_documents(where),
        prompt=written.prompt,
        completion_tokens=written.tokens,
        context=writing.generator.context if writing else 0,
        timing_ms=watch.ms,
        models={"embed": embedder.name, "generate": writing.generator.name if writing else None},
        signals=judged,
        whole_corpus=concerns_whole(query),
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
        citations=cite(quoted, store.record),
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


def _settle(
    sentences: Sequence[Sentence], evidence: Sequence[Evidence], quotes: int, abstains: bool
) -> tuple[Status, tuple[Sentence, ...], list[Evidence]]:
    """Decide what is shown: the status, the sentences with citations renumbered, and the quotes.

    Words that do not rest on the best quote, or leave out what is marked in the quotes, may be true, but they answer
    something else.
    """
    used = {n for sentence in sentences for n in sentence.citations}
    answers = 1 in used and _holds_marked(sentences, evidence[:quotes])
    # In the order in which they are first cited, so that no number changes when a sentence is added.
    others = dict.fromkeys(n for sentence in sentences for n in sentence.citations if n > quotes and answers)
    places = [*range(1, min(quotes, len(evidence)) + 1), *others]
    renumbered = tuple(
        replace(sentence, citations=tuple(places.index(n) + 1 for n in sentence.citations if n in places))
        for sentence in sentences
    )
    status: Status = "abstained" if abstains else "answered" if answers else "quoted"
    return status, renumbered, [evidence[n - 1] for n in places]


def _holds_marked(sentences: Sequence[Sentence], quoted: Sequence[Evidence]) -> bool:
    """Whether the Llama's sentences that hold say the words that are marked in one of the quotes, if any are."""
    said = terms(" ".join(sentence.text for sentence in sentences if sentence.verdict != "unsupported"))
    marked = [terms(one.quote[slice(*one.span)]) for one in quoted if one.span]
    return not marked or any(words <= said for words in marked)


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
    return indent(dedent(quote), "    ") if block else f"“{' '.join(quote.split())}”"


def is_block(evidence: Evidence) -> bool:
    return evidence.code and "\n" in evidence.quote
