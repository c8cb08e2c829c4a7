"""zmq-cli: call, describe and list, which know the schema and no command by name."""

import base64
import json
import re
import uuid

import pytest
from google.protobuf import json_format

from support import schema
from zmq_cli import Cli

COMMANDS = {field.name: field for field in schema.Command.DESCRIPTOR.oneofs_by_name["body"].fields}


def test_call_sends_a_command_and_prints_its_result_as_json(alice, bob, town):
    name = bob.environment["ZCHAT_USER"]
    done = alice.ok("call", "send_message", json.dumps({"to": name.upper(), "text": "caf\u00e9 \U0001f600"}))
    result = json_format.Parse(done.out, schema.SendMessageResponse())
    assert len(result.id) == 16 and result.seq == 1 and result.time_us and not result.delivered
    assert done.out.count("\n") == 1 and done.one["seq"] == "1"
    [message] = bob.ok("recv").lines
    assert message["text"] == "caf\u00e9 \U0001f600" and message["id"] == str(uuid.UUID(bytes=result.id))


@pytest.mark.parametrize("name", ["send_message", "sendMessage", "SendMessage", "SendMessageRequest"])
def test_a_command_is_known_by_all_its_names(alice, bob, name):
    assert alice.ok("call", name, json.dumps({"to": bob.environment["ZCHAT_USER"], "text": "hi"})).one["seq"]


def test_json_comes_from_a_word_a_file_or_stdin(alice, bob, tmp_path):
    said = json.dumps({"to": bob.environment["ZCHAT_USER"], "text": "hi"})
    path = tmp_path / "said.json"
    path.write_text(said + "\n")
    for word, stdin in ((said, ""), (f"@{path}", ""), ("-", said), ("-", f"\n {said}\r\n")):
        assert alice.ok("call", "send_message", word, stdin=stdin).one["seq"]
    assert len(bob.ok("recv").lines) == 4


def test_what_takes_nothing_needs_no_json(alice):
    assert alice.ok("call", "list_blocked").one == {}
    assert alice.ok("call", "ping").one["software"].startswith("zchatd ")
    assert alice.ok("call", "get_stats", "{}").one["stats"]


def test_an_id_makes_a_retry_the_same_message(alice, bob):
    name = bob.environment["ZCHAT_USER"]
    own = "01923d5f-6b00-7abc-9eef-" + uuid.uuid4().hex[:12]
    said = {"id": own, "to": name, "text": "once"}
    first = alice.ok("call", "send_message", json.dumps(said)).one
    said["id"] = first["id"]
    assert uuid.UUID(bytes=base64.b64decode(first["id"])) == uuid.UUID(own)
    assert alice.ok("call", "send_message", json.dumps(said)).one == first
    said["text"] = "another"
    assert alice.fails(7, "CONFLICT", "call", "send_message", json.dumps(said))["reason"] == "ID_USED"
    assert [message["text"] for message in bob.ok("recv").lines] == ["once"]


def test_refusals_are_those_of_all_verbs(alice):
    user = alice.environment["ZCHAT_USER"]
    to = lambda name: json.dumps({"to": name, "text": "hi"})
    assert alice.fails(5, "NOT_FOUND", "call", "send_message", to("nobody"))["reason"] == "NO_SUCH_USER"
    assert alice.fails(2, "INVALID", "call", "send_message", to(user))["reason"] == "ONESELF"
    assert alice.fails(2, "INVALID", "call", "since")["reason"] == "BAD_VALUE"
    assert alice.fails(6, "FORBIDDEN", "call", "shutdown")["reason"] in ("NOT_ADMIN", "NO_ADMIN_PASSWORD")
    assert alice.fails(2, "INVALID", "call", "cancel_upload")["reason"] == "BAD_ID"


def test_people_read_a_sentence(town, script):
    done = script(json_lines=False)("call", "send_message", '{"to": "nobody", "text": "hi"}', check=5)
    assert done.out == "" and re.fullmatch(r"zmq-cli: .*nobody.*\n", done.err), done


def test_without_a_user_nobody_is_logged_in(town, tmp_path):
    cli = Cli(town.broker, tmp_path)
    assert cli.ok("call", "ping").one["timeUs"]
    assert cli.fails(4, "AUTH", "call", "who")["reason"] == "NOT_LOGGED_IN"
    name = town.fresh_name()
    new = json.dumps({"protocol": 1, "user": name, "password": "the password"})
    assert cli.ok("call", "register_account", "-", stdin=new).one == {"user": name}
    assert cli.ok("-u", name, "call", "list_devices").one["devices"]


