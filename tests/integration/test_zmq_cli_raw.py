"""zmq-cli raw: plain ZeroMQ sockets from the shell, against peers that are not ours."""

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import threading

import pytest
import zmq

from support.broker import die_with_parent, program
from support.patience import WAIT_S
from zmq_cli import CALL_S, ONE_VOICE, Cli, assert_help_in_one_voice

WAIT_MS = WAIT_S * 1000


@pytest.fixture
def cli(config_dirs):
    return Cli(None, config_dirs("raw"), json_lines=False)


@pytest.fixture
def context():
    context = zmq.Context()
    context.linger = 0  # of each socket: one that a test has forgotten is closed before the context is
    yield context
    context.destroy(linger=0)


@pytest.fixture
def peer(context):
    """Makes a socket that fails rather than waits for ever: peer("PULL", "bind", address)."""
    def make(kind, way, address, **options):
        made = context.socket(getattr(zmq, kind))
        made.rcvtimeo = made.sndtimeo = WAIT_MS
        for name, value in options.items():
            setattr(made, name, value)
        getattr(made, way)(address)
        return made

    return make


@pytest.fixture
def address(tmp_path):
    return f"ipc://{tmp_path}/socket"


@contextlib.contextmanager
def running(cli, *words):
    """A call of raw with pipes at its three ends."""
    process = subprocess.Popen([program("zmq-cli"), "raw", *words], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=cli.environment,
                               preexec_fn=die_with_parent)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ends(process, status=0, stdin=None):
    out, err = process.communicate(stdin, timeout=CALL_S)
    assert process.returncode == status, (process.returncode, out, err)
    return out


def raw(cli, *words, stdin=b"", status=0):
    """The bytes that a call printed, and what it said."""
    done = subprocess.run([program("zmq-cli"), "raw", *words], input=stdin, capture_output=True,
                          timeout=CALL_S, env=cli.environment)
    assert done.returncode == status, done
    return done.stdout, done.stderr.decode()


OTHER_WAY = {"bind": "-c", "connect": "-b"}


# Every type, bound and connected.

@pytest.mark.parametrize("way", ["bind", "connect"])
@pytest.mark.parametrize("ours, theirs, more", [
    ("PUSH", "PULL", []), ("PAIR", "PAIR", ["-w"]), ("DEALER", "DEALER", ["-w"]),
    ("PUB", "SUB", ["--subscribers", "1"]),
    ("XPUB", "SUB", ["-w", "--subscribers", "1"])])
def test_lines_of_stdin_arrive_as_messages_in_order(cli, peer, address, ours, theirs, more, way):
    options = {"subscribe": b""} if theirs == "SUB" else {}
    with running(cli, OTHER_WAY[way], ours, *more, address) as process:
        other = peer(theirs, way, address, **options)
        process.stdin.write(b"one\ntwo\n\nlast without newline")
        process.stdin.close()
        process.stdin = None
        assert [other.recv() for _ in range(4)] == [b"one", b"two", b"", b"last without newline"]
        assert ends(process) == b""


@pytest.mark.parametrize("way", ["bind", "connect"])
@pytest.mark.parametrize("ours, theirs, more", [
    ("PULL", "PUSH", []), ("PAIR", "PAIR", ["-r"]), ("DEALER", "DEALER", ["-r"]),
    ("SUB", "XPUB", []), ("XSUB", "XPUB", ["-r"])])
def test_messages_become_lines_and_their_parts_have_a_tab_between(cli, peer, address, ours, theirs,
                                                                  more, way):
    with running(cli, OTHER_WAY[way], ours, *more, "-n", "3", address) as process:
        other = peer(theirs, way, address)
        if theirs == "XPUB":
            assert other.recv() == b"\1"
        for parts in ([b"one"], [b"two", b"", b"parts"], ["ü世界".encode()]):
            other.send_multipart(parts)
        assert ends(process, stdin=b"") == "one\ntwo\t\tparts\nü世界\n".encode()


