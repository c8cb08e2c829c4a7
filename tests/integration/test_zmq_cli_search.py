"""zmq-cli search: what was written, found again by its words."""

import time

import pytest

from support.patience import WAIT_S
from zmq_cli import RFC3339, UUID7


def search(cli, *words):
    """Once the index has what was stored: it follows within a moment, and the call says when it lags behind."""
    deadline = time.monotonic() + WAIT_S
    while True:
        done = cli.ok("search", *words)
        if "not searched yet" not in done.err:
            return done
        assert time.monotonic() < deadline, done


def test_messages_and_posts_are_objects_with_what_is_known_of_them(alice, bob, title):
    alice.ok("send", bob.environment["ZCHAT_USER"], "the", "aurochs", "is", "back")
    bob.ok("thread", "post", title, "which aurochs?")
    post, message = search(alice, "AUROCHS").lines
    assert message["text"] == "the aurochs is back" and message["from"] == alice.environment["ZCHAT_USER"]
    assert message["to"] == bob.environment["ZCHAT_USER"] and message["seq"] == "1" and message["sent"]
    assert UUID7.match(message["id"]) and RFC3339.match(message["time"])
    assert (post["thread"], post["number"], post["text"]) == (title, "1", "which aurochs?")


def test_for_people_each_is_a_line(alice, bob, title):
    alice.ok("thread", "post", title, "one dodo")
    bob.options = []
    assert search(bob, "dodo").out == f"{title} 1 {alice.environment['ZCHAT_USER']}: one dodo\n"


def test_count_bounds_it_and_the_newest_come_first(alice, bob):
    for n in range(5):
        alice.ok("send", bob.environment["ZCHAT_USER"], f"the {n}th moa")
    found = search(bob, "moa", "--count", "2").lines
    assert [message["text"] for message in found] == ["the 4th moa", "the 3th moa"]


def test_nothing_found_is_no_error(alice):
    assert search(alice, "nosuchword").out == ""


@pytest.mark.parametrize("words", [["search"], ["search", "?"], ["search", ""], ["search", "x" * 300]])
def test_what_holds_no_word_is_refused(alice, words):
    alice.fails(2, "INVALID", *words)
