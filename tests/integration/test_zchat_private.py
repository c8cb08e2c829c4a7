"""zchat and private chats: invitations and their answers, lines, files, conversations; by hand in
terminals, and between two scripts."""

import os
import signal
import subprocess
import time

import pytest

from zchat_terminal import SCRIPT_S, Person, Terminal, start_script

FINGERPRINT = r"(?:[0-9a-f]{4} )+[0-9a-f]{4}"


@pytest.fixture
def make_person(town, tmp_path):
    """Makes somebody with an account and folders of his own: .user, .person."""
    made = []

    def make(its=None, user=None):
        its = its or town
        person = Person(its.broker, tmp_path / f"person-{len(made)}", its.keys)
        person.user = user or its.name()
        person.work = tmp_path / f"work-{len(made)}"
        person.work.mkdir()
        made.append(person)
        return person

    return make


@pytest.fixture
def alice(make_person):
    return make_person()


@pytest.fixture
def bob(make_person):
    return make_person()


@pytest.fixture
def open_terminal():
    """Starts zchat in a terminal, logged in; all end with the test."""
    terminals = []

    def start(person, *options):
        command = person.command(person.user, "--timestamps", "off", "--presence", "off", *options)
        terminals.append(Terminal(["env", "-C", str(person.work), *command], person.environment,
                                  columns=100, rows=40))
        terminals[-1].wait_for(f"you are {person.user}")
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def two(open_terminal, alice, bob):
    """Two terminals, alice's and bob's."""
    return open_terminal(alice), open_terminal(bob)


def open_chat(one, other, alice, bob):
    one.enter(f"private start {bob.user}")
    other.wait_for(f"{alice.user} invites you to a private chat")
    other.enter(f"accept {alice.user}")
    for terminal, peer in ((one, bob), (other, alice)):
        terminal.wait_for(f"the private chat with {peer.user} is open")


@pytest.fixture
def chat(two, alice, bob):
    """The same with a private chat between them."""
    open_chat(*two, alice, bob)
    return two


# ---- invitations ----


def test_both_see_the_fingerprint_and_that_it_was_pinned(chat, alice, bob):
    for terminal, peer in zip(chat, (bob, alice)):
        terminal.wait_match(rf"^the private chat with {peer.user} is open; the key's fingerprint is "
                            rf"{FINGERPRINT}, seen for the first time and pinned$")
    chat[0].enter(f"stopprivate {bob.user}")
    chat[0].wait_for(f"the private chat with {bob.user} is over")
    chat[0].enter(f"startprivate {bob.user}")
    chat[1].wait(lambda: chat[1].text().count("invites you") == 2)
    chat[1].enter("y")
    for terminal, peer in zip(chat, (bob, alice)):
        terminal.wait_match(rf"^the private chat with {peer.user} is open; the key's fingerprint is "
                            rf"{FINGERPRINT}$")


def test_two_who_invite_each_other_have_a_chat(two, alice, bob):
    one, other = two
    one.enter(f"private start {bob.user}")
    other.enter(f"private start {alice.user}")
    for terminal, peer in ((one, bob), (other, alice)):
        terminal.wait_for(f"the private chat with {peer.user} is open")
    one.enter(f"private {bob.user} hello")
    other.wait_for(f"{alice.user}(private): hello")
    for terminal in two:
        assert "declined" not in terminal.text() and "already" not in terminal.text()


@pytest.mark.parametrize("answer", ["y", " Y ", "accept {user}", "private accept {user}",
                                    "/accept {user}"])
def test_an_invitation_is_accepted(two, alice, bob, answer):
    one, other = two
    one.enter(f"private start {bob.user}")
    other.wait_for("y or n alone on the line answers")
    other.enter(answer.format(user=alice.user))
    one.wait_for(f"the private chat with {bob.user} is open")


