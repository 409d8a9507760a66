"""Questions about all documents at once: those that counting answers, and those that a few passages cannot.

Small tables of patterns, not a model: what they take is counted exactly, and what they leave is asked as ever. So
they would rather miss a question about the documents than take one about the world.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ragqa.terms import WORD, search_words
from ragqa.types import Counted

MAX_QUESTION = 300  # characters
MAX_WORDS = 4  # of a subject without quotation marks; longer ones are matters, not words to look for

Subject = tuple[str, ...]
"""Words and phrases that must stand in one passage."""


@dataclass(frozen=True, slots=True)
class TallyQuestion:
    """A question that counting or listing answers.

    Attributes:
        subjects: What must be mentioned; empty where all documents are meant.
        named: The subjects as the question names them, without quotation marks.
        every: A document must mention every subject; otherwise one of them is enough.
        lists: The documents are asked for, not only how many they are.
        collection: The only collection meant, as the question writes it; empty for all.
    """

    counted: Counted
    subjects: tuple[Subject, ...] = ()
    named: tuple[str, ...] = ()
    every: bool = True
    lists: bool = False
    collection: str = ""


_UNITS = r"(?P<unit>documents|docs|notes|files|passages)(?: in (?:my|this|the) (?:index|corpus))?"
_UNIT = r"(?P<unit>documents?|docs?|notes?|files?|passages?)(?: in (?:my|this|the) (?:index|corpus))?"
_OURS = r"(?:all )?(?:of )?(?:the|my|our|these) (?:documents|docs|notes|files)"
_HOW_MANY = r"(?:how many|count(?: up)?|(?:(?:what is|what's) )?the number of|number of)"
_TIMES = r"how (?:many times|often)"
_LIST = r"(?:list|(?:show|give|find)(?: me)?(?= (?:all|every|each|my|a list)\b)|what are(?= (?:all|my)\b))"
_WHICH = r"(?:which|what)"
_ALL = r"(?:a list of )?(?:(?:all|every|each) )?(?:of )?(?:(?:the|my|our|your|these) )?"
_EVERY = r"(?:all|every|each|my|our) (?:of )?(?:(?:the|my|our|your|these) )?"
_THAT = r"(?:(?:are there|do (?:i|we|you) have|exist) )?(?:(?:that|which) )?"
_HAVE_ON = r"do (?:i|we|you) have on(?! (?:me|us|hand|file|disk)\b)"
_WORD = r"(?:the (?:word|phrase|term|string)s? |(?=[\"“„«'‘]))"
_SUBJECT = r"(?P<subject>.+)"
_NAMED = r"(?:mentioned|discussed|talked about|referred to)"
# "About to expire" and "about 3 MB" are about nothing; and what a file contains is seldom a word.
_MENTION = (
    r"(?:(?:mention(?:s|ing)?|(?:talk|speak|write)s? (?:about|of)|(?:talking|speaking|writing) (?:about|of)"
    r"|refer(?:s|ring)? to|discuss(?:es|ing)?|(?:(?:are|is) (?:all )?)?about(?! to\b| \d)|concerning) "
    rf"|(?:contain(?:s|ing)?|includ(?:e|es|ing)|us(?:e|es|ing)|says?|have|has|with) {_WORD})"
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A way to ask; the whole question must match, once what `_TAILS` takes is off.

    Attributes:
        tailed: Only with one of those tails: "how many documents" alone may go on about anything.
    """

    pattern: re.Pattern[str]
    lists: bool = False
    mentions: bool = False
    tailed: bool = False


def _row(text: str, *, lists: bool = False, mentions: bool = False, tailed: bool = False) -> _Row:
    return _Row(re.compile(text, re.IGNORECASE), lists, mentions, tailed)


