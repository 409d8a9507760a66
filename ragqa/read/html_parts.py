"""Which parts of a web page are read: neither what is hidden nor, where there is enough else, what stands around it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from lxml import etree

DEEPEST = 2048  # elements within each other; the parser drops what is deeper
ENOUGH = 200  # characters of text that are enough to leave the rest out

_UNSEEN = frozenset(
    """script style template noscript head title iframe frameset object embed applet svg canvas audio video map
    input select textarea datalist rp rt annotation annotation-xml""".split()
)
_LABELS = ("h1", "h2", "h3", "h4", "h5", "h6", "summary", "dt")  # a button within one is what it says
_ROLES = {
    "main": "main",
    "article": "article",
    "navigation": "nav",
    "banner": "header",
    "contentinfo": "footer",
    "complementary": "aside",
    "search": "form",
    "form": "form",
    "doc-toc": "nav",
    **dict.fromkeys(("doc-endnotes", "doc-footnote", "doc-footnotes", "doc-tip", "note"), "note"),
}
_AROUND_MAIN = ("header", "footer", "aside")  # within a main part or an article they belong to that
_HIDING = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|"
    r"font-size\s*:\s*[-+]?(?:0+(?:\.0*)?|\.0+)(?![\d.])[a-z%]*)\s*(?:!\s*important\s*)?(?=;|$)",
    re.I,
)
_REMARK_IN_STYLE = re.compile(r"/\*.*?(?:\*/|\Z)", re.S)

LeftOut = Callable[[etree._Element], bool]


def unseen_in(page: etree._Element) -> LeftOut:
    """Tells of the page's elements whether no reader sees them: by what they are, or by their own attributes.

    What is folded up until a label beside it is clicked is seen.
    """
    folded = _folded(page)

    def is_unseen(element: etree._Element) -> bool:
        if element.tag in _UNSEEN or (element.tag == "button" and not _is_label(element)):
            return True
        return (_is_hidden(element) and element.get("id") not in folded) or _leads_here(element)

    return is_unseen


def main_part(root: etree._Element) -> tuple[etree._Element, LeftOut]:
    """The element to be read, and what is left out within it."""
    is_unseen = unseen_in(root)
    survey = _Survey(root, is_unseen)
    here = survey.main if survey.main is not None and survey.enough("main") else root
    if survey.amounts["article"] or survey.enough("main", "plain"):
        return here, lambda element: is_unseen(element) or _stands_around(element) or _part(element) == "form"
    if survey.enough("form"):  # the whole page stands in one
        return here, lambda element: is_unseen(element) or _stands_around(element)
    return here, is_unseen


def heading_outside(root: etree._Element, main: etree._Element, left_out: LeftOut) -> etree._Element | None:
    """The page's only `h1`, where it stands in the page's head or elsewhere before what is read."""
    headings = list(root.iter("h1"))
    if len(headings) != 1:
        return None
    path = [headings[0], *headings[0].iterancestors()]
    if main in path and not any(map(left_out, path[: path.index(main)])):
        return None
    is_unseen = unseen_in(root)
    beside = any(is_unseen(one) or _part(one) in ("nav", "aside", "footer", "form") for one in path)
    return None if beside else headings[0]


def is_cut(root: etree._Element) -> bool:
    """Whether the page is nested so deeply that the parser dropped something."""
    depth = 0
    for event, _element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth >= DEEPEST:
            return True
    return False


class _Survey:
    """How many characters of seen text stand in which part, and the first main part.

    Attributes:
        amounts: By the part that the text belongs to: `main`, `article`, `form`, `around`, or `plain`.
    """

    def __init__(self, root: etree._Element, is_unseen: LeftOut) -> None:
        self._is_unseen = is_unseen
        self.main: etree._Element | None = None
        self.amounts: Counter[str] = Counter()
        parts = ["plain"]
        walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
        for event, element in walk:
            if event == "start":
                parts.append(self._part_within(parts[-1], element))
                if is_unseen(element):
                    walk.skip_subtree()
                else:
                    self._count(parts[-1], element.text)
            else:
                if event == "end":
                    parts.pop()
                self._count(parts[-1], element.tail)

    def enough(self, *parts: str) -> bool:
        amount = sum(self.amounts[part] for part in parts)
        return amount >= ENOUGH or amount > self.amounts.total() / 2

    def _part_within(self, above: str, element: etree._Element) -> str:
        part = _part(element)
        if part == "main" and self.main is None and not self._is_unseen(element):
            self.main = element
        if above == "around" or part == "nav":
            return "around"
        if part == "form":
            return above if above == "main" else "form"
        if part in _AROUND_MAIN and above in ("plain", "form"):
            return "around"
        return part if part in ("main", "article") and above != "main" else above

    def _count(self, part: str, text: str | None) -> None:
        self.amounts[part] += len(text.strip()) if text else 0


def _folded(page: etree._Element) -> frozenset[str]:
    """The ids of what unfolds when its label is clicked, as in lists of questions, or is turned to by its tab."""
    labels = (one for one in page.iterfind(".//*[@aria-controls]") if _unfolds(one) or one.get("role") == "tab")
    return frozenset(id for label in labels for id in label.get("aria-controls", "").split())


def _unfolds(label: etree._Element) -> bool:
    """Whether it is clicked to read on below it, and not to choose from a menu."""
    if not label.get("aria-expanded") or label.get("aria-haspopup"):
        return False
    return next(label.iterancestors("nav", "header"), None) is None


def _is_label(button: etree._Element) -> bool:
    return _unfolds(button) or next(button.iterancestors(*_LABELS), None) is not None


def _is_hidden(element: etree._Element) -> bool:
    """Whether its own attributes hide it, as a dialog that is not open."""
    if element.get("hidden", "until-found").lower() != "until-found" or element.get("popover") is not None:
        return True
    if element.get("aria-hidden", "").strip().lower() == "true":
        return True
    if element.tag == "dialog" and element.get("open") is None:
        return True
    style = element.get("style")
    return bool(style and _HIDING.search(_REMARK_IN_STYLE.sub(" ", style)))


def _leads_here(element: etree._Element) -> bool:
    """Whether it is the sign beside a heading or a note, such as `#`, that links to where it stands or came from."""
    if element.tag != "a" or len(element) or not element.get("href", "").startswith("#"):
        return False
    return not any(map(str.isalnum, element.text or ""))


def _part(element: etree._Element) -> str:
    """What part of a page the element is, by its name or its role; empty where it is none."""
    role = element.get("role")
    return (_ROLES.get(role.strip().lower(), "") if role else "") or str(element.tag)


def _stands_around(element: etree._Element) -> bool:
    """Whether it is no part of what the page is about: navigation, and heads, feet and asides of the page."""
    part = _part(element)
    if part in _AROUND_MAIN:
        return not any(_part(above) in ("main", "article", "section") for above in element.iterancestors())
    return part == "nav"
