"""Question + passages + token budget → prompt."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template as StringTemplate
from typing import Any, Literal

from ragqa.chat_format import ChatFormat
from ragqa.errors import UsageError
from ragqa.turn import Turn
from ragqa.types import Hit, Piece, Prompt

TURNS_SHARE = 0.3  # of a budget that a conversation's earlier turns may take: what answers is in the passages
FIELDS = frozenset({"passages", "question"})
_WISH = re.compile(r"(?:sentences: *([1-9]\d{0,2})|layout: *(prose|list))[ \t]*(?:\n|\Z)")
_PARTED = re.compile(r"^---[ \t]*\n", re.MULTILINE)

Layout = Literal["prose", "list"]
CountPiece = Callable[[Piece], int]


@dataclass(frozen=True, slots=True)
class Template:
    """A prompt with its places: what the system turn says, and the user's turn with $passages and $question.

    Attributes:
        sentences: Most sentences that an answer to it is expected to have.
        layout: `prose` runs the sentences of the answer on, `list` gives each a line of its own behind a dash.
    """

    name: str
    system: str
    user: str
    sentences: int = 2
    layout: Layout = "prose"


class BudgetTooSmall(UsageError):
    """Question, system prompt and template alone are over the budget."""


def load_template(name: str, own: Path | None = None) -> Template:
    """A template by its name, or one's own by its path.

    A file may begin with the lines `sentences: N` and `layout: list`; the system prompt and a line `---` may
    follow, then the user's turn.

    Args:
        own: A folder of one's own templates; one of them goes before one of the same name that comes with ragqa.

    Raises:
        UsageError: There is none, or it has other fields than `$passages` and `$question`.
    """
    known = templates(own)
    hint = f"known templates: {', '.join(sorted(known))}; or a .txt file of your own"
    try:
        path = known.get(name) or Path(name).expanduser()
        if path.suffix != ".txt" or not path.is_file():
            raise UsageError(f"no prompt template {name!r}", hint)
        text = path.read_text(encoding="utf-8")
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        raise UsageError(f"prompt template {name!r} cannot be read: {error}", hint) from error
    wishes, text = _wishes(text)
    head, parted, tail = _split_once(text)
    system, user = (head, tail) if parted else ("", text)
    fields = set(StringTemplate(user).get_identifiers())
    if fields != FIELDS or not StringTemplate(user).is_valid():
        wanted = " and ".join(f"${field}" for field in sorted(FIELDS))
        raise UsageError(f"{path}: a prompt template has the fields {wanted}, each at least once")
    return Template(path.stem, system.strip(), user.strip(), **wishes)


def templates(own: Path | None = None) -> dict[str, Path]:
    """The templates that come with ragqa and those in a folder of one's own, by name."""
    folders = [shipped("prompts"), *([own] if own else [])]
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.txt"))}


def shipped(folder: str) -> Path:
    """A folder that the wheel carries inside the package; in a checkout it lies beside the package."""
    package = Path(str(resources.files("ragqa")))
    inside = package / folder
    return inside if inside.is_dir() else package.parent / folder


