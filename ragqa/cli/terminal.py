"""rich's console, but for one thing: the parts of a link that is wrapped stay one link, and are printed the same."""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment


class Terminal(Console):
    """Names each link after what it opens; rich gives each part a number of its own, which begins anywhere."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.style and segment.style.link:
                segment.style._link_id = f"{crc32(segment.style.link.encode()):08x}"
            yield segment
