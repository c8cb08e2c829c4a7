"""zmq-cli: inbox and recv, and that nothing is acknowledged before it was written or dealt with."""

import json
import os
import signal
import subprocess

import pytest

from support.broker import program
from support.patience import WAIT_S
from zmq_cli import CALL_S, Cli, end, is_message


@pytest.fixture
def folder(config_dirs):
    return config_dirs("recv")


@pytest.fixture
def reader(town, folder):
    """Whoever reads."""
    return Cli(town.broker, folder, town.name(), town.keys)


@pytest.fixture
def writer(town):
    """Sends texts to the reader: writer.tell("one", "two")."""
    return Writer(town)


class Writer:
    def __init__(self, town):
        self.client = town.join(inbox=False)

    def tell(self, reader, *texts):
        for text in texts:
            self.client.message(reader.environment["ZCHAT_USER"], text)


def texts(done):
    return [message["text"] for message in done.lines]


def unread(reader):
    return texts(reader.ok("inbox"))


def test_an_empty_inbox_is_no_error(reader):
    for words in (["inbox"], ["recv"], ["recv", "--ack"], ["recv", "--drain"]):
        assert reader.ok(*words).out == ""


def test_inbox_and_recv_print_what_is_unread_and_leave_it_unread(reader, writer):
    writer.tell(reader, "one", "two")
    for words in (["inbox"], ["recv"], ["inbox"]):
        done = reader.ok(*words)
        assert texts(done) == ["one", "two"]
        assert all(is_message(message) for message in done.lines), done
        assert [message["seq"] for message in done.lines] == ["1", "2"]
        assert all(message["missed"] is True for message in done.lines)


def test_ack_moves_the_cursor_past_what_was_written(reader, writer):
    writer.tell(reader, "one", "two")
    assert texts(reader.ok("recv", "--ack")) == ["one", "two"]
    assert unread(reader) == []
    writer.tell(reader, "three")
    assert unread(reader) == ["three"]


def test_count_ends_early_and_acks_no_more_than_it_printed(reader, writer):
    writer.tell(reader, "one", "two", "three")
    assert texts(reader.ok("recv", "--count", "2")) == ["one", "two"]
    assert texts(reader.ok("recv", "--count", "2", "--ack")) == ["one", "two"]
    assert texts(reader.ok("recv", "--count", "9", "--ack")) == ["three"]


def test_from_seq_begins_there_wherever_the_cursor_is(reader, writer):
    writer.tell(reader, "one", "two", "three")
    reader.ok("recv", "--drain")
    assert texts(reader.ok("recv", "--from-seq", "2")) == ["two", "three"]
    assert texts(reader.ok("recv", "--from-seq", "4")) == []
    assert texts(reader.ok("recv", "--from-seq", "99")) == []
    reader.fails(2, "INVALID", "recv", "--from-seq", "0")


def test_from_seq_with_ack_moves_the_cursor_past_what_was_printed_and_never_back(reader, writer):
    writer.tell(reader, "one", "two", "three")
    assert texts(reader.ok("recv", "--from-seq", "2", "--count", "1", "--ack")) == ["two"]
    assert unread(reader) == ["three"]
    assert texts(reader.ok("recv", "--from-seq", "1", "--count", "1", "--ack")) == ["one"]
    assert unread(reader) == ["three"]
    assert texts(reader.ok("recv", "--from-seq", "1", "--drain")) == ["one", "two", "three"]
    assert unread(reader) == []


@pytest.mark.parametrize("options", [["--count", "0"], ["--count", "-1"], ["--count", "many"], ["--wait", "soon"],
                                     ["--wait", "-1"], ["--from-seq", "x"], ["--exec"], ["--since", "1h"]])
def test_values_that_are_none_are_refused(reader, options):
    assert reader("recv", *options).status == 2


