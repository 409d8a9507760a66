"""A question that counting answers → what the whole index says, without any model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ragqa.document import place_at
from ragqa.quotable import quotable_spans
from ragqa.store import VectorStore
from ragqa.types import Counted, Evidence, Filter, Hit, Listed, Mention, Tally
from ragqa.whole import Subject, TallyQuestion

QUOTED = 10  # documents that are quoted; the others are only named
LOOKED_AT = 3  # first passages of a document in which a sentence to quote is looked for
FORMS = 6  # forms of the words that the sentence shows


def tally(question: TallyQuestion, *, store: VectorStore, where: Filter | None = None) -> Tally | None:
    """Count and list in the whole index, or None where the question names a collection that is not in it.

    A document mentions a subject when one of its passages holds all of the subject's words; FTS5 compares their
    stems. Those with most passages are listed first; where mentions are counted, those with most mentions.

    Args:
        where: The documents that may be seen; a collection that the question names narrows it further.
    """
    if question.collection:
        where = _only(question.collection, store, where)
        if where is None:
            return None
    return _mentioned(question, store, where) if question.subjects else _all(question, store, where)


def _only(collection: str, store: VectorStore, where: Filter | None) -> Filter | None:
    known = {record.collection for record in store.known().values()}
    allowed = known & set(where.collections) if where and where.collections else known
    names = tuple(name for name in sorted(allowed) if name.lower() == collection.lower())
    return replace(where or Filter(), collections=names) if names else None


def _all(question: TallyQuestion, store: VectorStore, where: Filter | None) -> Tally:
    """All documents there are: nothing is searched."""
    records = sorted(store.known(where).values(), key=lambda one: one.id)
    listed = tuple(Listed(one.id, one.path, one.passages) for one in records)
    documents, passages = len(records), sum(one.passages for one in records)
    count = passages if question.counted == "passages" else documents
    text = f"{_many(documents, 'document')}{_in(where)}"
    if question.counted == "passages":
        text = f"{_many(passages, 'passage')} in {text}"
    return Tally("", question.counted, count, count, documents, listed if question.lists else (), (), text)


@dataclass(slots=True)
class _Found:
    """What mentions were found in one document; it grows while they come in."""

    path: Path
    passages: set[int] = field(default_factory=set)
    forms: Counter[str] = field(default_factory=Counter)
    first: list[Mention] = field(default_factory=list)

    def add(self, mention: Mention) -> None:
        text = mention.passage.text
        self.passages.add(mention.passage.ordinal)
        self.forms.update(" ".join(text[start:end].lower().split()) for start, end in mention.spans)
        if len(self.first) < LOOKED_AT:
            self.first.append(mention)

    def listed(self, id: str) -> Listed:
        passage, spans = min(((one.passage, one.spans) for one in self.first), key=lambda one: one[0].ordinal)
        at = spans[0][0]
        line, place = passage.line_at(at), place_at(passage.places, at)
        return Listed(id, self.path, len(self.passages), self.forms.total(), line, place=place)


def _mentioned(question: TallyQuestion, store: VectorStore, where: Filter | None) -> Tally:
    each = [_find(subject, store, where) for subject in question.subjects]
    # How often two things are mentioned is a sum, whether they are named with "and" or with "or".
    wanted = set.intersection if question.every and question.counted != "mentions" else set.union
    found = {id: _merged([one[id] for one in each if id in one]) for id in wanted(*map(set, each))}
    listed = sorted(
        (one.listed(id) for id, one in found.items()), key=lambda one: (-_weight(one, question.counted), one.id)
    )
    for n, one in enumerate(listed[:QUOTED]):
        listed[n] = replace(one, evidence=_evidence(found[one.id].first))
    forms = sum((one.forms for one in found.values()), Counter[str]())
    documents = store.count_documents(where)
    query, shown = searched(question.subjects, question.every), tuple(form for form, _ in forms.most_common())
    count, of = len(listed), documents
    if question.counted == "passages":
        count, of = sum(one.passages for one in listed), store.frequencies([], where)[1]
    elif question.counted == "mentions":
        count = forms.total()
    text = _sentence(question, count, of, len(listed), documents, _in(where)) + _how(question.subjects, query, shown)
    return Tally(query, question.counted, count, of, documents, tuple(listed), shown, text)


def _weight(one: Listed, counted: Counted) -> int:
    return one.mentions if counted == "mentions" else one.passages


def extent(one: Listed, counted: Counted) -> str:
    """How much of what was asked for a document has, in words."""
    return _many(_weight(one, counted), "mention" if counted == "mentions" else "passage")


def _find(subject: Subject, store: VectorStore, where: Filter | None) -> dict[str, _Found]:
    found: dict[str, _Found] = {}
    for mention in store.mentions(subject, where):
        found.setdefault(mention.passage.document_id, _Found(mention.path)).add(mention)
    return found


def _merged(found: Sequence[_Found]) -> _Found:
    """What several subjects found in the same document, as one."""
    return _Found(
        found[0].path,
        set().union(*(one.passages for one in found)),
        sum((one.forms for one in found), Counter[str]()),
        [mention for one in found for mention in one.first],
    )


def _evidence(mentions: Sequence[Mention]) -> Evidence:
    """The first sentence that mentions it; code only where no sentence does, a heading where not even code does."""
    spans = [(one, start, end, code) for one in mentions for start, end, code in _quotable(one)]
    mention, start, end, code = (
        min(spans, key=lambda span: span[3]) if spans else (mentions[0], *_line(mentions[0]), False)
    )
    passage, quote = mention.passage, mention.passage.text[start:end]
    score = float(sum(start <= a < end for a, _ in mention.spans))
    hit = Hit(passage, mention.path, float(len(mention.spans)), {"mentions": float(len(mention.spans))})
    return Evidence(hit, quote, start, end, *passage.lines_of(start, end), score, {"mentions": score}, code)


def _quotable(mention: Mention) -> list[tuple[int, int, bool]]:
    spans = quotable_spans(mention.passage.text, mention.passage.blocks)
    return [(a, b, code) for a, b, code in spans if any(a <= start and end <= b for start, end in mention.spans)]


def _line(mention: Mention) -> tuple[int, int]:
    """The line on which the mention stands, white space around it left out."""
    text, (at, _) = mention.passage.text, mention.spans[0]
    start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    line = text[start : end if end >= 0 else len(text)]
    start += len(line) - len(line.lstrip())
    return start, start + len(line.strip())


def searched(subjects: Sequence[Subject], every: bool) -> str:
    """The query as FTS5 writes it; `AND` and `OR` between subjects hold for a document, within one for a passage."""
    parts = [" AND ".join(map(_term, subject)) for subject in subjects]
    if len(parts) > 1:
        parts = [f"({part})" if len(subject) > 1 else part for part, subject in zip(parts, subjects, strict=True)]
    return (" AND " if every else " OR ").join(parts)


def _term(word: str) -> str:
    bare = re.fullmatch(r"\w+", word) and word not in ("AND", "OR", "NOT", "NEAR")
    return word if bare else '"' + word.replace('"', '""') + '"'


def _sentence(question: TallyQuestion, count: int, of: int, listed: int, documents: int, place: str) -> str:
    named = (" and " if question.every else " or ").join(f"“{name}”" for name in question.named)
    if not count:
        return f"No document{place} mentions {named}"
    if question.counted == "mentions":
        verb = "are" if question.every and len(question.named) > 1 else "is"
        return f"{named} {verb} mentioned {_many(count, 'time')} in {listed} of {_many(documents, 'document')}{place}"
    if question.counted == "passages":
        verb = "mentions" if count == 1 else "mention"
        return f"{count} of {_many(of, 'passage')}{place} {verb} {named}, in {_many(listed, 'document')}"
    return f"{count} of {_many(of, 'document')}{place} {'mentions' if count == 1 else 'mention'} {named}"


def _how(subjects: Sequence[Subject], query: str, forms: Sequence[str]) -> str:
    """In brackets: what was searched, and which other forms of the words were taken for them."""
    together = ", brackets in one passage" if len(subjects) > 1 else ", in one passage"
    note = f"searched: {query}" + (together if any(len(subject) > 1 for subject in subjects) else "")
    words = {word.lower() for subject in subjects for word in subject}
    if set(forms) - words:
        note += f"; found: {', '.join(forms[:FORMS])}" + (", …" if len(forms) > FORMS else "")
    return f" ({note})"


def _in(where: Filter | None) -> str:
    if not where:
        return ""
    names = [f"“{name}”" for name in where.collections]
    said = f" in collection{'s' * (len(names) > 1)} {' and '.join(names)}" if names else ""
    return f"{said} (only {', '.join(where.terms)})" if where.terms else said


def _many(count: int, what: str) -> str:
    return f"{count} {what}" + "s" * (count != 1)
