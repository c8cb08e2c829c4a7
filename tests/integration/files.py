"""What tests of files share: their bytes, and the bar at a terminal."""

import hashlib
import re

import pexpect

CHUNK = 256 * 1024
LARGE = 64 * 1024 * 1024
BAR = re.compile(r"\[#*\.*\] +(\d+)%  ([\d.]+) of ([\d.]+) MiB  [\d.]+ MiB/s")


def name_of(cli):
    return cli.environment["ZCHAT_USER"]


def noise(size):
    """Bytes of which no two chunks are alike, the same ones each time."""
    return hashlib.shake_128(b"noise").digest(size)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def spawn(cli, *words):
    """A call at a terminal."""
    command = cli.command(words)
    return pexpect.spawn(command[0], command[1:], env=cli.environment, timeout=40,
                         encoding="utf-8", dimensions=(24, 80))


def wait_bar(terminal, least_mib):
    """Waits until the bar says that so much moved; what it said first, in MiB."""
    first = None
    while True:
        terminal.expect(BAR)
        moved = float(terminal.match.group(2))
        first = moved if first is None else first
        if moved >= least_mib:
            return first


def status_of(terminal):
    terminal.expect(pexpect.EOF)
    terminal.wait()
    terminal.close()
    assert terminal.signalstatus is None, terminal
    return terminal.exitstatus
