"""A command in the warm process is as if it had run where it was started; if that cannot be, it does run there."""

from __future__ import annotations

import math
import os
import pty
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from ragqa.errors import NotWritable
from ragqa.warm import wire
from ragqa.warm.meeting import Meeting
from ragqa.warm.server import MOST_LOST, READY, Fork, Keeping, Warm, _patience_ms
from tests.conftest import ROOT
from tests.warm.conftest import Small, eventually, is_running, state

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
ALONE = (0, "by itself\n", "")


def test_without_a_warm_process_a_command_runs_by_itself(small: Small):
    assert small.ask("echo", "hello") == ALONE


def test_a_command_prints_where_its_client_would(small: Small):
    small.serve()
    assert small.ask("echo", "hello", "", "two  words") == (0, "hello  two  words\n", "to stderr\n")


def test_the_exit_code_is_the_command_s(small: Small):
    small.serve()
    assert [small.ask("exit", code)[0] for code in (0, 4, 141)] == [0, 4, 141]


def test_standard_input_is_the_client_s(small: Small):
    small.serve()
    assert small.shell("printf 'one\\ntwo' | $ASK stdin") == (0, "b'one\\ntwo'\n", "")


def test_folder_environment_and_umask_are_the_client_s(small: Small, tmp_path: Path):
    small.serve(MARK="of the server")
    there = small.ask("surroundings", "MARK", cwd=tmp_path, env={"MARK": "of the client"}, umask=0o027)
    gone = small.ask("surroundings", "MARK", cwd=tmp_path, umask=0o077)
    assert there == (0, f"{tmp_path} of the client 0o27 False\n", "")
    assert gone == (0, f"{tmp_path} None 0o77 False\n", "")


def test_a_terminal_is_one_in_the_command(small: Small):
    small.serve()
    ours, its = pty.openpty()
    small.ask("surroundings", "MARK", stdout=its)
    assert b"True" in os.read(ours, 1000)


@pytest.mark.parametrize(
    ("closed", "expected"),
    [
        ("<&-", (0, "[False, True, True]\n", "")),
        ("2>&-", (0, "[True, True, False]\n", "")),
        (">&-", (0, "", "[True, False, True]\n")),
    ],
)
def test_a_closed_stream_stays_closed(small: Small, closed: str, expected: tuple[int, str, str]):
    small.serve()
    assert small.shell(f"$ASK open_streams {closed}") == expected


def test_ctrl_c_reaches_the_command_and_its_process_is_gone(small: Small):
    small.serve()
    client, process = small.waiting()
    client.send_signal(signal.SIGINT)
    assert client.wait(60) == 130
    eventually(lambda: not is_running(process))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_that_ends_the_command_ends_the_client_the_same_way(small: Small, number: signal.Signals):
    small.serve()
    client, process = small.waiting()
    client.send_signal(number)
    assert client.wait(60) == -number
    eventually(lambda: not is_running(process))


@linux
def test_ctrl_z_stops_the_command_and_fg_lets_it_go_on(small: Small):
    small.serve()
    # In a session of its own nobody could wake it, and the kernel would not let it stop.
    client, process = small.waiting(process_group=0)
    client.send_signal(signal.SIGTSTP)
    eventually(lambda: state(client.pid) == state(process) == "T")
    client.send_signal(signal.SIGCONT)
    eventually(lambda: state(process) == "S")
    client.send_signal(signal.SIGINT)
    assert client.wait(60) == 130


def test_a_signal_that_the_client_ignores_is_ignored(small: Small):
    small.serve()
    assert small.shell("trap '' HUP; $ASK ignored")[1] == "True\n"
    assert small.ask("ignored")[1] == "False\n"


def test_a_crash_costs_one_command(small: Small):
    small.serve()
    assert small.ask("die", int(signal.SIGSEGV))[0] == -signal.SIGSEGV
    assert small.ask("echo", "still here")[1] == "still here\n"


def test_commands_run_side_by_side(small: Small):
    small.serve()
    first, _ = small.waiting()
    second, _ = small.waiting()
    assert small.ask("echo", "third")[1] == "third\n"
    for client in (first, second):
        client.send_signal(signal.SIGINT)
    assert [first.wait(60), second.wait(60)] == [130, 130]


def test_a_killed_client_takes_its_command_along(small: Small):
    small.serve()
    client, process = small.waiting()
    client.kill()
    eventually(lambda: not is_running(process))


