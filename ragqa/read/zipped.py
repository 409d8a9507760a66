"""Archives from strangers: what is in a zip is counted as it comes out, before any library is given it.

Sizes that an archive states about itself are claims. So every member is decompressed once, in memory, a slice at a
time, and the bytes are counted; nothing is ever written to a file, whatever a member is called.
"""

from __future__ import annotations

import zlib
from io import BytesIO
from itertools import pairwise
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from lxml import etree

from ragqa.errors import BadInput

EXPANDED = 200 * 2**20  # bytes that all members together may have
RATIO = 100  # times the archive's own size, once they have more than a library's parts have empty
FLOOR = 10 * 2**20
MEMBERS = 10_000
_SLICE = 2**16
_ENCRYPTED = 0x1
_LOCAL_HEADER = 30  # bytes before a member's name
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def open_zip(content: bytes, name: str) -> ZipFile:
    """An archive whose members are safe to decompress, and whose XML declares no entities.

    Raises:
        BadInput: It is none, is encrypted, holds too much, or one of its parts declares an entity.
    """
    try:
        archive = ZipFile(BytesIO(content))
        _check(archive, content, name)
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, UnicodeError) as error:
        if content.startswith(_OLE) and "EncryptedPackage".encode("utf-16-le") in content:
            raise refused(name, "encrypted") from error
        raise refused(name, "damaged archive") from error
    return archive


def refused(name: str, reason: str) -> BadInput:
    return BadInput(f"{name}: {reason}", reason)


def parse_xml(content: bytes) -> etree._Element:
    """A part's root; no entity is replaced and nothing is fetched. Raises lxml's XMLSyntaxError."""
    return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True))


def _check(archive: ZipFile, content: bytes, name: str) -> None:
    members = archive.infolist()
    if len(members) > MEMBERS:
        raise refused(name, "expands past the limit")
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise refused(name, "encrypted")
    if any(member.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for member in members):
        raise BadZipFile  # others can expand without measure in one slice, and no format here allows them
    if _overlap(members, content):
        raise refused(name, "expands past the limit")
    left = min(EXPANDED, max(FLOOR, RATIO * len(content)))
    for member in members:
        left -= _expanded(archive, member, left, name)


def _overlap(members: list[ZipInfo], content: bytes) -> bool:
    """Whether members share bytes, by which a small archive can hold many large ones, or the last claims too many."""
    spans = sorted((member.header_offset, _end(member, content)) for member in members)
    return any(end > start for (_start, end), (start, _end) in pairwise([*spans, (len(content), 0)]))


def _end(member: ZipInfo, content: bytes) -> int:
    """Where a member's compressed bytes end, by the lengths in its own header, which readers go by."""
    start = member.header_offset
    lengths = content[start + 26 : start + _LOCAL_HEADER]
    named = int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
    return start + _LOCAL_HEADER + named + member.compress_size


def _expanded(archive: ZipFile, member: ZipInfo, left: int, name: str) -> int:
    """How many bytes come out of a member, of which there may be `left`."""
    size, prolog = 0, _Prolog()
    with archive.open(member) as stream:
        while part := stream.read(_SLICE):
            size += len(part)
            if size > left:
                raise refused(name, "expands past the limit")
            if prolog.declares_entity(part):
                raise refused(name, "forbidden XML entity")
    return size


class _Prolog:
    """What stands before the first element of an XML part; for any other file it is over at once.

    A document type is allowed, because EPUB 2 wants one; entities are what bombs and thefts are made of. A part in
    an encoding that expat does not know is left to its reader, which replaces no entity.
    """

    def __init__(self) -> None:
        self._over = False
        self._declared = False
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._begin
        self._parser.EntityDeclHandler = self._declare

    def declares_entity(self, part: bytes) -> bool:
        """Go on with the next part of the file."""
        if not self._over:
            try:
                self._parser.Parse(part)
            except (expat.ExpatError, _Found, LookupError, ValueError):
                self._over = True
        return self._declared

    def _begin(self, *_element: object) -> None:
        raise _Found

    def _declare(self, *_entity: object) -> None:
        self._declared = True
        raise _Found


class _Found(Exception):
    """Ends the parsing."""
