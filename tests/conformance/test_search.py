"""Search: words in one's own messages and in all posts. COMMANDS.md, "People"; proto/README.md, "Searching"."""

import pytest

from support.town import refused


def texts(found):
    """What was found, the newest first."""
    return [hit.message.message.text if hit.HasField("message") else hit.post.post.text for hit in found]


def test_both_sides_of_a_message_find_it_and_nobody_else(town):
    alice, bob, carol = town.join(), town.join(), town.join()
    sent = alice.message(bob.user, "the Zeppelin lands at nine")
    for member in (alice, bob):
        [hit] = member.search("zeppelin")
        message = hit.message.message
        assert (message.id, message.sender, message.to) == (sent.id, alice.user, bob.user)
        assert hit.message.time_us == sent.time_us
    assert alice.search("zeppelin")[0].message.seq == sent.seq
    assert carol.search("zeppelin") == []


def test_a_block_takes_nothing_away_that_was_stored_before(town):
    alice, bob = town.join(), town.join()
    alice.message(bob.user, "an old quarrel")
    bob.block(alice.user)
    assert texts(bob.search("quarrel")) == texts(alice.search("quarrel")) == ["an old quarrel"]


def test_posts_are_found_by_all_as_they_stand(town):
    alice, bob = town.join(), town.join()
    title = "search " + town.fresh_name()
    alice.create_thread(title)
    alice.post(title, "a marmoset")
    alice.post(title, "and a tapir")
    [hit] = bob.search("tapir")
    assert (hit.post.thread, hit.post.post.number, hit.post.post.user) == (title, 2, alice.user)
    alice.edit(title, 1, "an ocelot")
    assert bob.search("marmoset") == [] and texts(bob.search("ocelot")) == ["an ocelot"]
    alice.call("remove_thread", thread=title)
    assert bob.search("ocelot") == bob.search("tapir") == []


def test_pages_go_on_where_the_last_one_ended(town):
    alice, bob = town.join(), town.join()
    for n in range(40):
        alice.message(bob.user, f"quagga {n}")
    expected = [f"quagga {n}" for n in reversed(range(40))]
    assert texts(bob.search("quagga")) == texts(bob.search("quagga", page=7)) == expected


def test_a_page_is_no_larger_than_a_frame(town):
    alice, bob = town.join(), town.join()
    for n in range(90):
        alice.message(bob.user, f"okapi {n} " + "x" * 16000)
    assert [text.split()[1] for text in texts(bob.search("okapi"))] == [str(n) for n in reversed(range(90))]


@pytest.mark.parametrize("words", ["", "?!", '""', "x" * 257, "x " * 25, "京" * 25])
def test_what_holds_no_word_is_refused(town, words):
    assert refused("INVALID", town.join().call, "search", words=words).reason == "BAD_VALUE"


def test_a_page_that_no_search_gave_is_refused_or_empty(town):
    alice = town.join()
    assert refused("INVALID", alice.call, "search", words="x", before=-1).reason == "BAD_VALUE"
    assert not alice.call("search", words="nosuchword", before=2**62).found
