"""What a document says of itself: its title, its tags and its date, in the shapes in which they are stored."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from email.utils import parsedate_tz

from ragqa.files import composed

MAX_TITLE = 300  # characters
MAX_TAGS = 64
_ISO = re.compile(r"\s*(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_DAY_FIRST = re.compile(r"\s*(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4})(?!\d)")


@dataclass(frozen=True, slots=True)
class About:
    """The attributes are those of `Document`."""

    title: str = ""
    tags: tuple[str, ...] = ()
    date: str = ""


def title_of(text: str) -> str:
    """A title on one line, without soft hyphens, cut where nobody would read on."""
    return " ".join(text.replace("\xad", "").split())[:MAX_TITLE].rstrip()


def tags_of(words: Iterable[str]) -> tuple[str, ...]:
    """Tags in lower case and in order, each once, without the `#` that some put before them."""
    tags = {tag_of(word) for word in words}
    return tuple(sorted(tag for tag in tags if 0 < len(tag) <= MAX_TITLE)[:MAX_TAGS])


def tag_of(word: str) -> str:
    return composed(" ".join(word.lower().split()).lstrip("#"))


def date_of(text: str) -> str:
    """The day that a text begins with, as `YYYY-MM-DD`; empty where it begins with none.

    Read are `2024-03-05` with or without a time, `2024/03/05`, `05.03.2024`, and what mail has: `Tue, 5 Mar 2024`.
    """
    text = text[:80]
    iso, day_first = _ISO.match(text), _DAY_FIRST.match(text)
    if iso:
        numbers = int(iso[1]), int(iso[3]), int(iso[4])
    elif day_first:
        numbers = int(day_first[3]), int(day_first[2]), int(day_first[1])
    elif mail := _mail_date(text):
        numbers = mail
    else:
        return ""
    try:
        return date(*numbers).isoformat()
    except ValueError:
        return ""


def _mail_date(text: str) -> tuple[int, int, int] | None:
    try:
        found = parsedate_tz(text)
    except (ValueError, IndexError, TypeError):  # it is not made for what is no date
        return None
    return found[:3] if found and re.search(r"(?<!\d)\d{4}(?!\d)", text) else None
