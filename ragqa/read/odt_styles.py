"""What the styles of an OpenDocument text say: which are based on which, and which hide their text."""

from __future__ import annotations

from zipfile import ZipFile

from lxml import etree

from ragqa.read.office import attribute, local
from ragqa.read.zipped import parse_xml

DEEPEST = 10  # styles that are based on each other
_FAMILIES = {"p": "paragraph", "h": "paragraph", "span": "text", "a": "text"}  # of styles, by what has one


class Styles:
    """The styles of a document, those of its own paragraphs and those that have names."""

    def __init__(self, content: etree._Element, archive: ZipFile) -> None:
        named = parse_xml(archive.read("styles.xml")) if "styles.xml" in archive.namelist() else ()
        parts = [part for part in named if local(part) == "styles"]
        parts += [part for part in content if local(part) == "automatic-styles"]
        self._elements = {(attribute(one, "family"), attribute(one, "name")): one for part in parts for one in part}
        self._hiding: dict[tuple[str, str], bool] = {}

    def is_title(self, paragraph: etree._Element) -> bool:
        """Whether a paragraph is the document's title."""
        name = attribute(paragraph, "style-name")
        style = self._elements.get(("paragraph", name))
        return "Title" in (name, attribute(style, "parent-style-name") if style is not None else "")

    def hidden(self, content: etree._Element) -> list[etree._Element]:
        """What is hidden by itself or by its style: pieces of text, paragraphs, sections, fields and shapes."""
        return [
            one if local(one) != "hidden-paragraph" else _paragraph(one) for one in content.iter() if self._hides(one)
        ]

    def _hides(self, element: etree._Element) -> bool:
        said = {str(key).rpartition("}")[2]: value for key, value in element.attrib.items()}
        if said.get("display") == "none" or said.get("is-hidden") == "true":
            return True
        of = _FAMILIES.get(local(element), ""), str(said.get("style-name", ""))
        if of not in self._hiding:
            self._hiding[of] = self._hides_text(*of)
        return self._hiding[of]

    def _hides_text(self, family: str, name: str) -> bool:
        for _ in range(DEEPEST):
            style = self._elements.get((family, name))
            if style is None:
                break
            text = next((one for one in style if local(one) == "text-properties"), None)
            if text is not None and attribute(text, "display"):
                return attribute(text, "display") == "none"
            name = attribute(style, "parent-style-name")
        return False


def _paragraph(element: etree._Element) -> etree._Element:
    """The paragraph that an element stands in, or else itself."""
    return next(element.iterancestors("{*}p", "{*}h"), element)