@pytest.mark.parametrize("answer", ["n", "decline {user}", "private decline {user}"])
def test_an_invitation_is_declined(two, alice, bob, answer):
    one, other = two
    one.enter(f"private start {bob.user}")
    other.wait_for("y or n alone on the line answers")
    other.enter(answer.format(user=alice.user))
    other.wait_for(f"the invitation of {alice.user} is declined")
    one.wait_match(rf"(?i){bob.user}.*declined")
    other.enter(f"accept {alice.user}")
    other.wait_for(f"{alice.user} has not invited you")
    other.enter("n")
    other.wait_for('there is no command "n"')


def test_in_a_conversation_a_lone_y_is_a_message_and_no_answer(two, town, alice, bob):
    one, other = two
    friend = town.join()
    other.enter(f"chat {friend.user}")
    other.wait_last(f"{friend.user}>")
    other.enter("y")
    friend.wait_text("y")
    one.enter(f"private start {bob.user}")
    other.wait_for(f"/accept {alice.user} or /decline {alice.user} answers; what has no slash")
    for line in ("n", "yes indeed", " y ", "yes", "no", "last"):
        other.enter(line)
    friend.wait_text("last")
    assert friend.texts() == ["y", "n", "yes indeed", " y ", "yes", "no", "last"]
    other.enter("/close")
    other.wait_last("zchat>")
    other.enter("yes indeed")
    other.wait_for('there is no command "yes"')
    other.enter(" Yes ")
    one.wait_for(f"the private chat with {bob.user} is open")


def test_with_two_invitations_open_a_bare_y_answers_neither(two, make_person, alice, bob):
    one, other = two
    carol = make_person()
    script = start_script(carol, carol.user)
    one.enter(f"private start {bob.user}")
    other.wait_for(f"{alice.user} invites you")
    script.stdin.write(f"private start {bob.user}\n")
    script.stdin.flush()
    other.wait_for(f"accept {carol.user} or decline {carol.user} answers")
    other.enter("y")
    other.wait_for('there is no command "y"')
    other.enter(f"decline {carol.user}")
    script.stdin.close()
    assert script.wait(SCRIPT_S) == 6
    other.enter("y")
    one.wait_for(f"the private chat with {bob.user} is open")


def test_an_invitation_that_is_taken_back_can_not_be_accepted(two, alice, bob):
    one, other = two
    one.enter(f"private start {bob.user}")
    other.wait_for(f"{alice.user} invites you")
    one.enter(f"private stop {bob.user}")
    one.wait_for(f"the invitation to {bob.user} is taken back")
    other.wait_for(f"{alice.user} took the invitation back")
    other.enter("y")
    other.wait_for('there is no command "y"')


@pytest.mark.parametrize("answer", ["no", "N"])
def test_a_bare_no_declines(two, alice, bob, answer):
    one, other = two
    one.enter(f"private start {bob.user}")
    one.wait_for(f"{bob.user} is asked")
    other.wait_for(f"{alice.user} invites you")
    other.enter(answer)
    other.wait_for(f"the invitation of {alice.user} is declined")


def test_who_is_not_online_is_not_said_to_be_asked(two, town):
    one, _ = two
    one.enter(f"private start {town.name()}")
    one.wait_for("not online")
    one.enter("ping")
    one.wait_for("answered in")
    assert "is asked" not in one.text()


@pytest.mark.parametrize("line, status, says", [
    ("private start no.such.user", 5, "no.such.user"),
    ("private start {self}", 2, "oneself"),
    ("private start {offline}", 6, "online"),
    ("private send {offline} hello", 5, "not delivered to {offline}: \"hello\""),
    ("private {offline} hello", 5, "not delivered to {offline}"),
    ("private stop {offline}", 5, "{offline}"),
    ("private file {offline} /dev/null", 5, "{offline}"),
    ("private take {offline}", 5, "no private chat"),
    ("private chat {offline}", 5, "no private chat with {offline}"),
    ("private recv {offline} 1", 5, "no private chat with {offline}"),
    ("private start", 2, "usage: private start USER"),
    ("private send {offline}", 2, "usage: private send USER TEXT..."),
    ("private", 2, "usage: private send USER TEXT..."),
])
def test_each_failure_has_its_code_and_text(town, alice, line, status, says):
    offline = town.name()
    done = alice.script([line.format(self=alice.user, offline=offline)], alice.user, check=status)
    assert done.stderr.startswith("zchat: line 1: ") and done.stdout == ""
    assert says.format(offline=offline) in done.stderr