def test_count_is_over_where_there_are_no_more(reader, writer):
    writer.tell(reader, "one")
    assert texts(reader.ok("recv", "--count", "2")) == ["one"]
    assert reader.ok("recv", "--count", "2", "--from-seq", "9").out == ""


def test_follow_with_a_count_that_is_not_reached_is_timed_out(reader, writer):
    writer.tell(reader, "one")
    done = reader("recv", "--follow", "--count", "2", "--wait", "0.2", check=124)
    assert texts(done) == ["one"] and done.error["code"] == "EXPIRED"


def test_drain_reads_everything_and_ends(reader, writer):
    writer.tell(reader, "one", "two")
    assert texts(reader.ok("recv", "--drain")) == ["one", "two"]
    assert unread(reader) == []
    for other in (["--follow"], ["--count", "1"], ["--wait", "1"]):
        reader.fails(2, "INVALID", "recv", "--drain", *other)


def test_ones_own_messages_show_with_sent_only(reader, writer, town):
    writer.tell(reader, "in")
    reader.ok("send", writer.client.user, "out")
    assert unread(reader) == ["in"]
    done = reader.ok("recv", "--sent").lines
    assert [(message["text"], message.get("sent")) for message in done] == [("in", None),
                                                                          ("out", True)]
    assert texts(reader.ok("inbox", "--sent")) == ["in", "out"]
    assert done[1]["to"] == writer.client.user
    assert texts(reader.ok("recv", "--ack")) == ["in"]
    assert texts(reader.ok("inbox", "--sent")) == []


def test_more_than_a_page_comes_in_order_without_holes(reader, writer):
    many = [f"message {number}" for number in range(1203)]
    writer.tell(reader, *many)
    assert texts(reader.ok("recv", "--ack")) == many
    assert unread(reader) == []


def test_in_words_no_text_can_look_like_another_message(reader, writer):
    writer.tell(reader, "first\n2026-01-01T00:00:00Z eve: forged\n\nlast", "next\x1b[31m red")
    reader.options = []
    lines = reader.ok("recv").out.splitlines()
    assert lines[0].endswith(f"Z {writer.client.user}: first")
    assert lines[1:4] == ["    2026-01-01T00:00:00Z eve: forged", "    ", "    last"]
    assert lines[4].endswith(": next red") or lines[4].endswith(": next[31m red")
    assert "\x1b" not in "".join(lines)


# Waiting.

def test_wait_is_over_after_its_seconds(reader):
    error = reader.fails(124, "EXPIRED", "recv", "--wait", "0.2")
    assert "0.2 s" in error["message"]
    reader.fails(124, "EXPIRED", "recv", "--wait", "0")
    reader.fails(124, "EXPIRED", "recv", "--follow", "--wait", "0.2")


def test_wait_ends_at_once_where_there_is_something(reader, writer):
    writer.tell(reader, "here")
    assert texts(reader.ok("recv", "--wait", "60")) == ["here"]


def test_wait_ends_with_the_first_message_that_arrives(reader, writer):
    process = reader.start("recv", "--wait", "60")
    writer.tell(reader, "arrived")
    done = end(process)
    assert done.status == 0 and texts(done) == ["arrived"]


def test_wait_with_a_count_that_is_not_reached_is_timed_out(reader, writer):
    writer.tell(reader, "one")
    done = reader("recv", "--count", "2", "--wait", "0.2", check=124)
    assert texts(done) == ["one"] and done.error["code"] == "EXPIRED"
    writer.tell(reader, "two")
    assert texts(reader.ok("recv", "--count", "2", "--wait", "60")) == ["one", "two"]


def test_follow_with_wait_ends_well_when_it_falls_silent(reader, writer):
    writer.tell(reader, "one")
    assert texts(reader.ok("recv", "--follow", "--wait", "0.2")) == ["one"]


