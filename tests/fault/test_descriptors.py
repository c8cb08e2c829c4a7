"""zchatd with few file descriptors: it says that there are too few, or it serves."""

import resource
import subprocess

import pytest

from support.broker import die_with_parent, program


@pytest.mark.parametrize("first, last", [(6, 20), (21, 35), (36, 50), (51, 64)])
def test_with_few_descriptors_the_broker_says_so_or_serves(first, last, tmp_path):
    for number in range(first, last + 1):
        def few():
            die_with_parent()
            resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))
        started = subprocess.Popen([program("zchatd"), "--bind", "127.0.0.1", "--port", "0", "--data",
                                    str(tmp_path / str(number))], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=few)
        try:
            said = ""
            for line in started.stderr:
                said = line
                if "ready address=" in line:
                    break
            serves = "ready address=" in said
            if serves:
                started.terminate()
            status = started.wait(10)
            assert status == (0 if serves else 3), f"{number}: {status}\n{said}"
            assert serves or (said.startswith("zchatd: ") and "descriptors" in said), f"{number}: {said}"
        finally:
            started.kill()
            started.wait(10)
            started.stderr.close()
    assert number < 64 or serves, "64 are enough"
