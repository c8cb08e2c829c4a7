"""The forum's half of the second client: calls for threads and posts, and the streams of followed
threads, kept without holes by Sync. Written from proto/README.md and the schema alone."""

from support import schema
from support.ids import new_id
from support.patience import WAIT_S

PREFIX = "thread/"


def stream_of(id):
    """The stream and topic of the thread with that id."""
    return PREFIX + id.hex()


class Followed:
    """What a client has of one thread's stream.

    events    the entries that were taken (Event), in order; have is the last one's number
    pushed    the events as they came live, duplicates and all
    heads     heads told again on the thread's topic
    removed   whether the thread is no more
    """

    def __init__(self, id, title, have):
        self.id, self.title, self.have = id, title, have
        self.stream = stream_of(id)
        self.events, self.pushed, self.heads = [], [], []
        self.removed = False

    def texts(self):
        """The texts of the posts as the events alone make them, in their order."""
        posts = {}
        for event in self.events:
            kind = event.thread.WhichOneof("body")
            if kind == "posted":
                posts[event.thread.posted.id] = event.thread.posted.text
            elif kind == "edited":
                assert event.thread.edited.id in posts, "an edit of a post that is not there"
                posts[event.thread.edited.id] = event.thread.edited.text
            elif kind == "deleted":
                del posts[event.thread.deleted.id]
        return list(posts.values())

    def kinds(self):
        return [event.thread.WhichOneof("body") for event in self.events]

    def seqs(self):
        return [event.seq for event in self.events]


class Forum:
    """A part of Client, which has the connection, call() and wait()."""

    def _forum_init(self):
        self.followed = {}
        self.strays = []

    # ---- threads and posts ----

    def create_thread(self, title, id=None):
        return self.call("create_thread", id=id or new_id(), title=title).thread

    def list_threads(self, page=0):
        """All threads, page by page."""
        threads, after = [], ""
        while True:
            reply = self.call("list_threads", after=after, limit=page)
            threads += reply.threads
            if not reply.more:
                return threads
            after = threads[-1].title

    def titles(self):
        return [thread.title for thread in self.list_threads()]

    def post(self, title, text, id=None, **options):
        return self.call("post_to_thread", id=id or new_id(), thread=title, text=text, **options)

    def read_items(self, title, page=0):
        """A thread's posts and uploads, page by page."""
        items, after = [], 0
        while True:
            reply = self.call("read_thread", thread=title, after_seq=after, limit=page)
            items += reply.items
            if not reply.more:
                return items
            after = items[-1].seq

    def posts(self, title):
        return [item.post for item in self.read_items(title) if item.HasField("post")]

    def post_texts(self, title):
        return [post.text for post in self.posts(title)]

    def edit(self, title, which, text, id=None):
        """`which` is a post's id, or its number."""
        return self.call("edit_post", id=id or new_id(), thread=title, text=text, **_which(which))

    def delete(self, title, which, id=None):
        return self.call("delete_post", id=id or new_id(), thread=title, **_which(which))

    def remove_thread(self, title):
        return self.call("remove_thread", thread=title)

    # ---- following ----

    def follow(self, title):
        """Follows a thread, and listens to it wherever this session listens to public topics."""
        followed = self.call("follow_thread", thread=title).followed
        return self._listen(followed, followed.head)

    def unfollow(self, title):
        self.call("unfollow_thread", thread=title)
        for stream, thread in list(self.followed.items()):
            if thread.title == title:
                if self.sub is not None:
                    self.sub.unsubscribe(self.subscription(stream))
                del self.followed[stream]

    def list_followed(self):
        return list(self.call("list_followed").threads)

    def catch_up(self):
        """After a login: listens to all that the account follows, each from its cursor on, or from what
        this client has already."""
        for thread in self.list_followed():
            self._listen(thread, thread.cursor)
        for stream in self.followed:
            self._sync(stream)

    def _listen(self, thread, have):
        followed = self.followed.get(stream_of(thread.id))
        if followed is None:
            followed = Followed(thread.id, thread.title, have)
            self.followed[followed.stream] = followed
            if self.sub is not None:
                self.sub.subscribe(self.subscription(followed.stream))
                self._sync(followed.stream)
        return followed

    def ack_thread(self, thread, seq):
        return self.call("ack", stream=thread.stream, read=seq)

    def wait_thread(self, thread, seq, timeout=WAIT_S):
        """Until a followed thread's stream was read up to there."""
        return self.wait(lambda: thread.have >= seq, timeout, f"entry {seq} of {thread.title!r}")

    def wait_removed(self, thread, timeout=WAIT_S):
        return self.wait(lambda: thread.removed, timeout, f"the removal of {thread.title!r}")

    # ---- what arrives ----

    def _take_thread(self, stream, event, live=True):
        thread = self.followed.get(stream)
        if thread is None:
            self.strays.append(event)
            return
        if live:
            thread.pushed.append(event)
        removed = event.thread.WhichOneof("body") == "removed"
        if event.seq == thread.have + 1 or removed and not thread.removed:
            thread.events.append(event)
            thread.have = event.seq
            thread.removed = removed
        elif event.seq > thread.have and self.fill:
            self._sync(stream)

    def _take_thread_head(self, stream, head):
        thread = self.followed.get(stream)
        if thread is not None:
            thread.heads.append(head)
            if head > thread.have and self.fill:
                self._sync(stream)

    def _take_thread_page(self, stream, reply):
        thread = self.followed.get(stream)
        if thread is None or reply.error.code == schema.CODE_AUTH:
            return  # not followed, or not logged in, any more
        if reply.HasField("error"):
            assert reply.error.code == schema.CODE_NOT_FOUND, reply.error
            thread.removed = True
            return
        for event in reply.sync.events:
            if event.seq > thread.have + 1:
                raise AssertionError(f"Sync of {stream} after {thread.have} gave {event.seq}: a hole")
            self._take_thread(stream, event, live=False)
        if reply.sync.head > thread.have and not thread.removed:
            self._sync(stream)

    def _compare_heads(self):
        """Asks where the followed threads stand, as Heads does not tell it."""
        if not self.followed or not self.fill:
            return

        def take(reply):
            for told in reply.list_followed.threads:
                thread = self.followed.get(stream_of(told.id))
                if thread is not None and told.head > thread.have:
                    self._sync(thread.stream)
        self.start_handled("list_followed", take)


def _which(which):
    return dict(number=which) if isinstance(which, int) else dict(post=which)
