"""zmq-cli: each verb, each of its options and each of its errors, a line of a table for each: what is typed, and how it
ends. What has more to it than that has a test in the file of its verb."""

import pathlib
import re
import shlex
import uuid

import pytest

from json_schemas import assert_output_fits, verbs
from support.ids import new_id
from zmq_cli import ONE_VOICE, Cli

PASSWORD = "correct horse 42"
ROWS = {row["verb"]: row for row in verbs()}
HERE = pathlib.Path(__file__).parent

# What is typed | the exit status | for an error its code, and a word of its sentence.
TABLE = """
register {fresh} --password-file {secret}                       | 0
register {fresh} --no-trust --password-cmd "cat {secret}"       | 0
register {bob} --password-file {secret}                         | 7 CONFLICT {bob}
register "no name" --password-file {secret}                     | 2 INVALID name
register {fresh} --password-file {missing}                      | 3 IO {missing}
register {fresh}                                                | 2 INVALID --password-file
login                                                           | 0
login {member} --no-trust --password-file {secret}              | 0
login {member} --password-file {wrong}                          | 4 AUTH password
login {nobody} --password-file {secret}                         | 4 AUTH password
login {nobody}                                                  | 4 AUTH trust
logout                                                          | 0
XIT                                                             | 0
passwd -u {member} --password-file {secret} --new-password-file {secret}       | 0
passwd -u {member} --password-file {secret} --new-password-cmd "cat {secret}"  | 0
passwd -u {member} --password-file {wrong} --new-password-file {secret}        | 4 AUTH password
devices                                                         | 0
revoke 4711                                                     | 5 NOT_FOUND device
revoke one                                                      | 2 INVALID one
send {bob} hi                                                   | 0
message {bob} hi                                                | 0
MESSAGE {bob} hi                                                | 0
msg {bob} hi                                                    | 0
send {bob} hi --id {uuid}                                       | 0
send {bob} hi --id 17                                           | 2 INVALID UUID
send {online} hi --require-online                               | 0
send {bob} hi --require-online                                  | 6 FORBIDDEN online
send {bob} hi --corrects {first}                                | 0
send {bob} hi --corrects {uuid}                                 | 5 NOT_FOUND message
send {online} hi --corrects {first}                             | 6 FORBIDDEN {online}
send {bob} hi --corrects 17                                     | 2 INVALID UUID
send {bob} --retracts {first}                                   | 0
send {bob} hi --retracts {first}                                | 2 INVALID TEXT
send {bob} --retracts {first} --corrects {first}                | 2 INVALID --corrects
send {nobody} hi                                                | 5 NOT_FOUND {nobody}
send {me} hi                                                    | 2 INVALID oneself
send {blocked} hi                                               | 6 FORBIDDEN block
send {blocker} hi                                               | 6 FORBIDDEN block
send {bob} ""                                                   | 2 INVALID empty
send {bob} {huge}                                               | 2 INVALID 16384
broadcast hi                                                    | 0
broadcast ""                                                    | 2 INVALID empty
who                                                             | 0
whoelse                                                         | 0
since 60                                                        | 0
whoelsesince 60                                                 | 0
since 0                                                         | 2 INVALID SECONDS
since -- -1                                                     | 2 INVALID SECONDS
since soon                                                      | 2 INVALID SECONDS
block {bob}                                                     | 0
block {blocked}                                                 | 7 CONFLICT {blocked}
block {me}                                                      | 2 INVALID oneself
block {nobody}                                                  | 5 NOT_FOUND {nobody}
unblock {blocked}                                               | 0
unblock {bob}                                                   | 7 CONFLICT {bob}
unblock {me}                                                    | 2 INVALID oneself
unblock {nobody}                                                | 5 NOT_FOUND {nobody}
blocked                                                         | 0
send {bob} hi --wait-read 0.2                                   | 124 EXPIRED read
send {bob} --corrects {message} hello                           | 0
send {bob} --retracts {message}                                 | 0
send {bob} --retracts {uuid}                                    | 5 NOT_FOUND message
send {bob} --retracts {message} hello                           | 2 INVALID --retracts
receipt {sent}                                                  | 0
receipt {sent} --wait 0.2                                       | 124 EXPIRED read
receipt 4711                                                    | 5 NOT_FOUND message
receipt what                                                    | 2 INVALID what
receipts                                                        | 0
receipts off                                                    | 0
receipts maybe                                                  | 2 INVALID maybe
inbox                                                           | 0
inbox --sent                                                    | 0
recv                                                            | 0
recv --ack --count 1 --sent                                     | 0
recv --exec true --drain                                        | 0
recv --exec false                                               | 1 COMMAND_FAILED status
recv --follow --wait 0.1                                        | 0
recv --wait 0.1 --count 3                                       | 124 EXPIRED further
recv --from-seq 1 --count 1                                     | 0
recv --from-seq 0                                               | 2 INVALID --from-seq
recv --drain --follow                                           | 2 INVALID --drain
wait --from {friend} --match '^h' --ack                         | 0
wait --from-seq 1                                               | 0
wait --match never --timeout 0.3                                | 124 EXPIRED fits
wait --match '('                                                | 2 INVALID missing
history {friend}                                                | 0
history {friend} --since 1d --until 2030-01-01 --limit 1        | 0
history --thread {thread}                                       | 0
history --thread {nobody}                                       | 5 NOT_FOUND thread
history {nobody}                                                | 5 NOT_FOUND {nobody}
history {friend} --since soon                                   | 2 INVALID soon
history {friend} --thread {thread}                              | 2 INVALID --thread
history                                                         | 2 INVALID USER
search ladders --count 3                                        | 0
search "..."                                                    | 2 INVALID word
events --topic notice,thread --wait 0.1 --follow                | 124 EXPIRED came
events --topic thread --drain --sent                            | 0
events --topic presence --count 1 --wait 0.1                    | 124 EXPIRED came
events --topic thread --drain --exec true                       | 0
events --topic thread --ack --wait 0.1 --follow                 | 124 EXPIRED came
events --topic weather                                          | 2 INVALID weather
thread create {title}                                           | 0
CRT {title} --id {uuid}                                         | 0
thread create {thread}                                          | 7 CONFLICT title
thread create ""                                                | 2 INVALID title
thread list                                                     | 0
LST                                                             | 0
thread post {thread} hi --id {uuid}                             | 0
MSG {thread} hi                                                 | 0
thread post {nobody} hi                                         | 5 NOT_FOUND {nobody}
thread post {thread} ""                                         | 2 INVALID empty
thread read {thread}                                            | 0
RDT {thread}                                                    | 0
thread read {nobody}                                            | 5 NOT_FOUND {nobody}
thread edit {thread} 1 new                                      | 0
EDT {thread} 1 new                                              | 0
thread edit {thread} new --id {post}                            | 0
thread edit {thread} 7 new                                      | 5 NOT_FOUND 7
thread edit {thread} one new                                    | 2 INVALID one
thread edit {nobody} 1 new                                      | 5 NOT_FOUND {nobody}
thread edit {theirs} 1 new                                      | 6 FORBIDDEN author
thread delete {thread} 1                                        | 0
DLT {thread} 1                                                  | 0
thread delete {thread} --id {post}                              | 0
thread delete {thread} 7                                        | 5 NOT_FOUND 7
thread delete {theirs} 1                                        | 6 FORBIDDEN author
thread delete {nobody} 1                                        | 5 NOT_FOUND {nobody}
thread remove {thread}                                          | 0
RMV {thread}                                                    | 0
thread remove {theirs}                                          | 6 FORBIDDEN creator
thread remove {nobody}                                          | 5 NOT_FOUND {nobody}
thread follow {thread}                                          | 0
thread follow {nobody}                                          | 5 NOT_FOUND {nobody}
thread unfollow {followed}                                      | 0
thread unfollow {nobody}                                        | 5 NOT_FOUND {nobody}
file put {thread} {file}                                        | 0
UPD {thread} {file} --name other                                | 0
file put {thread} {missing}                                     | 3 IO {missing}
file put {nobody} {file}                                        | 5 NOT_FOUND {nobody}
file put {thread} {other} --name {uploaded}                     | 7 CONFLICT name
file put {thread} {file} --name {uploaded}                      | 0
file put {thread} {file} --name ../x                            | 2 INVALID name
file get {thread} {uploaded} --output {folder}                  | 0
DWN {thread} {uploaded} -o {folder}                             | 0
file get {thread} {uploaded} -o {other}                         | 7 CONFLICT --force
file get {thread} {uploaded} -o {other} --force                 | 0
file get {thread} nothing                                       | 5 NOT_FOUND name
file get {nobody} nothing                                       | 5 NOT_FOUND {nobody}
file list {thread}                                              | 0
file delete {thread} {uploaded}                                 | 0
file delete {thread} nothing                                    | 5 NOT_FOUND name
file delete {nobody} nothing                                    | 5 NOT_FOUND {nobody}
file list {nobody}                                              | 5 NOT_FOUND {nobody}
private start {nobody}                                          | 5 NOT_FOUND {nobody}
startprivate {me}                                               | 2 INVALID oneself
private start {bob}                                             | 6 FORBIDDEN online
private start {blocked}                                         | 6 FORBIDDEN block
private start {blocker}                                         | 6 FORBIDDEN block
private send {nobody} hi                                        | 5 NOT_FOUND {nobody}
private send {bob} hi                                           | 6 FORBIDDEN online
private file {bob} {file}                                       | 6 FORBIDDEN online
private file {bob} {missing}                                    | 3 IO {missing}
private file {bob} {file} --private-address 127.0.0.1           | 6 FORBIDDEN online
private file {bob} {file} --private-address 0.0.0.0             | 2 INVALID 0.0.0.0
private send {bob} hi --private-address 0.0.0.0                 | 2 INVALID 0.0.0.0
private accept --once --timeout 0.3                             | 124 EXPIRED invit
accept {bob} --timeout 0.3                                      | 124 EXPIRED invit
private decline --timeout 0.3                                   | 2 INVALID --all
decline {bob} --timeout 0.3                                     | 124 EXPIRED invit
private decline --all --timeout 0.3                             | 0
private stop {bob}                                              | 5 NOT_FOUND {bob}
stopprivate {bob}                                               | 5 NOT_FOUND {bob}
ping                                                            | 0
ping --timeout 0.3 --server 127.0.0.1:1                         | 3 UNREACHABLE 127.0.0.1:1
forget nowhere.invalid                                          | 5 NOT_FOUND nowhere.invalid
stats                                                           | 0
stats --password-file {secret} -u {member}                      | 0
announce hi                                                     | 6 FORBIDDEN administrator
announce hi -u the.admin                                        | 0
export                                                          | 6 FORBIDDEN administrator
export {other} -u the.admin                                     | 7 CONFLICT {other}
export {other} -u the.admin --force                             | 0
export {other} {other} -u the.admin                             | 2 INVALID usage
shutdown                                                        | 6 FORBIDDEN admin
SHT                                                             | 6 FORBIDDEN admin
shutdown --wipe -u the.admin                                    | 2 INVALID --yes
user lock {bob}                                                 | 6 FORBIDDEN administrator
user lock {bob} -u the.admin                                    | 0
user lock {nobody} -u the.admin                                 | 5 NOT_FOUND {nobody}
user unlock {bob} -u the.admin                                  | 0
user unlock {bob}                                               | 6 FORBIDDEN administrator
user reset {bob} -u the.admin --new-password-file {secret}      | 0
user reset {bob} -u the.admin --new-password-cmd "cat {secret}" | 0
user reset {bob} --new-password-file {secret}                   | 6 FORBIDDEN administrator
user admin {bob} -u the.admin                                   | 0
user admin {bob} -u the.admin --revoke                          | 0
user admin {bob}                                                | 6 FORBIDDEN administrator
rpc                                                             | 0
rpc --no-events                                                 | 0
call who                                                        | 0
call who "{{}}"                                                 | 0
call dance                                                      | 2 INVALID dance
call send_mesage                                                | 2 INVALID send_message?
rpc send                                                        | 2 INVALID usage
call who "{{"                                                   | 2 INVALID expected
call who @{missing}                                             | 3 IO {missing}
list                                                            | 0
describe                                                        | 0
describe dance                                                  | 5 NOT_FOUND dance
help                                                            | 0
help dance                                                      | 2 INVALID dance
who --server nowhere.invalid                                    | 3 UNREACHABLE nowhere.invalid
who --server-key {key}                                          | 3 WRONG_KEY key
who --context dance                                             | 2 INVALID dance
who --online --quiet --verbose --timeout 20                     | 0
"""
CASES = [tuple(part.strip() for part in line.split(" | ")) for line in TABLE.strip().splitlines()]