def test_a_killed_command_ends_its_client(small: Small):
    small.serve()
    client, process = small.waiting()
    os.kill(process, signal.SIGKILL)
    assert client.wait(60) == -signal.SIGKILL


def test_a_command_outlives_a_killed_warm_process(small: Small):
    server = small.serve()
    client, _ = small.waiting()
    server.kill()
    server.wait()
    client.send_signal(signal.SIGINT)
    assert client.wait(60) == 130


def test_where_nobody_is_left_to_say_how_it_ended_the_client_says_so_in_one_line(small: Small):
    server = small.serve()
    client, process = small.waiting()
    server.kill()
    server.wait()
    os.kill(process, signal.SIGKILL)
    _, err = client.communicate(timeout=60)
    assert client.returncode == 1
    assert err == "ragqa: the warm process ended before this command was done\n  hint: run it again\n"


# fault 73
def test_a_socket_left_behind_is_in_nobody_s_way(small: Small):
    server = small.serve()
    server.kill()
    server.wait()
    assert len(small.sockets) == 1
    assert small.ask("echo", "hello") == ALONE
    small.serve()
    assert small.ask("echo", "hello")[1] == "hello\n"


def test_a_warm_process_that_does_not_answer_is_not_waited_for_long(small: Small):
    server = small.serve()
    server.send_signal(signal.SIGSTOP)
    assert small.ask("echo", "hello") == ALONE


def test_sigterm_takes_the_socket_away_and_lets_running_commands_finish(small: Small):
    server = small.serve()
    client, _ = small.waiting()
    server.terminate()
    eventually(lambda: not small.sockets)
    assert small.ask("echo", "hello") == ALONE
    assert server.poll() is None
    client.send_signal(signal.SIGINT)
    assert client.wait(60) == 130
    assert server.wait(60) == 0


def test_it_ends_when_it_has_been_idle_for_long(small: Small):
    server = small.serve(idle=0.05)
    assert server.wait(60) == 0
    assert small.sockets == []


def test_it_does_not_end_while_a_command_runs():
    warm = _unused(idle=60)
    ours, its = socket.socketpair()
    with ours, its:
        warm.running[1] = Fork(1, ours)
        assert (_patience_ms(warm), warm.ends) == (None, False)
        warm.running.clear()
        assert (_patience_ms(warm), warm.ends) == (0, True)


def _unused(idle: float) -> Warm:
    """A warm process in which nothing has happened since a time before all."""
    keeping = Keeping(lambda: 0, {}, lambda: iter(()), lambda: True, dict, idle)
    return Warm(keeping, Meeting(Path("/nowhere"), -1), used=-1e9)


@pytest.mark.parametrize("idle", [36_000 * 60, 1e9, 1e300, math.inf])
def test_it_serves_however_long_it_may_be_idle(small: Small, idle: float):
    server = small.serve(idle=idle)
    assert [small.ask("echo", "hello")[1] for _ in range(2)] == ["hello\n"] * 2
    assert server.poll() is None


@linux
def test_a_spare_that_is_killed_is_replaced(small: Small):
    server = small.serve()
    killed = small.spare(server)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: not is_running(killed))
    assert small.spare(server) != killed
    assert small.ask("echo", "hello")[1] == "hello\n"


@pytest.mark.parametrize(("said", "lost", "ends"), [(READY, 0, False), (b"", 0, True), (READY, MOST_LOST - 1, True)])
def test_it_ends_when_spares_cannot_rehearse_or_die_one_after_the_other(said: bytes, lost: int, ends: bool):
    warm = _unused(idle=0)
    ours, its = socket.socketpair()
    with ours, its:
        its.sendall(said)
        warm.spare, warm.lost = Fork(1, ours), lost
        warm._lose_spare()
    assert (warm.spare, warm.ends) == (None, ends)


def test_a_spare_that_dies_in_its_rehearsal_is_not_replaced(small: Small):
    server = small.serve(SPOILT_LATER="1")
    small.ask("echo", "hello")
    assert server.wait(60) == 0


def test_a_variable_that_a_library_has_taken_away_is_not_missed(small: Small):
    small.serve(GONE="1")
    assert small.ask("echo", "hello")[1] == "hello\n"


def test_it_ends_when_program_or_models_have_changed_and_the_command_runs_by_itself(small: Small):
    server = small.serve()
    small.watched.unlink()
    assert small.ask("echo", "hello") == ALONE
    assert server.wait(60) == 0


