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
    input select button textarea datalist rp rt annotation annotation-xml""".split()
)
_ROLES = {
    "main": "main",
    "article": "article",
    "navigation": "nav",
    "banner": "header",
    "contentinfo": "footer",
    "complementary": "aside",
    "search": "form",
    "form": "form",
}
_AROUND_MAIN = ("header", "footer", "aside")  # within a main part or an article they belong to that
_HIDING = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|"
    r"font-size\s*:\s*[-+]?(?:0+(?:\.0*)?|\.0+)(?![\d.])[a-z%]*)\s*(?:!\s*important\s*)?(?=;|$)",
    re.I,
)
_REMARK_IN_STYLE = re.compile(r"/\*.*?(?:\*/|\Z)", re.S)

LeftOut = Callable[[etree._Element], bool]


def is_unseen(element: etree._Element) -> bool:
    """Whether no reader of the page sees the element: by what it is, or by its own attributes."""
    if element.tag in _UNSEEN:
        return True
    if element.get("hidden", "until-found").lower() != "until-found":
        return True
    if element.get("aria-hidden", "").strip().lower() == "true":
        return True
    style = element.get("style")
    return bool(style and _HIDING.search(_REMARK_IN_STYLE.sub(" ", style)))


def main_part(root: etree._Element) -> tuple[etree._Element, LeftOut]:
    """The element to be read, and what is left out within it."""
    survey = _Survey(root)
    here = survey.main if survey.main is not None and survey.enough("main") else root
    if survey.amounts["article"] or survey.enough("main", "plain"):
        return here, lambda element: is_unseen(element) or _stands_around(element) or _part(element) == "form"
    if survey.enough("form"):  # the whole page stands in one
        return here, lambda element: is_unseen(element) or _stands_around(element)
    return here, is_unseen


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

    def __init__(self, root: etree._Element) -> None:
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
        if part == "main" and self.main is None and not is_unseen(element):
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
