"""zchatd import: each line that can't be taken is named, and leaves no store."""

import base64
import json
import subprocess

import pytest

from support.broker import program, run
from transfers import export, folder, lines, load, names, records, world  # noqa: F401


def change(**keys):
    """Changes keys of the first line of a type; None removes one."""
    def apply(record):
        for key, value in keys.items():
            if value is None:
                del record[key]
            else:
                record[key] = value
        return record
    return apply


UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"

# The type of the line, what is done to it, and what is said about it.
DAMAGES = [
    ("header", change(format="another"), "the first line must be the header"),
    ("header", change(version="2"), "a newer zchat"),
    ("header", lambda record: None, "the first line must be the header"),
    ("account", lambda record: [record, {"type": "header", "format": "zchat", "version": "1"}], "a header"),
    ("account", lambda record: [record, record], "it is there already"),
    ("account", change(user="Alice"), '"user" is no user\'s name'),
    ("account", change(user=""), '"user" is no user\'s name'),
    ("account", change(user=None), '"user" is missing'),
    ("account", change(admin="yes"), '"admin" is no truth value'),
    ("account", change(password_hash="x" * 128), '"password_hash" is no text of a fitting length'),
    ("account", change(password_hash="secret"), '"password_hash" is no hash that zchat makes'),
    ("account", change(password_hash="$2b$12$" + "x" * 53), '"password_hash" is no hash that zchat makes'),
    ("account", change(password_hash="$argon2id$v=19$m=4194304,t=2,p=1$" + "A" * 22 + "$" + "A" * 43),
     '"password_hash" is no hash that zchat makes'),
    ("account", change(created="2025-02-30T00:00:00.000000Z"), '"created" is no time'),
    ("account", change(created="yesterday"), '"created" is no time'),
    ("account", change(nickname="al"), 'has no key "nickname"'),
    ("device", change(user="nobody"), "there is no account nobody"),
    ("device", change(device="0"), '"device" is no number that can stand there'),
    ("device", change(device="99"), "the account has given the numbers 1 to"),
    ("device", change(key="00"), '"key" is no text of as many hex digits'),
    ("device", lambda record: [record, record], "a device of that number or key"),
    ("thread", change(id=UNKNOWN.replace("-7", "-4")), '"id" is no UUID of version 7'),
    ("thread", change(title=" blanks "), '"title" is no title'),
    ("thread", lambda record: [record, dict(record, id=UNKNOWN)], "it is there already"),
    ("thread", lambda record: [record, record], "its id names something else already"),
    ("removed_thread", lambda record: [record, record], "its id names something else already"),
    ("message", change(to="bob"), "nobody can send to themselves"),
    ("correction", change(corrects=UNKNOWN), "the message that it is about is none of alice to bob before it"),
    ("retraction", lambda record: [record, dict(record, id=UNKNOWN, seq=str(int(record["seq"]) + 1),
                                                from_seq=str(int(record["from_seq"]) + 1))],
     "the message that it is about was taken back before it"),
    ("message", change(to="nobody"), "there is no account nobody"),
    ("message", change(seq="7"), "its number for alice is 7, where the next one is 1"),
    ("message", change(from_seq="2"), "its number for bob is 2, where the next one is 1"),
    ("message", change(seq="0"), '"seq" is no number that can stand there'),
    ("message", change(seq="-1"), '"seq" is no number that can stand there'),
    ("message", change(seq="18446744073709551616"), '"seq" is no number that can stand there'),
    ("message", change(text=""), '"text" is no text of 1 to 16384 bytes'),
    ("message", change(text="x" * 16385), '"text" is no text of 1 to 16384 bytes'),
    ("message", change(text=["a"]), "a text, a number, true or false is wanted"),
    ("message", lambda record: None, "its number for bob is 2, where the next one is 1"),
    ("message", lambda record: [record, dict(record, seq="2", from_seq="2")], "its id names something else"),
    ("post", change(thread=UNKNOWN), f"there is no thread {UNKNOWN}"),
    ("post", change(seq="2"), "its seq is 2, where the thread's next one is 1"),
    ("edit", change(user="bob"), "the post is another user's"),
    ("edit", change(post=UNKNOWN), "what it names is not there"),
    ("deletion", lambda record: [record, dict(record, id=UNKNOWN, seq=str(int(record["seq"]) + 1))],
     "the post was deleted before"),
    ("file", change(hash="0" * 128), "the file's bytes are not those of its hash"),
    ("file", change(size="1"), "a piece of 1 bytes is wanted"),
    ("file", change(size="9223372036854775807"), "its size is too large"),
    ("piece", change(offset="1"), "the file's next byte is number 0, not 1"),
    ("piece", change(file=UNKNOWN), "no file of that id wants bytes here"),
    ("piece", change(data="AAAA"), "a piece of 262144 bytes is wanted, and this one has 3"),
    ("piece", change(data="!"), '"data" is no base64'),
    ("piece", lambda record: None, "the file's next byte is number 0, not 262144"),
    ("piece", lambda record: [record, record], "the file's next byte is number 262144, not 0"),
    ("upload", change(received="999999999"), "an unfinished file lacks at least its last byte"),
    ("follow", change(cursor="1000"), "its cursor is 1000, but the thread's last number is"),
    ("follow", lambda record: [record, record], "it is there already"),
    ("block", change(blocked="bob"), "nobody can block themselves"),
    ("block", change(blocked="nobody"), "what it names is not there"),
    ("wrong_passwords", lambda record: [record, record], "it is there already"),
    ("wrong_passwords", change(failures="99999999999"), "too many failures"),
    ("cursor", change(read="1000"), "has read up to 1000, but the last number is"),
    ("cursor", lambda record: [record, record], "has a cursor already"),
    ("topics", lambda record: [record, record], "the numbers of topics were there already"),
    ("end", change(lines="7"), "the end tells another number of lines"),
    ("end", lambda record: [record, record], "something follows the end"),
    ("end", lambda record: None, "the end is missing: the file was cut"),
]


