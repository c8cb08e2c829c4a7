"""One account can't take all the room: quotas of posts, threads and files."""

import pytest

from support.client import CommandError, new_id
from support.town import refused, until_done
from support.transfer import Upload, bytes_of

MIB = 1024 * 1024


@pytest.fixture
def small_town(town_factory):
    town = town_factory("--posts-per-user", "1", "--threads-per-user", "3", "--files-per-user", "2", accounts=4)
    yield town
    town.leave()
    town.close()


def count_until_busy(call, most):
    for done in range(most):
        try:
            call(done)
        except CommandError as error:
            assert error.code == "BUSY", error
            return done, error.message
    raise AssertionError(f"not refused in {most} calls")


def test_posts_and_their_edits_have_a_quota_and_others_go_on(small_town):
    alice, bob = small_town.join_many(2)
    alice.create_thread("t")
    bob.create_thread("u")
    alice.post("t", "first")
    count, why = count_until_busy(lambda n: alice.post("u", "x" * 16000), 100)
    assert 60 <= count <= 66 and "1 MiB" in why and "remove" in why
    assert "1 MiB" in refused("BUSY", alice.edit, "t", 1, "x" * 16000).message
    alice.message(bob.user, "messages are not posts")
    bob.post("t", "I may")
    bob.call("remove_thread", thread="u")
    until_done(lambda: alice.post("t", "there is room again"))


def test_threads_have_a_quota(small_town):
    alice = small_town.join()
    count, why = count_until_busy(lambda n: alice.create_thread(f"t{n}"), 5)
    assert count == 3 and "3 threads" in why
    id = new_id()
    alice.call("remove_thread", thread="t0")
    first = alice.create_thread("t3", id)
    assert alice.create_thread("t3", id) == first
    refused("BUSY", alice.create_thread, "t4")


def test_files_have_a_quota_with_what_is_reserved(small_town):
    alice, bob = small_town.join_many(2)
    alice.create_thread("t")
    upload = Upload(alice, "t", "one", bytes_of(MIB))
    upload.begin()
    upload.send()
    assert "2 MiB" in refused("BUSY", Upload(alice, "t", "two", bytes_of(MIB)).begin).message
    Upload(bob, "t", "two", bytes_of(MIB)).begin()
    small = Upload(alice, "t", "small", bytes_of(MIB // 2))
    small.begin()
    refused("BUSY", Upload(alice, "t", "three", bytes_of(MIB // 2)).begin)
    alice.call("cancel_upload", id=small.id)
    Upload(alice, "t", "three", bytes_of(MIB // 2)).begin()


def test_one_account_can_not_reserve_all_room_of_files(town):
    alice, bob = town.join_many(2)
    title = f"reserved by {alice.user}"
    alice.create_thread(title)
    begin = lambda client, name: client.call("begin_upload", id=new_id(), thread=title, file=name,  # noqa: E731
                                             size=64 * MIB)
    count, _ = count_until_busy(lambda n: begin(alice, f"f{n}"), 200)
    assert count < 40
    begin(bob, "bob's")
    alice.call("remove_thread", thread=title)
