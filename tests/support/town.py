"""A broker with accounts that nobody has used yet, for tests that share it.

All its accounts trust one device key, so that they cost no password hash. A test takes names of its
own; at its end leave() logs everybody out, so that the next test finds nobody online.
"""

import itertools
import time

from support.broker import Broker
from support.client import Client, CommandError, Keys, TimedOut
from support.patience import WAIT_S
from support.sockets import curve_socket, plain_socket

NO_LIMITS = ("--rate-account", "--rate-key", "--rate-address", "--rate-passwords",
             "--rate-registrations")
ADMIN = "the.admin"
LEAVE_S = 20


class Town:
    """broker, keys (the device key of all accounts), and who is in.

    prepare: what is done with the broker before its store is made.
    """

    def __init__(self, *args, accounts=300, prepare=None, **options):
        self.keys = Keys()
        limits = [word for option in NO_LIMITS if option not in args for word in (option, "0")]
        self.broker = Broker(*limits, *args, start=False, **options)
        try:
            if prepare is not None:
                prepare(self.broker)
            self.broker.add_user(ADMIN, device_key=self.keys.public, admin=True)
            self.broker.add_users([f"user.{n:03}" for n in range(accounts)], self.keys.public)
            self.broker.start()
        except BaseException:
            self.broker.close()
            raise
        self._names = (f"user.{n:03}" for n in range(accounts))
        self._fresh = itertools.count()
        self._clients, self._sockets = [], []

    def close(self):
        """Ends everything; the broker in order, if it still runs."""
        for end in [*self._clients, *self._sockets]:
            end.close()
        self.broker.finish()

    def name(self):
        """An account that nobody used yet."""
        return next(self._names)

    def names(self, count):
        return [self.name() for _ in range(count)]

    def fresh_name(self):
        """A name that no account has."""
        return f"fresh.{next(self._fresh):03}"

    def guest(self, keys=None, **options):
        """A connected client that has not logged in, with a device key of its own."""
        client = Client(self.broker.address, keys=keys, **options)
        self._clients.append(client)
        return client

    def join(self, user=None, sub=False, ack=True, fill=True, rcvhwm=0, **login):
        """A client with a session: of a new user, unless one is named."""
        client = self.guest(self.keys, ack=ack, fill=fill, rcvhwm=rcvhwm)
        client.login(user or self.name(), **login)
        if sub:
            client.subscribe()
        return client

    def enter(self):
        """join() as a program does it that tries again when its connection ends: one in a crowd may."""
        user, deadline = self.name(), time.monotonic() + WAIT_S
        while True:
            client = self.guest(self.keys)
            try:
                client.login(user, timeout=2)
                return client
            except TimedOut:
                client.close()
                assert time.monotonic() < deadline, f"nobody gets in within {WAIT_S} s"

    def socket(self, kind, keys=None, server_key=None):
        """A socket of one's own, not connected: CURVE if there are keys. It lives until leave()."""
        if keys is None:
            sock = plain_socket(kind)
        else:
            sock = curve_socket(kind, server_key or self.broker.server_key.encode(), keys)
        self._sockets.append(sock)
        return sock

    def join_many(self, count, **options):
        return [self.join(**options) for _ in range(count)]

    def stats(self):
        """All counters, asked by a script session of the administrator."""
        client = self.guest(self.keys)
        client.login(ADMIN, online=False, inbox=False)
        stats = client.stats()
        client.logout()
        client.close()
        return stats

    def leave(self):
        """Everybody logs out, all within LEAVE_S: who read nothing in a test that failed does not now either."""
        deadline = time.monotonic() + LEAVE_S
        here = [client for client in self._clients
                if client.user is not None and client.dealer is not None and self.broker.process]
        asked = [(client, client.start("logout")) for client in here]
        for client, request in asked:
            try:
                client.wait_reply(request, max(0, deadline - time.monotonic()))
            except (CommandError, TimedOut):
                pass
        for client in self._clients:
            client.close()
        for sock in self._sockets:
            sock.close()
        self._clients.clear()
        self._sockets.clear()


def until_done(call, patience_s=WAIT_S):
    """Again and again until it is not BUSY: room comes back by itself."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return call()
        except CommandError as error:
            assert error.code == "BUSY" and time.monotonic() < deadline, error
            time.sleep(0.05)  # between two tries, not for anything


def refused(code, call, *args, **kwargs):
    """Asserts that the call is refused with the code, and returns the CommandError."""
    try:
        result = call(*args, **kwargs)
    except CommandError as error:
        assert error.code == code, f"refused with {error}, not {code}"
        assert error.message, "an error without a message"
        return error
    raise AssertionError(f"not refused with {code}, but done: {result}")