@pytest.mark.parametrize("words, part", [
    (["snd_message"], "send_message"), (["abracadabra"], "zmq-cli list"), (["request"], "request"),
    (["login"], "login"), (["logout"], "login"),
    (["who", "{"], "line 1"), (["who", "[]"], "not an object"), (["who", ""], "line 1"), (["who", "7"], "line 1"),
    (["who", '{"limit": "x"}'], "limit"), (["who", '{"limit": 1, "limit": 1}'], "duplicate"),
    (["who", '{"nothing": 1}'], "nothing"), (["edit_post", '{"post": "AAAA", "number": 1}'], "only one"),
    (["who", "--", "-"], "line 1"), (["who", b'{"after": "\xff"}'], "line 1"),
    (["who", '{"after": "\\ud800"}'], "line 1"), (["who", '{"after": "\\u0000"}'], "NUL"),
])
def test_what_is_no_command_is_refused_before_it_travels(alice, words, part):
    words = [word.decode(errors="surrogateescape") if isinstance(word, bytes) else word for word in words]
    assert part in alice.fails(2, "INVALID", "call", *words)["message"]


def test_input_is_bounded_and_what_can_t_be_read_is_told(alice, tmp_path):
    alice.fails(3, "IO", "call", "who", f"@{tmp_path / 'none'}")
    alice.fails(3, "IO", "call", "who", f"@{tmp_path}")
    alice.fails(2, "INVALID", "call", "who", "@/dev/zero")
    alice.fails(2, "INVALID", "call", "who", "-", stdin=b'{"after": "' + b"x" * (3 << 20))
    alice.fails(2, "INVALID", "call", "who", "-", stdin=b"{" * (1 << 20))
    alice.fails(2, "INVALID", "call", "who", "-", stdin=b'{"after": "' + b"x" * (1 << 20) + b'"}')
    alice.fails(2, "INVALID", "call", "who", "-", stdin=bytes(range(256)))


def test_every_command_can_be_called(town, alice):
    """With nothing in it: done, or refused by the broker, but always understood."""
    for name in COMMANDS:
        if name in ("login", "logout", "shutdown", "change_password", "register_account"):
            continue
        done = alice("call", name)
        assert done.status in (0, 2, 5, 6, 7) and "UNIMPLEMENTED" not in done.err, done
        if done.status == 0:
            json_format.Parse(done.out, getattr(schema, reply_type(name))())
        else:
            assert done.error["reason"] not in ("MALFORMED", "UNKNOWN_COMMAND"), done


def reply_type(name):
    return schema.Reply.DESCRIPTOR.fields_by_name[name].message_type.name


def test_list_has_every_command(alice):
    assert {line["command"]: line for line in alice.ok("list").lines} == {
        name: {"command": name, "number": field.number, "request": field.message_type.name,
               "result": reply_type(name)} for name, field in COMMANDS.items()}
    alice.options = []
    out = alice.ok("list").out
    assert [line.split()[0] for line in out.splitlines()] == [
        name for name, field in sorted(COMMANDS.items(), key=lambda item: item[1].number)]


def messages_of_the_schema():
    return {value.DESCRIPTOR.name: value.DESCRIPTOR for value in vars(schema).values()
            if hasattr(value, "DESCRIPTOR") and hasattr(value.DESCRIPTOR, "oneofs")}


def test_describe_has_every_message_and_its_fields(alice):
    lines = alice.ok("describe").lines
    described = {line["message"]: line["fields"] for line in lines if "message" in line}
    messages = messages_of_the_schema()
    assert described.keys() == messages.keys() and len(lines) == len({json.dumps(line) for line in lines})
    for name, fields in described.items():
        assert [(f["name"], f["json"], f["number"], f.get("repeated", False), f.get("one_of")) for f in fields] == [
            (f.name, f.json_name, f.number, f.label == f.LABEL_REPEATED,
             [one.name for one in f.containing_oneof.fields] if f.containing_oneof else None)
            for f in sorted(messages[name].fields, key=lambda f: f.number)]
    enums = {line["enum"]: line["values"] for line in lines if "enum" in line}
    assert {"name": "REASON_NO_SUCH_USER", "number": 401} in enums["Reason"]


def test_describe_prints_the_schema_with_its_comments(alice):
    alice.options = []
    out = alice.ok("describe", "SendMessageRequest").out
    assert out.startswith("// SendMessageRequest appends a message") and out.endswith("  bytes retracts = 6;\n}\n")
    assert "  // to is the recipient's name" in out
    assert alice.ok("describe", "PingRequest").out.endswith("\nmessage PingRequest {}\n")
    both = alice.ok("describe", "sendMessage").out
    assert both.startswith(out + "\n// SendMessageResponse ")
    assert "  CODE_BUSY = 7;\n" in alice.ok("describe", "zchat.v1.Code").out
    everything = alice.ok("describe").out
    assert all(f"\nmessage {name} {{" in everything for name in messages_of_the_schema())
    assert "nothing.here" in alice("describe", "nothing.here", check=5).err
