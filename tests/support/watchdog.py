"""A pytest plugin: where every thread stands, shortly before ctest kills a test that hangs.

A child looks from outside as well, since the process may be one that no longer runs anything: stopped, or
on its way out. It goes with the process.
"""

import ctypes
import faulthandler
import os
import pathlib
import signal
import time

BEFORE_S = 20
PR_SET_PDEATHSIG = 1


def state_of(pid):
    folder = pathlib.Path(f"/proc/{pid}")
    wanted = ("Name", "State", "Pid", "Threads", "SigPnd", "SigBlk")
    lines = [line for line in (folder / "status").read_text().splitlines() if line.startswith(wanted)]
    return "; ".join([*lines, f"waits in {(folder / 'wchan').read_text()}"])


def look_from_outside(pid, seconds):
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    time.sleep(seconds)
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for one in [pid, *children]:
        os.write(2, f"{state_of(one)}\n".encode())


# Pytest's own faulthandler_timeout begins and ends with each test; what hangs may be what comes before
# the first one, an import for example, or after the last one. Once a test has failed pytest takes this
# one's tracebacks back, too: then the child's lines and the tests' names are what there is.
_left_s = float(os.environ.get("ZCHAT_TEST_TIMEOUT", 0)) - BEFORE_S
if _left_s > 0:
    _pid = os.getpid()
    if os.fork() == 0:
        try:
            look_from_outside(_pid, _left_s)
        finally:
            os._exit(0)
    faulthandler.dump_traceback_later(_left_s, file=os.fdopen(os.dup(2), "w"))
