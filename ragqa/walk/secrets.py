"""What is nobody's reading matter: keys, passwords and tokens, told by a file's name and by its text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate

from ragqa.document import Document

SECRET_FOLDERS = frozenset({".ssh", ".gnupg", ".aws", ".password-store"})
KEY_FILES = (".pem", ".key")  # public ones have this name too
SAMPLES = (".example", ".sample", ".template", ".dist")  # of what is filled in elsewhere

_PATTERNS = """.env .env.* .envrc .netrc _netrc .pgpass .git-credentials .pypirc .htpasswd .vault-token
  id_rsa id_dsa id_ecdsa id_ed25519 id_ecdsa_sk id_ed25519_sk
  *.p12 *.pfx *.jks *.keystore *.kdb *.kdbx *.ppk *.keychain *.keychain-db *.agekey wallet.dat *.wallet""".split()
_NAMES = re.compile("|".join(map(translate, _PATTERNS)))

_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?:\s|\\[nr])[>#*/|]*+(?:[A-Z][A-Za-z-]{2,20}: [^\n\\]{0,80}+)?+){1,24}+"  # lines that say how it is kept
    r"[A-Za-z0-9+/=]{8}"
)
# Each begins with letters, which are looked for fast, and what may not stand before them follows.
_AWS_ID = re.compile(
    r"A[KS]IA(?<![A-Za-z0-9_-]A[KS]IA)[A-Z2-7]{16}(?![A-Za-z0-9])"
    # The key that belongs to it was left out on purpose: then it opens nothing.
    r"(?![^\0]{0,200}?(?:ccess[ _-]?[Kk]ey|CCESS[ _-]?KEY)[^A-Za-z0-9/+]{1,8}?(?:\.{3}|…|\*{3}))"
)
_KEY_ITSELF = r"(?: \[[^\]\n]{0,24}\])?[^A-Za-z0-9/+]{1,12}([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
_AWS_KEY = re.compile(r"ccess[ _-]?[Kk]ey" + _KEY_ITSELF)
_AWS_SHOUTED = re.compile(r"CCESS[ _-]?KEY" + _KEY_ITSELF)
_TOKENS = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"gh[pousr]_[A-Za-z0-9]{36,255}"
    r"|github_pat_[A-Za-z0-9_]{40,255}"
    r"|glpat-[A-Za-z0-9_-]{20,64}"
    r"|[sr]k_live_[A-Za-z0-9]{16,250}"
    r"|AIza[0-9A-Za-z_-]{35}"
    r"|npm_[A-Za-z0-9]{36}"
    r")(?![A-Za-z0-9])"
)
_SPOKEN = re.compile(r"(?<![A-Za-z0-9_-])(?:xox[abprse]-[A-Za-z0-9-]{10,250}|sk-[A-Za-z0-9_-]{20,250})(?![A-Za-z0-9])")
_JWT = re.compile(
    r"eyJ(?<![A-Za-z0-9_.-]eyJ)[A-Za-z0-9_-]{10,}+\."
    r"(?!eyJzdWIiOiIxMjM0NTY3ODkwI)"  # that of John Doe, who is in all manuals
    r"eyJ[A-Za-z0-9_-]{6,}+\.([A-Za-z0-9_-]{20,}+)"
)
_PLACEHOLDER = re.compile(
    r"example|x{6}|(?<![a-z0-9])(?:x{3,}|your|here|tokens?|keys?|secrets?)(?![a-z0-9])", re.IGNORECASE
)
_DISTINCT = 8  # characters; what is drawn by lot has as many, `sk-0000000000000000000000` has not


def is_secret_folder(name: str) -> bool:
    return name.lower() in SECRET_FOLDERS


def is_secret_name(name: str) -> bool:
    """Whether a file of this name holds a secret, whatever is in it."""
    name = name.lower()
    return bool(_NAMES.match(name)) and not name.endswith(SAMPLES)


def holds_secret(text: str) -> bool:
    """Whether a text holds a private key, or a token that opens an account.

    What only looks like one is let through: a key without its letters, a token that says it is an example.
    """
    return bool(_KEY.search(text)) or any(
        is_drawn(token) and not _PLACEHOLDER.search(token)
        for pattern, is_drawn in _KINDS
        for token in pattern.findall(text)
    )


def is_secret(document: Document) -> bool:
    """Whether anything that an index would show of a document holds a secret."""
    headings = dict.fromkeys(title for block in document.blocks for title in block.heading)
    places = dict.fromkeys(place.name for place in document.places)
    shown = (document.text, document.id, document.title, *headings, *document.tags, *document.notes, *places)
    return holds_secret("\n\n".join(shown))


def holds_key(lines: Iterable[bytes]) -> bool:
    """Whether a file that may be a public key is a private one."""
    return any(b"PRIVATE KEY" in line for line in lines)


def _is_varied(token: str) -> bool:
    return len(set(token)) >= _DISTINCT


def _is_mixed(token: str) -> bool:
    """Whether it has letters of both cases: not all tokens that are drawn by lot have digits, and no hash has both."""
    drawn = token[-16:]  # not what its giver puts before it
    return any(map(str.islower, drawn)) and any(map(str.isupper, drawn)) and len(set(token)) >= _DISTINCT + 3


def _is_numbered(token: str) -> bool:
    """Whether it is no chain of words, as its form allows."""
    return sum(map(str.isdigit, token)) >= 2 and len(set(token)) >= _DISTINCT + 3


_KINDS = (
    (_AWS_ID, _is_varied),
    (_AWS_KEY, _is_mixed),
    (_AWS_SHOUTED, _is_mixed),
    (_TOKENS, _is_mixed),
    (_SPOKEN, _is_numbered),
    (_JWT, _is_mixed),
)
