"""How families of models mark turns. A chat template in a model file is a program; it is recognised, never executed.

Sources: the templates in the tokenizers of the models named, and llama.cpp's src/llama-chat.cpp, which recognises
them in the same way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Around = tuple[str, str]
"""What stands before and after the text of a turn."""


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """How a family of models marks turns.

    Attributes:
        markers: What a template of this family holds, all of it; white space and `\\n` read as one space.
        begin: Before everything else.
        system: Around the system prompt; left out with it.
        user: Around the user's turn.
        assistant: What the answer follows.
        spelled: Markers that are ordinary text in the family's vocabulary, so that any text could forge them.
    """

    name: str
    markers: tuple[str, ...]
    begin: str
    system: Around
    user: Around
    assistant: str
    spelled: tuple[str, ...] = ()

    def harmless(self, text: str) -> str:
        """Text in which no marker is left that its tokens could not tell from a real one: `[INST]` → `[ INST]`."""
        for marker in self.spelled:
            text = text.replace(marker, f"{marker[0]} {marker[1:]}")
        return text


_INST = ("[INST]", "[/INST]")
_CHATML = ("<|im_start|>system\n", "<|im_end|>\n"), ("<|im_start|>user\n", "<|im_end|>\n"), "<|im_start|>assistant\n"
PLAIN = ChatFormat("plain", (), "", ("", "\n\n"), ("", "\n\n"), "Answer:")

# The first row whose markers are all there is taken, so the more particular stand first.
CHAT_FORMATS = {
    chat_format.name: chat_format
    for chat_format in (
        ChatFormat(
            "phi-4",
            ("<|im_start|>", "<|im_sep|>"),
            "",
            ("<|im_start|>system<|im_sep|>", "<|im_end|>"),
            ("<|im_start|>user<|im_sep|>", "<|im_end|>"),
            "<|im_start|>assistant<|im_sep|>",
        ),
        # Models that think aloud unless they are told that they have.
        ChatFormat(
            "qwen-3", ("<|im_start|>", "enable_thinking"), "", *_CHATML[:2], f"{_CHATML[2]}<think>\n\n</think>\n\n"
        ),
        ChatFormat("chatml", ("<|im_start|>",), "", *_CHATML),
        ChatFormat(
            "llama-3",
            ("<|start_header_id|>", "<|end_header_id|>"),
            "<|begin_of_text|>",
            ("<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"),
            ("<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"),
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
        ),
        ChatFormat(
            "llama-4",
            ("<|header_start|>", "<|header_end|>"),
            "<|begin_of_text|>",
            ("<|header_start|>system<|header_end|>\n\n", "<|eot|>"),
            ("<|header_start|>user<|header_end|>\n\n", "<|eot|>"),
            "<|header_start|>assistant<|header_end|>\n\n",
        ),
        # From its third version on, Mistral's markers are control tokens.
        ChatFormat(
            "mistral-v7", ("[INST]", "[SYSTEM_PROMPT]"), "<s>", ("[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"), _INST, ""
        ),
        ChatFormat("mistral", ("[INST]", "[AVAILABLE_TOOLS]"), "<s>[INST]", ("", "\n\n"), ("", "[/INST]"), ""),
        ChatFormat(
            "llama-2",
            ("[INST]", "<<SYS>>"),
            "<s>[INST] ",
            ("<<SYS>>\n", "\n<</SYS>>\n\n"),
            ("", " [/INST]"),
            "",
            spelled=(*_INST, "<<SYS>>", "<</SYS>>"),
        ),
        ChatFormat("mistral-v1", ("[INST]",), "<s>[INST] ", ("", "\n\n"), ("", " [/INST]"), "", spelled=_INST),
        ChatFormat(
            "gemma",
            ("<start_of_turn>",),
            "<bos><start_of_turn>user\n",
            ("", "\n\n"),
            ("", "<end_of_turn>\n"),
            "<start_of_turn>model\n",
        ),
        ChatFormat(
            "phi-3",
            ("<|assistant|>", "<|end|>"),
            "",
            ("<|system|>\n", "<|end|>\n"),
            ("<|user|>\n", "<|end|>\n"),
            "<|assistant|>\n",
        ),
        ChatFormat(
            "zephyr",
            ("'<|user|> ' + message['content'] + eos_token",),
            "<s>",
            ("<|system|>\n", "</s>\n"),
            ("<|user|>\n", "</s>\n"),
            "<|assistant|>\n",
            spelled=("<|system|>", "<|user|>", "<|assistant|>"),
        ),
        PLAIN,
    )
}


def recognise(template: str) -> ChatFormat:
    """The format that a chat template writes, or whose name stands in its place; `PLAIN` where none is known."""
    if template in CHAT_FORMATS:
        return CHAT_FORMATS[template]
    spaced = re.sub(r"(?:\s|\\n)+", " ", template)
    known = (one for one in CHAT_FORMATS.values() if one.markers and all(marker in spaced for marker in one.markers))
    return next(known, PLAIN)