def pack(
    question: str,
    hits: Sequence[Hit],
    *,
    template: Template,
    chat_format: ChatFormat,
    budget: int,
    count: CountPiece,
    system: str | None = None,
    most: int = 0,
    turns: Sequence[Turn] = (),
) -> Prompt:
    """Fit the best passages into one prompt of at most `budget` tokens.

    Passages are taken whole: half a passage is worse evidence than one passage fewer. One that does not fit
    is passed over, so a shorter one behind it still can. They stand in reverse, the best one last and nearest to
    the question: what stands in the middle of a long prompt is read worst.

    Args:
        hits: Best first; those that fit are numbered [1], [2], … in this order, wherever they stand.
        budget: Tokens for the whole prompt, template included.
        count: The generator's tokenizer, told apart for scaffold and text. An estimate could overrun the context.
        system: In place of the template's own system prompt.
        most: What `budget` could be raised to, for the message when it is too small; 0 if that is not known.
        turns: What was said before, oldest first. They stand before everything that changes with the question, so
            that what was read of them for the last one need not be read again; the oldest are dropped whole.

    Raises:
        BudgetTooSmall: The question alone, with no passage, is over budget.

    Source: Liu et al. 2023, arXiv:2307.03172, on where in a long context models read best.
    """
    system = template.system if system is None else system
    head = _head(chat_format, system)
    asked = _Asked(question, template, chat_format, count)
    alone = sum(map(count, [*head, *asked.pieces(())]))
    parts = {"system": count(Piece(system)), "question": count(Piece(question))}
    parts = {"template": max(alone - sum(parts.values()), 0)} | parts
    if alone > budget:
        raise _too_small(parts, alone, budget, most)
    said = _said(turns, chat_format, min(budget - alone - asked.size(hits[:1]), int(budget * TURNS_SHARE)), count)
    parts |= {"turns": sum(map(count, said))} if turns else {}
    kept, sizes = _fitting(hits, asked, budget - alone - parts.get("turns", 0))
    pieces = (*head, *said, *asked.pieces(kept))
    return Prompt(
        pieces=pieces,
        passages=tuple(kept),
        dropped=tuple(hit for hit in hits if hit not in kept),
        tokens=sum(map(count, pieces)),
        budget=budget,
        parts=parts,
        sizes=sizes,
        fixed=len(head),
        turns=len(said),
        turns_dropped=len(turns) - len(said),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """The user's last turn, with room for passages."""

    question: str
    template: Template
    chat_format: ChatFormat
    count: CountPiece

    def pieces(self, hits: Sequence[Hit]) -> tuple[Piece, ...]:
        ranked = [f"[{n}] {_shown(hit)}" for n, hit in enumerate(hits, start=1)]
        numbered = "\n\n".join(reversed(ranked))
        user = StringTemplate(self.template.user).substitute(passages=numbered, question=self.question)
        closing = self.chat_format.user[1]
        pieces = Piece(self.chat_format.harmless(user)), Piece(closing, control=True)
        return tuple(piece for piece in (*pieces, Piece(self.chat_format.assistant, control=True)) if piece.text)

    def size(self, hits: Sequence[Hit]) -> int:
        """Tokens that these passages take."""
        return sum(map(self.count, self.pieces(hits))) - sum(map(self.count, self.pieces(())))


def _fitting(hits: Sequence[Hit], asked: _Asked, room: int) -> tuple[list[Hit], dict[str, int]]:
    """Those that fit into `room` tokens together, and what each takes or would have taken beside those before it."""
    kept: list[Hit] = []
    taken = 0
    sizes: dict[str, int] = {}
    for hit in hits:
        size = asked.size([*kept, hit])
        sizes[hit.passage.id] = size - taken
        if size <= room:
            kept, taken = [*kept, hit], size
    return kept, sizes


def _said(turns: Sequence[Turn], chat_format: ChatFormat, room: int, count: CountPiece) -> list[Piece]:
    """The last turns, each as a text of the user's; those before the first that has no room are dropped, too."""
    kept: list[Piece] = []
    for turn in reversed(turns):
        piece = Piece(chat_format.harmless(f"Asked before: {turn.question}\nAnswer: {turn.answer}\n\n"))
        room -= count(piece)
        if room < 0:
            break
        kept.insert(0, piece)
    return kept


def _too_small(parts: Mapping[str, int], tokens: int, budget: int, most: int) -> BudgetTooSmall:
    """The error, naming the largest part: that is the one to shorten."""
    names = {"system": "the system prompt", "question": "the question", "template": "the prompt template"}
    part = max(names, key=lambda name: parts[name])
    room = max(budget - (tokens - parts[part]), 0)
    beside = names["question" if part != "question" else "template"]
    way_out = f", or raise the budget: `-o budget N`, at most {most}" if most > budget and most >= tokens else ""
    return BudgetTooSmall(
        f"{names[part]} has {parts[part]:,} tokens; {room:,} fit beside {beside} (budget {budget:,})",
        f"shorten it{way_out}",
    )


def _head(chat_format: ChatFormat, system: str) -> list[Piece]:
    """What is the same for every question: all up to where the user speaks."""
    pieces = [Piece(chat_format.begin, control=True)]
    if system:
        opening, closing = chat_format.system
        pieces += [Piece(opening, control=True), Piece(chat_format.harmless(system)), Piece(closing, control=True)]
    pieces.append(Piece(chat_format.user[0], control=True))
    return [piece for piece in pieces if piece.text]


def _shown(hit: Hit) -> str:
    """A passage as the Llama reads it: under the last of its headings, without blank lines."""
    title = hit.passage.heading[-1] if hit.passage.heading else ""
    body = re.sub(r"\n\s*\n", "\n", hit.passage.text.strip())
    return body if not title or title in body else f"{title}: {body}"


def _wishes(text: str) -> tuple[dict[str, Any], str]:
    """What the first lines of a template say of the answer, and the text behind them."""
    wishes: dict[str, Any] = {}
    while found := _WISH.match(text):
        wishes |= {"sentences": int(found[1])} if found[1] else {"layout": found[2]}
        text = text[found.end() :]
    return wishes, text


def _split_once(text: str) -> tuple[str, bool, str]:
    parted = _PARTED.search(text)
    return (text[: parted.start()], True, text[parted.end() :]) if parted else (text, False, "")
