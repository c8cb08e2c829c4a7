"""zmq-cli: files of private chats, and what bounds those that one takes unasked."""

import contextlib
import hashlib
import os
import signal
import threading

import pytest
import zmq

from files import CHUNK
from private_calls import accept, invite_as, name_of, start, texts  # noqa: F401
from support import schema
from support.disk import fill, small_disk
from support.ids import new_id
from support.private import CHAT, Peer, answer, answered
from zmq_cli import end


def test_a_file_that_nobody_takes_is_exit_124(town, alice, bob, start, tmp_path):
    (tmp_path / "f.bin").write_bytes(b"abc")
    his = accept(start, bob, "--once")
    os.kill(his.pid, signal.SIGSTOP)
    hers = start(alice, "private", "file", name_of(bob), tmp_path / "f.bin", "--timeout", "1")
    done = end(hers)
    assert done.status == 124 and name_of(bob) in done.error["message"], done
    os.kill(his.pid, signal.SIGCONT)


def test_a_file_goes_into_the_folder(alice, bob, start, tmp_path):
    content = os.urandom(900_000)
    (tmp_path / "f.bin").write_bytes(content)
    (tmp_path / "in").mkdir()
    his = accept(start, bob, "--once", "--files-to", tmp_path / "in", stdin="")
    done = alice.ok("private", "file", name_of(bob), tmp_path / "f.bin")
    assert done.one == {"to": name_of(bob), "file": "f.bin", "status": "delivered"}
    got = end(his)
    assert got.status == 0 and got.one == {
        "from": name_of(alice), "file": "f.bin", "size": "900000",
        "path": str(tmp_path / "in" / "f.bin")}, got
    assert (tmp_path / "in" / "f.bin").read_bytes() == content


def test_a_file_is_refused_where_none_is_wanted_or_its_name_is_taken(alice, bob, start, tmp_path):
    (tmp_path / "f.bin").write_bytes(b"new")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "f.bin").write_bytes(b"old")
    his = accept(start, bob, "--once", stdin="")
    done = alice("private", "file", name_of(bob), tmp_path / "f.bin", check=6)
    assert done.error["code"] == "FORBIDDEN", done
    assert end(his).status == 0
    his = accept(start, bob, "--once", "--files-to", tmp_path / "in", stdin="")
    alice("private", "file", name_of(bob), tmp_path / "f.bin", check=6)
    assert end(his).status == 7
    assert (tmp_path / "in" / "f.bin").read_bytes() == b"old"


def test_a_folder_for_files_that_is_none_is_exit_3_at_once(bob, tmp_path):
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "nothing", tmp_path / "file"):
        done = bob("private", "accept", "--once", "--files-to", folder, check=3)
        assert f"can't be put into {folder}" in done.err and "waiting" not in done.err


