"""How the passages that a search found are printed."""

from __future__ import annotations

from collections.abc import Sequence

from ragqa.cli.links import place_text
from ragqa.cli.render import console, in_line, numbers, path_from_here, shown
from ragqa.types import Hit


def print_hits(hits: Sequence[Hit], *, explain: bool) -> None:
    """Passages with their places, best first."""
    from rich.text import Text

    out = console()
    for rank, hit in enumerate(hits, start=1):
        head = Text(f"{rank:2}  ")
        passage = hit.passage
        first = passage.places[0] if passage.places else None
        head.append(place_text(path_from_here(hit.path) + passage.locator, hit.path, passage.line_start, first))
        if passage.heading:
            head.append(in_line("  " + " > ".join(passage.heading)), style="dim")
        out.print(head)
        if explain:
            out.print(Text(f"    {numbers(hit.scores)}", style="dim"))
        out.print(Text(shown("\n".join("    " + line for line in passage.text.strip().splitlines()))))
        out.print()
