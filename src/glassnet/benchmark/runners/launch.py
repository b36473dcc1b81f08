"""Starts a program, and tells when it gave its answer (its first line with "{") and how much memory it held at most.

    launch.py TIMEOUT STDERR_FILE COMMAND...

It is a process of its own, with the standard library only, because on Linux the peak that the system tells of a process
begins with the size of the one that started it.
"""

import json
import os
import subprocess
import sys
import threading
import time


def main() -> None:
    """Run the command of the command line and print one JSON line about it."""
    timeout, errors, *command = sys.argv[1:]
    answer = seconds = None
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        child.kill()

    with open(errors, "wb") as stderr:  # noqa: PTH123  (pathlib costs start-up time and memory here)
        started = time.monotonic()
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr)  # noqa: S603
        alarm = threading.Timer(float(timeout), stop)
        alarm.daemon = True
        alarm.start()
        for line in child.stdout or ():
            if answer is None and line.startswith(b"{"):
                seconds = time.monotonic() - started
                answer = line.decode()
        peak = None
        if hasattr(os, "wait4"):
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        status = child.wait()
        alarm.cancel()
    report = {"line": answer, "seconds": seconds, "peak_bytes": peak, "status": status, "stopped": stopped.is_set()}
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
