"""announce: an administrator's word to everybody. COMMANDS.md, "Administration"; proto/README.md, "Public events"."""

from support.broker import program, run
from support.client import new_id, sender
from support.town import ADMIN, refused


def notices(client):
    """Whose they are, and what they say."""
    return [(sender(event), event.notice.text) for event in client.events if event.HasField("notice")]


def test_everybody_hears_it_on_whatever_session_follows_public_events(town):
    admin = town.join(ADMIN, public_events=True)
    other = town.join(ADMIN, sub=True)
    alice, bob = town.join(sub=True), town.join(public_events=True)
    script = town.join(online=False, inbox=False, public_events=True)
    assert admin.announce("the broker moves at noon").reached == 2
    for client in (admin, other, alice, bob, script):
        event = client.wait_notice("the broker moves at noon")
        assert sender(event) == ADMIN and event.seq > 0 and event.time_us > 0
        client.ping()
        assert notices(client) == [(ADMIN, "the broker moves at noon")]


def test_it_comes_once_where_both_sockets_carry_events_and_only_to_who_asked(town):
    admin, bob, deaf = town.join(ADMIN), town.join(sub=True, public_events=True), town.join()
    admin.announce("one")
    admin.announce("two")
    bob.wait_notice("two")
    for client in (bob, deaf):
        client.ping()
    assert notices(bob) == [(ADMIN, "one"), (ADMIN, "two")] and notices(deaf) == []


def test_no_block_keeps_it_away(town):
    admin, blocker, blocked = town.join(ADMIN), town.join(sub=True), town.join(public_events=True)
    blocker.block(ADMIN)
    admin.block(blocked.user)
    try:
        assert admin.announce("for all").reached == 2
        blocker.wait_notice("for all")
        blocked.wait_notice("for all")
        assert notices(blocker) == notices(blocked) == [(ADMIN, "for all")]
        assert "for all" in [event.notice.text for event in blocked.sync("notice").events]
    finally:
        admin.unblock(blocked.user)


def test_a_user_counts_once_and_scripts_and_the_administrator_do_not(town):
    admin, user = town.join(ADMIN, online=False), town.name()
    assert admin.announce("is anybody here?").reached == 0
    town.join(user), town.join(user), town.join(user, online=False)
    town.join(ADMIN), town.join(online=False)
    assert admin.announce("how many?").reached == 1
    assert town.join(ADMIN).announce("and without me?").reached == 1


def test_a_member_may_not(town):
    alice, bob = town.join(), town.join(public_events=True)
    assert refused("FORBIDDEN", alice.announce, "hear me").reason == "NOT_ADMIN"
    refused("AUTH", town.guest().announce, "hear me")
    alice.broadcast("after it")
    bob.wait_broadcast("after it")
    assert notices(bob) == []


def test_who_lost_the_right_may_not_any_more(town):
    user = town.name()

    def give(*options):
        run([program("zchatd"), "user", "admin", user, *options, "--data", town.broker.data], check=0)

    give()
    admin = town.join(user)
    admin.announce("with the right")
    give("--revoke")
    refused("FORBIDDEN", admin.announce, "without it")


def test_it_is_not_stored_but_who_missed_it_for_a_moment_gets_it(town):
    admin, alice, away = town.join(ADMIN), town.join(sub=True), town.name()
    admin.announce("heard")
    alice.wait_notice("heard")
    alice.sub.close()
    alice.sub = None
    admin.announce("missed")
    alice.subscribe()
    admin.announce("heard again")
    alice.wait_notice("heard again")
    assert [text for _, text in notices(alice)] == ["heard", "missed", "heard again"]
    late = town.join(away, sub=True)
    late.ping()
    assert notices(late) == [] and late.sync().head == 0 and admin.sync().head == 0


def test_a_retry_under_the_same_id_is_not_told_twice(town):
    admin, bob = town.join(ADMIN), town.join(public_events=True)
    id = new_id()
    first = admin.announce("once", id)
    town.join()
    assert admin.announce("on\x07ce", id) == first
    admin.announce("after it")
    bob.wait_notice("after it")
    assert [text for _, text in notices(bob)] == ["once", "after it"]


def test_an_id_that_names_something_else_is_refused(town):
    admin = town.join(ADMIN)
    announced, broadcast = new_id(), new_id()
    admin.announce("word", announced)
    admin.broadcast("word", broadcast)
    for call, text, id in ((admin.announce, "other", announced), (admin.announce, "word", broadcast),
                           (admin.broadcast, "word", announced)):
        assert refused("CONFLICT", call, text, id).reason == "ID_USED"


def test_limits_and_cleaning_are_those_of_a_broadcast(town):
    admin, bob = town.join(ADMIN), town.join(public_events=True)
    refused("INVALID", admin.announce, "")
    refused("INVALID", admin.announce, "x" * (16 * 1024 + 1))
    refused("INVALID", admin.announce, "\x1b[2J")
    refused("INVALID", admin.call, "announce", id=b"short", text="x")
    admin.announce("a\x1b[31m\u202e\u200b\x07b\n")
    bob.wait_notice("ab\n")
    admin.announce("y" * 16 * 1024)
    bob.wait_notice("y" * 16 * 1024)


def test_it_is_bounded_as_broadcasts_are(town_factory):
    town = town_factory("--rate-account", "20000", accounts=1)
    admin = town.join(ADMIN)
    results = admin.batch([("announce" if n % 2 else "broadcast", dict(id=new_id(), text=str(n))) for n in range(40)])
    wrong = [error for error in results if isinstance(error, Exception)]
    assert len(wrong) > 10 and {(error.code, error.reason) for error in wrong} == {("BUSY", "RATE")}
    assert all(error.retry_after_s > 0 for error in wrong)
    assert {"broadcasts" in error.message for error in wrong} == {True, False}


def test_the_log_tells_who_but_not_what(town_factory):
    town = town_factory(accounts=1)
    town.join(ADMIN).announce("nobody's business")
    town.broker.wait_log(rf"announcement user={ADMIN} reached=0")
    assert "business" not in town.broker.log_text()