ROWS = (
    _row(rf"{_HOW_MANY} {_ALL}{_UNIT} {_THAT}{_MENTION}{_SUBJECT}"),
    _row(rf"{_LIST} {_ALL}{_UNIT} {_THAT}{_MENTION}{_SUBJECT}", lists=True),
    _row(rf"{_WHICH} {_ALL}{_UNITS} {_THAT}{_MENTION}{_SUBJECT}", lists=True),
    _row(rf"{_HOW_MANY} {_UNIT} {_HAVE_ON} {_SUBJECT}"),
    _row(rf"{_WHICH} {_UNITS} {_HAVE_ON} {_SUBJECT}", lists=True),
    _row(rf"in {_HOW_MANY} {_ALL}{_UNIT} (?:is|are) {_SUBJECT} {_NAMED}"),
    _row(rf"in {_WHICH} {_ALL}{_UNITS} (?:is|are) {_SUBJECT} {_NAMED}", lists=True),
    _row(rf"{_HOW_MANY} {_ALL}{_UNIT} (?:is|are) {_SUBJECT} {_NAMED} in"),
    _row(rf"{_WHICH} {_ALL}{_UNITS} (?:is|are) {_SUBJECT} {_NAMED} in", lists=True),
    _row(rf"in {_HOW_MANY} {_ALL}{_UNIT} do(?:es)? {_WORD}{_SUBJECT} (?:appear|occur)"),
    _row(rf"in {_WHICH} {_ALL}{_UNITS} do(?:es)? {_WORD}{_SUBJECT} (?:appear|occur)", lists=True),
    _row(rf"{_TIMES} (?:is|are|was|were) {_SUBJECT} mentioned", mentions=True),
    _row(rf"{_TIMES} do {_OURS} mention {_SUBJECT}", mentions=True),
    _row(rf"{_TIMES} do(?:es)? {_WORD}{_SUBJECT} (?:appear|occur|come up)", mentions=True),
    _row(rf"{_TIMES} do(?:es)? {_SUBJECT} (?:appear|occur|come up)", mentions=True, tailed=True),
    _row(rf"{_HOW_MANY} {_ALL}(?:mentions of |occurrences of {_WORD}){_SUBJECT}", mentions=True),
    _row(rf"{_HOW_MANY} {_ALL}{_UNIT}(?: are)?", tailed=True),
    _row(rf"{_HOW_MANY} {_ALL}{_UNIT} (?:are indexed|have (?:i|we) indexed|do you know)"),
    _row(rf"{_LIST} {_EVERY}{_UNIT}", lists=True),
    _row(rf"{_LIST} {_ALL}{_UNITS}", lists=True, tailed=True),
    _row(rf"{_WHICH} {_UNITS}(?: are)?", lists=True, tailed=True),
    _row(rf"{_WHICH} {_UNITS} (?:are indexed|have (?:i|we) indexed|do you know)", lists=True),
)

_LEADS = re.compile(
    rf"(?:please|(?:can|could|would) you(?: please)?|tell me|(?:in|across|among|of) {_OURS},?)\s+", re.IGNORECASE
)
_COLLECTION = re.compile(
    r" (?:in|from|of) (?:(?:the )?collection [\"“']?(?P<a>[\w./-]+)[\"”']?|(?:the |my )?(?P<b>[\w./-]+) collection)$",
    re.IGNORECASE,
)
_TAILS = re.compile(
    rf" (?:(?:in|across|among|from|throughout) (?:{_OURS}|all (?:documents|notes|files)"
    r"|(?:the|this) (?:index|corpus)|(?:my|this|our) (?:index|library|corpus|collections?))"
    r"|(?:do|have) (?:i|we|you)(?: have| got)?|are there|exist|in total|altogether|here)$",
    re.IGNORECASE,
)
_NOT_COLLECTIONS = ("my", "the", "this", "our", "whole")

# What cannot be counted by looking for words, but is about all of them: a few passages are not the answer.
_DOCUMENTS = r"(?:documents|docs|notes|files|library|corpus|collections?|index|diar(?:y|ies)|journals?)"
_MINE = rf"(?:(?:all|every|each) )?(?:of )?(?:my|our|these|this) {_DOCUMENTS}"
_TOPIC = r"\b(?:topic|theme|subject|word|tag|name|author)s?\b"
_NOT = r"(?:(?:do(?:es)?|did|are|is) ?(?:not|n't|n’t) |never |only )?"
WHOLE = tuple(
    re.compile(text, re.IGNORECASE)
    for text in (
        rf"^(?:summari[sz]e|condense|outline)\b.*\b(?:everything|{_MINE}|all (?:the )?{_DOCUMENTS})",
        rf"\b(?:summary|overview) of (?:everything|{_MINE}|all (?:the )?{_DOCUMENTS})",
        rf"\b(?:most|least) (?:common|frequent|popular|discussed|mentioned) {_TOPIC}(?:$| in {_MINE})",
        rf"{_TOPIC}.*\bmost (?:often|frequently|common|frequent)(?:$| in {_MINE})",
        r"^(?:what|which) (?:topics|themes|subjects|people|places|names)\b.*\b" + _MINE,
        rf"^what (?:are|is) {_MINE} (?:all )?about$",
        r"^how (?:many times|often) (?:did|have|had) (?:i|we)\b",
        r"^how many (?:[\w-]+ ){1,3}(?:did|have|had) (?:i|we)\b(?! to\b)",
        r"^how many (?:different|distinct|unique) .+ (?:are mentioned|do (?:i|we) mention)$",
        rf"^how (?:many|much|often)\b.* (?:in|across|throughout) {_MINE}",
        r"^(?:list|name|enumerate|(?:give|show|tell) me) (?:all|every|each)\b(?! about\b)",
        r"^what (?:are|were) all (?:of )?(?:the|my|our)\b",
        rf"\b(?:which|how many|most|none|any|each|all) of (?:my|our|these) {_DOCUMENTS}",
        rf"^(?:in|of|among) {_MINE},? (?:how (?:many|much|often)|which)\b",
        rf"\b(?:across|throughout) (?:all )?(?:of )?(?:(?:the|my|our|these) )?{_DOCUMENTS}",
        rf"^(?:{_HOW_MANY}|{_LIST}|{_WHICH}) {_ALL}{_UNITS} {_THAT}{_NOT}(?:mention|talk about|discuss|refer to) \S",
    )
)


