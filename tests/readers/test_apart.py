"""A stranger's file may hang, crash or grow: it costs that file, and nothing else."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ragqa import index
from ragqa.document import Block, Place
from ragqa.errors import BadInput
from ragqa.index import Summary, update_index
from ragqa.read import formats
from ragqa.read.apart import Child
from ragqa.read.confine import NETWORK, WRITING
from ragqa.read.formats import BY_NAME
from ragqa.read.reading import Reading
from ragqa.read.wire import Garbled, framed, packed, refused, unpacked, words
from ragqa.store.opening import create_index
from tests.fakes import WordEmbedder
from tests.readers.faulty import FORMATS, TRIED

MIB = 2**20
PROGRAM = "tests.readers.faulty"
ROOT = Path(__file__).parents[2]

linux = pytest.mark.skipif(sys.platform != "linux", reason="what other systems enforce is less")


@pytest.fixture
def child() -> Iterator[Child]:
    with Child(seconds=60, memory=600 * MIB, answer=8 * MIB, program=PROGRAM) as one:
        yield one


def said(child: Child, fault: str, content: bytes = b"words") -> str:
    return child.read(FORMATS[fault], content, "a.x").text


def reason(child: Child, fault: str, content: bytes = b"words") -> str:
    with pytest.raises(BadInput) as refused:
        child.read(FORMATS[fault], content, "a.x")
    assert refused.value.message == f"a.x: {refused.value.reason}"
    return refused.value.reason


def family(ancestor: int) -> set[int]:
    """The processes with faulty readers that have not ended, whose parent or leader of the session is the given one."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, _group, session = stat.read_text().rpartition(")")[2].split()[:4]
            command = stat.with_name("cmdline").read_text(errors="replace")
        except OSError:  # it has just ended
            continue
        if state != "Z" and ancestor in (int(parent), int(session)) and PROGRAM in command:
            found.add(int(stat.parent.name))
    return found


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


# fault 27
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("loops", "took over 1 s"),
        ("sleeps", "took over 1 s"),
        ("stops", "took over 1 s"),
        ("crashes", "its parser died"),
        ("leaves", "its parser died"),
        ("exits", "its parser died"),
        ("grows", "takes too much memory"),
        ("recurses", "cannot be read as recurses"),
    ],
)
def test_what_a_file_does_to_its_parser_costs_that_file_alone(fault: str, expected: str, child: Child):
    assert said(child, "says", b"before") == "before"
    child.seconds = 1 if "took" in expected else 60
    assert reason(child, fault) == expected
    child.seconds = 60
    assert said(child, "says", b"after") == "after"


def test_a_file_that_takes_too_long_to_hand_over_is_given_up(child: Child):
    child.seconds = 1
    assert reason(child, "stops", b"x" * MIB) == "took over 1 s"  # more than a pipe holds
    assert reason(child, "stops", b"x" * MIB) == "took over 1 s"


def test_a_process_that_was_ended_while_it_waited_costs_no_file(child: Child):
    assert said(child, "says") == "words"
    (process,) = family(os.getpid())
    os.kill(process, signal.SIGKILL)
    assert until(lambda: process not in family(os.getpid()))
    assert said(child, "says") == "words"


def test_what_a_library_prints_or_asks_is_no_part_of_the_conversation(child: Child):
    assert said(child, "prints_and_asks") == "''"
    assert said(child, "says") == "words"


GARBLED = [b"", b"[", b"[]", b"3", b"null", b"{}", b'{"reason": 3, "message": "a"}', b"[" * 100_000, b"\xff\xfe\xfa"]


@pytest.mark.parametrize("reply", GARBLED)
def test_what_comes_back_and_is_no_reading_is_not_believed(reply: bytes, child: Child):
    assert reason(child, "replies", framed(reply)) == "its parser died"
    assert said(child, "says") == "words"


@pytest.mark.parametrize("reply", [b"\1", b"\0\0", framed(b"{}")[:-1], framed(packed(Reading("", ())))[:-1]])
def test_a_reply_that_breaks_off_is_none(reply: bytes, child: Child):
    assert reason(child, "replies", reply) == "its parser died"


def test_a_reply_without_end_is_not_waited_for(child: Child):
    assert reason(child, "floods") == "expands past 8 MiB"
    assert reason(child, "replies", b"\xff" * 20) == "expands past 8 MiB"


def test_more_than_was_asked_for_is_not_taken_for_the_next_file(child: Child):
    answers = []
    for _n in range(2):  # the two may come together, or the second one before the next file
        try:
            answers.append(said(child, "replies_twice"))
        except BadInput as error:
            answers.append(error.reason)
    assert "its parser died" in answers
    assert "second" not in answers


def test_a_reading_comes_back_as_it_was():
    reading = Reading(
        text="Ein naïver Satz.\n\n漢字 👩",
        blocks=(Block("heading", 0, 5, ("A", "b")), Block("code", 5, 22, ())),
        places=(Place(0, "page", 1), Place(7, "row", 3, "Sheet 1", 17)),
        title="T",
        tags=("a", "b"),
        date="2026-01-02",
        notes=("read as cp1252",),
        repaired=3,
    )
    assert unpacked(packed(reading)) == reading