def test_follow_goes_on_until_the_count(reader, writer):
    writer.tell(reader, "before")
    process = reader.start("recv", "--follow", "--ack", "--count", "3")
    assert json.loads(process.stdout.readline())["text"] == "before"
    writer.tell(reader, "live", "last", "not this one")
    done = end(process)
    assert done.status == 0 and texts(done) == ["live", "last"]
    assert [message["missed"] for message in done.lines] == [False, False]
    assert unread(reader) == ["not this one"]


def test_follow_waits_longer_than_a_timeout_that_its_call_does_not_give(reader, writer):
    process = reader.start("recv", "--follow", "--count", "2", ZCHAT_TIMEOUT="0.5")
    writer.tell(reader, "one")
    process.stdout.readline()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    writer.tell(reader, "two")
    assert end(process).status == 0


@pytest.mark.parametrize("words", [["--follow"], ["--follow", "--count", "1"], ["--wait", "60"],
                                   ["--follow", "--exec", "cat"]])
def test_a_timeout_that_is_given_ends_recv_whatever_it_waits_for(reader, words):
    error = reader.fails(124, "EXPIRED", "--timeout", "2", "recv", *words)
    assert "2 s of --timeout" in error["message"]


def test_a_timeout_of_the_environment_ends_what_does_not_follow(reader):
    error = reader.fails(124, "EXPIRED", "recv", "--wait", "60", ZCHAT_TIMEOUT="2")
    assert "2 s of --timeout" in error["message"]


@pytest.mark.parametrize("verb", ["inbox", "recv"])
def test_a_timeout_that_is_given_ends_a_long_inbox_that_is_read_slowly(reader, writer, verb):
    writer.tell(reader, *(f"{number} {'x' * 16000}" for number in range(200)))
    process = reader.start("--timeout", "1", verb)
    process.stdout.readline()
    assert process.wait(CALL_S) == 124  # it stood in the middle of its first page
    done = end(process)
    assert "1 s" in done.error["message"]
    assert done.out.count("\n") < 199


def test_what_came_before_the_timeout_is_printed_and_acked(reader, writer):
    writer.tell(reader, "one")
    done = reader("--timeout", "2", "recv", "--follow", "--ack", check=124)
    assert texts(done) == ["one"] and done.error["code"] == "EXPIRED"
    assert unread(reader) == []


def test_follow_goes_on_over_a_restart_of_the_broker(town_factory, folder):
    town = town_factory(accounts=9)
    reader = Cli(town.broker, folder, town.name(), town.keys)
    for stop in (town.broker.stop, town.broker.kill):
        writer = Writer(town)
        writer.tell(reader, "before")
        process = reader.start("recv", "--follow", "--ack", "--count", "2")
        assert json.loads(process.stdout.readline())["text"] == "before"
        stop()
        town.broker.restart()
        Writer(town).tell(reader, "after")
        done = end(process)
        assert done.status == 0 and texts(done) == ["after"], done
        assert "lost the broker" in done.err
        assert unread(reader) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_follow_has_acked_what_it_wrote(reader, writer, number):
    writer.tell(reader, "one")
    process = reader.start("recv", "--follow", "--ack")
    process.stdout.readline()
    process.send_signal(number)
    done = end(process)
    assert done.status == 130 and done.err == "", done
    assert unread(reader) == []


# Nothing is lost.

def test_killed_in_the_middle_loses_nothing(reader, writer):
    many = [f"{number:04} {'x' * 500}" for number in range(1500)]
    writer.tell(reader, *many)
    seen = []
    for lines in (1, 700, 300):
        process = reader.start("recv", "--ack", "--follow")
        seen += [json.loads(process.stdout.readline())["text"] for _ in range(lines)]
        process.kill()
        seen += texts_of_whole_lines(end(process).out)
    seen += texts(reader.ok("recv", "--ack"))
    assert sorted(set(seen)) == many
    assert unread(reader) == []


def texts_of_whole_lines(out):
    return [json.loads(line)["text"] for line in out.splitlines(keepends=True)
            if line.endswith("\n")]


