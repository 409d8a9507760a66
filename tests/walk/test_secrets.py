"""Keys, passwords and tokens: what counts as one, and what only looks like one."""

from __future__ import annotations

import pytest

from ragqa.walk.secrets import holds_secret, is_secret_folder, is_secret_name

LETTERS = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtz"


def begin(kind: str) -> str:
    """The line before a key; put together here, so that this file holds none."""
    return f"-----BEGIN {kind}PRIVATE KEY-----"


@pytest.mark.parametrize(
    "name",
    [
        *(".env", ".env.production", ".envrc", "id_rsa", "id_ed25519", "ID_ED25519", ".netrc", ".pgpass"),
        *("cert.p12", "cert.pfx", "store.jks", "passwords.kdbx", "wallet.dat"),
    ],
)
def test_a_file_named_for_a_secret_is_one(name: str):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["id_ed25519.pub", ".env.example", "environment.md", "notes.md", "wallet.md", "known_hosts"]
)
def test_a_file_that_is_named_otherwise_is_none(name: str):
    assert not is_secret_name(name)


def test_folders_of_keys_are_secret():
    assert [name for name in (".ssh", ".gnupg", ".aws", ".config", "ssh") if is_secret_folder(name)] == [
        ".ssh",
        ".gnupg",
        ".aws",
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"My key:\n\n{begin('OPENSSH ')}\n{LETTERS}\n",
        f"{begin('RSA ')}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0F3A\n\n{LETTERS}\n",
        f"> {begin('')}\n> {LETTERS}\n",
        f'{{"private_key": "{begin("")}\\n{LETTERS}\\n"}}',
        f"{begin('EC ')}\r\n{LETTERS}",
        "-----BEGIN PGP PRIVATE KEY " + f"BLOCK-----\nVersion: GnuPG v2\n\n{LETTERS}",
    ],
    ids=["openssh", "encrypted", "quoted", "in JSON", "windows", "pgp"],
)
def test_a_private_key_is_a_secret_wherever_it_stands(text: str):
    assert holds_secret(text)


@pytest.mark.parametrize(
    "token",
    [
        "AKIA" + "4QZ7NXJ2RWTBV3LH",
        "ghp_" + "k3J9xQ2mZ7vB1nC8tR5wL0yD4fG6hS1aP2oE",
        "github_pat_" + "11AB3CD7Y0k3J9xQ2mZ7vB_1nC8tR5wL0yD4fG6hS1aP2oE",
        "xoxb-" + "263594206564-2343594206574-FGqddMF8t08v8N7Oq4i57vs1",
        "sk-" + "proj-T3BlbkFJ9x2mQ7vB1nC8tR5wL0yD4fG6",
        "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc",
    ],
)
def test_a_token_that_opens_an_account_is_a_secret(token: str):
    assert holds_secret(f"export KEY={token}\n")
    assert holds_secret(f'"{token}",')


@pytest.mark.parametrize(
    "text",
    [
        f"A key begins with `{begin('RSA ')}` and ends with `-----END RSA PRIVATE KEY-----`.",
        f"{begin('')}\n...\n-----END PRIVATE KEY-----",
        f"{begin('')}\n<your key here>\n",
        "-----BEGIN PUBLIC KEY-----\n" + LETTERS,
        "AKIA" + "IOSFODNN7EXAMPLE",
        "sk-" + "xxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "sk-" + "your-own-key-from-the-console-2024",
        "ghp_" + "0" * 36,
        "class='sk-" + "folding-cube-sk-cube-parent'",
        "risk-management-and-other-long-words-2024-2025",
        "sha256:" + "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_what_only_looks_like_a_secret_is_none(text: str):
    assert not holds_secret(text)


@pytest.mark.timeout(20)
def test_no_text_keeps_the_search_busy():
    assert not holds_secret((begin("") + "\nAaa: " + " " * 80 + ("Aaa: " + " " * 80) * 30) * 300)
    assert not holds_secret("xoxb-" + "a-" * 500_000)
