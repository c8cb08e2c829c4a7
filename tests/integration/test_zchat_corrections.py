"""zchat: correcting what one wrote, taking it back, replying, and saying what one does."""

import pytest

from support.client import new_id
from zchat_terminal import Person, Terminal


@pytest.fixture
def person(town, tmp_path):
    return Person(town.broker, tmp_path / "person", town.keys)


@pytest.fixture
def open_terminal(person):
    """Starts zchat for an account; all end with the test."""
    terminals = []

    def start(user, columns=80, rows=24):
        command = person.command(user, "--timestamps", "off", "--presence", "off")
        terminals.append(Terminal(command, person.environment, columns=columns, rows=rows))
        terminals[-1].wait_for(f"you are {user}")
        terminals[-1].wait_last("zchat>")
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


def about(client):
    """Of each message that the client has its text, and the texts of what it corrects and retracts."""
    texts = {event.message.id: event.message.text for event in client.inbox}
    return [(event.message.text, texts.get(event.message.corrects), texts.get(event.message.retracts))
            for event in client.inbox]


# ---- what one wrote ----


def test_correct_replaces_the_last_message_of_the_conversation(open_terminal, town):
    bob, carol = town.join(), town.join()
    terminal = open_terminal(town.name())
    terminal.enter(f"chat {bob.user}")
    terminal.wait_last(f"{bob.user}>")
    terminal.enter("at noon")
    terminal.enter(f"/send {carol.user} something else")
    terminal.enter("/correct at dusk")
    terminal.wait_match(f'^corrected what you wrote to {bob.user}: it was "at noon"$')
    terminal.enter("/correct at dawn")
    terminal.wait_match(f'^corrected what you wrote to {bob.user}: it was "at dusk"$')
    terminal.enter("/retract")
    terminal.wait_match(f'^took back what you wrote to {bob.user}: "at dawn"$')
    bob.wait_have(4)
    assert about(bob) == [("at noon", None, None), ("at dusk", "at noon", None), ("at dawn", "at noon", None),
                          ("", None, "at noon")]
    carol.wait_text("something else")
    assert carol.texts() == ["something else"]


def test_without_a_conversation_it_is_the_last_message_to_anybody(person, town):
    bob, carol = town.join(), town.join()
    done = person.script([f"send {bob.user} one", f"send {carol.user} two", "correct 2", "retract", "retract"],
                         town.name(), check=0)
    carol.wait_have(3)
    bob.wait_have(2)
    assert about(carol) == [("two", None, None), ("2", "two", None), ("", None, "two")]
    assert about(bob) == [("one", None, None), ("", None, "one")]
    assert f'took back what you wrote to {carol.user}: "2"' in done.stdout


def test_what_was_not_sent_is_not_corrected(person, town):
    bob, nobody = town.join(), town.fresh_name()
    done = person.script([f"send {bob.user} one", f"send {nobody} two", "correct eins"], town.name(), check=5)
    bob.wait_text("eins")
    assert about(bob) == [("one", None, None), ("eins", "one", None)]
    assert f"not sent to {nobody}" in done.stderr


def test_what_was_written_in_an_earlier_session_is_found(person, town):
    bob, user = town.join(), town.name()
    person.script([f"send {bob.user} one", f"send {bob.user} two", "retract"], user, check=0)
    bob.message(user, "well?")
    done = person.script([f"chat {bob.user}", "/correct eins"], user, check=0)
    assert f'corrected what you wrote to {bob.user}: it was "one"' in done.stdout
    bob.wait_text("eins")
    assert about(bob)[-1] == ("eins", "one", None)


@pytest.mark.parametrize("line", ["correct x", "retract"])
def test_there_may_be_nothing_to_change(person, town, line):
    done = person.script([line], town.name(), check=5)
    assert "you have written nothing lately that stands" in done.stderr
    bob = town.join()
    done = person.script([f"chat {bob.user}", f"/{line}"], town.name(), check=5)
    assert f"you have written nothing to {bob.user} lately that stands" in done.stderr and bob.texts() == []