def recognise(question: str) -> TallyQuestion | None:
    """What is to be counted or listed, or None for every question that no row of `ROWS` takes whole."""
    if len(question) > MAX_QUESTION:
        return None
    asked, tailed, collection = _without_tails(_plain(question))
    for row in ROWS:
        found = row.pattern.fullmatch(asked)
        if found and (tailed or not row.tailed):
            recognised = _with_subjects(row, found)
            return recognised and replace(recognised, collection=collection)
    return None


def concerns_whole(question: str) -> bool:
    """Whether the answer lies in all documents together, so that the best passages are only a part of it."""
    asked = question[:MAX_QUESTION]
    return any(pattern.search(form) for pattern in WHOLE for form in (asked, _plain(asked)))


def _plain(question: str) -> str:
    """The question without courtesy, final marks and the documents it begins with."""
    asked = " ".join(question.split()).rstrip("?!. ")
    asked = re.sub(r",? please$", "", asked, flags=re.IGNORECASE)
    while lead := _LEADS.match(asked):
        asked = asked[lead.end() :]
    return asked


def _without_tails(asked: str) -> tuple[str, bool, str]:
    """The question without what says where to count; whether there was such a thing; the collection it named."""
    tailed, collection = False, ""
    while True:
        found = _COLLECTION.search(asked)
        if found and (found["a"] or found["b"]).lower() not in _NOT_COLLECTIONS:
            collection = found["a"] or found["b"]
        else:
            found = _TAILS.search(asked)
        if not found:
            return asked, tailed, collection
        asked, tailed = asked[: found.start()], True


def _with_subjects(row: _Row, found: re.Match[str]) -> TallyQuestion | None:
    groups = found.groupdict()
    counted: Counted = "mentions" if row.mentions else "documents"
    if (groups.get("unit") or "").lower().startswith("passage"):
        counted = "passages"
    if "subject" not in groups:
        return TallyQuestion(counted, lists=row.lists)
    named, every = _subjects(groups["subject"])
    words = [_words(name, phrase=counted == "mentions") for name in named]
    if not all(words):
        return None
    subjects = tuple(dict.fromkeys(words))
    if counted == "passages" and every:  # one passage must hold them all
        subjects = (tuple(dict.fromkeys(word for subject in subjects for word in subject)),)
    return TallyQuestion(counted, subjects, tuple(_bare(name) for name in named), every, row.lists)


_QUOTED = re.compile(r"[\"“”„«]([^\"“”„«»]+)[\"“”»]|(?<!\w)['‘’]([^'‘’]+)['’](?!\w)")
_LEADING = re.compile(
    r"^(?:both |either )?(?:(?:the (?:word|phrase|term|string|topic|subject)s?(?: of)?|the|a|an) )?", re.IGNORECASE
)
_JOINT = re.compile(r",? (and|&) |,? (or) |, ?", re.IGNORECASE)
# A subject with these words says more than that something is mentioned: it cannot be looked for word by word.
_MORE = frozenset(
    "not no never neither nor without except but only than more most least that which who whom whose what when where "
    "why how if because whether it them they this these those us you him her i we is are was were do does did has "
    "have had must should can could may will would need".split()
)
_LETTER = re.compile(r"[^\W_]")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def _subjects(text: str) -> tuple[list[str], bool]:
    """What stands between "and", "or" and commas, and whether all of it is wanted; nothing where both are used."""
    masked = _QUOTED.sub(lambda quoted: "x" * len(quoted.group()), text)
    joints = list(_JOINT.finditer(masked))
    every = not any(joint[2] for joint in joints)
    if not every and any(joint[1] for joint in joints):
        return [""], every
    starts, ends = [0, *(joint.end() for joint in joints)], [*(joint.start() for joint in joints), len(text)]
    return [_LEADING.sub("", text[start:end].strip()) for start, end in zip(starts, ends, strict=True)], every


def _words(subject: str, *, phrase: bool) -> Subject:
    """Words and phrases to look for; none where looking for words would not answer."""
    phrases = [(quoted[1] or quoted[2]).strip() for quoted in _QUOTED.finditer(subject)]
    rest = _QUOTED.sub(" ", subject)
    words = [match.group() for match in WORD.finditer(rest)]
    if _MORE & {word.lower() for word in words} or len(words) > MAX_WORDS:
        return ()
    if not all(map(_is_found_by_words, [rest, *phrases])) or not all(map(_LETTER.search, [*phrases, *words])):
        return ()
    words = [re.sub(r"['’]s?$", "", word) for word in words]
    if phrase:  # how often two words stand anywhere in a passage is no number of mentions
        return (" ".join([*phrases, *words]).lower(),) if not (phrases and words) and len(phrases) < 2 else ()
    return (*phrases, *(search_words(" ".join(words)) if words else ()))


def _is_found_by_words(text: str) -> bool:
    """False for what the index drops or does not part: the marks of "C++", writing without spaces."""
    return not WORD.sub("", text).strip() and not _UNSPACED.search(text)


def _bare(subject: str) -> str:
    return _QUOTED.sub(lambda quoted: quoted[1] or quoted[2], subject)
