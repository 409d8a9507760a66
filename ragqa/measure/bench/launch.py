"""Starts a command and reports what it took; run as a script of its own, by `processes`.

A process that starts another one leaves it a mark: the kernel counts the starter's memory at that moment as a peak of
what it starts. So the starter has to be small, smaller than anything that is measured, and this is all it imports.
"""

import json
import os
import sys
import time


def main() -> None:
    """Run the arguments after the first; what they took goes to the descriptor that the first one names, as JSON."""
    report, command = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(report, False)
    started = time.monotonic()
    try:
        process = os.posix_spawnp(command[0], command, os.environ)
    except OSError as error:
        os.write(report, json.dumps({"fault": error.strerror}).encode())
        return
    _process, status, usage = os.wait4(process, 0)
    ended = time.monotonic()
    taken = {
        "code": os.waitstatus_to_exitcode(status),
        "started": started,
        "wall": ended - started,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),  # macOS counts bytes, Linux KiB
    }
    os.write(report, json.dumps(taken).encode())


if __name__ == "__main__":
    main()