def test_it_does_not_start_where_forks_cannot_compute(small: Small):
    server = small.serve(said="", SPOILT="1")
    assert server.wait(60) != 0
    assert small.sockets == []


def test_of_two_one_stays(small: Small):
    small.serve()
    assert small.serve(said="another\n").wait(60) == 0
    assert small.ask("echo", "hello")[1] == "hello\n"


def test_of_twenty_that_start_together_one_stays(small: Small):
    small.watched.touch()
    command = [sys.executable, "-m", "tests.warm.small_server", "0", str(small.watched)]
    pipes = {"stdout": subprocess.PIPE, "text": True, "cwd": ROOT, "env": small.env}
    small.started += [subprocess.Popen(command, **pipes) for _ in range(20)]  # type: ignore[call-overload]
    said = [process.stdout.readline() for process in small.started if process.stdout]
    assert sorted(said) == ["another\n"] * 19 + ["ready\n"]
    assert small.ask("echo", "hello")[1] == "hello\n"


@linux
def test_the_warm_process_has_one_thread_and_forks_all_commands_itself(small: Small):
    server = small.serve()
    assert [small.ask("threads")[1] for _ in range(3)] == [f"1 1 {server.pid}\n"] * 3


@pytest.mark.parametrize("env", [{"LC_ALL": "POSIX"}, {"PYTHONUNBUFFERED": "1"}, {"OMP_NUM_THREADS": "1"}])
def test_a_command_that_python_or_a_library_would_start_otherwise_runs_by_itself(small: Small, env: dict[str, str]):
    small.serve()
    assert small.ask("echo", "hello", env=env) == ALONE
    assert small.ask("echo", "hello")[1] == "hello\n"


nicer = pytest.param("nice -n 1 $ASK", marks=pytest.mark.skipif(os.nice(0) >= 19, reason="nothing is nicer"))


@pytest.mark.parametrize("ask", ["ulimit -n 100; $ASK", nicer, "ulimit -c 0; ulimit -f 5000; $ASK"])
def test_a_command_with_other_limits_runs_by_itself(small: Small, ask: str):
    small.serve()
    assert small.shell(f"{ask} echo hello") == ALONE


def test_none_is_used_where_that_is_wished(small: Small):
    small.serve()
    assert small.ask("echo", "hello", env={"RAGQA_WARM": "0"}) == ALONE


def test_another_home_has_another_warm_process(small: Small):
    small.serve()
    assert small.ask("echo", "hello", env={"RAGQA_HOME": "/elsewhere"}) == ALONE


def test_nobody_else_can_reach_the_socket(small: Small):
    small.serve()
    (path,) = small.sockets
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


# fault 73
def test_a_folder_that_others_can_enter_is_not_used(small: Small):
    small.serve()
    small.sockets[0].parent.chmod(0o755)
    assert small.ask("echo", "hello") == ALONE


def test_no_folder_is_made_but_that_of_the_socket(tmp_path: Path):
    with pytest.raises(NotWritable) as raised:
        Meeting.claim(tmp_path / "none" / "ragqa" / "a.sock")
    assert raised.value.hint == "set XDG_RUNTIME_DIR to a folder of your own"
    assert list(tmp_path.iterdir()) == []


def test_another_user_is_no_peer():
    assert wire.is_own(os.geteuid())
    assert not wire.is_own(os.geteuid() + 1)


# fault 73
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_connection_of_another_user_is_closed_unheard(small: Small):
    small.serve()
    (path,) = small.sockets
    for place in (small.folder, path.parent, path):
        place.chmod(0o777)
    program = (
        "import os, socket, sys; s = socket.socket(socket.AF_UNIX); os.setuid(65534);"
        " s.connect(sys.argv[1]); print(s.recv(1))"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("b''\n", "")
    path.parent.chmod(0o700)
    assert small.ask("echo", "hello")[1] == "hello\n"


def test_what_is_no_request_harms_nothing(small: Small):
    small.serve()
    for nonsense in (b"", b"GET / HTTP/1.1\r\n\r\n", b"ragqa/1 999999999999\n", b"ragqa/1 3\nabc", b"ragqa/1 -1\n"):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(small.sockets[0]))
            peer.sendall(nonsense)
            peer.shutdown(socket.SHUT_WR)
            with suppress(ConnectionResetError):
                while peer.recv(100):
                    pass
    assert small.ask("echo", "hello")[1] == "hello\n"
