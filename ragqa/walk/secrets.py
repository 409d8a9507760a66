"""What is nobody's reading matter: keys, passwords and tokens, told by a file's name and by its text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate

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
_TOKENS = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"(?:AKIA|ASIA)[0-9A-Z]{16}"
    r"|gh[pousr]_[A-Za-z0-9]{36,255}"
    r"|github_pat_[A-Za-z0-9_]{40,255}"
    r"|glpat-[A-Za-z0-9_-]{20,64}"
    r"|xox[abprse]-[A-Za-z0-9-]{10,250}"
    r"|sk-[A-Za-z0-9_-]{20,250}"
    r"|[sr]k_live_[A-Za-z0-9]{16,250}"
    r"|AIza[0-9A-Za-z_-]{35}"
    r"|npm_[A-Za-z0-9]{36}"
    r")(?![A-Za-z0-9])"
)
_PLACEHOLDER = re.compile(r"example|x{4}|\.{3}|\*{3}|your|here|(?<=-)(?:token|key|secret)s?\b", re.IGNORECASE)
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
    return bool(_KEY.search(text)) or any(map(_is_drawn, _TOKENS.findall(text)))


def holds_key(lines: Iterable[bytes]) -> bool:
    """Whether a file that may be a public key is a private one."""
    return any(b"PRIVATE KEY" in line for line in lines)


def _is_drawn(token: str) -> bool:
    digits = sum(letter.isdigit() for letter in token)
    return digits >= 2 and len(set(token)) >= _DISTINCT + 3 and not _PLACEHOLDER.search(token)
