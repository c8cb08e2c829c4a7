"""zmq-cli: announce, for administrators."""

import pytest

from support.town import ADMIN


@pytest.fixture
def admin(script):
    return script(ADMIN)


def test_an_announcement_says_how_many_it_reached(town, admin):
    friend = town.join(public_events=True)
    town.join(friend.user)
    town.join()
    assert admin.ok("announce", "back", "at", "nine").one == {"reached": 2}
    assert friend.wait_notice("back at nine").notice.sender == ADMIN
    admin.options = []
    assert admin.ok("announce", "-", stdin="two\nlines\n").out == "reached 2\n"
    friend.wait_notice("two\nlines")


def test_what_a_member_may_not_announce_is_told_to_nobody(town, alice):
    friend = town.join(public_events=True)
    error = alice.fails(6, "FORBIDDEN", "announce", "hear me")
    assert error["reason"] == "NOT_ADMIN" and "administrator" in error["message"]
    friend.ping()
    assert not any(event.HasField("notice") for event in friend.events)


@pytest.mark.parametrize("words", [["announce"], ["announce", ""], ["announce", "x" * (16 * 1024 + 1)]],
                         ids=["nothing", "empty", "long"])
def test_what_is_no_announcement_is_refused(admin, words):
    admin.fails(2, "INVALID", *words)
