"""zmq-cli wait: the first message that fits."""

import resource

import pytest

from zmq_cli import end, is_message


class Writer:
    def __init__(self, town, reader):
        self.client = town.join(inbox=False)
        self.user = self.client.user
        self.reader = reader

    def tell(self, *texts):
        for text in texts:
            self.client.message(self.reader.environment["ZCHAT_USER"], text)


@pytest.fixture
def bob(town, alice):
    return Writer(town, alice)


@pytest.fixture
def carol(town, alice):
    return Writer(town, alice)


def unread(reader):
    return [message["text"] for message in reader.ok("inbox").lines]


def test_the_first_one_that_is_unread_is_printed_and_stays_unread(alice, bob):
    bob.tell("one", "two")
    done = alice.ok("wait").one
    assert is_message(done) and done["text"] == "one"
    assert unread(alice) == ["one", "two"]


def test_what_is_read_is_not_waited_for(alice, bob):
    bob.tell("one", "two")
    alice.ok("recv", "--ack", "--count", "1")
    assert alice.ok("wait").one["text"] == "two"


def test_one_that_arrives_ends_it(alice, bob):
    process = alice.start("--timeout", "60", "wait")
    bob.tell("arrived")
    done = end(process)
    assert done.status == 0 and done.one["text"] == "arrived"


def test_from_and_match_pass_over_what_does_not_fit(alice, bob, carol):
    bob.tell("no", "yes, bob")
    carol.tell("yes, carol", "no")
    assert alice.ok("wait", "--from", carol.user).one["text"] == "yes, carol"
    assert alice.ok("wait", "--match", "^y").one["text"] == "yes, bob"
    assert alice.ok("wait", "--from", carol.user, "--match", "o$").one["text"] == "no"
    assert alice.ok("wait", "--from", bob.user.upper(), "--match", "(ja|yes), b+").one["text"] == "yes, bob"


def test_what_arrives_and_does_not_fit_is_waited_over(alice, bob, carol):
    process = alice.start("--timeout", "60", "wait", "--from", bob.user, "--match", "^yes")
    carol.tell("yes")
    bob.tell("no", "well", "yes")
    assert end(process).one["text"] == "yes"


@pytest.mark.parametrize("words", [[], ["--from", "user.999"], ["--match", "never"], ["--ack", "--match", "never"]])
def test_none_within_the_timeout_is_124_and_moves_nothing(alice, bob, words):
    if words:
        bob.tell("one")
    error = alice.fails(124, "EXPIRED", "--timeout", "1.5", "wait", *words)
    assert "no message that fits" in error["message"] and "1.5 s" in error["message"]
    assert unread(alice) == (["one"] if words else [])


def test_a_timeout_of_the_environment_bounds_it_too(alice):
    alice.fails(124, "EXPIRED", "wait", ZCHAT_TIMEOUT="1.5")


def test_with_ack_it_and_all_before_it_count_as_read(alice, bob):
    bob.tell("one", "two", "three")
    assert alice.ok("wait", "--ack", "--match", "two").one["text"] == "two"
    assert unread(alice) == ["three"]


def test_ones_own_messages_do_not_fit(alice, bob):
    alice.ok("send", bob.user, "mine")
    bob.tell("his")
    assert alice.ok("wait").one["text"] == "his"


def test_from_seq_waits_for_what_comes_behind_what_was_sent(alice, bob):
    bob.tell("old")
    sent = alice.ok("send", bob.user, "question").one
    process = alice.start("--timeout", "60", "wait", "--from-seq", sent["seq"])
    bob.tell("answer")
    assert end(process).one["text"] == "answer"


def test_any_line_of_a_text_may_match_and_a_dot_is_a_character(alice, bob):
    bob.tell("first\nsecond", "ä")
    assert alice.ok("wait", "--match", "^second$", LC_ALL="C").one["text"] == "first\nsecond"
    assert alice.ok("wait", "--match", "^.$", LC_ALL="C").one["text"] == "ä"


@pytest.mark.parametrize("expression, why", [
    ("(", "missing )"), ("[", "missing ]"), ("a{2,1}", "{2,1}"), ("[[:no:]]", "[:no:]"), (r"(a)\1", r"\1"), ("*a", "*"),
    ("\\", "\\"), ("a{1001}", "{1001}"), ("(" * 20000 + "a" + ")" * 20000, "1024"), ("x" * 1025, "1024"),
    ("(a{1,255}){1,255}", "repetition"), ("((((a{0,9}){0,9}){0,9}){0,9})", "repetition"), (r"(\pL?){1000}", "too large"),
    ("\udcff", "UTF-8"),
])
def test_what_is_no_expression_is_refused_before_anything_is_waited_for(alice, expression, why):
    error = alice.fails(2, "INVALID", "wait", "--match", expression, ZCHAT_SERVER="localhost:1")
    assert "RE2" in error["message"] and why in error["message"] and "(?m)" not in error["message"]


# Such as take other matchers a time that grows with the square of the text, or that doubles with each letter.
HOSTILE = ["(a+)+$", "(a|aa)+$", "(a*)*b", "(a?){300}a{300}b", "(.*.*)*=", "(.{0,30}){0,30}b$", "((a|b)*a(a|b){14})b",
           "([a-zäö\u4e00-\u9fff]+|[\\x00-\\x{10ffff}]+)+x", "[" + "".join(map(chr, range(0x4e00, 0x4e00 + 660, 2))) + "]+b"]


def test_no_text_makes_an_expression_take_long(alice, bob):
    """16 KiB, the most a message may have, and each is looked at before the one that fits."""
    bob.tell("a" * 16383 + "!", "\u4f60" * 5461, "ab" * 8192, "done")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    before = used.ru_utime + used.ru_stime
    for expression in HOSTILE:
        assert alice.ok("wait", "--match", f"(?:(?:{expression})never)|^done$").one["text"] == "done", expression
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert used.ru_utime + used.ru_stime - before < len(HOSTILE) # seconds; one took glibc's matcher 15


@pytest.mark.parametrize("expression, text", [
    ("^zwölf$", "null\nzwölf"), ("^[äöü]+$", "äöüä"), ("^..$", "\u4f60\u597d"), (r"\pL{3}", "\u4f60\u597d\u554a"), ("(?i)YES", "oh yes"),
    (r"\bok\b", "is it ok?"), ("b|c", "b"), ("^$", "one\n\ntwo"), (r"\.", "1.2"), ("[[:digit:]]{2}", "a12"),
])
def test_an_expression_is_matched_by_characters_and_lines(alice, bob, expression, text):
    bob.tell("-", "a\na", text)
    assert alice.ok("wait", "--match", expression, LC_ALL="C").one["text"] == text


def test_nothing_matches_over_the_end_of_a_line(alice, bob):
    bob.tell("a\nb", "a b")
    assert alice.ok("wait", "--match", r"a\sb").one["text"] == "a b"
    assert alice.ok("wait", "--match", "a[^x]b").one["text"] == "a b"


def test_in_words_the_line_is_as_recv_prints_it(alice, bob):
    bob.tell("one")
    alice.options = []
    assert alice.ok("wait").out == alice.ok("recv").out
