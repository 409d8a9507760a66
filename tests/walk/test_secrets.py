"""Keys, passwords and tokens: what counts as one, and what only looks like one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from string import ascii_letters, ascii_uppercase, digits

import pytest

from ragqa.document import Block, Document, Place
from ragqa.walk.secrets import holds_secret, is_secret, is_secret_folder, is_secret_name

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
        "sk_" + "live_eCqHqLyjWDarjtTzdpdcRwQm",
        "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiI3MzEwIn0.kQ3vN8sX2fGm0pLbTzYwRcUeHd6JaVi9oK1xZ4",
    ],
)  # fault 9
def test_a_token_that_opens_an_account_is_a_secret(token: str):
    assert holds_secret(f"export KEY={token}\n")
    assert holds_secret(f'"{token}",')


@pytest.mark.parametrize(
    ("letters", "count", "before"),
    [
        (ascii_uppercase + "234567", 16, "AKIA"),
        (ascii_uppercase + "234567", 16, "ASIA"),
        (ascii_letters + digits + "/+", 40, "aws_secret_access_key = "),
        (ascii_letters + digits, 36, "ghp_"),
        (ascii_letters + digits, 36, "npm_"),
        (ascii_letters + digits, 20, "glpat-"),
        (ascii_letters + digits, 24, "sk_" + "live_"),
    ],
)
def test_hardly_a_token_that_is_drawn_by_lot_is_let_through(letters: str, count: int, before: str):  # fault 9
    chance = Random(9)
    drawn = [before + "".join(chance.choices(letters, k=count)) for _ in range(2000)]
    assert sum(not holds_secret(one) for one in drawn) <= 1


@pytest.mark.parametrize("word", ["here", "your", "Xxxx"])
def test_a_word_amid_a_token_makes_it_no_example(word: str):  # fault 9
    assert holds_secret("ghp_" + f"k3J9xQ2mZ7vB1n{word}C8tR5wL0yD4fG6hS1aP2oE"[:36])


@pytest.mark.parametrize(
    "line",
    [
        "aws_secret_access_key = {}",
        "export AWS_SECRET_ACCESS_KEY='{}'",
        '"SecretAccessKey": "{}",',
        "AWS Secret Access Key [None]: {}",
        "<SecretAccessKey>{}</SecretAccessKey>",
        "| AWS_SECRET_ACCESS_KEY | `{}` |",
    ],
)
def test_a_key_of_aws_is_told_by_what_it_is_called(line: str):  # fault 9
    assert holds_secret(line.format("k3J9xQ2mZ7vB1n/C8tR5wL0yD4fG6hS1aP2oE+uM"))
    assert not holds_secret(line.format("wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY"))
    assert not holds_secret(line.format("..."))


def test_an_id_of_aws_opens_nothing_where_its_key_was_left_out():
    id = "AKIA" + "4QZ7NXJ2RWTBV3LH"
    left_out = f'"AccessKeyId": "{id}",\n"Status": "Active",\n"SecretAccessKey": "..."'
    assert not holds_secret(left_out)
    assert holds_secret(f"{left_out}\n\nThe other one is {id}.")


@pytest.mark.parametrize(
    "text",
    [
        f"A key begins with `{begin('RSA ')}` and ends with `-----END RSA PRIVATE KEY-----`.",
        f"{begin('')}\n...\n-----END PRIVATE KEY-----",
        f"{begin('')}\n<your key here>\n",
        "-----BEGIN PUBLIC KEY-----\n" + LETTERS,
        "AKIA" + "IOSFODNN7EXAMPLE",
        "AKIA" + "I44QH8DHBEXAMPLE",
        "AKIA" + "AAAAAAAAAAAAAAAA",
        "ghp_" + "YOUR_TOKEN_HERE_YOUR_TOKEN_HERE_YOUR_TO",
        "aws_secret_access_key = 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.kQ3vN8sX2fGm0pLbTzYwRcUeHd6JaVi9oK1xZ4",
        "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiI3MzEwIn0.",
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


TOKEN = "ghp_" + "k3J9xQ2mZ7vB1nC8tR5wL0yD4fG6hS1aP2oE"


@pytest.mark.parametrize(
    "told",
    [
        {"text": TOKEN},
        {"id": f"notes/{TOKEN}.md"},
        {"title": TOKEN},
        {"blocks": (Block("paragraph", 0, 6, ("Keys", TOKEN)),)},
        {"tags": ("keys", TOKEN)},
        {"notes": (TOKEN,)},
        {"places": (Place(0, "row", 1, TOKEN),)},
    ],
    ids=lambda told: next(iter(told)),
)
def test_a_secret_is_found_wherever_a_document_shows_it(told: dict[str, object]):  # fault 9
    document = Document("a.pdf", Path("/a.pdf"), "Words.", "", 6, 0, (Block("paragraph", 0, 6),))
    assert not is_secret(document)
    assert is_secret(replace(document, **told))  # type: ignore[arg-type]


@pytest.mark.timeout(60)
def test_no_text_keeps_the_search_busy():
    assert not holds_secret((begin("") + "\nAaa: " + " " * 80 + ("Aaa: " + " " * 80) * 30) * 300)
    assert not holds_secret("xoxb-" + "a-" * 500_000)
    assert not holds_secret("eyJ" * 500_000 + ".eyJ" * 100_000)
    assert not holds_secret("access key [" * 100_000 + "access key" + " " * 500_000)
