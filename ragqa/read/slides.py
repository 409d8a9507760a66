"""PowerPoint: slide by slide, its title, what stands on it from top to bottom, and the speaker's notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from ragqa.read.office import hidden_shapes, local, properties
from ragqa.read.reading import Draft, Reading
from ragqa.read.table import table_lines
from ragqa.read.zipped import open_zip

if TYPE_CHECKING:
    from lxml import etree
    from pptx.shapes.base import BaseShape
    from pptx.slide import Slide
    from pptx.text.text import TextFrame

_BAND = 360_000  # English metric units: what begins within a centimetre of height stands side by side
_BREAK = str.maketrans({"\v": "\n"})


def read(content: bytes, name: str) -> Reading:
    """Slides under their titles; what is hidden is left out, and notes say so.

    Raises:
        BadInput: It is no such file, encrypted, or expands too far.
    """
    from pptx import Presentation

    about = properties(open_zip(content, name))
    draft, left_out = Draft(), Counter[str]()
    for number, slide in enumerate(Presentation(BytesIO(content)).slides, start=1):
        if slide.element.get("show") in ("0", "false"):
            left_out["hidden slide"] += 1
            continue
        left_out["hidden shape"] += _show(slide.element)
        draft.at("slide", number)
        _add(draft, slide)
    notes = [f"{n} {what}{'s' * (n > 1)} left out" for what, n in left_out.items() if n]
    return draft.reading(title=about.title, tags=about.tags, date=about.date, notes=notes)


def _show(slide: etree._Element) -> int:
    """Leave of a slide what is seen: of alternatives for a shape, as for equations, the first, and none that is hidden.

    Returns:
        How many of those that are hidden hold text.
    """
    for alternatives in [*slide.iter("{*}AlternateContent")]:
        above, choice = alternatives.getparent(), alternatives.find("{*}Choice")
        if above is not None and choice is not None and local(above) in ("spTree", "grpSp"):
            above[above.index(alternatives) : above.index(alternatives) + 1] = [*choice]
    for equation in [*slide.iterfind(".//{*}p/{*}m")]:
        _write_out(equation)
    hidden = hidden_shapes(slide)
    for shape in hidden:
        if (above := shape.getparent()) is not None:
            above.remove(shape)
    return sum(any(text.text for text in shape.iter("{*}t")) for shape in hidden)


def _write_out(equation: etree._Element) -> None:
    """Put a run in the place of an equation, which has the same letters and is part of its paragraph's text."""
    paragraph = equation.getparent()
    if paragraph is None:
        return
    space = paragraph.tag.removesuffix("p")
    run, text = equation.makeelement(f"{space}r"), equation.makeelement(f"{space}t")
    text.text = "".join(one.text or "" for one in equation.iter("{*}t"))
    run.append(text)
    paragraph.replace(equation, run)


def _add(draft: Draft, slide: Slide) -> None:
    title = slide.shapes.title
    draft.heading(1, title.text_frame.text if title is not None else "")
    own = title.shape_id if title is not None else None
    for shape in _in_order(slide.shapes):
        if shape.has_text_frame and shape.shape_id != own:
            _add_text(draft, shape.text_frame)  # type: ignore[attr-defined]
        elif getattr(shape, "has_table", False):
            rows = shape.table.rows  # type: ignore[attr-defined]
            draft.add("table", table_lines([[cell.text for cell in row.cells] for row in rows]))
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        _add_text(draft, slide.notes_slide.notes_text_frame)


def _in_order(shapes: Iterable[BaseShape]) -> Iterator[BaseShape]:
    """From top to bottom, and from left to right what stands side by side; a group counts as one."""
    placed = sorted(shapes, key=lambda shape: ((shape.top or 0) // _BAND, shape.left or 0))
    for shape in placed:
        if hasattr(shape, "shapes"):
            yield from _in_order(shape.shapes)
        else:
            yield shape


def _add_text(draft: Draft, frame: TextFrame) -> None:
    """A paragraph each; several are what a slide has for lists."""
    lines = [("  " * one.level, one.text.translate(_BREAK).strip()) for one in frame.paragraphs]
    lines = [(indent, line) for indent, line in lines if line]
    if len(lines) == 1:
        draft.add("paragraph", lines[0][1])
    elif all(line.endswith((".", "!", "?")) for _indent, line in lines):
        draft.add("paragraph", "\n\n".join(line for _indent, line in lines))
    else:
        draft.add("list", "\n".join(f"{indent}- {' '.join(line.split())}" for indent, line in lines))
