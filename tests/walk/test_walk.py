"""Folders → files: what is found, what is passed over, and that no folder leads out of its root."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from pathlib import Path

import pytest

from ragqa.errors import BadInput
from ragqa.read import read_source
from ragqa.walk import Wanted, find_files


def write(path: Path, text: str = "Text.") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def found(*roots: Path, **wanted: object) -> list[str]:
    return [os.path.relpath(file.path, roots[0]) for file in find_files(roots, Wanted(**wanted))[0]]  # type: ignore[arg-type]


def passed(*roots: Path, **wanted: object) -> dict[str, str]:
    return {os.path.relpath(path, roots[0]): reason for path, reason in find_files(roots, Wanted(**wanted))[1]}  # type: ignore[arg-type]


# Kinds of files


def test_what_is_no_regular_file_is_passed_over_and_never_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):  # fault 1
    os.mkfifo(tmp_path / "pipe.md")
    monkeypatch.chdir(tmp_path)  # the path of a socket may not be long
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s.md")
        assert passed(tmp_path) == {"pipe.md": "not a regular file", "s.md": "not a regular file"}


def test_known_names_without_a_suffix_are_text_and_other_files_are_of_unknown_format(tmp_path: Path):
    for name in ("README", "LICENSE", "Changelog", "notes", "picture.png", "program", "archive.tar"):
        write(tmp_path / name)
    assert found(tmp_path) == ["Changelog", "LICENSE", "README", "notes"]
    assert passed(tmp_path) == dict.fromkeys(["archive.tar", "picture.png", "program"], "unknown format")


def test_a_glob_with_many_stars_takes_no_time(tmp_path: Path):
    write(tmp_path / f"{'a' * 240}.md")
    assert found(tmp_path, exclude=("*a" * 40 + "*b", "?*" * 60 + "b")) == [f"{'a' * 240}.md"]
    assert found(tmp_path, glob="*[a]" * 40 + "b") == []  # tried one way after another, it would not come back


def test_what_is_excluded_is_counted(tmp_path: Path):
    for name in ("a.md", "drafts/b.md", "x/c.md", "x/c.txt"):
        write(tmp_path / name)
    assert found(tmp_path, exclude=("drafts", "x/*.txt")) == ["a.md", "x/c.md"]
    assert passed(tmp_path, exclude=("drafts", "x/*.txt")) == {"drafts": "excluded", "x/c.txt": "excluded"}


def test_a_file_under_two_roots_comes_once(tmp_path: Path):  # fault 11
    write(tmp_path / "x" / "a.md")
    assert found(tmp_path, tmp_path / "x", tmp_path / "x" / "a.md") == ["x/a.md"]


def test_what_is_ragqas_own_is_no_document(tmp_path: Path):
    for name in ("a.md", "home/models/x/pieces.txt", "home/notes.md", "models/b.md"):
        write(tmp_path / name)
    own = (tmp_path / "home" / "models",)
    assert found(tmp_path, own=own) == ["a.md", "home/notes.md", "models/b.md"]
    assert passed(tmp_path, own=own) == {"home/models": "ragqa's own"}
    assert found(tmp_path / "home" / "models", own=own) == ["x/pieces.txt"]


# Hidden, secret, history


def test_hidden_files_are_taken_when_asked_for(tmp_path: Path):
    for name in ("a.md", ".b.md", ".c/d.md"):
        write(tmp_path / name)
    assert found(tmp_path) == ["a.md"]
    assert found(tmp_path, hidden=True) == [".b.md", "a.md", ".c/d.md"]


def test_secrets_are_counted_although_they_are_hidden(tmp_path: Path):  # fault 9
    for name in ("a.md", ".env", ".ssh/config", "id_ed25519", "keys/x.p12"):
        write(tmp_path / name)
    assert found(tmp_path) == ["a.md"]
    assert passed(tmp_path) == dict.fromkeys([".env", ".ssh", "id_ed25519", "keys/x.p12"], "secret")


def test_secrets_are_taken_when_asked_for(tmp_path: Path):
    for name in (".env", ".ssh/id_rsa"):
        write(tmp_path / name)
    assert found(tmp_path, secrets=True) == [".env", ".ssh/id_rsa"]


def test_a_secret_that_was_named_is_still_one(tmp_path: Path):
    secrets = [write(tmp_path / ".env"), write(tmp_path / ".aws" / "notes.md")]
    assert found(*secrets) == []
    assert set(find_files([tmp_path / ".aws"], Wanted())[1]) == {(tmp_path / ".aws", "secret")}
    assert len(find_files(secrets, Wanted(secrets=True))[0]) == 2


def test_a_certificate_is_a_secret_only_with_its_private_key(tmp_path: Path):
    write(tmp_path / "public.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n")
    write(tmp_path / "both.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----BEGIN " + "PRIVATE KEY-----\n")
    assert passed(tmp_path) == {"public.pem": "unknown format", "both.pem": "secret"}


def test_the_history_of_a_repository_is_no_document(tmp_path: Path):
    write(tmp_path / ".git" / "description.md")
    assert passed(tmp_path) == {".git": "version control"}
    assert found(tmp_path, hidden=True, secrets=True, ignored=True) == []


def test_a_secret_that_no_glob_asks_for_is_not_counted(tmp_path: Path):
    write(tmp_path / ".env")
    assert passed(tmp_path, glob="*.md") == {}


# Links


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """A folder with links to what is in it, and to what is not."""
    root = tmp_path / "root"
    write(tmp_path / "outside" / "c.md")
    write(root / "b.md")
    write(root / "x" / "y" / "a.md")
    (root / "again.md").symlink_to("b.md")
    (root / "y").symlink_to("x/y")
    (root / "out").symlink_to("/etc")
    (root / "away.md").symlink_to(tmp_path / "outside" / "c.md")
    (root / "loop").symlink_to("..")
    (root / "self").symlink_to(".")
    (root / "broken.md").symlink_to("nowhere.md")
    return root


def test_links_are_not_followed(linked: Path):  # fault 3
    links = ["y", "again.md", "out", "away.md", "loop", "self", "broken.md"]
    assert found(linked) == ["b.md", "x/y/a.md"]
    assert passed(linked) == dict.fromkeys(links, "link not followed")


def test_links_that_stay_inside_are_followed_when_asked_for(linked: Path):  # fault 3
    assert sorted(found(linked, follow=True)) == ["b.md", "x/y/a.md"]
    assert passed(linked, follow=True) == dict.fromkeys(["out", "away.md", "loop", "broken.md"], "link not followed")


@pytest.mark.parametrize("follow", [False, True])
def test_links_that_lead_in_a_circle_are_passed_over(tmp_path: Path, follow: bool):  # fault 3
    write(tmp_path / "a.md")
    (tmp_path / "b.md").symlink_to("b.md")
    (tmp_path / "c.md").symlink_to("d.md")
    (tmp_path / "d.md").symlink_to("c.md")
    assert found(tmp_path, follow=follow) == ["a.md"]
    assert passed(tmp_path, follow=follow) == dict.fromkeys(["b.md", "c.md", "d.md"], "link not followed")


@pytest.mark.parametrize(
    ("link", "target", "reason"),
    [
        ("keys", ".ssh", {".ssh": "secret"}),
        ("keys.md", ".ssh/notes.txt", {".ssh": "secret"}),
        ("env.txt", ".env", {".env": "secret"}),
        ("key.txt", "server.pem", {"server.pem": "secret"}),
        ("link.md", "kept-out.md", {"kept-out.md": "ignored"}),
        ("folder", "x/kept-out", {"x/kept-out": "ignored"}),
        ("below", "x/kept-out/z", {"x/kept-out": "ignored"}),
        ("log.md", "x/log.md", {"x/log.md": "ignored"}),
        ("past.md", ".git/past.md", {".git": "version control"}),
        ("plan", "drafts", {"drafts": "excluded"}),
        ("plan.md", "drafts/plan.md", {"drafts": "excluded"}),
        ("seen", ".hidden", {"seen": "link not followed"}),
        ("seen.md", ".hidden/h.md", {"seen.md": "link not followed"}),
    ],
)
@pytest.mark.parametrize("glob", [None, "*"])
def test_a_followed_link_leads_to_nothing_that_is_left_out_in_its_own_place(
    tmp_path: Path, link: str, target: str, reason: dict[str, str], glob: str | None
):  # faults 3 and 9
    write(tmp_path / ".gitignore", "kept-out*\n")
    write(tmp_path / "x" / ".ragqaignore", "log.md\n")
    write(tmp_path / "server.pem", "-----BEGIN " + "PRIVATE KEY-----\n")
    for name in (".ssh/notes.txt", ".env", "kept-out.md", "x/kept-out/z/k.md", "x/log.md", ".git/past.md"):
        write(tmp_path / name)
    write(tmp_path / "drafts" / "plan.md")
    write(tmp_path / ".hidden" / "h.md")
    (tmp_path / "a-first").mkdir()
    (tmp_path / "a-first" / link).symlink_to(tmp_path / target)
    expected = {name.replace("seen", "a-first/seen"): why for name, why in reason.items()}
    assert found(tmp_path, follow=True, exclude=("drafts",), glob=glob) == []
    assert expected.items() <= passed(tmp_path, follow=True, exclude=("drafts",), glob=glob).items()


def test_a_followed_link_leads_to_what_is_wanted_in_its_own_place(tmp_path: Path):
    for name in (".store/a.md", "x/z/k.md", ".ssh/notes.txt"):
        write(tmp_path / name)
    write(tmp_path / "x" / ".gitignore", "z\n")
    for link, target in {"store": ".store", "z": "x/z", "keys": ".ssh"}.items():
        (tmp_path / link).symlink_to(target)
    everything = found(tmp_path, follow=True, hidden=True, ignored=True, secrets=True)
    assert sorted(everything) == [".ssh/notes.txt", ".store/a.md", "x/z/k.md"]


def test_a_file_is_not_read_through_a_link_that_took_a_folders_place(tmp_path: Path):  # fault 4
    root = tmp_path / "root"
    write(root / "x" / "y" / "a.md")
    write(tmp_path / "outside" / "a.md", "Outside.")
    (file,), _passed = find_files([root], Wanted())
    (root / "x" / "y").rename(root / "x" / "was")
    (root / "x" / "y").symlink_to(tmp_path / "outside")
    with pytest.raises(BadInput):
        read_source(file.path, 100, file.root)


@pytest.mark.timeout(60)
def test_a_folder_swapped_for_a_link_a_thousand_times_leads_nowhere_outside(tmp_path: Path):  # fault 4
    root, spare, link = tmp_path / "root", tmp_path / "spare", tmp_path / "link"
    write(root / "x" / "a.md", "Inside.")
    write(tmp_path / "outside" / "a.md", "Outside.")
    write(tmp_path / "outside" / "only.md", "Outside.")
    link.symlink_to(tmp_path / "outside")
    swaps, texts = 0, set()

    def swap() -> None:
        nonlocal swaps
        while swaps < 1000:
            (root / "x").rename(spare)
            link.rename(root / "x")
            (root / "x").rename(link)
            spare.rename(root / "x")
            swaps += 1

    swapping = threading.Thread(target=swap)
    swapping.start()
    while swapping.is_alive():
        for file in find_files([root], Wanted())[0]:
            assert file.path.name == "a.md"
            try:
                texts.add(read_source(file.path, 100, file.root).content)
            except BadInput:
                continue
    swapping.join()
    assert (swaps, texts - {b"Inside."}) == (1000, set())


# Extremes


def test_folders_five_hundred_deep_are_walked(tmp_path: Path):  # fault 8
    folder = os.open(tmp_path, os.O_RDONLY)
    for _ in range(500):
        os.mkdir("a-folder-of-some-length", dir_fd=folder)
        below = os.open("a-folder-of-some-length", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    with os.fdopen(os.open("a.md", os.O_CREAT | os.O_WRONLY, dir_fd=folder), "w") as file:
        file.write("Deep down.")
    os.close(folder)
    (deep,), _passed = find_files([tmp_path], Wanted())
    assert len(os.fspath(deep.path)) > 10_000  # more than the system takes as one path
    assert read_source(deep.path, 100, deep.root).content == b"Deep down."


def test_an_enormous_file_is_refused_by_its_size(tmp_path: Path):  # fault 8
    with (tmp_path / "large.txt").open("wb") as file:
        file.truncate(5 * 2**30)
    (large,), _passed = find_files([tmp_path], Wanted())
    with pytest.raises(BadInput) as refused:
        read_source(large.path, 2**25, large.root)
    assert refused.value.reason == "over 32 MiB"


@pytest.mark.parametrize("name", ["a\nb.md", "\x1b[2J.md", "[b].md", "\u202egpj.md", "caf\udce9.md", "x" * 252 + ".md"])
def test_a_file_of_any_name_is_found_and_read(tmp_path: Path, name: str):  # fault 7
    write(tmp_path / name)
    (file,), _passed = find_files([tmp_path], Wanted())
    assert file.path.name == name
    assert read_source(file.path, 100, file.root).content == b"Text."


def test_names_that_differ_in_case_are_two_files(tmp_path: Path):  # fault 11
    write(tmp_path / "A.md")
    write(tmp_path / "a.md")
    assert found(tmp_path) == sorted(entry.name for entry in tmp_path.iterdir())


def test_a_hard_link_is_a_file_of_its_own(tmp_path: Path):  # fault 11
    write(tmp_path / "a.md")
    (tmp_path / "b.md").hardlink_to(tmp_path / "a.md")
    assert found(tmp_path) == ["a.md", "b.md"]


def test_no_descriptor_stays_open(tmp_path: Path):
    write(tmp_path / "x" / "y" / "a.md")
    (tmp_path / "x" / "link").symlink_to("y")
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0
    for _ in range(3):
        find_files([tmp_path], Wanted(follow=True))
    after = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0
    assert after == before


# Files that change while they are read


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # fault 6
    path, fdopen = write(tmp_path / "a.md", "One half."), os.fdopen

    def growing(descriptor: int, mode: str) -> object:
        with path.open("a") as file:
            file.write(" Another half.")
        return fdopen(descriptor, mode)

    monkeypatch.setattr("ragqa.read.os.fdopen", growing)
    with pytest.raises(BadInput) as refused:
        read_source(path, 100)
    assert refused.value.reason == "changed while read"


@pytest.mark.timeout(60)
def test_no_more_is_read_of_a_file_that_goes_on_growing_than_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, fdopen = write(tmp_path / "a.md", "One half."), os.fdopen

    def endless(descriptor: int, mode: str) -> object:
        os.close(descriptor)
        return fdopen(os.open("/dev/zero", os.O_RDONLY), mode)

    monkeypatch.setattr("ragqa.read.os.fdopen", endless)
    with pytest.raises(BadInput) as refused:
        read_source(path, 100)
    assert refused.value.reason == "over 100 bytes"


def test_a_file_that_is_replaced_while_it_is_read_is_read_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):  # fault 6
    path, fdopen = write(tmp_path / "a.md", "Before."), os.fdopen

    def replaced(descriptor: int, mode: str) -> object:
        write(tmp_path / "new", "After it.").replace(path)
        return fdopen(descriptor, mode)

    monkeypatch.setattr("ragqa.read.os.fdopen", replaced)
    source = read_source(path, 100)
    assert (source.content, source.sha256) == (b"Before.", hashlib.sha256(b"Before.").hexdigest())
    assert source.inode != path.stat().st_ino
