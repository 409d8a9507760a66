"""How an answer is printed: its text, its quotes with their places, and how it came about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragqa.cli.links import place_text
from ragqa.cli.render import console, in_line, numbers, path_from_here, shown
from ragqa.turn import Source
from ragqa.types import Answer, Citation, Evidence, Prompt, Tally

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def place(citation: Citation) -> str:
    """Where a quote stands: `path:line` or `path:first-last` as editors and grep write it, or `path, page 12`."""
    return path_from_here(citation.evidence.hit.path) + citation.locator


def source_place(source: Source) -> Text:
    """Where a quote stood when it was shown; a click opens it."""
    return place_text(path_from_here(source.path) + source.locator, source.path, source.line_start, source.place)


def freshness(citation: Citation) -> str:
    """What has become of the quote since it was indexed; empty where its file is the same."""
    if citation.fresh == "moved":
        return f"moved: was {_told(citation.evidence)} when indexed"
    if citation.reason:
        return f"the file can no longer be read: {citation.reason}"
    if citation.fresh == "changed":
        return "the file has changed; the quote still stands" if citation.stands else "no longer in the file"
    return "the file is gone" if citation.fresh == "deleted" else ""


def _told(evidence: Evidence) -> str:
    """Where it stood, in words: `line 14`, `page 3`, `line 14, row 13`."""
    place = evidence.place
    line = f"line {evidence.line_start}"
    return line if not (place and place.label) else f"{line}, {place.label}" if place.line else place.label


def print_answer(answer: Answer, *, plain: bool, growing: Growing | None = None) -> None:
    """The answer, then the quotes it rests on with their places; for an abstention, what came nearest.

    Args:
        growing: What has shown the answer already, as far as it was written.
    """
    out = console(plain=plain)
    if answer.tally:
        _print_tally(out, answer, answer.tally)
        return
    _print_text(answer, out, growing)
    if answer.citations:
        out.print()
    _print_quotes(answer, out)


def _print_text(answer: Answer, out: Console, growing: Growing | None) -> None:
    from rich.text import Text

    from ragqa.answer import is_block

    if answer.status == "quoted":
        for citation in answer.citations:
            quote, block = quote_text(citation.evidence), is_block(citation.evidence)
            out.print(Text(f"[{citation.n}]\n").append(quote) if block else quote.append(f" [{citation.n}]"))
    elif growing and growing.printed:
        growing.show(answer.text)
        out.print()
    else:
        out.print(Text(shown(answer.text), style="bold" if answer.status == "answered" else ""))


def _print_quotes(answer: Answer, out: Console) -> None:
    from rich.text import Text

    if answer.status == "abstained" and answer.citations:
        out.print(Text("Nearest, but not an answer:", style="dim"))
    for citation in answer.citations:
        _print_citation(out, citation, quoted=answer.status != "quoted")
    if answer.whole_corpus:
        documents = len({hit.passage.document_id for hit in answer.read})
        out.print(Text(f"\nread {len(answer.read)} passages of {documents} of {answer.of_documents} documents"))


def _print_citation(out: Console, citation: Citation, *, quoted: bool, note: str = "") -> None:
    """Number, quote, place and a note on one line; code below it, as it stands."""
    from rich.text import Text

    from ragqa.answer import is_block

    block = is_block(citation.evidence)
    quote = quote_text(citation.evidence) if quoted else Text()
    line = Text(f"[{citation.n}] ")
    if quote and not block:
        line.append(quote).append(" ")
    line.append(place_text(place(citation), citation.evidence.hit.path, citation.line_start, citation.place))
    line.append(note, style="dim")
    if citation.fresh != "same":
        line.append(f" ({freshness(citation)})", style="yellow")
    out.print(line)
    if block and quote:
        out.print(quote)


def _print_tally(out: Console, answer: Answer, tally: Tally) -> None:
    """What was counted, then the documents: the first ones quoted, the next ones named, the rest a number."""
    from rich.text import Text

    from ragqa.answer import LISTED
    from ragqa.tally import extent

    out.print(Text(in_line(tally.text), style="bold" if tally.count else ""))
    if tally.listed:
        out.print()
    citations = iter(answer.citations)
    for one in tally.listed[:LISTED]:
        note = f" ({extent(one, tally.counted)})"
        if one.evidence:
            _print_citation(out, next(citations), quoted=True, note=note)
        else:
            where = place_text(path_from_here(one.path) + one.locator, one.path, one.line, one.place)
            out.print(where.append(note, style="dim"))
    if len(tally.listed) > LISTED:
        out.print(Text(f"and {len(tally.listed) - LISTED} more; --json has them all"))


class Growing:
    """An answer that appears sentence by sentence, wrapped as if it had come at once.

    Attributes:
        printed: What the terminal shows of it so far.
    """

    def __init__(self, out: Console) -> None:
        self.out = out
        self.printed = ""

    def show(self, text: str) -> None:
        """Print what is new in `text`, the answer so far; nothing that is printed is ever taken back."""
        from rich.text import Text

        whole = "\n".join(line.plain.rstrip() for line in Text(shown(text)).wrap(self.out, self.out.width))
        if not whole.startswith(self.printed):
            self.out.print()
            self.printed = ""
        self.out.print(Text(whole[len(self.printed) :], style="bold"), end="", soft_wrap=True)
        self.printed = whole


def quote_text(evidence: Evidence) -> Text:
    """A quote as it is printed, the words in it that answer in bold and underlined."""
    from rich.text import Text

    from ragqa.answer import quotation

    text = Text(shown(quotation(evidence)))
    if evidence.span:
        text.stylize("bold underline", *printed_span(evidence, *evidence.span))
    return text


def printed_span(evidence: Evidence, start: int, end: int) -> tuple[int, int]:
    """Where a stretch of a quote lies in what is printed of it, which squeezes, indents and spells out characters."""
    from ragqa.answer import is_block, laid_out

    quote, block = evidence.quote, is_block(evidence)
    marked = quote[start:end]
    start, end = end - len(marked.lstrip()), start + len(marked.rstrip())
    closing = 0 if block else 1  # the quotation mark behind a cut quote
    # A character is put behind the first part, so that white space before the stretch is laid out as it is there.
    before = len(shown(laid_out(quote[:start] + "x", block))) - 1 - closing
    return before, max(before, len(shown(laid_out(quote[:end], block))) - closing)


def print_explanation(answer: Answer, err: Console) -> None:
    """What was found with which scores, what was dropped, the token ledger, the prompt, the verdicts."""
    from rich.text import Text

    err.print(Text(f"\nsupport {answer.support:.3f} from " + numbers(answer.signals)))
    sizes = answer.prompt.sizes if answer.prompt else {}
    dropped = {hit.passage.id for hit in answer.prompt.dropped} if answer.prompt else set()
    for rank, hit in enumerate(answer.hits, start=1):
        size = f"  {sizes[hit.passage.id]} tokens" if hit.passage.id in sizes else ""
        note = ", dropped: over the budget" if hit.passage.id in dropped else ""
        err.print(Text(in_line(f"{rank:3} {hit.passage.id}  {numbers(hit.scores)}{size}{note}")))
    for citation in answer.citations:
        err.print(Text(shown(f"quote [{citation.n}]  {numbers(citation.evidence.scores)}")))
    for sentence in answer.written:
        reason = f" ({sentence.reason})" if sentence.reason else ""
        err.print(Text(shown(f"{sentence.verdict}{reason}: {sentence.text}")))
    if answer.prompt:
        err.print(Text(ledger_line(answer, answer.prompt)))
        err.print(Text("prompt:\n" + shown(answer.prompt.text)))
    err.print(Text("ms: " + ", ".join(f"{stage} {ms}" for stage, ms in answer.timing_ms.items())))


def ledger_line(answer: Answer, prompt: Prompt) -> str:
    """Where the tokens went."""
    spent = " + ".join(f"{name} {tokens}" for name, tokens in prompt.spent.items())
    return (
        f"tokens: prompt {prompt.tokens} of {prompt.budget} = {spent}; answer {answer.completion_tokens};"
        f" context {answer.context}; passages kept {len(prompt.passages)}, dropped {len(prompt.dropped)}"
    )