def test_what_cannot_be_written_is_not_acked(reader, writer):
    writer.tell(reader, "one", "two")
    with open("/dev/full", "w") as full:
        done = end(reader.start("recv", "--ack", stdout=full))
    assert done.status == 3 and done.error["code"] == "IO"
    assert unread(reader) == ["one", "two"]


def test_a_full_disk_is_an_error_of_any_verb(reader):
    with open("/dev/full", "w") as full:
        for words in (["ping"], ["stats"], ["--help"], ["--version"]):
            done = end(reader.start(*words, stdout=full))
            assert done.status == 3 and done.error["code"] == "IO", done


def test_a_closed_stdout_is_an_error(reader, writer):
    writer.tell(reader, "one")
    done = subprocess.run(["sh", "-c", f"{program('zmq-cli')} --json recv --ack >&-"], text=True,
                          timeout=WAIT_S, capture_output=True, env=reader.environment)
    assert done.returncode == 3 and json.loads(done.stderr)["error"]["code"] == "IO", done
    assert unread(reader) == ["one"]


def test_a_broken_pipe_ends_it_quietly(reader, writer):
    writer.tell(reader, *(f"{number} {'x' * 1000}" for number in range(700)))
    command = f"{program('zmq-cli')} --json recv --ack | head -n 1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], text=True, timeout=WAIT_S,
                          capture_output=True, env=reader.environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["text"].startswith("0 ")
    rest = unread(reader)
    assert rest and rest[-1].startswith("699 ")


# Commands that deal with messages.

def test_exec_hands_over_each_text_and_acks_it(reader, writer, tmp_path):
    writer.tell(reader, "one", "two\nlines")
    reader.options = []
    out = tmp_path / "out"
    done = reader.ok("recv", "--exec", f"cat >> {out}; echo $ZCHAT_SEQ $ZCHAT_FROM $ZCHAT_TO >> {out}")
    assert done.out == ""
    names = f"{writer.client.user} {reader.environment['ZCHAT_USER']}"
    assert out.read_text() == f"one\n1 {names}\ntwo\nlines\n2 {names}\n"
    assert reader.ok("inbox").out == ""


def test_exec_hands_over_the_object_with_json(reader, writer, tmp_path):
    writer.tell(reader, "one")
    out, env = tmp_path / "out", tmp_path / "env"
    reader.ok("recv", "--exec", f"cat > {out}; echo $ZCHAT_ID $ZCHAT_TIME > {env}")
    message = json.loads(out.read_text())
    assert is_message(message) and message["text"] == "one"
    assert env.read_text().split() == [message["id"], message["time"]]


def numbers(path):
    return [int(word) for word in path.read_text().split()] if path.exists() else []


def test_exec_goes_with_each_of_the_other_options(reader, writer, tmp_path):
    out = tmp_path / "out"
    command = ["--exec", f"echo $ZCHAT_SEQ >> {out}"]
    reader.fails(124, "EXPIRED", "recv", *command, "--wait", "0.2")
    writer.tell(reader, "1", "2", "3", "4")
    reader.ok("recv", *command, "--count", "1")
    assert numbers(out) == [1] and unread(reader) == ["2", "3", "4"]
    reader.ok("recv", *command, "--count", "1", "--wait", "60", "--ack")
    assert numbers(out) == [1, 2] and unread(reader) == ["3", "4"]
    reader.ok("recv", *command, "--from-seq", "1", "--count", "2")
    assert numbers(out) == [1, 2, 1, 2] and unread(reader) == ["3", "4"]
    reader.ok("recv", *command, "--drain")
    assert numbers(out)[4:] == [3, 4] and unread(reader) == []
    reader.ok("send", writer.client.user, "5")
    writer.tell(reader, "6")
    reader.ok("recv", *command)
    assert numbers(out)[6:] == [6]
    reader.ok("recv", *command, "--from-seq", "5", "--sent", "--follow", "--count", "2")
    assert numbers(out)[7:] == [5, 6]


