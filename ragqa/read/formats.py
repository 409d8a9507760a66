"""Which formats there are, by the suffixes of their files: one row each."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath

from ragqa.errors import BadInput
from ragqa.read.languages import LANGUAGES, MARKED, PLAIN, SETTINGS
from ragqa.read.reading import Reading, storable


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file.

    Attributes:
        name: What `type:` in a filter and the index call it.
        suffixes: Of its files' names, in lower case; without a dot, a whole name such as `makefile`.
        module: In this room; its `read(content, name)` makes a Reading of bytes, or raises BadInput. It is imported
            when the first such file is read.
        apart: Read in a process of its own, because its parsing can be made to take for ever, or to crash.
        inside: Bytes of a file that is read in this process all the same, because it can take no more than seconds.
    """

    name: str
    suffixes: tuple[str, ...]
    module: str
    apart: bool = True
    inside: int = 0

    def is_apart(self, size: int) -> bool:
        """Whether a file of so many bytes is read in a process of its own."""
        return self.apart and size > self.inside


PLAIN_NAMES = """readme license licence copying notice notes changelog changes history news authors contributors
  contributing maintainers credits thanks todo install copyright security faq bugs""".split()

FORMATS = (
    Format("markdown", (".md", ".markdown"), "markdown", inside=2**18),
    Format("rst", (".rst", ".rest"), "rst", apart=False),
    Format("text", (".txt", ".text", *PLAIN_NAMES), "text", apart=False),
    Format("diff", (".diff", ".patch"), "diff", apart=False),
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
    *(Format(name, suffixes, "code", apart=False) for name, suffixes in PLAIN.items()),
    *(Format(name, suffixes, "lines", apart=False) for name, suffixes in SETTINGS.items()),
    *(Format(name, suffixes, "text", apart=False) for name, suffixes in MARKED.items()),
)
READERS_VERSION = "1"  # raised when readers learn something: what they could not read before is tried again
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
        reading = storable(import_module(f"ragqa.read.{format.module}").read(content, name))
        if reading.text.strip():
            return reading
    raise BadInput(f"{name}: empty", "empty")
