"""What a run is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field

from ragqa.files import MAX_FILE_SIZE, READ_SECONDS
from ragqa.walk import Wanted


@dataclass(frozen=True, slots=True)
class Run:
    """How an index is brought up to date with files and folders.

    Attributes:
        wanted: Which files of the folders.
        collection: Where new documents go; None leaves known ones where they are.
        prune: Also remove the documents of a folder that is now empty.
        verify: Trust no size and no time: read all files again to know whether they are the same.
        retry: Try files again that could not be read and have not changed.
        max_file_size: Bytes; a larger file is not read.
        read_seconds: That reading one file may take where it is read in a process of its own.
    """

    wanted: Wanted = field(default_factory=Wanted)
    collection: str | None = None
    prune: bool = False
    verify: bool = False
    retry: bool = False
    max_file_size: int = MAX_FILE_SIZE
    read_seconds: float = READ_SECONDS
