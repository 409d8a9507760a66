"""A file of every format, made by a program that people make such files with, and where its one sentence stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from io import BytesIO
from typing import Any

from ragqa.read.languages import LANGUAGES, MARKED, PLAIN, SETTINGS

BEFORE = "Something else is told here, before it comes."


@dataclass(frozen=True, slots=True)
class Sample:
    """A file.

    Attributes:
        name: Of the file.
        sentence: What stands in it and in no other sample.
        cited: What a citation of the sentence says after the file's name.
    """

    name: str
    content: bytes
    sentence: str
    cited: str


def _saved(made: Any, save: str = "save") -> bytes:
    file = BytesIO()
    getattr(made, save)(file)
    return file.getvalue()


def _markdown(sentence: str) -> bytes:
    return f"---\ntags: [port]\n---\n# Harbour\n\n{BEFORE}\n\n## Works\n\n{sentence}\n".encode()


def _text(sentence: str) -> bytes:
    return f"{BEFORE}\n\n{sentence}\n".encode()


def _restructured(sentence: str) -> bytes:
    return f"Harbour\n=======\n\n{BEFORE}\n\nWorks\n-----\n\n.. note:: {sentence}\n".encode()


def _diff(sentence: str) -> bytes:
    return f"--- a/port.txt\n+++ b/port.txt\n@@ -1 +1,2 @@\n {BEFORE}\n+{sentence}\n".encode()


def _pdf(sentence: str) -> bytes:
    from fpdf import FPDF

    made = FPDF()
    for text in (BEFORE, sentence):
        made.add_page()
        made.set_font("Helvetica", size=11)
        made.multi_cell(0, 6, text)
    return bytes(made.output())


def _docx(sentence: str) -> bytes:
    from docx import Document

    made = Document()
    made.add_heading("Harbour", 1)
    made.add_paragraph(BEFORE)
    made.add_paragraph(sentence)
    return _saved(made)


def _pptx(sentence: str) -> bytes:
    from pptx import Presentation

    made = Presentation()
    for text in (BEFORE, sentence):
        slide = made.slides.add_slide(made.slide_layouts[1])
        slide.shapes.title.text = "Harbour"
        slide.placeholders[1].text = text
    return _saved(made)


def _xlsx(sentence: str) -> bytes:
    from openpyxl import Workbook

    made = Workbook()
    made.worksheets[0].title = "Works"
    for row in (["Year", "Note"], [1893, BEFORE], [1894, sentence]):
        made.worksheets[0].append(row)
    return _saved(made)


def _odt(sentence: str) -> bytes:
    from odfdo import Document, Header, Paragraph

    made = Document("text")
    made.body.clear()
    for part in (Header(1, "Harbour"), Paragraph(BEFORE), Paragraph(sentence)):
        made.body.append(part)
    return _saved(made)


def _rtf(sentence: str) -> bytes:
    return rf"{{\rtf1\ansi {{\fonttbl\f0 Arial;}}\f0 {BEFORE}\par {sentence}\par}}".encode()


def _epub(sentence: str) -> bytes:
    from ebooklib import epub

    made = epub.EpubBook()
    made.set_identifier("port")
    made.set_title("Harbour")
    chapters = []
    for number, text in enumerate((BEFORE, sentence), 1):
        chapter = epub.EpubHtml(title=f"Part {number}", file_name=f"{number}.xhtml")
        chapter.content = f"<h1>Part {number}</h1><p>{text}</p>"
        made.add_item(chapter)
        chapters.append(chapter)
    made.toc = made.spine = chapters
    made.add_item(epub.EpubNcx())
    made.add_item(epub.EpubNav())
    file = BytesIO()
    epub.write_epub(file, made)
    return file.getvalue()


def _html(sentence: str) -> bytes:
    head = "<!doctype html>\n<html><head><title>Harbour</title></head>\n<body><main>"
    return f"{head}\n<h1>Works</h1>\n<p>{BEFORE}</p>\n<p>{sentence}</p>\n</main></body></html>\n".encode()


def _subtitles(sentence: str) -> bytes:
    from pysubs2 import SSAEvent, SSAFile

    made = SSAFile()
    made.events = [SSAEvent(1000, 4000, BEFORE), SSAEvent(65_000, 68_000, sentence)]
    return made.to_string("srt").encode()


def _notebook(sentence: str) -> bytes:
    cells = [
        {"cell_type": "code", "source": ["import math\n"], "metadata": {}, "outputs": [], "execution_count": 1},
        {"cell_type": "markdown", "source": ["# Works\n", "\n", sentence], "metadata": {}},
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1).encode()


def _csv(sentence: str) -> bytes:
    return f'year,note\n1893,{BEFORE}\n1894,"{sentence}"\n'.encode()


def _json(sentence: str) -> bytes:
    return json.dumps([{"year": 1893, "note": BEFORE}, {"year": 1894, "note": sentence}], indent=1).encode()


def _mail(sentence: str) -> bytes:
    made = EmailMessage(default)
    made["From"], made["To"], made["Subject"] = "ann@example.org", "bob@example.org", "Harbour"
    made["Date"] = datetime(2024, 5, 17, tzinfo=UTC)
    made.set_content(f"{BEFORE}\n\n{sentence}\n")
    made.add_attachment(b"\0\1", maintype="application", subtype="octet-stream", filename="map.bin")
    return bytes(made)


_CODE: dict[str, str] = {
    "python": 'import os\n\n\ndef dredge():\n    """{}"""\n    return os\n',
    "javascript": "const a = 1\n\n// {}\nfunction dredge() {{ return a }}\n",
    "typescript": "const a = 1\n\n// {}\nexport function dredge(): number {{ return a }}\n",
    "go": "package port\n\n// {}\nfunc Dredge() {{}}\n",
    "rust": "use std::io;\n\n/// {}\nfn dredge() {{}}\n",
    "java": "class Port {{\n    /** {} */\n    void dredge() {{}}\n}}\n",
    "c": "#include <stdio.h>\n\n/* {} */\nvoid dredge(void) {{}}\n",
    "cpp": "namespace port {{\n// {}\nvoid dredge() {{}}\n}}\n",
}


def _code(language: str) -> Callable[[str], bytes]:
    return lambda sentence: _CODE[language].format(sentence).encode()


_CODE_LINES = {"python": 5, "java": 2, "cpp": 2}  # all others on the third

# Name of the format → suffix, what makes the file, what its citation says.
_MADE: dict[str, tuple[str, Callable[[str], bytes], str]] = {
    "markdown": (".md", _markdown, ":10"),
    "text": (".txt", _text, ":3"),
    "rst": (".rst", _restructured, ":9"),
    "diff": (".diff", _diff, ":5"),
    "pdf": (".pdf", _pdf, ", page 2"),
    "docx": (".docx", _docx, ", paragraph 3"),
    "pptx": (".pptx", _pptx, ", slide 2"),
    "xlsx": (".xlsx", _xlsx, ", Works, row 3"),
    "odt": (".odt", _odt, ", paragraph 3"),
    "rtf": (".rtf", _rtf, ", paragraph 2"),
    "epub": (".epub", _epub, ", Part 2"),
    "html": (".html", _html, ":6"),
    "subtitles": (".srt", _subtitles, ":7, 0:01:05"),
    "notebook": (".ipynb", _notebook, ", cell 2"),
    "csv": (".csv", _csv, ":3, row 3"),
    "json": (".json", _json, ":6, row 2"),
    "mail": (".eml", _mail, ":14"),
}
for language in LANGUAGES:
    _MADE[language.name] = language.suffixes[0], _code(language.name), f":{_CODE_LINES.get(language.name, 3)}"
_MADE |= {name: (suffixes[0], _text, ":3") for name, suffixes in {**PLAIN, **SETTINGS, **MARKED}.items()}


def _sample(format: str, suffix: str, make: Callable[[str], bytes], cited: str) -> Sample:
    sentence = f"The harbour of {format.title()} was dredged in the spring."
    return Sample(f"{format}{suffix}", make(sentence), sentence, cited)


SAMPLES = {format: _sample(format, *made) for format, made in _MADE.items()}
