"""What is damaged in the store is said to be, and takes nothing else along."""

import pytest

from zmq_cli import Cli


@pytest.fixture
def reader(town, config_dirs):
    return Cli(town.broker, config_dirs("damage"), town.name(), town.keys)


def damage(broker, *texts):
    """Changes a byte of each while the broker is down."""
    broker.stop()
    path = broker.data / "zchat.db"
    content = bytearray(path.read_bytes())
    for text in texts:
        at = content.index(text.encode())
        content[at] ^= 1
    path.write_bytes(content)
    broker.start()


def test_a_damaged_message_comes_without_its_text_and_the_others_as_they_were(town, reader):
    writer = town.join(inbox=False)
    for text in ("first", "second", "third"):
        writer.message(reader.environment["ZCHAT_USER"], text)
    damage(town.broker, "second")
    first, second, third = reader.ok("inbox").lines
    assert [first["text"], third["text"]] == ["first", "third"]
    assert second["seq"] == "2" and second["damaged"] is True and "second" not in str(second)
    assert "damaged" not in first and "damaged" not in third
    assert [message["seq"] for message in reader.ok("recv", "--ack").lines] == ["1", "2", "3"]
    assert reader.ok("recv").lines == []
    assert town.stats()["entries_damaged_total"] >= 2


def test_a_damaged_post_comes_without_its_text_and_the_others_as_they_were(town, reader):
    reader.ok("thread", "create", "Damage")
    for text in ("first", "second", "third"):
        reader.ok("thread", "post", "Damage", text)
    damage(town.broker, "second")
    first, second, third = reader.ok("thread", "read", "Damage").lines
    assert [first["text"], third["text"]] == ["first", "third"]
    assert second == {"seq": "2", "damaged": True}