@pytest.mark.parametrize("way", ["bind", "connect"])
def test_a_req_sends_a_line_and_prints_the_answer(cli, peer, address, way):
    with running(cli, OTHER_WAY[way], "REQ", address) as process:
        other = peer("REP", way, address)
        process.stdin.write(b"one\ntwo\n")
        process.stdin.close()
        process.stdin = None
        for _ in range(2):
            other.send(other.recv().upper())
        assert ends(process) == b"ONE\nTWO\n"


@pytest.mark.parametrize("way", ["bind", "connect"])
def test_a_rep_prints_requests_and_answers_with_lines(cli, peer, address, way):
    with running(cli, OTHER_WAY[way], "REP", "-n", "2", address) as process:
        other = peer("REQ", way, address)
        process.stdin.write(b"first\nsecond\n")
        process.stdin.flush()
        answers = []
        for question in (b"q1", b"q2"):
            other.send(question)
            answers.append(other.recv())
        assert ends(process) == b"q1\nq2\n" and answers == [b"first", b"second"]


def test_a_rep_that_only_reads_answers_with_nothing_and_a_req_that_only_writes_prints_nothing(
        cli, peer, address):
    with running(cli, "-rb", "REP", "-n", "2", address) as process:
        assert raw(cli, "-wc", "REQ", address, stdin=b"one\ntwo\n")[0] == b""
        assert ends(process) == b"one\ntwo\n"


def test_a_router_names_peers_and_sends_to_them_by_name(cli, peer, address):
    with running(cli, "-b", "ROUTER", "-n", "2", address) as process:
        named = peer("DEALER", "connect", address, routing_id=b"bob")
        named.send_multipart([b"", b"hello"])
        assert process.stdout.readline() == b"bob\t\thello\n"
        process.stdin.write(b"bob\tyou too\n")
        process.stdin.flush()
        assert named.recv() == b"you too"
        nameless = peer("REQ", "connect", address)
        nameless.send(b"who am I")
        who, empty, text = process.stdout.readline().rstrip(b"\n").split(b"\t")
        assert who.startswith(b"0x00") and (empty, text) == (b"", b"who am I")


def test_a_router_answers_a_peer_without_a_name_by_the_hex_that_it_printed(cli, peer, address):
    with running(cli, "-mb", "ROUTER", address) as process:
        other = peer("REQ", "connect", address)
        other.send(b"?")
        who = process.stdout.readline().split(b"\t")[0]
        process.stdin.write(who + b"\t\t42\tmore\n")
        process.stdin.flush()
        assert other.recv_multipart() == [b"42", b"more"]


def test_a_router_that_has_no_such_peer_says_so_goes_on_and_exits_5(cli, peer, address):
    with running(cli, "-wb", "ROUTER", address) as process:
        other = peer("DEALER", "connect", address, routing_id=b"bob")
        other.send(b"here")
        process.stdin.write(b"nobody\tx\nno peer at all\n")
        process.stdin.flush()
        said = process.stderr.readline().decode(), process.stderr.readline().decode()
        assert "line 1 " in said[0] and "not connected" in said[0] and "line 2 " in said[1]
        ends(process, 5, stdin=b"nobody\tx\n")


def test_a_stream_talks_to_what_is_no_zeromq(cli):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(WAIT_S)
        with running(cli, "-c", "STREAM", f"tcp://127.0.0.1:{listener.getsockname()[1]}") as process:
            other, _ = listener.accept()
            who, opened = process.stdout.readline().rstrip(b"\n").split(b"\t")
            assert who.startswith(b"0x") and opened == b""
            process.stdin.write(who + b"\tGET /\n")
            process.stdin.flush()
            assert other.recv(5, socket.MSG_WAITALL) == b"GET /"
            other.sendall(b"200")
            assert process.stdout.readline() == who + b"\t200\n"
            other.close()


def test_an_xpub_prints_subscriptions_and_an_xsub_sends_what_it_is_told(cli, peer, address):
    with running(cli, "-b", "XPUB", "-n", "1", address) as process:
        subscriber = peer("SUB", "connect", address, subscribe=b"topic")
        assert ends(process, stdin=b"") == b"\1topic\n"
        subscriber.close()
    with running(cli, "-c", "XSUB", "-o", "subscribe=a", "-o", "unsubscribe=b", "-n", "1",
                 address) as process:
        other = peer("XPUB", "bind", address)
        assert other.recv() == b"\1a"
        process.stdin.write(b"\1c\n")
        process.stdin.flush()
        assert other.recv() == b"\1c"
        other.send(b"c!")
        assert ends(process, stdin=b"") == b"c!\n"


