"""E-mail, one message or an mbox of many: who wrote when about what, and the text; attachments are named, not read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from email.errors import MessageError
from email.header import Header, decode_header
from email.message import Message
from email.utils import parsedate_to_datetime

from ragqa.document import Place
from ragqa.errors import BadInput
from ragqa.read.encoding import encoding_of, meant
from ragqa.read.html import add_html
from ragqa.read.mail_parts import Part, message_of
from ragqa.read.reading import Draft, Reading

HEADERS = ("From", "To", "Cc", "Date", "Subject")
UNSURE = "cp1252"  # what ASCII and Latin-1 mean, which programs name without looking
HEADER = 1000  # characters of one; a mailing list may have more recipients
# A line that begins a message; inside one, mbox writes `>From `.
_BEGIN = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\n]*\d[^\n]*\n(?=[!-9;-~]+:)")
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")
_PARAGRAPHS = re.compile(r"\n[^\S\n]*\n")


def read(content: bytes, name: str) -> Reading:
    """A message, or all messages of an mbox, each with its number and the file's line.

    Raises:
        BadInput: It is no mail, or its parts stand too deep inside each other.
    """
    try:
        begun = [match.start() for match in _BEGIN.finditer(content)] if content.startswith(b"From ") else []
        return _many(content, begun) if begun else _one(content, name)
    except RecursionError as error:
        raise BadInput(f"{name}: nested too deeply", "nested too deeply") from error


def _one(content: bytes, name: str) -> Reading:
    message = message_of(content)
    if not _is_mail(message):
        raise BadInput(f"{name}: no e-mail", "no e-mail")
    draft = Draft()
    _tell(draft, message, message.first)
    return draft.reading(title=_header(message, "Subject"), date=_date(message))


def _many(content: bytes, starts: list[int]) -> Reading:
    draft, line, counted = Draft(), 1, 0
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(content)], strict=True), start=1):
        line += content.count(b"\n", counted, start)
        counted = start
        _tell(draft, message_of(_ESCAPED.sub(rb"\1", content[start:end]), line), line, number)
    return draft.reading()


def _is_mail(message: Message) -> bool:
    return any(message.get(header) for header in HEADERS)


def _tell(draft: Draft, message: Part, line: int, number: int = 0, level: int = 1) -> None:
    """Add a message that begins on this line; its number counts where the file holds many, and is 0 elsewhere."""
    subject = _header(message, "Subject")
    draft.section(level, subject)
    told = [(header, _header(message, header)) for header in HEADERS]
    _at(draft, number, line)
    draft.add("front", "\n".join(f"{header}: {value}" for header, value in told if value))
    attached = []
    for part in _parts(message):
        if inner := _shown(part):
            _tell(draft, inner, min(inner.first + 1, inner.counter.line), number, level + 1)
            draft.section(level, subject)
        elif not _is_text(part) or _is_attached(part, alone=part is message):
            attached.append(_attachment(part))
        elif part.get_content_subtype() == "html":
            _at(draft, number, part.line)
            add_html(draft, _text(part), below=level)
        else:
            _add_text(draft, part, number)
    if attached:
        draft.add("paragraph", f"Attached, not read: {', '.join(attached)}")


def _place(number: int, line: int, start: int = 0) -> Place:
    return Place(start, "message", number, line=line) if number else Place(start, "line", line, line=line)


def _at(draft: Draft, number: int, line: int) -> None:
    place = _place(number, line)
    draft.at(place.kind, place.number, line=place.line)


def _add_text(draft: Draft, part: Part, number: int) -> None:
    lines, above = part.lines(), 0
    for paragraph in _PARAGRAPHS.split(_text(part)):
        told = paragraph.split("\n")
        begun = _begun(told, lines, above)
        above += len(told) + 1  # the blank one below
        if not begun:
            continue
        (line, _start), *others = begun.items()
        _at(draft, number, line)
        quoted = all(line.startswith(">") for line in told)
        within = (_place(number, line, start) for line, start in others)
        draft.add("quotation" if quoted else "paragraph", paragraph, within)


def _begun(told: list[str], lines: Sequence[int], above: int) -> dict[int, int]:
    """The lines of the file on which a paragraph's lines begin, blank ones aside, and where in it each does so.

    Args:
        lines: Of the whole text; what goes beyond them stands on the last.
        above: How many lines stand above.
    """
    begun: dict[int, int] = {}
    start = 0
    for n, text in enumerate(told, start=above):
        if text.strip():
            begun.setdefault(lines[min(n, len(lines) - 1)], start)
        start += len(text) + 1
    return begun


def _parts(message: Part) -> Iterator[Part]:
    """What is to be shown, in order; of alternatives the plain text, or else the last that is text: the richest."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        inner = part.get_payload() if part.get_content_maintype() == "multipart" else None
        if not isinstance(inner, list):
            yield part
            continue
        parts = [one for one in inner if isinstance(one, Part)]
        if part.get_content_subtype() == "alternative":
            read = [one for one in parts if _is_text(one) and (one.is_multipart() or _text(one).strip())]
            plain = [one for one in read if one.get_content_type() == "text/plain"]
            parts = plain[:1] or read[-1:] or parts[-1:]
        waiting += reversed(parts)


def _is_text(part: Message) -> bool:
    """Whether it is to be read; a multipart message without its boundary is taken as it stands."""
    return part.get_content_type() in ("text/plain", "text/html") or part.get_content_maintype() == "multipart"


def _is_attached(part: Message, *, alone: bool) -> bool:
    """Whether text was sent as a file; many programs give a name to what they show, too."""
    named = not alone and part.get_param("filename", header="content-disposition")
    return part.get_content_disposition() == "attachment" or bool(named)


def _shown(part: Message) -> Part | None:
    """The message that a part is, in a digest or forwarded in the text; none where it is attached."""
    if part.get_content_type() != "message/rfc822" or part.get_content_disposition() == "attachment":
        return None
    inner = part.get_payload()
    found = inner[0] if isinstance(inner, list) and inner else None
    return found if isinstance(found, Part) and _is_mail(found) else None


def _attachment(part: Message) -> str:
    """Its file's name, or what else there is to call it."""
    inner = part.get_payload()
    if isinstance(inner, list) and inner and isinstance(inner[0], Message):  # a message that was forwarded
        return _header(inner[0], "Subject") or part.get_content_type()
    return _decoded(part.get_filename() or part.get_content_type())


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    return _characters(content, part.get_content_charset() or "").replace("\r\n", "\n")


def _characters(content: bytes, named: str) -> str:
    """What was sent, in the encoding that it names, or else in the one that it looks like."""
    encoding = meant(named)
    if encoding and encoding != UNSURE:
        with suppress(UnicodeDecodeError):
            return content.decode(encoding)
    return content.decode(encoding_of(content, named) or "ascii", errors="replace")


def _header(message: Message, name: str) -> str:
    return _decoded(message.get(name, ""))


def _decoded(value: str | Header) -> str:
    """A header with its encoded words read, on one line."""
    shortened = value[:HEADER] if isinstance(value, str) else value
    try:
        told = "".join(_word(*part) for part in decode_header(shortened))
    except (MessageError, LookupError, ValueError):
        told = str(shortened)
    return _NOT_TEXT.sub("\ufffd", " ".join(told.split()))[:HEADER]


def _word(word: str | bytes, charset: str | None) -> str:
    return word if isinstance(word, str) else _characters(word, charset or "")


def _date(message: Message) -> str:
    """`YYYY-MM-DD` where it was sent; empty where the header is no date."""
    try:
        return parsedate_to_datetime(_header(message, "Date")).date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""
