"""Web pages: what a reader of the page sees of its main part, and what its head says of it.

Left out is what nobody sees: scripts, styles, comments, templates, and what the page hides by `hidden`, `aria-hidden`
or its own `style`. Rules of a style sheet are not followed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from lxml import etree

from ragqa.errors import BadInput
from ragqa.read.about import About, date_of, tags_of, title_of
from ragqa.read.html_flow import Flow, nowhere
from ragqa.read.html_parts import DEEPEST, heading_outside, is_cut, main_part, unseen_in
from ragqa.read.reading import Draft, Reading
from ragqa.read.text import Decoded, decode, plain_line_ends

_HEAD = 4096  # bytes in which a page names its charset; the standard asks for 1024
_CHARSET = re.compile(rb"<meta[^>]{0,512}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.I)
_DECLARED = re.compile(rb"\A\s*<\?xml[^>]{0,512}?encoding\s*=\s*[\"']([\w.:-]{1,40})", re.I)
_TAGS = ("keywords", "news_keywords", "article:tag", "dc.subject", "dcterms.subject")
_DATES = (
    *("article:published_time", "datepublished", "dcterms.created", "dcterms.issued", "dcterms.date", "dc.date"),
    *("date", "pubdate", "publish-date", "article:modified_time", "dcterms.modified", "last-modified"),
)


def read(content: bytes, name: str) -> Reading:
    """A page by its blocks, with the file's own lines; raises BadInput where it is no text."""
    text, repaired, notes = decode_page(name, content)
    draft = Draft()
    root = _parsed(text)
    about = About()
    if root is not None:
        about = _about(root)
        _add_main_part(draft, root)
        if is_cut(root):
            notes = (*notes, f"left out what is nested deeper than {DEEPEST} elements")
            if not draft.begun:
                raise BadInput(f"{name}: nested too deeply", "nested too deeply")
    return draft.reading(title=about.title, tags=about.tags, date=about.date, notes=notes, repaired=repaired)


def add_html(draft: Draft, content: bytes | str, *, below: int = 0, arrive: Callable[[str], None] = nowhere) -> About:
    """Add to a draft all that is seen of a chapter, a letter or another piece that no site puts things around.

    No places are set: whoever calls says where it stands.

    Args:
        content: Of bytes it is found out how they are encoded.
        below: How many levels of sections stand around it: its `h1` is so much deeper.
        arrive: Called with each id, and each name of an anchor, before what stands there is added.

    Raises:
        BadInput: Bytes that are no text.
    """
    root = _parsed(content if isinstance(content, str) else decode_page("the page", content).text)
    if root is None:
        return About()
    Flow(draft, below=below, arrive=arrive).add(root, unseen_in(root))
    return _about(root)


def _add_main_part(draft: Draft, root: etree._Element) -> None:
    flow = Flow(draft, lines=True)
    main, left_out = main_part(root)
    heading = heading_outside(root, main, left_out)
    if heading is not None:
        flow.add(heading, left_out)
    flow.add(main, left_out)


def decode_page(name: str, content: bytes) -> Decoded:
    """The characters of a page: by its byte order mark, by what it names, or by what they look like."""
    named = _DECLARED.search(content[:_HEAD]) or _CHARSET.search(content[:_HEAD])
    return decode(name, content, named[1].decode() if named else "")


def _parsed(text: str) -> etree._Element | None:
    """The page as a tree; None where there is nothing in it. Nothing is fetched, whatever it names."""
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, no_network=True)
    content = plain_line_ends(text).encode("utf-8", "replace")
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError:  # only where there is no element at all
        return None


def _about(root: etree._Element) -> About:
    told: dict[str, list[str]] = {}
    for meta in root.iter("meta"):
        key = meta.get("name") or meta.get("property") or meta.get("itemprop") or ""
        told.setdefault(key.strip().lower(), []).append(meta.get("content") or "")
    dates = (date_of(value) for key in _DATES for value in told.get(key, ()))
    return About(
        title=next((title for title in _titles(root, told) if title), ""),
        tags=tags_of(tag for key in _TAGS for value in told.get(key, ()) for tag in value.split(",")),
        date=next(filter(None, dates), ""),
    )


def _titles(root: etree._Element, told: dict[str, list[str]]) -> Iterator[str]:
    """What could be its title, best first."""
    yield from (_text(one) for one in root.iter("title") if not _within_picture(one))
    yield from map(title_of, told.get("og:title", ()))
    yield from map(_text, root.iter("h1"))


def _within_picture(element: etree._Element) -> bool:
    return next(element.iterancestors("svg"), None) is not None


def _text(element: etree._Element) -> str:
    return title_of("".join(map(str, element.itertext())))
