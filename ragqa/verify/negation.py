"""Whether a sentence denies what the evidence says, or says what it denies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ragqa.verify.words import Word, alike, words_of

_NEGATIONS = frozenset(
    "no not never none nobody nothing neither nor without cannot hardly "
    "nicht kein keine keinen keinem keiner nie niemals ohne "
    "لا لم لن ليس ليست بدون 不 没 沒 无 無 未".split()
)
# Words of the evidence that deny as well as `not` does.
_DENIALS = frozenset(
    "absent avoid ban banned barred cease ceased denied deny except exception exceptions exclude excluded fails forbid "
    "forbidden former formerly instead lack lacked lacking lacks few little neglected omit omitted prevent prevented "
    "prohibit prohibited rarely rather refuse refused reject rejected seldom stopped unable unlike".split()
)
_IDLE = re.compile(
    r"\bnot (?:only|just|merely|least|necessarily)\b|\b(?:or|if|whether) not\b|\bno (?:less|fewer|more) than\b|"
    r"\bnothing but\b|\bno\. ?\d|\bno doubt\b",
    re.IGNORECASE,
)
CLAUSE = re.compile(r"[,;:()—–]|\b(?:but|although|though|while|whereas|because|however)\b", re.IGNORECASE)
DOUBLE = 10  # words between two negations that undo each other: "nobody passes without a ticket"
REACH = 3  # telling words behind a negation that it may speak of


def contradicts(claim: str, evidence: str, question: str = "") -> bool:
    """Whether exactly one of the two negates what they have in common.

    A negation speaks of its own clause, and first of the word behind it. "It opened, but not in winter" does not
    deny that it opened; and where a word stands both denied and plain, the plain one counts.

    Args:
        question: What it denies itself ("which bridge was not rebuilt") the claim may repeat.
    """
    said, held, asked = words_of(claim), words_of(evidence), words_of(question)
    denials = [_scope(said, at, claim) for at in _negations(said, claim)]
    given = {asked[n].stem for at in _negations(asked, question) for n in _scope(asked, at, question)}
    negated = _negations(held, evidence)
    denying = [*negated, *(n for n, word in enumerate(held) if word.text.lower() in _DENIALS)]
    denied = [_scope(held, at, evidence) for at in denying]
    plain = {n for n, word in enumerate(held) if not word.common} - {n for scope in denied for n in scope}
    if denials:
        first = [said[scope[0]].stem for scope in denials if scope and said[scope[0]].stem not in given]
        return not all(_denied(stem, held, denied, plain) for stem in first)
    common = [word.stem for word in said if not word.common]
    single = [at for at in negated if not any(0 < abs(at - other) <= DOUBLE for other in negated)]
    return any(_covers(common, [held[n].stem for n in _scope(held, at, evidence)], held, plain) for at in single)


def _negations(words: Sequence[Word], text: str) -> list[int]:
    idle = [found.span() for found in _IDLE.finditer(text)]
    return [
        n
        for n, word in enumerate(words)
        if (word.text.lower() in _NEGATIONS or re.search(r"n['’]t$", word.text.lower()))
        and not any(start <= word.start < end for start, end in idle)
    ]


def _scope(words: Sequence[Word], at: int, text: str) -> list[int]:
    """Positions of the telling words that a negation speaks of: next behind it in its clause, or else before it."""
    end = next((found.start() for found in CLAUSE.finditer(text, words[at].start)), len(text))
    if at + 1 < len(words) and words[at + 1].text.lower() == "longer":  # `no longer` is one negation
        at += 1
    behind = [n for n in range(at + 1, len(words)) if not words[n].common and words[n].start < end][:REACH]
    return behind or [n for n in range(at) if not words[n].common][-REACH:]


def _denied(stem: str, held: Sequence[Word], denied: Sequence[Sequence[int]], plain: Iterable[int]) -> bool:
    """Whether the evidence denies a word and nowhere has it plain; a denying prefix will do: `unmanned`."""
    if any(alike(stem, held[n].stem) for n in plain):
        return False
    prefixed = {f"{prefix}{stem}" for prefix in ("un", "in", "im", "il", "ir", "dis", "non")}
    return any(word.stem in prefixed for word in held) or any(alike(stem, held[n].stem) for ns in denied for n in ns)


def _covers(known: Sequence[str], scope: Sequence[str], held: Sequence[Word], plain: Iterable[int]) -> bool:
    """Whether what the evidence denies is said: the word next to the negation and half of the others."""
    if not scope or any(alike(scope[0], held[n].stem) for n in plain):
        return False
    said = [any(alike(one, two) for two in known) for one in scope]
    return said[0] and sum(said) * 2 >= len(said)