def test_a_block_in_either_direction_and_an_open_chat_refuse_an_invitation(chat, alice, bob):
    one, other = chat
    one.enter(f"private start {bob.user}")
    one.wait_for("open already")
    other.enter(f"block {alice.user}")
    for terminal, peer in ((one, bob), (other, alice)):
        terminal.wait_for(f"the private chat with {peer.user} is over")
    one.enter(f"private start {bob.user}")
    one.wait_for(f"{bob.user} has blocked you")
    other.enter(f"private start {alice.user}")
    other.wait_for(f"you have blocked {alice.user}")


# ---- lines ----


def test_lines_go_both_ways_and_are_not_echoed(chat, alice, bob):
    one, other = chat
    one.enter(f"private send {bob.user} good   morning")
    other.wait_match(rf"^{alice.user}\(private\): good   morning$")
    other.enter(f"private {alice.user} and to you")
    one.wait_match(rf"^{bob.user}\(private\): and to you$")
    assert other.text().count("and to you") == 1 and one.text().count("good   morning") == 1


def test_the_verbs_win_over_users_of_their_names(town_factory, make_person, open_terminal):
    town = town_factory(accounts=1)
    town.broker.stop()
    town.broker.add_users(["stop"], town.keys.public)
    town.broker.start()
    one, other = make_person(town), make_person(town, "stop")
    mine, his = open_terminal(one), open_terminal(other)
    open_chat(mine, his, one, other)
    mine.enter("private send stop a line")
    his.wait_for(f"{one.user}(private): a line")
    mine.enter("private stop stop")
    mine.wait_for("the private chat with stop is over")


def test_a_private_conversation(chat, town, alice, bob):
    one, other = chat
    friend = town.join()
    one.enter(f"private chat {bob.user}")
    one.wait_last(f"{bob.user}(private)>")
    one.enter("send nothing to nobody")
    other.wait_for(f"{alice.user}(private): send nothing to nobody")
    one.enter(f"/send {friend.user} a message")
    friend.wait_text("a message")
    other.enter(f"private stop {alice.user}")
    one.wait_for(f"the private chat with {bob.user} is over")
    one.enter("too late")
    one.wait_for(f'not delivered to {bob.user}: "too late"')
    one.wait_last(f"{bob.user}(private)>")
    one.enter("/close")
    one.wait_last("zchat>")
    one.enter(f"chat {friend.user}")
    one.wait_last(f"{friend.user}>")
    assert friend.texts() == ["a message"]


def stop_program(terminal, number=signal.SIGSTOP):
    """The program in the terminal stands still from now on, or goes on."""
    pane = terminal.tmux("list-panes", "-F", "#{pane_pid}").strip()
    zchat = subprocess.run(["pgrep", "-P", pane], capture_output=True, text=True, check=True)
    os.kill(int(zchat.stdout), number)


def test_a_line_is_marked_when_it_was_delivered(chat, alice, bob):
    one, other = chat
    one.enter(f"private {bob.user} hello")
    one.wait_match(rf"^zchat> private {bob.user} hello\ndelivered to {bob.user}$")
    one.enter(f"private chat {bob.user}")
    one.enter("and again")
    one.wait_match(rf"^{bob.user}\(private\)> and again\ndelivered to {bob.user}$")
    assert "delivered" not in other.text()