def test_what_the_broker_refuses_stays_as_it_was(person, town):
    bob, user = town.join(), town.name()
    script = [f"send {bob.user} one", f"block {bob.user}", "correct two", "retract", f"unblock {bob.user}", "correct 1"]
    done = person.script(script, user, check=6)
    assert "not corrected: " in done.stderr and "not taken back: " in done.stderr
    assert f'corrected what you wrote to {bob.user}: it was "one"' in done.stdout
    bob.wait_text("1")
    assert about(bob) == [("one", None, None), ("1", "one", None)]


# ---- what others wrote ----


def test_others_see_that_a_message_was_corrected_and_taken_back(open_terminal, town):
    friend, user = town.join(), town.name()
    terminal = open_terminal(user)
    first = friend.message(user, "at noon")
    terminal.wait_match(f"^{friend.user}: at noon$")
    terminal.type("a draft")
    friend.message(user, "at dusk\nor later", corrects=first.id)
    terminal.wait_match(f"^{friend.user} corrected: at dusk\n +or later$")
    friend.message(user, "", retracts=first.id)
    terminal.wait_match(f'^{friend.user} took back: "at dusk or later"$')
    terminal.wait_last("zchat> a draft")


def test_what_is_not_known_any_more_is_not_quoted(open_terminal, person, town):
    friend, user = town.join(), town.name()
    first = friend.message(user, "long ago")
    person.script([], user, check=0)
    friend.message(user, "", retracts=first.id)
    terminal = open_terminal(user)
    terminal.wait_match(f"^{friend.user} took a message back$")
    assert "long ago" not in terminal.text() and "while you were away" not in terminal.text()


def test_ones_own_changes_from_another_device_are_shown(open_terminal, town):
    bob, user = town.join(), town.name()
    terminal, other = open_terminal(user), town.join(user)
    first = other.message(bob.user, "one")
    other.message(bob.user, "two", corrects=first.id)
    terminal.wait_match(f"^me → {bob.user}: one$\n^me → {bob.user} corrected: two$")
    terminal.enter("retract")
    terminal.wait_match(f'^took back what you wrote to {bob.user}: "two"$')


def test_a_long_or_hostile_text_is_quoted_on_one_row(open_terminal, town):
    friend, user = town.join(), town.name()
    terminal = open_terminal(user, columns=40, rows=12)
    first = friend.message(user, "字" * 200 + "\nmore")
    friend.message(user, "\x1b[31mred\x1b[0m\u202e", id=new_id(), corrects=first.id)
    terminal.wait_match(f"^{friend.user} corrected: red$")
    friend.message(user, "字" * 2000, corrects=first.id)
    friend.message(user, "", retracts=first.id)
    terminal.wait_match(f'^{friend.user} took back: "字{{20,30}}…"$')
    assert b"\x1b[31mred" not in terminal.raw


# ---- replies and actions ----


def test_reply_goes_to_whoever_wrote_last(open_terminal, town):
    bob, carol, user = town.join(), town.join(), town.name()
    terminal = open_terminal(user)
    terminal.enter("reply hello?")
    terminal.wait_for("nobody has written to you")
    bob.message(user, "one")
    first = carol.message(user, "two")
    carol.message(user, "", retracts=first.id)
    terminal.wait_for("took back")
    bob.message(user, "three")
    terminal.wait_match(f"^{bob.user}: three$")
    terminal.enter("reply to bob")
    bob.wait_text("to bob")
    terminal.enter(f"chat {carol.user}")
    terminal.wait_last(f"{carol.user}>")
    terminal.enter("/reply and again")
    terminal.wait_match(f"^to {bob.user}:$")
    bob.wait_text("and again")
    assert user not in [event.message.sender for event in carol.inbox]


def test_what_one_does_is_shown_to_both(open_terminal, town):
    friend, user = town.join(), town.name()
    terminal = open_terminal(user)
    terminal.enter("me waves")
    terminal.wait_for("me is for conversations")
    terminal.enter(f"chat {friend.user}")
    terminal.wait_last(f"{friend.user}>")
    terminal.enter("/me waves")
    friend.wait_text("/me waves")
    terminal.wait_match(rf"^\* {user} waves$")
    friend.message(user, "/me waves back")
    terminal.wait_match(rf"^\* {friend.user} waves back$")
    friend.message(user, "/me")
    friend.message(user, "/men and mice")
    terminal.wait_match(f"^{friend.user}: /me$\n^{friend.user}: /men and mice$")
    terminal.enter("/me")
    terminal.wait_for("usage: me TEXT")
