"""Every list comes in pages of one style: `after`, `limit`, `more`. Pages of any size together are the list,
each entry once, in its order."""

import pytest

from support.client import Keys
from support.ids import new_id
from support.town import refused

SIZES = [1, 2, 3, 7, 100]


def pages(ask, size, **places):
    """The entries of all pages; `places` say how the next page begins behind an entry."""
    entries, after = [], {}
    while True:
        some, more = ask(limit=size, **after)
        entries += some
        assert len(some) <= size
        if not more:
            return entries
        assert some, "a page without an entry says that there are more"
        after = {field: place(some[-1]) for field, place in places.items()}


@pytest.mark.parametrize("size", SIZES)
def test_blocked_users(town, size):
    alice, users = town.join(), sorted(town.names(7))
    for user in reversed(users):
        alice.block(user)

    def ask(**fields):
        reply = alice.call("list_blocked", **fields)
        return list(reply.users), reply.more

    assert pages(ask, size, after=lambda user: user) == users
    assert ask() == (users, False)
    assert ask(after="zzz") == ([], False)


@pytest.mark.parametrize("size", SIZES)
def test_followed_threads(town, size):
    alice = town.join()
    titles = sorted(f"{town.fresh_name()} ä{n}" for n in range(7))
    for title in titles:
        alice.create_thread(title)
        alice.call("follow_thread", thread=title)

    def ask(**fields):
        reply = alice.call("list_followed", **fields)
        return [followed.title for followed in reply.threads], reply.more

    assert pages(ask, size, after=lambda title: title) == titles
    assert ask() == (titles, False)


@pytest.mark.parametrize("size", SIZES)
def test_devices(town, size):
    name = town.fresh_name()
    town.guest().register(name, "password")
    for _ in range(3):
        alice = town.guest(Keys())
        alice.login(name, "password")

    def ask(**fields):
        reply = alice.call("list_devices", **fields)
        return [device.number for device in reply.devices], reply.more

    numbers, more = ask()
    assert len(numbers) == 4 and numbers == sorted(numbers) and not more
    assert pages(ask, size, after=lambda number: number) == numbers


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("body", ["who", "since"])
def test_people(town, body, size):
    here, gone = town.join_many(4), town.join_many(4)
    names = {client.user for client in gone}
    for client in gone:
        client.logout()
    alice = town.join()

    def ask(**fields):
        reply = alice.call(body, **fields, **({"seconds": 100000} if body == "since" else {}))
        return list(reply.people), reply.more

    places = {"after": lambda person: person.user}
    if body == "since":
        places["after_seen_us"] = lambda person: 0 if person.online else person.last_seen_us
    people = pages(ask, size, **places)
    online = [person.user for person in people if person.online]
    assert online == sorted(client.user for client in here)
    offline = [(-person.last_seen_us, person.user) for person in people[len(online):]]
    assert not any(person.online for person in people[len(online):]) and offline == sorted(offline)
    assert len({person.user for person in people}) == len(people)
    if body == "since":
        assert names <= {user for _, user in offline}
    assert [person.user for person in ask()[0]] == [person.user for person in people]


def test_a_limit_beyond_the_most_is_the_most(town):
    alice = town.join()
    town.join()
    for body in ("who", "list_blocked", "list_followed", "list_devices", "list_threads"):
        alice.call(body, limit=2**32 - 1)
    refused("NOT_FOUND", alice.call, "list_files", thread=f"none {new_id().hex()}", limit=2**32 - 1)