def test_a_pub_waits_for_so_many_subscriptions_and_loses_nothing(cli, peer, address):
    lines = b"".join(b"%d\n" % n for n in range(5000))
    with running(cli, "-wb", "PUB", "--subscribers", "2", address) as process:
        subscribers = [peer("SUB", "connect", address, subscribe=b"") for _ in range(2)]
        # libzmq drops what a full SUB has not taken from the kernel when the other end closes: so it stays open.
        writing = threading.Thread(target=lambda: (process.stdin.write(lines), process.stdin.flush()))
        writing.start()
        for line in lines.splitlines():
            assert [subscriber.recv() for subscriber in subscribers] == [line, line]
        writing.join()
        ends(process)


# What the lines are.

def test_with_multipart_a_tab_begins_a_part_and_without_it_none(cli, peer, address):
    other = peer("PULL", "bind", address)
    raw(cli, "-wc", "PUSH", address, stdin=b"a\tb\n")
    raw(cli, "-mwc", "PUSH", address, stdin=b"a\tb\t\n")
    assert other.recv_multipart() == [b"a\tb"] and other.recv_multipart() == [b"a", b"b", b""]


def test_with_0_a_nul_ends_a_message_and_newlines_are_part_of_it(cli, peer, address):
    binary = bytes(range(1, 256))
    other = peer("PULL", "bind", address)
    raw(cli, "-0wc", "PUSH", address, stdin=binary + b"\0" + b"a\nb")
    assert other.recv() == binary and other.recv() == b"a\nb"
    other = peer("PUSH", "connect", address + "2")
    other.send(binary)
    other.send(b"a\nb")
    assert raw(cli, "-0rb", "PULL", "-n", "2", address + "2")[0] == binary + b"\0a\nb\0"


def test_json_holds_any_bytes_and_parts_and_is_read_as_it_was_written(cli, peer, address):
    messages = [[b"text", "ü".encode(), b"a\0b"], [b"x", bytes(range(256))], [b""]]
    other = peer("PUSH", "connect", address)
    for parts in messages:
        other.send_multipart(parts)
    out, _ = raw(cli, "--json", "-rb", "PULL", "-n", "3", address)
    lines = [json.loads(line) for line in out.splitlines()]
    assert lines[0] == {"parts": ["text", "ü", "a\0b"]} and lines[2] == {"parts": [""]}
    assert [base64.b64decode(part) for part in lines[1]["parts_b64"]] == messages[1]
    sink = peer("PULL", "bind", address + "2")
    raw(cli, "--json", "--json-in", "-wc", "PUSH", address + "2", stdin=out)
    assert [sink.recv_multipart() for _ in messages] == messages


def test_json_names_the_peer_apart(cli, peer, address):
    with running(cli, "--json", "--json-in", "-b", "ROUTER", address) as process:
        other = peer("DEALER", "connect", address)
        other.send_multipart([b"", b"\xff"])
        line = json.loads(process.stdout.readline())
        assert line["peer"].startswith("0x00") and line["parts_b64"] == ["", "/w=="]
        process.stdin.write(json.dumps({"peer": line["peer"], "parts": ["", "yes"]}).encode() + b"\n")
        process.stdin.flush()
        assert other.recv_multipart() == [b"", b"yes"]


@pytest.mark.parametrize("line", [
    b"nothing", b"[]", b'{"parts":[]}', b'{"parts":"a"}', b'{"parts":[1]}', b'{"parts_b64":["*"]}',
    b'{"parts":["a"],"parts_b64":["YQ=="]}', b'{"parts":["a"],"peer":"x"}', b'{"parts":["\xff"]}'])
def test_a_line_that_is_no_message_is_told_with_its_number_and_the_others_go(cli, peer, address, line):
    other = peer("PULL", "bind", address)
    _, err = raw(cli, "--json", "--json-in", "-wc", "PUSH", address, status=2,
                 stdin=line + b'\n{"parts":["good"]}\n')
    error = json.loads(err)["error"]
    assert error["code"] == "INVALID" and error["message"].startswith("line 1 ")
    assert ONE_VOICE.match(error["message"]) and other.recv() == b"good"


