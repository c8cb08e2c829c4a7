"""Fixtures of the integration tests."""

import pytest

from support.fixtures import (_shared_town, broker, broker_factory,  # noqa: F401
                              config_dirs, town, town_factory)
from zmq_cli import Cli


@pytest.fixture
def script(town, tmp_path):
    """Makes a zmq-cli for an account, each with folders of its own: script("bob")."""
    made = []

    def make(user=None, its=None, **options):
        folder = tmp_path / f"config-{len(made)}"
        folder.mkdir(mode=0o700)
        its = its or town
        made.append(Cli(its.broker, folder, user or its.name(), its.keys, **options))
        return made[-1]

    return make


@pytest.fixture
def alice(script):
    return script()


@pytest.fixture
def bob(script):
    return script()
