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


@pytest.fixture
def title(town, alice):
    """A thread that alice made."""
    title = "files of " + town.fresh_name()
    alice.ok("thread", "create", title)
    return title


@pytest.fixture
def default_timeout(monkeypatch):
    """Calls bound themselves as they do where nobody says --timeout."""
    monkeypatch.setattr(Cli, "timeout_s", None)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, in which every call runs."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def source(tmp_path):
    """Makes a file: source(bytes, name)."""
    def make(content, name="source"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return make
