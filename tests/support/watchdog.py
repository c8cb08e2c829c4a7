"""A pytest plugin: where every thread stands, shortly before ctest kills a test that hangs."""

import faulthandler
import os

BEFORE_S = 20


def pytest_configure():
    """Pytest's own faulthandler_timeout ends with each test; what hangs may be what comes after the last one."""
    end = float(os.environ.get("ZCHAT_TEST_TIMEOUT", 0))
    if end > BEFORE_S:
        faulthandler.dump_traceback_later(end - BEFORE_S, file=os.fdopen(os.dup(2), "w"))
