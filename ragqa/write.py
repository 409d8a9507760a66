"""Question + passages → sentences of the Llama, each judged as soon as it is whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ragqa.evidence import without_targets
from ragqa.generate import Generator
from ragqa.prompt import Layout, Template, pack
from ragqa.sentences import sentence_spans
from ragqa.turn import Turn
from ragqa.types import Evidence, Hit, Prompt, Sentence
from ragqa.verify import verify
from ragqa.verify.wording import has_left, stems_of, strays

_LINE = re.compile(r"^[^\S\n]*(?:(?:[-*•]|\d+[.)])[^\S\n]+)?([^\n]*\S[^\n]*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Writing:
    """How the Llama is asked: none of it is needed when only quotes are wanted.

    Attributes:
        budget: Most tokens of the prompt.
        max_tokens: Most tokens of the answer.
        sentences: Most sentences of it; what a small model says after two is seldom about the question.
        excerpt: So many of the best sentences are all that the Llama is given; 0 gives it whole passages.
    """

    generator: Generator
    template: Template
    budget: int
    max_tokens: int
    system: str | None = None
    sentences: int = 2
    excerpt: int = 0

    @property
    def small(self) -> bool:
        """Whether the Llama is one that has to be led.

        Whole passages mislead it, it joins words that do not belong together, and the words that it would mark help.
        """
        return self.excerpt > 0


@dataclass(frozen=True, slots=True)
class Written:
    """What the Llama wrote, judged; nothing when it was not asked."""

    prompt: Prompt | None = None
    sentences: tuple[Sentence, ...] = ()
    tokens: int = 0


NOTHING = Written()


def write(
    question: str,
    hits: Sequence[Hit],
    evidence: Sequence[Evidence],
    writing: Writing,
    *,
    turns: Sequence[Turn] = (),
    lap: Callable[[str], None] = lambda stage: None,
    say: Callable[[str], None] = lambda stage: None,
    judged: Callable[[Sequence[Sentence]], None] = lambda sentences: None,
) -> Written:
    """Let the Llama write from passages, and judge each of its sentences by the evidence.

    It is stopped at the sentence after the last that is wanted, and at one that it wrote before: it would go on in
    circles. A small one is stopped at the first word that no evidence has, since that sentence will not be taken, as
    one that a limit cut off is not. Where no passage fits into the prompt it is not asked.

    Args:
        turns: What was said before, oldest first. A small Llama is not told: it would answer that again.
        lap: Told each stage when it ends.
        judged: Told all sentences so far, each time one more of them is whole.
    """
    prompt = _prompt(question, hits, evidence, writing, turns)
    lap("prompt")
    if not prompt.passages:  # it would make something up
        return Written(prompt)
    say("writing")
    layout, most = writing.template.layout, writing.max_tokens
    judging = _Judging(evidence, question, writing.small, judged)
    known = stems_of(one.quote for one in evidence) if writing.small else frozenset()
    text, tokens, ended, left, spans = "", 0, False, False, list[tuple[int, int]]()
    for part in writing.generator.generate(prompt, max_tokens=most):
        if not tokens:
            lap("first_token")
        text, tokens = (text + part).lstrip(), tokens + 1
        ended, text = _ended(text, layout)
        spans = list(_spans(text, layout))
        judging.take(text, spans[:-1][: writing.sentences])  # the last may go on
        left = writing.small and has_left(text, known)
        if ended or left or judging.repeats or len(spans) > writing.sentences:
            break
    if ended or (tokens < most and not judging.repeats and not left):
        judging.take(text, spans[: writing.sentences])
    lap("generate")
    return Written(prompt, tuple(judging.sentences.values()), tokens)


@dataclass(slots=True)
class _Judging:
    """The sentences so far, by their text.

    Attributes:
        closely: Whether they must keep close to the evidence's wording.
        taken: How many stretches of the Llama's text were judged.
        repeats: Whether one of them had been written before.
    """

    evidence: Sequence[Evidence]
    question: str
    closely: bool
    told: Callable[[Sequence[Sentence]], None]
    sentences: dict[str, Sentence] = field(default_factory=dict)
    taken: int = 0
    repeats: bool = False

    def take(self, text: str, spans: Sequence[tuple[int, int]]) -> None:
        """Judge those of the stretches of `text` that are new."""
        for start, end in spans[self.taken :]:
            found = [self._held(one) for one in verify(text[start:end], self.evidence, self.question)]
            fresh = {one.text: one for one in found if one.text not in self.sentences}
            self.repeats |= bool(found) and not fresh
            self.sentences |= fresh
            self.taken += 1
            if fresh:
                self.told(tuple(self.sentences.values()))

    def _held(self, sentence: Sentence) -> Sentence:
        """A small Llama's sentence is taken only if it keeps close to the wording of what it rests on."""
        if not self.closely or not sentence.citations:
            return sentence
        reason = strays(sentence.text, self.evidence[sentence.citations[0] - 1].quote)
        return replace(sentence, citations=(), verdict="unsupported", reason=reason) if reason else sentence


def excerpt(evidence: Sequence[Evidence]) -> Hit:
    """The sentences as one passage, that of the best one; what stands around them would lead a small model astray.

    Those of one passage keep their order, and the best one's passage comes first.
    """
    best = evidence[0].hit
    ranked = dict.fromkeys(one.hit.passage.id for one in evidence)
    order = sorted(evidence, key=lambda one: (list(ranked).index(one.hit.passage.id), one.start))
    text = "\n".join(without_targets(one.quote) for one in order)
    return replace(best, passage=replace(best.passage, text=text, heading=()))


def _prompt(
    question: str, hits: Sequence[Hit], evidence: Sequence[Evidence], writing: Writing, turns: Sequence[Turn]
) -> Prompt:
    """Whole passages and what was said before; for a small Llama an excerpt of as many sentences as fit."""
    most = min(writing.excerpt, len(evidence))
    if not most:
        return _packed(question, hits, writing, () if writing.small else turns)
    tried = (_packed(question, [excerpt(evidence[:n])], writing) for n in range(most, 0, -1))
    prompt = next(tried)
    while not prompt.passages and (shorter := next(tried, None)):
        prompt = shorter
    return prompt


def _packed(question: str, hits: Sequence[Hit], writing: Writing, turns: Sequence[Turn] = ()) -> Prompt:
    generator = writing.generator
    most = generator.context - writing.max_tokens
    return pack(
        question,
        hits,
        template=writing.template,
        chat_format=generator.chat_format,
        budget=min(writing.budget, most),
        most=most,
        count=generator.count_tokens,
        system=writing.system,
        turns=turns,
    )


def _ended(text: str, layout: Layout) -> tuple[bool, str]:
    """Whether a paragraph is complete, and the text without what comes after it; lists may have blank lines."""
    paragraph, blank, _rest = text.partition("\n\n")
    return (True, paragraph) if blank and layout == "prose" else (False, text)


def _spans(text: str, layout: Layout) -> Iterator[tuple[int, int]]:
    """Start and end of what is judged by itself: sentences, and in a list those of each line, without its mark."""
    if layout == "prose":
        yield from sentence_spans(text)
        return
    for line in _LINE.finditer(text):
        yield from ((line.start(1) + start, line.start(1) + end) for start, end in sentence_spans(line[1]))
