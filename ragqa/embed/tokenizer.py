"""XLM-RoBERTa's tokenizer, built from the vocabulary that comes with the packed weights."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from ragqa.embed.unpack import Vocabulary


def build_tokenizer(vocabulary: Vocabulary) -> Tokenizer:
    """Build a Unigram tokenizer that adds `<s>` and `</s>` and never truncates."""
    pieces = list(zip(vocabulary.pieces, vocabulary.scores, strict=True))
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=vocabulary.unk, byte_fallback=False))
    tokenizer.normalizer = _normalizer(vocabulary)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    begin, end = vocabulary.pieces[vocabulary.bos], vocabulary.pieces[vocabulary.eos]
    specials = [(begin, vocabulary.bos), (end, vocabulary.eos)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}", pair=f"{begin} $A {end} {end} $B {end}", special_tokens=specials
    )
    return tokenizer


def _normalizer(vocabulary: Vocabulary) -> normalizers.Normalizer:
    """SentencePiece's nmt_nfkc: NFKC, and what the map treats otherwise — controls go, odd spaces become spaces."""
    special = {
        source: target
        for source, target in vocabulary.normalization.items()
        if unicodedata.normalize("NFKC", source) != target
    }
    gone = [source for source, target in special.items() if target == ""]
    spaces = [source for source, target in special.items() if target == " "]
    return normalizers.Sequence(
        [
            normalizers.Replace(_any_of(gone), ""),
            normalizers.Replace(_any_of(spaces), " "),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )


def _any_of(characters: Iterable[str]) -> Regex:
    return Regex("[" + "".join(f"\\x{{{ord(c):x}}}" for c in characters) + "]")


def special_tokens(vocabulary: Vocabulary) -> dict[str, AddedToken]:
    """The specials under the names that a transformers configuration gives them."""
    ids = {"bos_token": vocabulary.bos, "eos_token": vocabulary.eos, "pad_token": vocabulary.pad}
    ids |= {"unk_token": vocabulary.unk, "cls_token": vocabulary.bos, "sep_token": vocabulary.eos}
    return {name: AddedToken(vocabulary.pieces[at], special=True) for name, at in ids.items()}