def test_lines_that_waited_are_marked_once_and_none_before_it_arrived(chat, alice, bob):
    one, other = chat
    stop_program(other)
    one.enter(f"private {bob.user} one line")
    one.type("this is being typed")
    time.sleep(2.1)  # so long that the line is named
    one.wait_last("zchat> this is being typed")
    assert "delivered" not in one.text()
    stop_program(other, signal.SIGCONT)
    one.wait_for(f'delivered to {bob.user}: "one line"')
    one.wait_last("zchat> this is being typed")
    one.key("C-u")
    stop_program(other)
    for n in range(5):
        one.enter(f"private {bob.user} line {n} of five")
    one.enter("ping")
    one.wait_for("answered in")
    stop_program(other, signal.SIGCONT)
    other.wait_for("line 4 of five")
    one.wait_for(f"5 lines delivered to {bob.user}")
    assert one.text().count("delivered") == 2


def test_what_was_delivered_and_what_is_not_known_are_told_apart(chat, alice, bob):
    one, other = chat
    one.enter(f"private {bob.user} this one")
    one.wait_for(f"delivered to {bob.user}")
    stop_program(other)
    one.enter(f"private {bob.user} that one")
    one.enter(f"private stop {bob.user}")
    one.wait_for(f'{bob.user} may or may not have seen "that one"')
    one.enter(f"private {bob.user} too late")
    one.wait_for(f'not delivered to {bob.user}: "too late"')
    assert one.text().count(f"delivered to {bob.user}\n") == 1
    assert '"this one"' not in one.text()


def test_what_the_other_one_did_not_get_is_shown_when_one_leaves(chat, bob):
    one, other = chat
    stop_program(other)
    one.enter(f"private {bob.user} are you there")
    one.enter("ping")
    one.wait_for("answered in")
    one.key("C-d")
    one.wait_exit(0)
    assert f'{bob.user} may or may not have seen "are you there"' in one.text()


def test_what_was_not_acknowledged_is_shown_without_a_broker_too(town_factory, make_person,
                                                              open_terminal):
    town = town_factory(accounts=2)
    alice, bob = make_person(town), make_person(town)
    one, other = open_terminal(alice), open_terminal(bob)
    open_chat(one, other, alice, bob)
    town.broker.kill()
    one.wait_for("connection lost")
    stop_program(other)
    one.enter(f"private {bob.user} are you there")
    one.enter("quit")
    one.enter("quit")
    one.wait_exit(0)
    assert f'{bob.user} may or may not have seen "are you there"' in one.text()
    town.broker.start()


def test_leaving_ends_the_chat_for_the_other_one(chat, alice, bob):
    one, other = chat
    one.key("C-d")
    one.wait_exit(0)
    other.wait_for(f"the private chat with {alice.user} is over")


def test_logging_out_ends_the_chat_for_the_other_one(chat, alice, bob):
    one, other = chat
    one.enter("logout")
    other.wait_for(f"the private chat with {alice.user} is over")
    other.enter(f"private {alice.user} hello?")
    other.wait_for("not delivered")
    one.enter(f"login {alice.user}")
    one.wait(lambda: one.text().count(f"you are {alice.user}") == 2)
    open_chat(one, other, alice, bob)


def test_private_lines_count_as_activity_whatever_the_idle_limit(town_factory, make_person,
                                                                 open_terminal):
    town = town_factory("--timeout", "6", accounts=2)
    alice, bob = make_person(town), make_person(town)
    one, other = open_terminal(alice), open_terminal(bob)
    open_chat(one, other, alice, bob)
    until, n = time.monotonic() + 14, 0
    while time.monotonic() < until:
        n += 1
        for terminal, far, whom in ((one, other, bob), (other, one, alice)):
            terminal.enter(f"private {whom.user} line {n}")
            far.wait_for(f"(private): line {n}")
    for terminal in (one, other):
        assert "without a command" not in terminal.text()
    one.wait_for("logged out after 6 s without a command")
    other.wait_for("the private chat")
    other.wait_for("is over")


