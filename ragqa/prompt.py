"""Question + passages + token budget → prompt."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template as StringTemplate

from ragqa.errors import UsageError
from ragqa.generate import ChatFormat
from ragqa.types import Hit, Piece, Prompt

FIELDS = frozenset({"passages", "question"})
_PARTED = re.compile(r"^---[ \t]*\n", re.MULTILINE)

CountPiece = Callable[[Piece], int]


@dataclass(frozen=True, slots=True)
class Template:
    """A prompt with its places: what the system turn says, and the user's turn with $passages and $question."""

    name: str
    system: str
    user: str


class BudgetTooSmall(UsageError):
    """Question, system prompt and template alone are over the budget."""


def load_template(name: str) -> Template:
    """A template by its name, or one's own by its path.

    Raises:
        UsageError: There is none, or it has other fields than `$passages` and `$question`.
    """
    hint = f"known templates: {', '.join(templates())}; or a .txt file of your own"
    path = templates().get(name)
    try:
        path = path or Path(name).expanduser()
        if path.suffix != ".txt" or not path.is_file():
            raise UsageError(f"no prompt template {name!r}", hint)
        text = path.read_text(encoding="utf-8")
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        raise UsageError(f"prompt template {name!r} cannot be read: {error}", hint) from error
    head, parted, tail = _split_once(text)
    system, user = (head, tail) if parted else ("", text)
    fields = set(StringTemplate(user).get_identifiers())
    if fields != FIELDS or not StringTemplate(user).is_valid():
        wanted = " and ".join(f"${field}" for field in sorted(FIELDS))
        raise UsageError(f"{path}: a prompt template has the fields {wanted}, each at least once")
    return Template(path.stem, system.strip(), user.strip())


def templates() -> dict[str, Path]:
    """The templates that come with ragqa, by name."""
    return {path.stem: path for path in sorted(shipped("prompts").glob("*.txt"))}


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
) -> Prompt:
    """Fit the best passages into one prompt of at most `budget` tokens.

    Passages are taken whole: half a passage is worse evidence than one passage fewer. One that does not fit
    is passed over, so a shorter one behind it still can.

    Args:
        hits: Best first; the prompt numbers those that fit [1], [2], … in this order.
        budget: Tokens for the whole prompt, template included.
        count: The generator's tokenizer, told apart for scaffold and text. An estimate could overrun the context.
        system: In place of the template's own system prompt.

    Raises:
        BudgetTooSmall: The question alone, with no passage, is over budget.
    """
    system = template.system if system is None else system
    kept: list[Hit] = []
    pieces = _pieces(question, kept, template, chat_format, system)
    tokens = sum(map(count, pieces))
    if tokens > budget:
        raise BudgetTooSmall(
            f"the question with its prompt has {tokens} tokens, and the budget is {budget}", "ask a shorter question"
        )
    for hit in hits:
        tried = _pieces(question, [*kept, hit], template, chat_format, system)
        size = sum(map(count, tried))
        if size <= budget:
            kept, pieces, tokens = [*kept, hit], tried, size
    dropped = tuple(hit for hit in hits if hit not in kept)
    return Prompt(pieces, tuple(kept), dropped, tokens, budget)


def _pieces(
    question: str, hits: Sequence[Hit], template: Template, chat_format: ChatFormat, system: str
) -> tuple[Piece, ...]:
    numbered = "\n\n".join(f"[{n}] {_shown(hit)}" for n, hit in enumerate(hits, start=1))
    user = StringTemplate(template.user).substitute(passages=numbered, question=question)
    turns = [(chat_format.system, system), (chat_format.user, user)]
    pieces = [Piece(chat_format.begin, control=True)]
    for (opening, closing), text in turns:
        if text:
            pieces += [Piece(opening, control=True), Piece(text), Piece(closing, control=True)]
    pieces.append(Piece(chat_format.assistant, control=True))
    return tuple(piece for piece in pieces if piece.text)


def _shown(hit: Hit) -> str:
    """A passage as the Llama reads it: under the last of its headings, without blank lines."""
    title = hit.passage.heading[-1] if hit.passage.heading else ""
    body = re.sub(r"\n\s*\n", "\n", hit.passage.text.strip())
    return body if not title or title in body else f"{title}: {body}"


def _split_once(text: str) -> tuple[str, bool, str]:
    parted = _PARTED.search(text)
    return (text[: parted.start()], True, text[parted.end() :]) if parted else (text, False, "")
