"""A pytest plugin: where every thread stands, shortly before ctest kills a test that hangs."""

import faulthandler
import os

BEFORE_S = 20

# Pytest's own faulthandler_timeout begins and ends with each test; what hangs may be what comes before
# the first one, an import for example, or after the last one.
_end = float(os.environ.get("ZCHAT_TEST_TIMEOUT", 0))
if _end > BEFORE_S:
    faulthandler.dump_traceback_later(_end - BEFORE_S, file=os.fdopen(os.dup(2), "w"))
