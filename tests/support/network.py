"""Hosts with addresses of their own on one network: network namespaces at a bridge in one more, and
what tcpdump sees at a host. All goes with close()."""

import ctypes
import itertools
import os
import pathlib
import shutil
import signal
import subprocess

from support.broker import die_with_parent, run
from support.patience import WAIT_S

CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count()


class NotPermitted(Exception):
    """This machine, or this user, can't make network namespaces."""


def _ip(*words):
    done = subprocess.run(["ip", *map(str, words)], capture_output=True, text=True, timeout=WAIT_S)
    if done.returncode != 0:
        raise NotPermitted(f"ip {' '.join(map(str, words))}: {done.stderr.strip()}")


def _set_namespace(file):
    if _libc.setns(file.fileno(), CLONE_NEWNET) != 0:
        raise NotPermitted(f"setns({file.name}): {os.strerror(ctypes.get_errno())}")


class Host:
    """In a `with` block this thread, and each process that it starts, is at this host."""

    def __init__(self, namespace, address):
        self.namespace, self.address = namespace, address

    def __enter__(self):
        self._home = open("/proc/thread-self/ns/net")
        with open(f"/run/netns/{self.namespace}") as namespace:
            _set_namespace(namespace)
        return self

    def __exit__(self, *_):
        with self._home as home:
            _set_namespace(home)


class Network:
    """hosts: as many as asked for, 10.77.0.1 and so on, which reach each other."""

    def __init__(self, count):
        if shutil.which("ip") is None:
            raise NotPermitted("there is no ip: install iproute2")
        self._name, self._namespaces, self.hosts = f"zchat-{os.getpid()}-{next(_numbers)}", [], []
        try:
            self._bridge = self._namespace("lan")
            _ip("-n", self._bridge, "link", "add", "lan", "type", "bridge")
            _ip("-n", self._bridge, "link", "set", "lan", "up")
            for number in range(1, count + 1):
                self.hosts.append(self._host(number))
        except BaseException:
            self.close()
            raise

    def _namespace(self, name):
        name = f"{self._name}-{name}"
        _ip("netns", "add", name)
        self._namespaces.append(name)
        _ip("-n", name, "link", "set", "lo", "up")
        return name

    def _host(self, number):
        name, port = self._namespace(number), f"port{number}"
        _ip("-n", self._bridge, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("-n", self._bridge, "link", "set", port, "master", "lan", "up")
        host = Host(name, f"10.77.0.{number}")
        _ip("-n", name, "address", "add", f"{host.address}/24", "dev", "eth0")
        _ip("-n", name, "link", "set", "eth0", "up")
        return host

    def close(self):
        for name in self._namespaces:
            run(["ip", "netns", "delete", name])


class Capture:
    """Keeps every packet that a host sends or gets, from its making until end()."""

    def __init__(self, host, file):
        self.file = pathlib.Path(file)
        with host:
            self._process = subprocess.Popen(
                ["tcpdump", "-i", "eth0", "-p", "-U", "--immediate-mode", "-s", "0", "-Z", "root",
                 "-w", str(self.file)],
                stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        line = self._process.stderr.readline()
        assert "listening on" in line, line + self._process.stderr.read()

    def end(self):
        """The bytes of all packets."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.communicate(timeout=WAIT_S)
        return self.file.read_bytes()

    def packets(self, expression):
        """A line for each packet that fits the expression."""
        done = run(["tcpdump", "-n", "-r", self.file, expression], check=0)
        return done.stdout.splitlines()