def test_a_message_of_many_megabytes_passes_whole_both_ways(cli, peer, address):
    big = os.urandom(1 << 20).hex().encode() * 16
    other = peer("PULL", "bind", address)
    raw(cli, "-wc", "PUSH", address, stdin=big)
    assert other.recv() == big
    other = peer("PUSH", "connect", address + "2")
    other.send(big)
    assert raw(cli, "-rb", "PULL", "-n", "1", address + "2")[0] == big + b"\n"


def test_nothing_of_a_message_but_its_text_reaches_a_terminal(cli, peer, address):
    leader, follower = os.openpty()
    other = peer("PUSH", "connect", address)
    other.send(b"a\x1b]0;title\x07b\0c\x9b31m")
    process = subprocess.Popen([program("zmq-cli"), "raw", "-rb", "PULL", "-n", "1", address],
                               stdin=subprocess.DEVNULL, stdout=follower, env=cli.environment)
    os.close(follower)
    assert process.wait(CALL_S) == 0
    seen = os.read(leader, 4096)
    os.close(leader)
    assert b"a" in seen and b"b.c" in seen and not set(seen) & {0, 7, 0x1b, 0x9b}


# Options of the socket.

def test_options_are_set_by_their_names_in_any_case_with_or_without_zmq(cli, peer, address):
    other = peer("ROUTER", "bind", address)
    for name in ("routing_id", "IDENTITY", "ZMQ_ROUTING_ID", "zmq_identity"):
        raw(cli, "-wc", "DEALER", "-o", f"{name}={name}", "-o", "hwm=5", "-o", "linger=-1", address,
            stdin=b"hi\n")
        assert other.recv_multipart() == [name.encode(), b"hi"]
    raw(cli, "-wc", "DEALER", "-o", "routing_id=0x01ff", address, stdin=b"hi\n")
    assert other.recv_multipart() == [b"\x01\xff", b"hi"]


