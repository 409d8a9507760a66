"""Which formats there are, by the suffixes of their files: one row each."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath

from ragqa.errors import BadInput
from ragqa.read.languages import LANGUAGES, MARKED, PLAIN, SETTINGS
from ragqa.read.reading import Reading, gathered, storable


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file.

    Attributes:
        name: What `type:` in a filter and the index call it.
        suffixes: Of its files' names, in lower case; without a dot, a whole name such as `makefile`.
        module: In this room; its `read(content, name)` makes a Reading of bytes, or raises BadInput. It is imported
            when the first such file is read.
        inside: Bytes of the largest file that is read in this process, because it can take no more than a second or
            two; any other is read in a process of its own, which may take too much, or crash.
    """

    name: str
    suffixes: tuple[str, ...]
    module: str
    inside: int = 0

    def is_apart(self, size: int) -> bool:
        """Whether a file of so many bytes is read in a process of its own."""
        return size > self.inside


PLAIN_NAMES = """readme license licence copying notice notes changelog changes history news authors contributors
  contributing maintainers credits thanks todo install copyright security faq bugs""".split()

LINES_INSIDE = 2**20  # bytes of what is cut by its lines alone

FORMATS = (
    Format("markdown", (".md", ".markdown"), "markdown", inside=2**18),
    Format("rst", (".rst", ".rest"), "rst", inside=2**18),
    Format("text", (".txt", ".text", *PLAIN_NAMES), "text", inside=LINES_INSIDE),
    Format("diff", (".diff", ".patch"), "diff", inside=LINES_INSIDE),
    Format("pdf", (".pdf",), "pdf"),
    Format("docx", (".docx", ".docm", ".dotx"), "word"),
    Format("pptx", (".pptx", ".pptm"), "slides"),
    Format("xlsx", (".xlsx", ".xlsm"), "sheets"),
    Format("odt", (".odt", ".ott"), "odt"),
    Format("rtf", (".rtf",), "rtf"),
    Format("epub", (".epub",), "epub"),
    Format("html", (".html", ".htm", ".xhtml"), "html"),
    Format("subtitles", (".srt", ".vtt", ".ass", ".ssa", ".sub"), "subtitles"),
    Format("notebook", (".ipynb",), "notebook"),
    Format("csv", (".csv", ".tsv"), "separated"),
    Format("json", (".json", ".ndjson", ".jsonl"), "nested"),
    Format("mail", (".eml", ".mbox", "mbox"), "mail"),
    *(Format(language.name, language.suffixes, "code") for language in LANGUAGES),
    *(Format(name, suffixes, "code", inside=LINES_INSIDE) for name, suffixes in PLAIN.items()),
    *(Format(name, suffixes, "lines", inside=LINES_INSIDE) for name, suffixes in SETTINGS.items()),
    *(Format(name, suffixes, "text", inside=LINES_INSIDE) for name, suffixes in MARKED.items()),
)
READERS_VERSION = "3"  # raised when readers learn something: what they could not read before is tried again
MOST_PARTS = 2**20  # blocks or places of a file: more would take gigabytes to cut
TOO_MANY = "too many parts"
READERS = {suffix: format for format in FORMATS for suffix in format.suffixes}
BY_NAME = {format.name: format for format in FORMATS}


def format_named(name: PurePath) -> Format | None:
    """The format that a file's name says."""
    return READERS.get(name.suffix.lower()) or READERS.get(name.name.lower())


def read_bytes(format: Format, content: bytes, name: str) -> Reading:
    """Read in this process.

    Raises:
        BadInput: It cannot be read, or holds no text.
    """
    if content.strip():
        reading = gathered(storable(import_module(f"ragqa.read.{format.module}").read(content, name)))
        if max(len(reading.blocks), len(reading.places)) > MOST_PARTS:
            raise BadInput(f"{name}: {TOO_MANY}", TOO_MANY)
        if reading.text.strip():
            return reading
    raise BadInput(f"{name}: empty", "empty")
