"""A small disk: a tmpfs in a mount namespace of this thread alone, so that nothing is left behind
even if the test is killed."""

import contextlib
import ctypes
import os

import pytest

CLONE_FS, CLONE_NEWNS = 0x00000200, 0x00020000
MS_REMOUNT, MS_REC, MS_PRIVATE = 32, 16384, 1 << 18

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name, *arguments):
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _mount(target, mib, flags=0):
    _call("mount", b"tmpfs", os.fsencode(target), b"tmpfs", flags, f"size={mib}m,mode=700".encode())


class SmallDisk:
    """path is where it is; resize() makes more room, or less."""

    def __init__(self, path):
        self.path = path

    def resize(self, mib):
        _mount(self.path, mib, MS_REMOUNT)


@contextlib.contextmanager
def small_disk(path, mib):
    """A disk of so many MiB at a folder, seen by this thread and what it starts. Skips the test where
    that is not allowed."""
    here, home = os.getcwd(), os.open("/proc/thread-self/ns/mnt", os.O_RDONLY)
    try:
        _call("unshare", CLONE_NEWNS)
    except OSError as error:
        os.close(home)
        pytest.skip(f"no small disk can be mounted here: {error}")
    try:
        try:
            _call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
            _mount(path, mib)
        except OSError as error:
            pytest.skip(f"no small disk can be mounted here: {error}")
        yield SmallDisk(path)
    finally:
        _call("unshare", CLONE_FS) # with threads that were started meanwhile
        _call("setns", home, CLONE_NEWNS)
        os.close(home)
        os.chdir(here)


def fill(mount, left, name="junk"):
    """Leaves so many bytes of the disk free."""
    state = os.statvfs(mount)
    with open(mount / name, "wb", buffering=0) as junk:
        try:
            os.posix_fallocate(junk.fileno(), 0, max(state.f_bavail * state.f_frsize - left, 1))
        except OSError:  # nothing is left
            pass
