"""Counting tokens exactly and fast: tiktoken encodings built from a GGUF's own vocabulary.

tiktoken would download its vocabularies; these come from the model file instead, so they are right for that model
and need no network. Built once, they are kept beside the model in tiktoken's own file format.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tiktoken

RANKS_FILE = "ranks.tiktoken"
SPECIALS_FILE = "tokens.json"

_LETTERS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
_CONTRACTIONS = r"'(?i:[sdmt]|ll|ve|re)"
# How llama.cpp cuts text before merging, by the name (`tokenizer.ggml.pre`) that a GGUF gives its tokenizer.
PATTERNS = {
    "smollm": r"\p{N}|'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?=\p{N})|\s+(?!\S)|\s+",
    "llama-bpe": rf"{_CONTRACTIONS}|{_LETTERS}|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "qwen2": rf"{_CONTRACTIONS}|{_LETTERS}|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "gpt-2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
}

# Cuts that the patterns above decide differently, so agreement here is agreement in general.
PROBE = (
    "It's 1894, isn't it? We'LL pay 12,345.67 €.\r\n\r\n\tdef f(x):\n\t\treturn x  # naïve\n"
    "    four spaces…  two, 東京 مرحبا 👩‍💻 e\u0301 \x04\x13 <|im_end|> [INST] </s>   \n"
)
_ABSENT = 1 << 30


@dataclass(frozen=True)
class BytePairEncoding:
    """A GGUF's byte-pair vocabulary as a tiktoken encoding.

    Attributes:
        ranks: Token bytes → id, which is also the order in which pairs merge.
        specials: Control token → id; only the prompt's scaffold may become one of these.
    """

    pattern: str
    ranks: Mapping[bytes, int]
    specials: Mapping[str, int]

    @cached_property
    def _encoding(self) -> tiktoken.Encoding:
        import tiktoken

        # Some vocabularies lack bytes that no text of their training held; tiktoken panics without them.
        absent = {bytes([byte]): _ABSENT + byte for byte in range(256) if bytes([byte]) not in self.ranks}
        return tiktoken.Encoding(
            "gguf", pat_str=self.pattern, mergeable_ranks=absent | dict(self.ranks), special_tokens=dict(self.specials)
        )

    def encode(self, text: str, *, control: bool = False) -> list[int]:
        """Token ids. Without `control`, markers such as `<|im_end|>` are plain text.

        Bytes that the vocabulary lacks are left out, as llama.cpp does.
        """
        if control:
            tokens = self._encoding.encode(text, allowed_special="all", disallowed_special=())
        else:
            tokens = self._encoding.encode_ordinary(text)
        return [token for token in tokens if token < _ABSENT]

    def save(self, folder: Path) -> tuple[str, str]:
        """Write two files into `folder`; returns their names."""
        lines = (base64.b64encode(token) + b" %d\n" % rank for token, rank in self.ranks.items())
        (folder / RANKS_FILE).write_bytes(b"".join(lines))
        content = {"pattern": self.pattern, "ranks": len(self.ranks), "specials": self.specials}
        (folder / SPECIALS_FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        return RANKS_FILE, SPECIALS_FILE

    @classmethod
    def load(cls, folder: Path) -> BytePairEncoding:
        """Read what `save` wrote. Raises OSError or ValueError when it is not there or not whole."""
        fields = (line.split() for line in (folder / RANKS_FILE).read_bytes().splitlines())
        ranks = {base64.b64decode(token): int(rank) for token, rank in fields}
        content = json.loads((folder / SPECIALS_FILE).read_text(encoding="utf-8"))
        if len(ranks) != content["ranks"]:
            raise ValueError(f"{folder / RANKS_FILE}: {len(ranks)} of {content['ranks']} tokens")
        return cls(content["pattern"], ranks, content["specials"])

    @classmethod
    def load_if_there(cls, folder: Path) -> BytePairEncoding | None:
        """The encoding kept beside a model, or None where the model's own tokenizer has to count."""
        try:
            return cls.load(folder)
        except (OSError, ValueError, KeyError, TypeError):
            return None


def build_encoding(
    pre: str, tokens: Sequence[bytes], control: Sequence[bool], tokenize: Callable[[str], list[int]]
) -> BytePairEncoding | None:
    """Build the encoding of a GGUF, or None when tiktoken would not agree with the model's own tokenizer.

    Args:
        pre: The GGUF's `tokenizer.ggml.pre`.
        tokens: Each token as the GGUF spells it, bytes shown as GPT-2's printable characters.
        control: Which of them are control tokens.
        tokenize: The model's own tokenizer, asked to confirm on a text full of edge cases.
    """
    if pre not in PATTERNS:
        return None
    ranks, specials = {}, {}
    for rank, (token, is_control) in enumerate(zip(tokens, control, strict=True)):
        text = token.decode("utf-8")
        if is_control:
            specials[text] = rank
        elif all(character in _BYTE_OF for character in text):
            ranks[bytes(_BYTE_OF[character] for character in text)] = rank
    encoding = BytePairEncoding(PATTERNS[pre], ranks, specials)
    return encoding if encoding.encode(PROBE) == tokenize(PROBE) else None


def _printable_bytes() -> dict[str, int]:
    """GPT-2's spelling of bytes: printable ones as themselves, the others as characters from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    spelled = {chr(byte): byte for byte in printable}
    return spelled | {chr(0x100 + at): byte for at, byte in enumerate(others)}


_BYTE_OF = _printable_bytes()
