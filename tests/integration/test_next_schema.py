"""The schema's growth: a copy of the checkout gets one more command, field and event, which makes its schema
another number, and is built. Old clients talk to the new broker, new ones to the old broker."""

import json
import re
import shutil
import subprocess

import pytest

from support import schema
from support.broker import Broker, ROOT, bin_dir
from support.client import greet
from support.raw import field, varint
from support.town import Town
from zmq_cli import Cli

BUILD_S = 280
NUMBER = int(re.search(r"SCHEMA_NUMBER (\d+)", (ROOT / "proto/limits.h").read_text())[1])
PATCHES = {
    "proto/limits.h": [(f"SCHEMA_NUMBER {NUMBER}", f"SCHEMA_NUMBER {NUMBER + 1}")],
    "proto/zchat/v1/people.proto": [
        ("bool require_online = 4;", "bool require_online = 4;\n  string mood = 1005;"),
        ("message BroadcastRequest {", "message NudgeEvent {\n  string mood = 1;\n}\n\nmessage BroadcastRequest {"),
        ("message MessageEvent {", "message MessageEvent {\n  string mood = 1009;"),
        ("message SendMessageResponse {", "message SendMessageResponse {\n  string mood = 1009;")],
    "proto/zchat/v1/admin.proto": [
        ("message PingRequest {}", "message PingRequest {}\n\nmessage EchoRequest {\n  string text = 1;\n}\n\n"
                                   "message EchoResponse {\n  string text = 1;\n}")],
    "proto/zchat/v1/batch.proto": [
        ("PingRequest ping = 40;", "PingRequest ping = 40;\n    EchoRequest echo = 1049;"),
        ("PingResponse ping = 40;", "PingResponse ping = 40;\n    EchoResponse echo = 1049;"),
        ("PrivateEnded private_ended = 19;", "PrivateEnded private_ended = 19;\n    NudgeEvent nudge = 1021;")],
    "broker/core/message.c": [
        ("    message.text = new->text;", "    message.text = new->text;\n    message.mood = new->mood;"),
        ("SEND_MESSAGE_RESPONSE__INIT;", 'SEND_MESSAGE_RESPONSE__INIT;\n    sent.mood = "fine";')],
    "broker/core/admin.c": [("static void ping_done(struct call *call) {", """
static void echo_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__EchoResponse echo = ZCHAT__V1__ECHO_RESPONSE__INIT;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    Zchat__V1__NudgeEvent nudge = ZCHAT__V1__NUDGE_EVENT__INIT;

    echo.text = call->command->echo->text;
    reply.body_case = ZCHAT__V1__REPLY__BODY_ECHO;
    reply.echo = &echo;
    call_reply(call, &reply);
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_NUDGE;
    event.nudge = &nudge;
    outbox_event(call->core->outbox, &call->peer->line, &event);
}

const struct command_row echo_row = {.state = COMMAND_ANYBODY, .cost = 1, .done = echo_done};

static void ping_done(struct call *call) {""")],
}
ECHO, TEXT, MOOD = 1049, 1, 1005


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=BUILD_S)
    assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def patch(path, edits):
    text = path.read_text()
    for old, new in edits:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
        text = text.replace(old, new)
    path.write_text(text)


@pytest.fixture(scope="module")
def new_programs(tmp_path_factory):
    """Where zchatd and zmq-cli of the next schema are."""
    checkout = tmp_path_factory.mktemp("next")
    shutil.copy(ROOT / "CMakeLists.txt", checkout)
    for name in "proto", "broker", "client", "tools":
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for name, edits in PATCHES.items():
        patch(checkout / name, edits)
    run("cmake", "-S", checkout, "-B", checkout / "build", "-G", "Ninja", "-DBUILD_TESTING=OFF",
        "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS_DEBUG=-O0")
    run("cmake", "--build", checkout / "build", "--target", "zchatd", "zmq-cli")
    return checkout / "build" / "bin"


@pytest.fixture
def new_town(new_programs, monkeypatch):
    monkeypatch.setenv("ZCHAT_BIN_DIR", str(new_programs))
    town = Town()
    yield town
    town.close()


def own_command(client, number, body):
    """Sends a command of any number, and its reply comes as bytes' field of the same number."""
    client.send_raw(field(1, 2, field(1, 0, varint(7)) + field(number, 2, body)))
    return client.wait(lambda: client.replies.pop(7, None), what="the reply to what is new")


def test_an_old_client_is_served_by_the_new_broker(new_town):
    assert greet(new_town.broker.address).schema == NUMBER + 1
    alice, bob = new_town.join(), new_town.join(sub=True)
    own_command(bob, ECHO, field(TEXT, 2, b"x"))  # the event behind the reply is of no kind that is known here
    alice.message(bob.user, "to the new world")
    assert bob.wait_text("to the new world").seq == bob.have
    title = new_town.fresh_name()
    alice.create_thread(title)
    thread = bob.follow(title)
    alice.post(title, "a post")
    bob.wait_thread(thread, 1)


def test_a_command_of_the_new_schema_can_be_called_without_code_for_it(new_town, tmp_path):
    cli = Cli(new_town.broker, tmp_path, new_town.name(), new_town.keys)
    assert cli.ok("call", "echo", '{"text": "x"}').one == {"text": "x"}
    done = cli.ok("rpc", "--no-events", stdin='{"id": 1, "echo": {"text": "y"}}\n')
    assert done.one == {"id": 1, "echo": {"text": "y"}}
    assert cli.ok("call", "send_message", json.dumps({"to": new_town.name(), "text": "x", "mood": "low"})).one["mood"] == "fine"
    assert "echo" in [line["command"] for line in cli.ok("list").lines]


def test_a_new_client_knows_what_it_must_not_send_to_an_old_broker(town):
    """And where it does, the rest of the frame is carried out."""
    assert greet(town.broker.address).schema == NUMBER
    client = town.join()
    assert own_command(client, ECHO, field(TEXT, 2, b"x")).error.reason == schema.REASON_UNKNOWN_COMMAND
    assert own_command(client, 20, field(MOOD, 2, b"fine")).error.reason == schema.REASON_MALFORMED
    client.ping()


@pytest.mark.parametrize("broker, cli", [("old", "new"), ("new", "old"), ("new", "new")])
def test_zmq_cli_of_either_talks_to_the_broker_of_either(new_programs, tmp_path, monkeypatch, broker, cli):
    folders = {"old": bin_dir(), "new": new_programs}
    monkeypatch.setenv("ZCHAT_BIN_DIR", str(folders[broker]))
    with Broker() as running:
        for name in "alice", "bob":
            running.add_user(name, "password")
        monkeypatch.setenv("ZCHAT_BIN_DIR", str(folders[cli]))
        secret = tmp_path / "secret"
        secret.write_text("password\n")
        people = [Cli(running, tmp_path / name, name) for name in ("alice", "bob")]
        for person in people:
            person.ok("login", "--password-file", secret)
        assert people[0].ok("send", "bob", "hello").lines[0]["status"] == "stored"
        assert people[1].ok("recv").lines[0]["text"] == "hello"
        people[0].ok("ping")