def packed_with(**changes: object) -> bytes:
    good = json.loads(packed(Reading("text", (Block("paragraph", 0, 4),), (Place(0, "page", 1),))))
    return json.dumps(good | changes).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"text": 3},
        {"text": "longer than its blocks"},
        {"blocks": []},
        {"blocks": [["paragraph", 4, 1]]},
        {"blocks": [["paragraph", "4", 0]]},
        {"blocks": [["picture", 4, 0]]},
        {"blocks": [["paragraph", 4]]},
        {"headings": [[3]]},
        {"places": [[0, "shelf", 1, "", 0]]},
        {"places": [[1, "page", 1, "", 0]]},
        {"places": [[0, "page", 1, None, 0]]},
        {"about": ["title"]},
        {"tags": [["a"]]},
        {"repaired": None},
    ],
)
def test_a_reading_that_breaks_the_rules_is_garbled(changes: dict[str, object]):
    assert unpacked(packed_with())
    with pytest.raises(Garbled):
        unpacked(packed_with(**changes))


def test_a_refusal_comes_back_as_it_was():
    with pytest.raises(BadInput) as came:
        unpacked(refused(BadInput("a.x: no text layer", "no text layer")))
    assert (came.value.message, came.value.reason) == ("a.x: no text layer", "no text layer")


@pytest.mark.parametrize("what", TRIED)
def test_python_code_reaches_no_network_no_program_and_no_file(what: str, child: Child, tmp_path: Path):
    (tmp_path / "old").write_text("as it was")
    assert said(child, "tries", f"{what} {tmp_path}".encode()).endswith("not while a document is read")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("old", "as it was")]


def landlocked() -> bool:
    return sys.platform == "linux" and ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1) >= 6


has_landlock = pytest.mark.skipif(not landlocked(), reason="this system has no Landlock, or an old one")
has_namespaces = pytest.mark.skipif(
    sys.platform != "linux" or subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode != 0,
    reason="this system lets nobody have a network of his own",
)


@has_namespaces
def test_there_is_no_network_device_but_the_one_that_leads_nowhere(child: Child):
    devices = [line.split(":")[0].strip() for line in said(child, "sees_devices").splitlines()[2:]]
    assert devices == ["lo"]


@has_namespaces
def test_code_that_goes_past_python_reaches_no_port(child: Child):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert said(child, "connects", str(port).encode()) == "-1"


@has_landlock
def test_code_that_goes_past_python_writes_removes_and_runs_nothing(child: Child, tmp_path: Path):
    (tmp_path / "old").write_text("as it was")
    assert said(child, "writes", str(tmp_path).encode()) == "(-1, -1, -1, -1) -1 -1"
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("old", "as it was")]
    assert said(child, "runs") == "-1"
    assert said(child, "signals") == "-1"


@has_namespaces
@has_landlock
def test_what_the_system_keeps_it_from_is_reported(child: Child):
    assert child.held() == {NETWORK, WRITING}
    assert said(child, "says") == "words"


HELD = "from ragqa.read.apart import Child\nwith Child() as child: print(*child.held())"


@has_namespaces
def test_a_system_that_gives_no_network_of_its_own_is_reported():
    script = 'echo 0 >/proc/sys/user/max_net_namespaces || exit 77; exec "$@"'
    command = ["unshare", "-r", "sh", "-c", script, "sh", sys.executable, "-c", HELD]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    if done.returncode == 77:
        pytest.skip("what is given to a user cannot be limited here")
    assert NETWORK not in done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize("reply", [b"[3]", b"3", b"{", b"null", b"[" * 100_000])
def test_a_report_that_is_none_is_not_believed(reply: bytes):
    with pytest.raises(Garbled):
        words(reply)


@linux
def test_what_it_leaves_behind_ends_with_it(child: Child):
    said(child, "says")
    (process,) = family(os.getpid())
    child.seconds = 1
    assert reason(child, "forks_and_sleeps") == "took over 1 s"
    assert until(lambda: not family(process))


READING = f"""
import sys
from ragqa.read.apart import Child
from tests.readers.faulty import FORMATS
print("reading", flush=True)
Child(seconds=600, program={PROGRAM!r}).read(FORMATS[sys.argv[1]], b"words", "a.x")
"""


@linux  # fault 27
@pytest.mark.parametrize("fault", ["loops", "sleeps", "stops"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_nothing_stays_behind_when_the_one_who_asked_is_ended(fault: str, sent: signal.Signals):
    command = [sys.executable, "-c", READING, fault]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as asking:
        assert asking.stdout
        assert asking.stdout.readline() == b"reading\n"
        assert until(lambda: bool(family(asking.pid)))
        (reading,) = family(asking.pid)
        time.sleep(0.3)  # by now it has begun, mostly; either way nothing may stay
        asking.send_signal(sent)
        asking.wait(60)  # not the 600 seconds that the file may take
    assert until(lambda: not family(reading) and not Path(f"/proc/{reading}").exists())


def test_a_folder_with_faulty_files_is_indexed_but_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for fault, format in FORMATS.items():
        monkeypatch.setitem(formats.READERS, f".{fault}", format)
        monkeypatch.setitem(BY_NAME, fault, format)
    monkeypatch.setattr(index, "Child", lambda seconds: Child(seconds=5, memory=600 * MIB, program=PROGRAM))
    folder = tmp_path / "notes"
    folder.mkdir()
    for name in ("a.md", "b.stops", "c.says", "d.crashes", "e.grows", "f.says", "g.md"):
        (folder / name).write_text(f"The words of {name} alone.")
    summary = Summary()
    embedder = WordEmbedder()
    store = create_index(tmp_path / "index.db", fingerprint="f", model="words", dim=64)
    update_index([folder], store=store, embedder=embedder, summary=summary)
    assert set(store.known()) == {"notes/a.md", "notes/c.says", "notes/f.says", "notes/g.md"}
    store.close()
    assert {path.name: reason for path, reason in summary.skipped} == {
        "b.stops": "took over 5 s",
        "d.crashes": "its parser died",
        "e.grows": "takes too much memory",
    }