def test_a_chat_goes_on_without_the_broker(town_factory, make_person, open_terminal):
    town = town_factory(accounts=2)
    alice, bob = make_person(town), make_person(town)
    one, other = open_terminal(alice), open_terminal(bob)
    open_chat(one, other, alice, bob)
    town.broker.kill()
    for terminal in (one, other):
        terminal.wait_for("connection lost")
    one.enter(f"private {bob.user} still there?")
    other.wait_for(f"{alice.user}(private): still there?")
    other.enter(f"private {alice.user} yes")
    one.wait_for(f"{bob.user}(private): yes")
    town.broker.start()


# ---- completion ----


def test_users_are_completed_to_who_invites_and_with_whom_a_chat_is_open(two, alice, bob):
    one, other = two
    one.enter(f"private start {bob.user}")
    other.wait_for(f"{alice.user} invites you")
    other.type("acc")
    other.key("Tab")
    other.wait_last("zchat> accept")
    other.key("Tab")
    other.wait_last(f"zchat> accept {alice.user}")
    other.key("Enter")
    other.wait_for("is open")
    other.type("private sto")
    other.key("Tab")
    other.wait_last("zchat> private stop")
    other.key("Tab")
    other.wait_last(f"zchat> private stop {alice.user}")


# ---- scripts ----


def run_two(alice, bob, hers, his):
    """Runs both scripts at a time; how each ended: (status, stdout, stderr)."""
    scripts = [start_script(person, person.user) for person in (alice, bob)]
    for script, lines in zip(scripts, (hers, his)):
        script.stdin.write("".join(line + "\n" for line in lines))
        script.stdin.close()
        script.stdin = None
    ends = []
    for script in scripts:
        out, err = script.communicate(timeout=SCRIPT_S)
        ends.append((script.returncode, out, err))
    return ends


def test_two_scripts_meet(alice, bob):
    lines = [f"line {n}" for n in range(20)]
    hers = ["recv 1 30", f"private start {bob.user}",
            *(f"private {bob.user} {line}" for line in lines), f"private recv {bob.user} 1 30"]
    his = [f"send {alice.user} ready", f"accept {alice.user}",
           f"private recv {alice.user} 20 30", f"private send {alice.user} thanks"]
    (status, out, err), (his_status, his_out, his_err) = run_two(alice, bob, hers, his)
    assert (status, his_status, err, his_err) == (0, 0, "", ""), (out, err, his_out, his_err)
    assert [line for line in his_out.splitlines() if "(private): " in line] == [
        f"{alice.user}(private): {line}" for line in lines]
    assert f"{bob.user}(private): thanks" in out.splitlines()


def test_a_script_is_declined(alice, bob):
    ends = run_two(alice, bob, ["recv 1 30", f"private start {bob.user}"],
                   [f"send {alice.user} ready", f"decline {alice.user}"])
    assert [end[0] for end in ends] == [6, 0], ends


def test_lines_that_do_not_come_fail_the_script(alice, bob):
    ends = run_two(alice, bob,
                   ["recv 1 30", f"private start {bob.user}", f"private recv {bob.user} 1 1"],
                   [f"send {alice.user} ready", f"accept {alice.user}",
                    f"private recv {alice.user} 1 30"])
    assert ends[0][0] == 124 and "1 more line" in ends[0][2], ends
    assert ends[1][0] == 5 and "no private chat" in ends[1][2], ends


# ---- files ----