def damaged(lines, type, how):
    """The lines with the first one of that type changed, and the number of the line where that shows at the
    earliest."""
    out, at = [], None
    for line in lines.splitlines():
        if at is None and json.loads(line)["type"] == type:
            at = len(out) + 1
            changed = how(json.loads(line))
            changed = [] if changed is None else changed if isinstance(changed, list) else [changed]
            out += [json.dumps(record) for record in changed]
        else:
            out.append(line)
    return "\n".join(out) + "\n", at


def expect_refused(folder, lines, at, sentence):
    done = load(folder, lines, check=2)
    number = int(done.stderr.removeprefix("zchatd import: line ").split(":")[0])
    assert number >= at and sentence in done.stderr, done.stderr
    assert done.stderr.count("\n") == 1 and done.stdout == ""
    assert not [name for name in names(folder) if name != "lock"]


@pytest.mark.parametrize("type, how, sentence", DAMAGES)
def test_a_line_that_can_not_be_there_is_named_and_leaves_no_store(lines, folder, type, how, sentence):
    expect_refused(folder, *damaged(lines, type, how), sentence)


HEADER = '{"type":"header","format":"zchat","version":"1"}\n'


@pytest.mark.parametrize("line, sentence", [
    ("", "an object is wanted"), ("[]", "an object is wanted"), ("null", "an object is wanted"),
    ("{", "a key is wanted"), ("{}", 'the first key must be "type"'), ('{"id":"x"}', 'the first key must be "type"'),
    ('{"type":1}', 'the first key must be "type"'), ('{"type":"ghost"}', "an unknown type"),
    ('{"type":"topics","head":"1"', "a comma or the object's end"), ('{"type":"topics","head":"1"}}', "something follows"),
    ('{"type":"topics","head":"1",}', "a key is wanted"), ('{"type":"topics" "head":"1"}', "a comma"),
    ('{"type":"topics","head":01}', "no plain one"), ('{"type":"topics","head":1.5}', "no plain one"),
    ('{"type":"topics","head":99999999999999999999}', "too large"), ('{"type":"topics","head":{}}', "is wanted"),
    ('{"type":"topics","head":"1","head":"1"}', '"head" is there twice'), ('{"type":"topics"}', '"head" is missing'),
    ('{"type":"topics","head":"1', "the text does not end"), ('{"type":"topics","head":"\\', "the text does not end"),
    ('{"type":"topics","head":"\\x"}', "an unknown escape"), ('{"type":"topics","head":"\\u12g4"}', "four hex digits"),
    ('{"type":"topics","head":"\\ud800"}', "half a surrogate pair"), ('{"type":"topics","head":"\\udc00"}', "half a"),
    ('{"type":"topics","head":"\\u0000"}', "a NUL"), ('{"type":"topics","head":"\x01"}', "control character"),
    ('{"type":"topics","%s":"1"}' % ("x" * 40), "an unknown key"), ('{"type":"topics","ä":"1"}', "a key that is not known"),
    ('{"type":"lost","seq":"1"}', "either a user or a thread"),
])
def test_a_line_that_is_no_record_is_named(folder, line, sentence):
    expect_refused(folder, HEADER + line + "\n", 2, sentence)


def test_a_line_that_has_no_end_is_refused(folder):
    expect_refused(folder, HEADER + "x" * 600_000, 2, "it is longer than any line")


def test_bytes_that_are_no_text_are_refused(folder):
    for bad in (b'{"type":"topics","head":"\xff"}', b'{"type":"topics","head":"\xed\xa0\x80"}', b"\0\0"):
        done = subprocess.run([program("zchatd"), "import", "-", "--data", folder], input=HEADER.encode() + bad + b"\n",
                              capture_output=True)
        assert done.returncode == 2 and b"line 2: " in done.stderr, done.stderr


def test_other_spellings_are_the_same(lines, folder):
    load(folder, "\r\n".join(json.dumps(record, indent=None, ensure_ascii=True, separators=(" , ", " : "))
                             for record in records(lines)))
    assert export(folder).stdout == lines


@pytest.mark.parametrize("words, sentence", [
    (["import"], "needs a FILE"), (["import", "nowhere"], "nowhere can't be read"), (["import", "/"], "can't be read"),
    (["import", "-", "more"], "more"),
    (["import", "-", "--force"], "takes no --force"), (["export", "-", "more"], "more"), (["export", "--wrong"], "wrong")])
def test_words_that_make_no_sense_are_refused(tmp_path, words, sentence):
    done = run([program("zchatd"), *words, "--data", tmp_path / "new"])
    assert done.returncode in (2, 3) and sentence in done.stderr and done.stdout == ""
    assert not (tmp_path / "new" / "zchat.db").exists()
