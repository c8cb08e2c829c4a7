"""Pytest fixtures of the black-box tests; a folder's conftest.py imports them."""

import time

import pytest

from support.broker import Broker
from support.patience import WAIT_S
from support.town import Town


@pytest.fixture
def broker_factory():
    """Makes brokers, broker_factory("--timeout", "2"); all end with the test."""
    brokers = []

    def make(*args, **options):
        brokers.append(Broker(*args, **options))
        return brokers[-1]

    yield make
    for broker in brokers:
        broker.finish()


@pytest.fixture
def broker(broker_factory):
    """A fresh broker with its defaults."""
    return broker_factory()


@pytest.fixture
def config_dirs(tmp_path):
    """Makes empty config folders, one for each client: config_dirs("alice")."""

    def make(name):
        folder = tmp_path / f"config-{name}"
        folder.mkdir(mode=0o700)
        return folder

    return make


@pytest.fixture(scope="module")
def _shared_town(request):
    town = Town(*getattr(request.module, "TOWN_ARGS", ()))
    yield town
    town.close()


@pytest.fixture
def town(_shared_town):
    """The module's broker, TOWN_ARGS added to its arguments; nobody is online."""
    yield _shared_town
    _shared_town.leave()


@pytest.fixture
def town_factory():
    """Makes towns of one's own, town_factory("--timeout", "1"); all end with the test."""
    towns = []

    def make(*args, **options):
        towns.append(Town(*args, **options))
        return towns[-1]

    yield make
    for town in towns:
        town.close()


@pytest.fixture
def counted(town):
    """Asserts at the end that the broker serves, and that the counters given to it have grown."""
    before, names = town.stats(), []
    yield lambda *more: names.extend(more)
    deadline = time.monotonic() + WAIT_S
    while True:
        after = town.stats()
        still = [name for name in names if after[name] <= before[name]]
        if not still:
            break
        assert time.monotonic() < deadline, f"these counters did not move: {still}"
    one, other = town.join(), town.join(sub=True)
    one.message(other.user, "still there")
    other.wait_text("still there")
    one.broadcast("still there")
    other.wait_broadcast("still there")


@pytest.fixture
def thread(town):
    """A thread's title; its creator is somebody who takes no part."""
    title, creator = f"thread of {town.fresh_name()}", town.join()
    creator.create_thread(title)
    creator.logout()
    creator.close()
    return title
