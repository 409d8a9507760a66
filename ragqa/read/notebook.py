"""Jupyter notebooks: cells of Markdown and code, and what the code printed; the place of a block is its cell."""

from __future__ import annotations

import json
import re
from typing import Any

from ragqa.errors import BadInput
from ragqa.read.about import About, date_of, tags_of, title_of
from ragqa.read.front_matter import front_matter
from ragqa.read.html import add_html
from ragqa.read.markdown import add_markdown
from ragqa.read.reading import Draft, Reading
from ragqa.read.text import decode

_COLOURS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_PICTURE = re.compile(r"data:\w{1,20}/[\w.+-]{1,40};base64,[A-Za-z0-9+/=\s]*")
_HTML = ("text/html", "html")
_SHOWN = ("text/markdown", "text/plain", "text", "text/latex", "latex", *_HTML)  # the first there is
_DEEPEST = 6  # of headings

Fields = dict[str, Any]


def read(content: bytes, name: str) -> Reading:
    """A notebook of format 3 or 4 by its cells, which count from 1.

    Raises:
        BadInput: It is no notebook.
    """
    text, repaired, notes = decode(name, content)
    try:
        notebook = json.loads(text)
        cells = _cells(notebook)
    except (ValueError, RecursionError, TypeError) as error:
        raise BadInput(f"{name}: no notebook", "no notebook") from error
    draft, title, about = Draft(), "", _about(notebook)
    for number, cell in enumerate(cells, start=1):
        draft.at("cell", number)
        if number == 1 and cell.get("cell_type") == "raw" and (front := front_matter(_text(cell, "source"))).end:
            about = front.about
        else:
            first = _add(draft, cell)
            title = title or first
    return draft.reading(title=about.title or title, tags=about.tags, date=about.date, notes=notes, repaired=repaired)


def _cells(notebook: Fields) -> list[Fields]:
    """The cells, of the worksheets of format 3 in order; raises TypeError or ValueError where it has none."""
    if not isinstance(notebook, dict) or not ("cells" in notebook or "worksheets" in notebook):
        raise ValueError("no cells")
    sheets = [notebook] if "cells" in notebook else _listed(notebook, "worksheets")
    return [cell for sheet in sheets for cell in _listed(sheet, "cells")]


def _about(notebook: Fields) -> About:
    metadata = notebook.get("metadata")
    told = metadata if isinstance(metadata, dict) else {}
    tags = [tag for key in ("tags", "keywords") if isinstance(told.get(key), list) for tag in told[key]]
    return About(title_of(_text(told, "title")), tags_of(map(str, tags)), date_of(_text(told, "date")))


def _add(draft: Draft, cell: Fields) -> str:
    """Add a cell; tells the title that its headings give."""
    kind, text = cell.get("cell_type"), _text(cell, "source") or _text(cell, "input")
    if kind == "markdown":
        return add_markdown(draft, _PICTURE.sub("", text))
    if kind == "heading":  # of format 3
        level = cell.get("level")
        draft.heading(level if isinstance(level, int) and 1 <= level <= _DEEPEST else 1, text)
        return " ".join(text.split()) if level == 1 else ""
    draft.add("code" if kind == "code" else "paragraph", text)
    for output in _listed(cell, "outputs"):
        _add_output(draft, output)
    return ""


def _add_output(draft: Draft, output: Fields) -> None:
    """Add what was printed, shown or went wrong, as far as it is text."""
    if output.get("output_type") in ("error", "pyerr"):
        draft.add("code", _plain(f"{_text(output, 'ename')}: {_text(output, 'evalue')}"))
        return
    shown = output["data"] if isinstance(output.get("data"), dict) else output
    kind = next((kind for kind in _SHOWN if _text(shown, kind)), "")
    if kind in _HTML:
        add_html(draft, _text(shown, kind), below=_DEEPEST)
    else:
        draft.add("code", _plain(_text(shown, kind)))


def _plain(text: str) -> str:
    """What is left on a screen: without colours, and of a line that was written over, what came last."""
    lines = _COLOURS.sub("", text).replace("\r\n", "\n").split("\n")
    return _PICTURE.sub("", "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines))


def _listed(fields: Fields, key: str) -> list[Fields]:
    found = fields.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(fields: Fields, key: str) -> str:
    """A text, which may stand as a list of lines."""
    found = fields.get(key)
    if isinstance(found, list):
        return "".join(line for line in found if isinstance(line, str))
    return found if isinstance(found, str) else ""
