"""Settings, scripts of databases, logs: lines as they stand, by what blank lines part."""

from __future__ import annotations

from dataclasses import replace

from ragqa.read.reading import Reading
from ragqa.read.text import decode, text_blocks


def read(content: bytes, name: str) -> Reading:
    """Lines that are never joined; raises BadInput where they are no text."""
    text, repaired, notes = decode(name, content)
    blocks = tuple(replace(block, kind="code") for block in text_blocks(text))
    return Reading(text, blocks, repaired=repaired, notes=notes)