def test_a_sub_gets_what_it_subscribed_to_and_all_if_it_says_nothing(cli, peer, address):
    for words, expected in ((["-o", "subscribe=a", "-o", "SUBSCRIBE=c"], b"a1\nc1\n"), ([], b"a1\nb1\n")):
        with running(cli, "-rc", "SUB", *words, "-n", "2", address) as process:
            other = peer("XPUB", "bind", address)
            for _ in range(len(words) // 2 or 1):
                other.recv()
            for text in (b"a1", b"b1", b"c1"):
                other.send(text)
            assert ends(process) == expected
            other.close(linger=0)


@pytest.mark.parametrize("setting, why", [
    ("nothing", "NAME=VALUE"), ("=1", "NAME=VALUE"), ("lingr=1", "nearest is linger"), ("fd=1", "no option"),
    ("linger=soon", "whole number"), ("linger=99999999999", "whole number"), ("linger=", "whole number"),
    ("sndhwm=-1", "Invalid"), ("ipv6=maybe", "yes or no"), ("curve_serverkey=short", "40 characters"),
    ("curve_secretkey=" + "x" * 64, "64 hex"), ("subscribe=a", "does not take"),
    ("routing_id=" + "x" * 256, "does not take"), ("routing_id=" + "x" * 1025, "1024 bytes"),
    ("maxmsgsize=1.5", "whole number"), ("plain_password=@/no/such/file", "/no/such/file")])
def test_an_option_that_is_wrong_is_exit_2_and_says_what_it_wants(cli, address, setting, why):
    out, err = raw(cli, "-wc", "PUSH", "-o", setting, address, status=2)
    assert out == b"" and why in err and ONE_VOICE.match(err.strip()), err


@pytest.mark.parametrize("setting", ["curve_secretkey=hidden", "plain_password=" + 43 * "hidden",
                                     "plain_password=" + 200 * "hidden"])
def test_a_secret_is_not_told_again_if_it_is_wrong(cli, address, setting):
    assert "hidden" not in raw(cli, "-wc", "PUSH", "-o", setting, address, status=2)[1]


@pytest.mark.parametrize("form", ["z85", "hex", "file"])
def test_curve_keys_are_z85_or_hex_or_in_a_file_and_a_client_needs_none_of_its_own(
        cli, context, address, tmp_path, form):
    public, secret = zmq.curve_keypair()

    def written(key):
        if form == "file":
            path = tmp_path / f"key-{key == secret}"
            path.write_bytes(key + b"\n")
            return f"@{path}"
        return key.decode() if form == "z85" else zmq.utils.z85.decode(key).hex()

    with running(cli, "-rb", "PULL", "-n", "1", "-o", "curve_server=yes", "-o",
                 f"curve_secretkey={written(secret)}", address) as process:
        plain = context.socket(zmq.PUSH)
        plain.linger = 0
        plain.connect(address)
        plain.send(b"not encrypted")
        raw(cli, "-wc", "PUSH", "-o", f"curve_serverkey={written(public)}", address, stdin=b"secret\n")
        assert ends(process) == b"secret\n"


def test_a_key_that_begins_with_an_at_sign_is_no_file(cli, address):
    public, secret = zmq.curve_keypair()
    while not public.startswith(b"@"):
        public, secret = zmq.curve_keypair()
    with running(cli, "-rb", "PULL", "-n", "1", "-o", "curve_server=yes", "-o",
                 f"curve_secretkey={zmq.utils.z85.decode(secret).hex()}", address) as process:
        raw(cli, "-wc", "PUSH", "-o", f"curve_serverkey={public.decode()}", address, stdin=b"x\n")
        assert ends(process) == b"x\n"


def test_a_curve_client_can_have_the_key_that_a_server_asks_for(cli, context, address):
    server, client = zmq.curve_keypair(), zmq.curve_keypair()
    zap = context.socket(zmq.REP)
    zap.rcvtimeo = WAIT_MS
    zap.bind("inproc://zeromq.zap.01")
    other = context.socket(zmq.PULL)
    other.rcvtimeo = WAIT_MS
    other.curve_server, other.curve_secretkey = True, server[1]
    other.bind(address)
    with running(cli, "-wc", "PUSH", "-o", f"curve_serverkey={server[0].decode()}", "-o",
                 f"curve_secretkey={client[1].decode()}", address) as process:
        request = zap.recv_multipart()
        assert request[6] == zmq.utils.z85.decode(client[0])
        zap.send_multipart([request[0], request[1], b"200", b"", b"", b""])
        ends(process, stdin=b"hello\n")
        assert other.recv() == b"hello"


# How it ends.

def test_n_ends_it_after_so_many(cli, peer, address):
    other = peer("PULL", "bind", address)
    raw(cli, "-wc", "PUSH", "-n", "2", address, stdin=b"1\n2\n3\n")
    assert other.recv() == b"1" and other.recv() == b"2"
    other = peer("PUSH", "connect", address + "2")
    for n in range(5):
        other.send(b"%d" % n)
    assert raw(cli, "-rb", "PULL", "-n", "2", address + "2")[0] == b"0\n1\n"


def test_everything_written_is_sent_before_it_ends_even_to_a_peer_that_comes_late(cli, peer, address):
    lines = b"".join(b"%d\n" % n for n in range(500))
    with running(cli, "-wc", "PUSH", "--timeout", str(WAIT_S), address) as process:
        process.stdin.write(lines)
        process.stdin.close()
        process.stdin = None
        other = peer("PULL", "bind", address)
        assert b"".join(other.recv() + b"\n" for _ in range(500)) == lines
        ends(process)


def test_what_nobody_takes_is_exit_124_with_a_sentence(cli, address):
    for way in ("-wc", "-wb"):
        _, err = raw(cli, way, "PUSH", "--timeout", "0.2", address, stdin=b"x\n", status=124)
        assert "within --timeout, 0.2 s" in err and err.count("\n") == 1
    assert "--timeout" in raw(cli, "-rb", "PULL", "--timeout", "0.2", address, status=124)[1]


def test_memory_stays_bounded_where_nobody_takes_what_is_written(cli, address):
    with running(cli, "-wc", "PUSH", "-o", "sndhwm=10", address) as process:
        os.set_blocking(process.stdin.fileno(), False)
        written = 0
        poller = zmq.Poller()
        poller.register(process.stdin.fileno(), zmq.POLLOUT)
        while poller.poll(500) and written < 1 << 26:
            written += os.write(process.stdin.fileno(), b"x" * 1023 + b"\n")
        assert written < 1 << 22
        process.send_signal(signal.SIGINT)
        process.stdin = None
        ends(process, 130)


def test_wait_ends_it_when_nothing_comes_any_more(cli, peer, address):
    other = peer("PUSH", "connect", address)
    other.send(b"one")
    assert raw(cli, "-rb", "PULL", "--wait", "0.3", address)[0] == b"one\n"
    assert "--wait" in raw(cli, "-rb", "PULL", "--wait", "0.1", address, status=124)[1]
    other.send(b"one")
    assert raw(cli, "-rb", "PULL", "--wait", "0.3", "-n", "2", address, status=124)[0] == b"one\n"


def test_a_dealer_prints_answers_until_wait_is_over_behind_the_end_of_stdin(cli, peer, address):
    other = peer("ROUTER", "bind", address)
    with running(cli, "-c", "DEALER", "--wait", "1", address) as process:
        process.stdin.write(b"ping\n")
        process.stdin.close()
        process.stdin = None
        other.send_multipart([other.recv_multipart()[0], b"pong"])
        assert ends(process) == b"pong\n"


def test_a_reader_that_goes_away_ends_it_quietly(cli, peer, address):
    other = peer("PUSH", "connect", address)
    with running(cli, "-rb", "PULL", address) as process:
        other.send(b"one")
        assert process.stdout.readline() == b"one\n"
        process.stdout.close()
        other.send(b"two")
        assert process.wait(CALL_S) == 0 and process.stderr.read() == b""
        process.stdout = None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_exit_130(cli, peer, address, number):
    other = peer("PUSH", "connect", address)
    with running(cli, "-rb", "PULL", address) as process:
        other.send(b"one")
        assert process.stdout.readline() == b"one\n"
        process.send_signal(number)
        ends(process, 130)


def test_a_full_disk_is_exit_3(cli, peer, address):
    other = peer("PUSH", "connect", address)
    other.send(b"one")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([program("zmq-cli"), "raw", "-rb", "PULL", address], stdout=full,
                              stderr=subprocess.PIPE, env=cli.environment, timeout=CALL_S)
    assert done.returncode == 3 and b"standard output" in done.stderr


def test_a_port_that_it_may_choose_is_told_and_an_address_in_use_is_exit_3(cli):
    with running(cli, "-rb", "PULL", "tcp://127.0.0.1:*") as process:
        address = process.stderr.readline().decode().split()[-1]
        raw(cli, "-wc", "PUSH", address, stdin=b"x\n")
        assert process.stdout.readline() == b"x\n"
        _, err = raw(cli, "-rb", "PULL", address, status=3)
        assert address in err and "in use" in err


@pytest.mark.parametrize("words", [
    ["PULL", "ipc://x"], ["-bc", "PULL", "ipc://x"], ["-c", "PULL"], ["-c", "PILL", "ipc://x"],
    ["-wc", "PULL", "ipc://x"], ["-rc", "PUSH", "ipc://x"], ["-rc", "REQ", "ipc://x"],
    ["-c", "PULL", "nowhere"], ["-c", "PULL", "tcp://x"], ["-c", "PULL", "--subscribers", "1", "ipc://x"],
    ["-c", "PULL", "-n", "0", "ipc://x"], ["-c", "PULL", "--output", "x", "ipc://x"]])
def test_wrong_usage_is_exit_2(cli, words):
    out, err = raw(cli, *words, status=2)
    assert out == b"" and err.count("\n") == 1 and ONE_VOICE.match(err.strip()), err


def test_o_is_still_the_path_of_a_download(cli):
    assert "--output PATH" in cli.ok("file", "get", "--help").out
    assert "-o, --option" in cli.ok("raw", "--help").out
    assert_help_in_one_voice(cli.ok("raw", "--help").out)