class Names(dict):
    """What a line of the table names, made when it is asked for."""

    def __init__(self, town, alice, folder):
        super().__init__()
        self.town, self.alice, self.folder = town, alice, folder

    def __missing__(self, name):
        self[name] = getattr(self, name)()
        return self[name]

    def me(self):
        return self.alice.environment["ZCHAT_USER"]

    def as_user(self, user):
        return Cli(self.town.broker, self.alice.folder, user)

    def bob(self):
        return self.town.name()

    nobody = fresh = title = lambda self: self.town.fresh_name()

    def uuid(self):
        return uuid.UUID(bytes=new_id())

    def online(self):
        return self.town.join().user

    def message(self):
        return self.alice.ok("send", self["bob"], "helo").one["id"]

    def sent(self):
        return self.alice.ok("send", self["bob"], "hello").one["seq"]

    def first(self):
        return self.alice.ok("send", self["bob"], "hello").one["id"]

    def friend(self):
        user = self.town.name()
        self.as_user(user).ok("send", self["me"], "hello")
        return user

    def blocked(self):
        user = self.town.name()
        self.alice.ok("block", user)
        return user

    def blocker(self):
        user = self.town.name()
        self.as_user(user).ok("block", self["me"])
        return user

    def file(self, name="report.pdf", text="a report\n"):
        path = self.folder / name
        path.write_text(text)
        return path

    def other(self):
        return self.file("other.pdf", "another report\n")

    def missing(self):
        return self.folder / "missing"

    def secret(self):
        return self.file("secret", PASSWORD + "\n")

    def wrong(self):
        return self.file("wrong", "wrong horse\n")

    def huge(self):
        return "x" * 16385

    def key(self):
        return "0" * 64

    def member(self):
        name = self["fresh"]
        self.alice.ok("register", name, "--password-file", self["secret"])
        return name

    def thread(self):
        title = self.town.fresh_name()
        self.alice.ok("thread", "create", title)
        self["post"] = self.alice.ok("thread", "post", title, "two ladders").one["id"]
        self.alice.ok("file", "put", title, self["file"], "--name", "uploaded.pdf")
        return title

    def uploaded(self):
        return "uploaded.pdf"

    def followed(self):
        self.alice.ok("thread", "follow", self["thread"])
        return self["thread"]

    def theirs(self):
        title, bob = self.town.fresh_name(), self.as_user(self.town.name())
        bob.ok("thread", "create", title)
        bob.ok("thread", "post", title, "mine")
        return title


