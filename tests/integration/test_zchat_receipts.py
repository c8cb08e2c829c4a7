"""zchat: that what one sent was read, and that nobody learns what one has read."""

import pytest

from support.client import CommandError
from support.patience import WAIT_S
from zchat_terminal import Person, Terminal, start_script


@pytest.fixture
def person(town, tmp_path):
    return Person(town.broker, tmp_path, town.keys)


@pytest.fixture
def user(town):
    return town.name()


@pytest.fixture
def open_terminal(person, user):
    terminals = []

    def start(*options):
        command = person.command(user, "--timestamps", "off", "--presence", "off", *options)
        terminals.append(Terminal(command, person.environment))
        terminals[-1].wait_for(f"you are {user}")
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def terminal(open_terminal):
    return open_terminal()


def send(terminal, friend, *texts):
    for text in texts:
        terminal.enter(f"send {friend.user} {text}")
        friend.wait_text(text)


def answered(terminal, times):
    """Waits until what was said before was heard: the answer to the ping behind it is there."""
    terminal.enter("ping")
    terminal.wait(lambda: terminal.text().count("answered in") >= times, "the answer to the ping")


def receipts(terminal):
    return [line for line in terminal.text().splitlines() if line.endswith(" has read it")]


def test_what_was_read_is_told_by_a_line(terminal, town):
    friend = town.join()
    send(terminal, friend, "one")
    answered(terminal, 1)
    assert receipts(terminal) == []
    friend.ack_read(1)
    terminal.wait_match(f"^{friend.user} has read it$")


def test_a_burst_gets_one_line_when_its_last_message_was_read(terminal, town):
    friend = town.join()
    send(terminal, friend, "one", "two", "three")
    friend.ack_read(2)
    answered(terminal, 1)
    assert receipts(terminal) == []
    friend.ack_read(3)
    terminal.wait_match(f"^{friend.user} has read it$")
    answered(terminal, 2)
    assert len(receipts(terminal)) == 1
    send(terminal, friend, "four")
    friend.ack_read(4)
    terminal.wait(lambda: len(receipts(terminal)) == 2, "the second line")


def test_each_recipient_is_told_of_apart(terminal, town):
    friend, other = town.join(), town.join()
    send(terminal, friend, "one")
    send(terminal, other, "two")
    other.ack_read(1)
    terminal.wait_match(f"^{other.user} has read it$")
    assert receipts(terminal) == [f"{other.user} has read it"]
    friend.ack_read(1)
    terminal.wait_match(f"^{friend.user} has read it$")


def test_one_who_tells_nobody_is_waited_for_in_silence(terminal, town):
    friend = town.join()
    friend.call("change_settings", receipts=2)
    send(terminal, friend, "one")
    friend.ack_read(1)
    answered(terminal, 1)
    assert receipts(terminal) == [] and "nobody" not in terminal.text()
    friend.call("change_settings", receipts=1)
    send(terminal, friend, "two")
    friend.ack_read(2)
    terminal.wait_match(f"^{friend.user} has read it$")


def test_the_line_comes_after_a_restart_of_the_broker_too(town_factory, tmp_path):
    town = town_factory()
    person, friend, name = Person(town.broker, tmp_path, town.keys), town.join(), town.name()
    with Terminal(person.command(name, "--presence", "off"), person.environment) as terminal:
        terminal.wait_for(f"you are {name}")
        send(terminal, friend, "one")
        while town.stats()["receipts_awaited"] == 0:
            pass
        town.broker.restart()
        friend.resume()
        friend.ack_read(1)
        terminal.wait_for("connected again")
        terminal.wait_for(f"{friend.user} has read it")


def test_with_receipts_off_nothing_is_told(open_terminal, town):
    terminal, friend = open_terminal("--receipts", "off"), town.join()
    send(terminal, friend, "one")
    friend.ack_read(1)
    answered(terminal, 1)
    assert receipts(terminal) == []


def test_a_script_tells_no_receipts(town, person, user):
    friend = town.join()
    script = start_script(person, user)
    script.stdin.write(f"send {friend.user} hello\n")
    script.stdin.flush()
    friend.wait_text("hello")
    friend.ack_read(1)
    out, err = script.communicate("ping\n", timeout=WAIT_S)
    assert script.returncode == 0 and "read" not in out and err == "", (out, err)


def test_receipts_off_keeps_what_one_has_read_to_oneself(terminal, town, user):
    friend = town.join()
    terminal.enter("receipts")
    terminal.wait_for("receipts are on: ")
    terminal.enter("receipts off")
    terminal.wait_for("receipts are off: nobody learns what you have read")
    sent = friend.message(user, "hello")
    terminal.wait_match(f"^{friend.user}: hello$")
    with pytest.raises(CommandError) as error:
        friend.call("await_read", id=sent.id)
    assert error.value.reason == "NO_RECEIPTS"
    terminal.enter("receipts on")
    terminal.wait(lambda: terminal.text().count("receipts are on: ") == 2, "the answer")
    assert friend.call("await_read", id=sent.id).read


def test_receipts_are_on_or_off(person, user):
    done = person.script(["receipts maybe"], user, check=2)
    assert 'receipts are on or off, not "maybe"' in done.stderr
    done = person.script(["receipts off", "receipts", "receipts on"], user, check=0)
    assert done.stdout.splitlines()[-3:] == ["receipts are off: nobody learns what you have read"] * 2 + [
        "receipts are on: who writes to you may learn that you have read it"]