@pytest.mark.parametrize("path", ["missing", "folder", "pipe", "/dev/zero", "/proc/self/status"])
def test_what_is_no_file_is_exit_3_before_anybody_is_asked(alice, bob, start, tmp_path, path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    his = accept(start, bob, "--once")
    alice.fails(3, "IO", "private", "file", name_of(bob), tmp_path / path)
    his.send_signal(signal.SIGINT)
    done = end(his)
    assert done.status == 130 and "private chat" not in done.err, done


@pytest.mark.parametrize("name", [".bashrc", "-rf", "..", ". "])
def test_a_file_whose_name_could_do_harm_is_refused(alice, bob, start, tmp_path, name):
    folder = tmp_path / "in"
    folder.mkdir()
    if name == "..":
        name = "..evil"
    (tmp_path / name).write_bytes(b"harm")
    his = accept(start, bob, "--once", "--files-to", folder, stdin="")
    done = alice("private", "file", name_of(bob), tmp_path / name, check=6)
    assert done.error["code"] == "FORBIDDEN", done
    got = end(his)
    assert "begins with a dot or a dash" in got.err, got
    assert os.listdir(folder) == []


def test_a_file_is_taken_up_to_a_size_that_an_option_changes(alice, bob, start, tmp_path):
    folder, mib = tmp_path / "in", 1024 * 1024
    folder.mkdir()
    for name, size in (("large", 64 * mib + 1), ("medium", mib + 1)):
        with open(tmp_path / name, "wb") as file:
            file.truncate(size)
    for name, options, status in (("large", (), 6), ("medium", ("--files-max", "1"), 6),
                                  ("medium", ("--files-max", "2"), 0)):
        his = accept(start, bob, "--once", "--files-to", folder, *options, stdin="")
        alice("private", "file", name_of(bob), tmp_path / name, check=status)
        assert ("--files-max" in end(his).err) == (status == 6)
    assert os.listdir(folder) == ["medium"]


def test_a_full_disk_refuses_a_file_and_keeps_no_part_of_it(alice, bob, start, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "small").write_bytes(b"x" * 200_000)
    (tmp_path / "large").write_bytes(b"x" * 2_000_000)
    with small_disk(folder, 1):
        for name, status in (("large", 3), ("small", 0)):
            his = accept(start, bob, "--once", "--files-to", folder, stdin="")
            hers = alice("private", "file", name_of(bob), tmp_path / name, check=status)
            assert ("the disk there has no room" in hers.err) == (status != 0), hers
            done = end(his)
            assert done.status == (0 if status == 0 else 3), done
            assert ("has no room for" in done.err) == (status != 0), done
        assert os.listdir(folder) == ["small"]


def offers(town, bob, start, folder, sizes, *options):
    """bob's call takes files from somebody who offers one after the other in one chat: the answer to each, and
    what came of the call. Behind them a line shows that the chat goes on."""
    his = accept(start, bob, "--once", "--files-to", folder, *options)
    eve = town.join(**CHAT)
    told = answered(eve, invite_as(eve, name_of(bob)))
    taken = []
    with Peer.inviting(eve.keys, told.key, told.endpoint) as peer:
        peer.hello(eve.user, told.id, told.nonce)
        peer.next("hello")
        for number, size in enumerate(sizes):
            taken.append(offer(peer, f"file {number}", bytes(size)))
        peer.line(1, "still here")
        assert peer.next("ack").received == 1
        peer.say("bye")
        done = end(his)
    assert "still here" in [line.get("text") for line in done.lines], done
    return taken, done


def offer(peer, name, content):
    """Whether the file was taken; a string: why it could not be."""
    id = new_id()
    peer.say("file_offer", id=id, file=name, size=len(content),
             digest=hashlib.blake2b(content, digest_size=64).digest())
    message = peer.next("file_answer", "file_ack")
    if isinstance(message, schema.PeerFileAck):
        return message.failed
    if not message.accept:
        return False
    for at in range(0, len(content), CHUNK):
        peer.say("file_chunk", id=id, offset=at, data=content[at:at + CHUNK])
        ack = peer.next("file_ack")
        if ack.failed:
            return ack.failed
    return ack.done


def test_no_more_files_are_taken_than_an_option_says(town, bob, start, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    taken, done = offers(town, bob, start, folder, [10] * 5, "--files-count", "3")
    assert taken == [True] * 3 + [False] * 2
    assert done.err.count("--files-count takes more") == 2, done
    assert len(os.listdir(folder)) == 3


def test_a_hundred_files_are_taken_where_no_option_says_more(town, bob, start, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    taken, _ = offers(town, bob, start, folder, [1] * 102)
    assert taken == [True] * 100 + [False] * 2


def test_no_more_bytes_are_taken_than_an_option_says(town, bob, start, tmp_path):
    folder, mib = tmp_path / "in", 1024 * 1024
    folder.mkdir()
    taken, done = offers(town, bob, start, folder, [mib, mib, 1], "--files-total", "2")
    assert taken == [True, True, False]
    assert done.err.count("--files-total takes more") == 1, done


def test_sixteen_of_the_largest_files_are_taken_in_all(town, bob, start, tmp_path):
    folder, mib = tmp_path / "in", 1024 * 1024
    folder.mkdir()
    taken, _ = offers(town, bob, start, folder, [mib] * 15 + [mib // 2] * 3, "--files-max", "1")
    assert taken == [True] * 17 + [False]


def test_chats_one_after_the_other_share_what_a_call_may_take(town, alice, bob, start, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    his = accept(start, bob, "--files-to", folder, "--files-count", "2", stdin="")
    for name, status in (("one", 0), ("two", 0), ("three", 6)):
        (tmp_path / name).write_text(name)
        done = alice("private", "file", name_of(bob), tmp_path / name, check=status)
        assert status == 0 or "does not want" in done.err, done
    his.send_signal(signal.SIGINT)
    assert end(his).status == 130
    assert sorted(os.listdir(folder)) == ["one", "two"]


def test_a_disk_that_fills_meanwhile_is_told_and_the_chat_goes_on(town, bob, start, tmp_path):
    """Sparse files say that there is room; others take it while the file comes."""
    folder, mib = tmp_path / "in", 1024 * 1024
    folder.mkdir()
    with small_disk(folder, 4):
        his = accept(start, bob, "--once", "--files-to", folder)
        eve = town.join(**CHAT)
        told = answered(eve, invite_as(eve, name_of(bob)))
        with Peer.inviting(eve.keys, told.key, told.endpoint) as peer:
            peer.hello(eve.user, told.id, told.nonce)
            peer.next("hello")
            content, id = bytes(2 * mib), new_id()
            peer.say("file_offer", id=id, file="file", size=len(content),
                     digest=hashlib.blake2b(content, digest_size=64).digest())
            assert peer.next("file_answer").accept
            fill(folder, 0)
            failed = ""
            for at in range(0, len(content), CHUNK):
                peer.say("file_chunk", id=id, offset=at, data=content[at:at + CHUNK])
                failed = peer.next("file_ack").failed
                if failed:
                    break
            assert "no room" in failed
            peer.line(1, "still here")
            assert peer.next("ack").received == 1
            peer.say("bye")
            done = end(his)
        assert done.status == 3 and "No space left" in done.err, done
        assert texts(done) == ["still here"]
        assert os.listdir(folder) == ["junk"]


def take_slowly(peer, id, pause_s):
    """Takes a file chunk by chunk, until it is whole or nobody is there any more."""
    peer.socket.sndtimeo, pace, received = 1000, threading.Event(), 0
    with contextlib.suppress(zmq.Again):
        while isinstance(came := peer.next("file_chunk", "file_ack", "bye"), schema.PeerFileChunk):
            received += len(came.data)
            pace.wait(pause_s)
            peer.say("file_ack", id=id, received=received)


def test_a_timeout_that_is_given_bounds_a_file_that_moves(town, alice, start, tmp_path):
    (tmp_path / "f.bin").write_bytes(bytes(40 * CHUNK))
    with town.join(**CHAT) as eve:
        hers = start(alice, "private", "file", eve.user, tmp_path / "f.bin", "--timeout", "5")
        eve.wait(lambda: eve.privates, what="an invitation")
        invited = eve.privates[0].private_invited
        with Peer.accepting(eve.keys, invited.key) as peer:
            answer(eve, invited.id, port=peer.port)
            peer.next("hello")
            peer.hello(eve.user, invited.id)
            offered = peer.next("file_offer")
            peer.say("file_answer", id=offered.id, accept=True)
            take_slowly(peer, offered.id, 0.4)  # sixteen seconds for all of it
            done = end(hers)
    assert done.status == 124 and "was not whole on the other side within 5 s" in done.err, done