@pytest.fixture
def names(town, alice, tmp_path):
    made = Names(town, alice, tmp_path)
    made["folder"] = tmp_path / "copies"
    made["folder"].mkdir()
    return made


def verb_of(words):
    """The row of the verb that a line begins with."""
    if words[0] == "msg": # not the classic MSG
        return ROWS["send"]
    for verb, row in ROWS.items():
        if words[:len(verb.split())] == verb.split() or words[0].lower() == (row["classic"] or "").lower():
            return row
    raise AssertionError(f"{words} is no verb")


@pytest.mark.parametrize("typed, ends", CASES, ids=[typed for typed, _ in CASES])
def test_it_ends_as_the_table_says(names, alice, typed, ends):
    status, *error = ends.split()
    if typed.startswith(("recv", "wait", "inbox")):
        names["friend"]
    done = alice(*shlex.split(typed.format_map(names)))
    assert done.status == int(status), done
    assert_output_fits(verb_of(typed.split())["verb"], done)
    if error:
        code, word = error
        assert done.error["code"] == code, done
        assert word.format_map(names) in done.error["message"] and ONE_VOICE.match(done.error["message"]), done


def is_given(option, words):
    letters = re.compile(f"-[a-z0-9]*{option['letter']}") if option["letter"] else None
    return f"--{option['option']}" in words or letters and any(letters.match(word) for word in words)


def typed_elsewhere():
    """The texts of other files' calls. What needs somebody at the other end has a test in the file of its verb."""
    texts = [path.read_text() for path in HERE.glob("test_zmq_cli_*.py") if path.name != pathlib.Path(__file__).name]
    return " ".join(texts)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_every_verb_is_typed_with_its_names_and_options(row):
    lines = [words for words in (shlex.split(typed) for typed, _ in CASES) if verb_of(words) is row]
    elsewhere = typed_elsewhere()
    assert lines or ", ".join(f'"{word}"' for word in row["verb"].split()) in elsewhere
    assert row["classic"] in {None, *(words[0] for words in lines)}
    words = re.findall(r'"(-[-a-z0-9]+)"', elsewhere)
    for option in row["options"]:
        assert any(is_given(option, line) for line in [*lines, words]), option


def test_the_table_has_every_exit_status_but_those_of_a_busy_broker_and_of_an_interrupted_call(alice):
    alice.options = []
    told = set(re.findall(r"\b(\d+) [a-z]", alice.ok("help", "status").out.partition("; when")[0]))
    assert told - {ends.split()[0] for _, ends in CASES} == {"8", "130"}