def test_a_file_is_offered_and_taken(chat, alice, bob):
    one, other = chat
    content = os.urandom(700_000)
    (alice.work / "a b.bin").write_bytes(content)
    one.enter(f'private file {bob.user} "a b.bin"')
    other.wait_for(f"{alice.user}(private) offers a b.bin (683.6 KiB)")
    other.enter(f"private take {alice.user}")
    other.wait_for(f"a b.bin of {alice.user} is in a b.bin")
    one.wait_for(f"{bob.user} has a b.bin")
    assert (bob.work / "a b.bin").read_bytes() == content
    other.wait_last("zchat>")
    one.enter(f'private file {bob.user} "a b.bin"')
    other.wait(lambda: other.text().count("offers a b.bin") == 2)
    other.enter(f"private take {alice.user}")
    other.wait_for("not taken: ")
    other.enter(f"private take {alice.user} again.bin")
    other.wait_for(f"a b.bin of {alice.user} is in again.bin")
    assert (bob.work / "again.bin").read_bytes() == content


def test_a_file_is_refused(chat, alice, bob):
    one, other = chat
    (alice.work / "a.txt").write_text("abc")
    one.enter(f"private file {bob.user} a.txt")
    other.wait_for("offers a.txt (3 bytes)")
    other.enter(f"private refuse {alice.user}")
    other.wait_for("a.txt is refused")
    one.wait_for(f"the file did not reach {bob.user}: ")
    other.enter(f"private take {alice.user}")
    other.wait_for(f"{alice.user} offers no file")
    assert list(bob.work.iterdir()) == []


def test_a_file_that_is_not_there(chat, alice, bob):
    one, _ = chat
    one.enter(f"private file {bob.user} missing.txt")
    one.wait_for(f"the file did not reach {bob.user}: ")


def test_a_name_with_a_leading_dot_or_dash_is_taken_only_under_another_one(chat, alice, bob):
    one, other = chat
    for name in (".profile", "-rf"):
        (alice.work / name).write_text("harm")
        one.enter(f"private file {bob.user} ./{name}")
        other.wait_for(f"{alice.user}(private) offers {name}")
        other.enter(f"private take {alice.user}")
        other.wait_for(f'no file can be named "{name}" here')
        other.enter(f"private take {alice.user} ./plain{name}")
        one.wait_for(f"{bob.user} has {name}")
    assert sorted(path.name for path in bob.work.iterdir()) == ["plain-rf", "plain.profile"]


def test_an_offer_is_given_up(chat, alice, bob):
    one, other = chat
    (alice.work / "a.txt").write_text("abc")
    one.enter(f"private file {bob.user} a.txt")
    other.wait_for("offers a.txt (3 bytes)")
    one.wait_last("[a.txt 0%] zchat>")
    one.key("C-c")
    one.wait_for("a.txt is given up")
    one.wait_last("zchat>")
    one.enter(f"private {bob.user} still here")
    other.wait_for("still here")
    other.enter(f"private take {alice.user}")
    other.wait_match("not taken: |offers no file")
    assert list(bob.work.iterdir()) == []


def test_paths_of_offered_files_are_completed(chat, alice, bob):
    one, other = chat
    (alice.work / "long name.txt").write_text("abc")
    one.type(f"private file {bob.user} lo")
    one.key("Tab")
    one.wait_last(f'zchat> private file {bob.user} "long name.txt"')
    one.key("Enter")
    other.wait_for("offers long name.txt")
    other.type("private ta")
    other.key("Tab")
    other.type("us")
    other.key("Tab")
    other.wait_last(f"zchat> private take {alice.user}")


def test_scripts_exchange_a_file(alice, bob):
    content = os.urandom(300_000)
    (alice.work / "f.bin").write_bytes(content)
    hers = ["recv 1 30", f"private start {bob.user}", f"private file {bob.user} {alice.work}/f.bin"]
    his = [f"send {alice.user} ready", f"accept {alice.user}",
           f"private take {alice.user} {bob.work}/got.bin"]
    ends = run_two(alice, bob, hers, his)
    assert [end[0] for end in ends] == [0, 0], ends
    assert (bob.work / "got.bin").read_bytes() == content