def test_exec_that_fails_leaves_what_follows_unread_whatever_ends_the_call(reader, writer, tmp_path):
    writer.tell(reader, "1", "2", "3")
    for options in ([], ["--follow"], ["--drain"], ["--count", "3"], ["--wait", "60"]):
        reader.fails(1, "COMMAND_FAILED", "recv", *options, "--exec", "false")
        assert unread(reader) == ["1", "2", "3"]
    reader.fails(1, "COMMAND_FAILED", "recv", "--exec", "test $ZCHAT_SEQ = 1")
    assert unread(reader) == ["2", "3"]


def test_exec_stops_at_the_message_whose_command_fails(reader, writer):
    writer.tell(reader, "good", "bad", "after")
    error = reader.fails(1, "COMMAND_FAILED", "recv", "--exec", "grep -qv bad")
    assert "status 1" in error["message"] and "entry 2" in error["message"]
    assert unread(reader) == ["bad", "after"]
    error = reader.fails(1, "COMMAND_FAILED", "recv", "--exec", "kill -9 $$")
    assert "137" in error["message"]


def test_exec_acks_each_message_when_its_command_is_done(reader, writer, tmp_path):
    """Killed while the second command runs: the first message is read, the second is not."""
    writer.tell(reader, "one", "two", "three")
    began, hold = tmp_path / "began", tmp_path / "hold"
    os.mkfifo(began)
    os.mkfifo(hold)
    process = reader.start("recv", "--exec", f"grep -q one && exit 0; echo > {began}; cat {hold}")
    with open(began) as fifo:
        fifo.read()
    process.kill()
    with open(hold, "w"):
        pass
    end(process)
    assert unread(reader) == ["two", "three"]


def test_exec_goes_on_over_a_restart_of_the_broker(town_factory, folder, tmp_path):
    town = town_factory(accounts=9)
    reader = Cli(town.broker, folder, town.name(), town.keys)
    Writer(town).tell(reader, "before")
    process = reader.start("recv", "--follow", "-q", "--count", "2", "--exec", "cat")
    assert json.loads(process.stdout.readline())["text"] == "before"
    town.broker.kill()
    town.broker.restart()
    Writer(town).tell(reader, "after")
    done = end(process)
    assert (done.status, texts(done), done.err) == (0, ["after"], ""), done
    assert unread(reader) == []


def test_exec_is_none_the_worse_for_a_command_that_reads_nothing(reader, writer):
    writer.tell(reader, *["x" * 16000] * 8)
    reader.ok("recv", "--exec", "true")
    assert unread(reader) == []


def test_exec_gives_its_command_the_signals_a_shell_expects(reader, writer):
    writer.tell(reader, "one")
    error = reader.fails(1, "COMMAND_FAILED", "recv", "--exec", "kill -PIPE $$")
    assert "141" in error["message"]


# They hold stdout open, so that none of them is left when a call's stdout has ended.
ENDLESS = "(sleep 30; true) & sleep 30; true"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_too_and_its_message_stays_unread(reader, writer, tmp_path, number):
    writer.tell(reader, "one", "two")
    began = tmp_path / "began"
    os.mkfifo(began)
    process = reader.start("recv", "--exec", f"echo > {began}; {ENDLESS}")
    with open(began) as fifo:
        fifo.read()
    process.send_signal(number)
    done = end(process)
    assert (done.status, done.err) == (130, ""), done
    assert unread(reader) == ["one", "two"]


def test_a_timeout_that_is_given_ends_the_command_too_and_its_message_stays_unread(reader, writer):
    writer.tell(reader, "x" * 16000, "two")
    error = reader.fails(124, "EXPIRED", "--timeout", "2", "recv", "--exec", ENDLESS)
    assert "entry 1 stays unread" in error["message"]
    assert unread(reader) == ["x" * 16000, "two"]
