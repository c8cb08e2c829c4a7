"""zchat in a terminal while its broker dies and comes back."""

import pytest

from support.broker import Broker
from zchat_terminal import SCRIPT_S, Person, Terminal, start_script


@pytest.fixture
def scene(town_factory, tmp_path):
    """A broker of one's own, somebody's terminal, a friend: (town, terminal, friend, user)."""
    town = town_factory(accounts=5)
    user = town.name()
    friend = town.join()
    person = Person(town.broker, tmp_path, town.keys)
    command = person.command(user, "--timestamps", "off", "--presence", "on")
    with Terminal(command, person.environment) as terminal:
        terminal.wait_for(f"online: {friend.user}")
        yield town, terminal, friend, user


def test_a_killed_broker_is_told_once_and_the_line_is_kept(scene):
    town, terminal, friend, user = scene
    terminal.type("half a line")
    terminal.wait_last("zchat> half a line")
    town.broker.kill()
    terminal.wait_match(r"connection lost \(.*\); reconnecting")
    terminal.wait_last("[offline] zchat> half a line")
    town.broker.start(town.broker.port)
    terminal.wait_for("connected again", timeout=40)
    terminal.wait_last("zchat> half a line")
    assert terminal.text().count("connection lost") == 1
    assert terminal.text().count("connected again") == 1


def test_what_is_sent_meanwhile_waits_and_arrives_once(scene):
    town, terminal, friend, user = scene
    town.broker.kill()
    terminal.wait_last("[offline] zchat>")
    for text in ("one", "two"):
        terminal.enter(f"send {friend.user} {text}")
    terminal.wait(lambda: terminal.text().count("sent when it is back") == 2, "both notes")
    terminal.enter("quit")
    terminal.wait_for("2 commands wait for the connection")
    town.broker.start(town.broker.port)
    terminal.wait_for("connected again", timeout=40)
    friend.resume()
    friend.wait_text("two")
    assert friend.texts() == ["one", "two"]
    friend.message(user, "got both")
    terminal.wait_for(f"{friend.user}: got both")


def test_what_came_meanwhile_is_shown_once(scene):
    town, terminal, friend, user = scene
    friend.message(user, "before")
    terminal.wait_for(f"{friend.user}: before")
    terminal.enter("logout")
    terminal.wait_last("[logged out] zchat>")
    friend.message(user, "between")
    town.broker.kill()
    terminal.wait_for("connection lost")
    town.broker.start(town.broker.port)
    terminal.wait_for("connected again", timeout=40)
    terminal.enter("login")
    terminal.wait_last(f"name [{user}]:")
    terminal.enter("")
    terminal.wait_for(f"{friend.user}: between")
    terminal.wait_last("zchat>")
    assert terminal.text().count(f"{friend.user}: before") == 1


def test_a_stopping_broker_says_so_and_its_successor_is_found(scene):
    town, terminal, friend, user = scene
    town.broker.stop()
    terminal.wait_for("connection lost")
    town.broker.start(town.broker.port)
    terminal.wait_for("connected again", timeout=40)
    terminal.wait_last("zchat>")
    friend.resume()
    friend.message(user, "welcome back")
    terminal.wait_for(f"{friend.user}: welcome back")


def test_another_key_at_the_port_is_refused_once_and_what_waits_is_kept(scene):
    town, terminal, friend, user = scene
    town.broker.kill()
    terminal.wait_last("[offline] zchat>")
    terminal.enter(f"send {friend.user} kept")
    terminal.wait_for("sent when it is back")
    terminal.type("a draft")
    other = Broker(start=False)
    try:
        other.start(town.broker.port)
        terminal.wait_for("shows the key", timeout=40)
    finally:
        other.close()
    terminal.wait_last("[offline] zchat> a draft")
    town.broker.start(town.broker.port)
    terminal.wait_for("connected again", timeout=40)
    terminal.wait_last("zchat> a draft")
    friend.resume()
    friend.wait_text("kept")
    assert terminal.text().count("shows the key") == 1


def test_a_script_goes_on_where_it_was(town_factory, tmp_path):
    town = town_factory(accounts=5)
    user, friend = town.name(), town.join()
    person = Person(town.broker, tmp_path, town.keys)
    with start_script(person, user) as script:
        script.stdin.write(f"send {friend.user} ready\nrecv 1 30\nsend {friend.user} done\n")
        script.stdin.close()
        friend.wait_text("ready")
        town.broker.kill()
        assert "connection lost" in script.stderr.readline()
        town.broker.start(town.broker.port)
        assert "connected again" in script.stderr.readline()
        friend.resume()
        friend.message(user, "go on")
        friend.wait_text("done")
        assert script.wait(SCRIPT_S) == 0
        assert f"{friend.user}: go on\n" in script.stdout.readlines()
