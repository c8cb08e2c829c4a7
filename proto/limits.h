/* Every limit of zchat, with its reason. What an administrator may want to change is an option of
 * the broker (broker/option.c), with its default; the rest stands here and is part of the protocol.
 */
#ifndef LIMITS_H
#define LIMITS_H

/* The protocol version that these sources speak. It grows with a change that an older peer would
 * misread. */
#define PROTOCOL_VERSION 1
/* The number of the schema: it grows with every addition, so that a client knows what it may send.
 * proto/README.md says what each number brought. */
#define SCHEMA_NUMBER 4

/* A frame, either way: bounds what a peer can make the other side buffer before anything is
 * checked. */
#define FRAME_BYTES_MAX (1024 * 1024)
/* A frame with as much in it takes nothing more: the reader works on it while the next one is on
 * its way, and the cost of CURVE for each frame is nothing beside that for its bytes. */
#define FRAME_BYTES_FULL (128 * 1024)
/* Commands in one frame: at 16 the cost of CURVE is shared well enough, at 64 fully.
 */
#define FRAME_COMMANDS_MAX 64
/* The greeter's frames: a GreetingRequest is tiny, and comes from anybody. */
#define GREETING_BYTES_MAX 512
/* What one frame may become in memory when it is decoded: 64 commands of 16 KiB fit four times. */
#define DECODE_BYTES_MAX (4 * 1024 * 1024)

/* A turn of the broker's loop. In time: whoever waits behind it should not notice. Its commit and
 * the sending of what it made come on top. */
#define TURN_US (15 * 1000)
/* ... in bytes of answers and events: what lies in memory before anybody can take it. */
#define TURN_ANSWER_BYTES (4 * 1024 * 1024)
/* ... in rows read: some 2 us each, where no clock tells. */
#define TURN_ROWS 8000
/* ... in bytes of commands: what one commit may have to write, while others wait for it. */
#define TURN_COMMAND_BYTES (768 * 1024)
/* Turns that took longer are counted. */
#define TURN_LONG_US (50 * 1000)
/* What one peer's commands may take of it before others that wait have theirs. */
#define SLICE_US           2000
#define SLICE_ANSWER_BYTES (512 * 1024)
#define SLICE_ROWS         1000
/* Frames whose commands wait for a later turn, in bytes, whatever number that is: of one account
 * (without one: of an address) far more than a client has under way; of all together little enough
 * that memory does not suffer. Once half of that waits, a quarter is left to each. */
#define WAITING_BYTES_MAX     (8 * 1024 * 1024)
#define WAITING_BYTES_ALL_MAX (32 * 1024 * 1024)
/* ... of one connection that reads nothing: the chunks of an upload that are under way, and the
 * acknowledgements of whoever is only slow; and how many commands are refused beyond it before it
 * is cut off. */
#define WAITING_STALLED_BYTES_MAX (2 * 1024 * 1024)
#define WAITING_REFUSED_MAX       512
/* How often peers that do not read are looked at again: at first, and at last. */
#define STALL_LOOK_US     (2 * 1000)
#define STALL_LOOK_MAX_US (100 * 1000)
/* A peer that has as much to take, in the broker and in its pipe, is not served until it took some:
 * two chunks, so that a download never waits for the broker. */
#define LINE_FULL_BYTES (512 * 1024)
/* ... and beyond this it gets no events: it makes up for them with Sync. */
#define LINE_EVENTS_BYTES (768 * 1024)
/* What libzmq may hold for one peer: beyond it the broker keeps the rest, which it can count and
 * drop.
 */
#define PIPE_BYTES_MAX (512 * 1024)
/* What is held for all peers together, here and in libzmq: beyond it the largest holder is cut off,
 * if it holds more than what everybody may have waiting for a moment. */
#define PEERS_BYTES_MAX (64 * 1024 * 1024)
#define PEER_BYTES_FAIR (256 * 1024)
/* What libzmq may hold of publications: beyond it they are dropped until some are taken. */
#define PUBLISHED_BYTES_MAX (32 * 1024 * 1024)
/* A peer that has something to take and takes nothing for so long is cut off, whatever it sends;
 * and how often such peers are looked for. */
#define UNREAD_CUT_US  (30 * 1000 * 1000)
#define UNREAD_LOOK_US (5 * 1000 * 1000)
/* A publication takes no event that would make it longer: many subscribers may have it waiting. */
#define PUBLICATION_BYTES_FULL (64 * 1024)
/* ... in a crowd of more connections than these not even so long: encrypted it fits into the 8,192
 * bytes that libzmq has for what it writes to each. Of a longer one libzmq holds an encrypted copy
 * for each subscriber until that one's connection takes it; with 5,000 these filled more memory
 * than the connections themselves. */
#define PUBLICATION_BYTES_CROWD 8000
#define PUBLICATION_CROWD       256

/* A name: short enough for one column of a list. */
#define NAME_BYTES_MAX 32
/* A message's text, in bytes after cleaning: a long mail, not a file. */
#define TEXT_BYTES_MAX (16 * 1024)
/* A password: longer than anybody types, short enough to hash at once. */
#define PASSWORD_BYTES_MAX 1024
/* A device's label, in characters and in bytes. */
#define LABEL_CHARACTERS_MAX 64
#define LABEL_BYTES_MAX      (4 * LABEL_CHARACTERS_MAX)
/* What a client calls its software. */
#define CLIENT_BYTES_MAX 64
/* The tag of a program's run, random. */
#define INSTANCE_BYTES 16
/* ... and of a broker's. */
#define RUN_BYTES 16
/* A message's id, UUIDv7. */
#define ID_BYTES 16
/* A CURVE key, binary and as Z85 text without its NUL. */
#define KEY_BYTES      32
#define KEY_TEXT_BYTES 40

/* One page of Sync: whichever is reached first. The bytes leave room in a frame for what else is in
 * it. */
#define SYNC_ENTRIES_MAX 500
#define SYNC_BYTES_MAX   (FRAME_BYTES_MAX - 128 * 1024)
/* People in one answer of Who or Since: a quarter of a MiB, and some 10 ms. */
#define PEOPLE_MAX 5000
/* What rows read and bytes of answers cost in units of the rate budgets, where a message sent costs
 * one: about the same time of the broker each. */
#define ROWS_PER_UNIT  8
#define BYTES_PER_UNIT (8 * 1024)
/* Public events that the broker keeps for each topic: a subscriber who missed more takes a
 * snapshot. */
#define TOPIC_EVENTS_KEPT 1000
/* Who comes and goes is told at once after so long a silence; then what follows waits for so long
 * and is told together: a frame to everybody for each login would cost more than the login. */
#define GATHER_US (250 * 1000)
/* ... longer for each who is told once there are more than 1,250: each frame takes some 10 us of a
 * core, so these 5,000 a second take a twentieth of it. */
#define GATHER_HEARER_US 200
#define GATHER_US_MAX    (2 * 1000 * 1000)
/* ... and this much of it a slice, with pauses between them: in a crowd others have their share of
 * what the broker can encrypt. */
#define GATHER_SLICE_BYTES (512 * 1024)
#define GATHER_PAUSE_US    (5 * 1000)
#define BROADCAST_PAUSE_US (1 * 1000)
/* Broadcasts that follow one are told together, once so long has passed for each who is told: a
 * frame to one takes some 3 us of a core, whatever is in it, so these take a sixth of it; and
 * somebody who reads notices nothing of it. */
#define BROADCAST_HEARER_US 20
#define BROADCAST_US_MAX    (20 * 1000)
/* ... at once where there is as much of them: then what is in a frame costs more than the frame. */
#define BROADCAST_BYTES_FULL (16 * 1024)
/* Events that wait for that: beyond it the oldest go, and who has missed them is told the head. */
#define GATHERED_MAX TOPIC_EVENTS_KEPT
/* ... but no broadcast: beyond these, or as many bytes, everybody is told at once. */
#define GATHERED_BYTES_MAX (64 * 1024)
/* Events of a thread that follow one are told together in the same way, once so long has passed for
 * each account that follows it and is there. Longer than broadcasts: each turn of them costs a
 * commit as well, and with 100 followers 20 us gave 0.7 of the deliveries/s that broadcasts have,
 * 60 us 0.85; 6 ms are nothing to somebody who reads. */
#define THREAD_FOLLOWER_US 60
#define THREAD_US_MAX      (20 * 1000)
/* ... at once where there is as much of them, */
#define THREAD_BYTES_FULL (32 * 1024)
/* and whatever is due first where as much waits of all threads: some 30 of them that are full. */
#define THREADS_BYTES_MAX (1024 * 1024)
/* Broadcast ids that the broker remembers, so that a retry is not sent twice. */
#define BROADCAST_IDS_KEPT 1000

/* Received messages that nobody has read yet, in one inbox, and from one sender in it: one person
 * who never reads, or one who floods, must not fill the disk. */
#define INBOX_UNREAD_MAX            1000000
#define INBOX_UNREAD_PER_SENDER_MAX 250000
/* ... and in bytes, each message with INBOX_ENTRY_BYTES: as the number does of lines, this allows
 * 4,000 texts of the largest size from one sender, some months' mail. */
#define INBOX_UNREAD_BYTES_MAX            (256 * 1024 * 1024)
#define INBOX_UNREAD_BYTES_PER_SENDER_MAX (64 * 1024 * 1024)
/* What a message counts in these besides its text: about what the store needs for it. */
#define INBOX_ENTRY_BYTES 128
/* Devices of one account: far more than anybody owns. */
#define DEVICES_MAX 64
/* Names that one user may block. */
#define BLOCKS_MAX 10000
/* Script sessions of one user: a forgotten loop must not eat the broker's memory. */
#define SCRIPT_SESSIONS_MAX 64
/* Subscriptions of one key at the event socket: a million topics from one client cost the broker
 * 900 MB. */
#define SUBSCRIPTIONS_MAX 1000
/* One subscription is the name of a topic, packed; ZeroMQ keeps a node for each byte of it. */
#define SUBSCRIPTION_BYTES_MAX 64
/* What a key may ask of the event socket in a second, with a burst of ten times as much: a
 * subscription, or the end of one, costs 1, a connection with its handshake and end more. Who
 * follows as many threads as one may comes back at once; whoever connects in a loop waits. */
#define EVENTS_UNITS_A_S       200
#define EVENTS_CONNECTION_COST 40
/* What one connection may send to the event socket: all its subscriptions at once, and little
 * afterwards. */
#define SUBSCRIBER_BYTES_BURST (256 * 1024)
#define SUBSCRIBER_BYTES_A_S   (16 * 1024)
/* A device whose command connection was lost may be back within this before its event connections
 * are cut. */
#define EVENTS_GRACE_S 5

/* Connections without a session, on the command and the event socket together: a quarter of the
 * descriptors, and at most this many. Beyond it the oldest one of the address with most is cut. */
#define STRANGERS_MAX 4096
/* ... of one address (IPv6: a /64), in percent of that: others must find a place. */
#define STRANGERS_OF_ADDRESS_PERCENT 75
/* What has not sent a whole frame by then is cut; sooner if more than half of the places are
 * taken. */
#define SILENT_S         30
#define SILENT_CROWDED_S 10
/* The same for one that proved a key and has no session: somebody may be typing a password. */
#define STRANGER_S         600
#define STRANGER_CROWDED_S 30
/* A handshake that is not through by then is given up. */
#define HANDSHAKE_MS 5000
/* Bytes of one message that is not complete, which in the broker's memory may be up to 4.5 times as
 * many: of a connection without a session between the first two, so that all of them together have
 * no more than the third (and, of 1,000 connections, no more than 32 MiB become). */
#define UNFINISHED_STRANGER_MIN  (6 * 1024)
#define UNFINISHED_STRANGER_MAX  (64 * 1024)
#define UNFINISHED_STRANGERS_MAX (6 * 1024 * 1024)
/* ... of a session's command connection: one frame. */
#define UNFINISHED_MEMBER_MAX (FRAME_BYTES_MAX + 64 * 1024)
/* ... what each may have in any case: a chunk and what else is in its frame, less than 2 MiB of
 * memory; and what those with more have beyond it, all together: two of the largest frames. */
#define UNFINISHED_FAIR      (384 * 1024)
#define UNFINISHED_LARGE_MAX (2 * 1024 * 1024)
/* ... and after how many more bytes such a one is looked at again: whether it is of many parts. */
#define UNFINISHED_PROBE (64 * 1024)
/* ... of all connections of an account: some uploads at a time over slow lines; and of all members.
 * Beyond them who has the most is cut. */
#define UNFINISHED_ACCOUNT_MAX (4 * 1024 * 1024)
#define UNFINISHED_MEMBERS_MAX (16 * 1024 * 1024)
/* ... at the event socket, where a message is a subscription. */
#define UNFINISHED_SUBSCRIBER_MAX (8 * 1024)
/* A connection to the greeter ends this long after it came or was answered. */
#define GUEST_S 5
/* ... and after so many answers: each takes a system call, and a request has two bytes. */
#define GUEST_ANSWERS_MAX 16
/* ... and there are at most this many, or one of so many of the descriptors. */
#define GUESTS_MAX    256
#define GUESTS_ONE_OF 8
/* Of each this many descriptors one is kept for files: connections without a session are cut where
 * they would take it. */
#define DESCRIPTORS_KEPT_ONE_OF 10

/* Passwords waiting to be hashed, at 130 ms each: beyond it the wait exceeds any patience. */
#define PASSWORD_QUEUE_MAX 256
/* ... of one device's key, which has one user; and of one address (IPv6: of one /64), where a class
 * may sit behind a router. */
#define PASSWORDS_PER_KEY_MAX     8
#define PASSWORDS_PER_ADDRESS_MAX 64
/* Wrong passwords in a row that lock an account's password logins. */
#define LOGIN_FAILURES_MAX 3
/* Names whose failures are kept: unknown names count like known ones, so a bound is needed. */
#define LOGIN_FAILURES_KEPT 10000

/* A thread's title and a file's name: one line of a list, in characters and in bytes. */
#define TITLE_CHARACTERS_MAX 128
#define TITLE_BYTES_MAX      (4 * TITLE_CHARACTERS_MAX)
#define TITLE_BYTES          (TITLE_BYTES_MAX + 1) /* with its NUL */
#define FILE_NAME_BYTES      TITLE_BYTES
/* A file's chunk: large enough that its frame costs little, small enough that a message behind it
 * waits only a moment. */
#define CHUNK_BYTES_MAX (256 * 1024)
/* An unfinished upload without a new chunk gives its name and room back after a day: long enough to
 * come back from a journey. */
#define UPLOAD_EXPIRE_S (24 * 60 * 60)
/* ... and one of which no byte came after minutes: a reservation alone is worth nothing. */
#define UPLOAD_EMPTY_EXPIRE_S (5 * 60)
/* What a row in a thread's log, and a file, count in an account's quota besides their own bytes:
 * about what the store needs for them. */
#define LOG_ROW_BYTES  128
#define FILE_ROW_BYTES 1024
/* What files leave of the broker's disk: the log of messages needs room while somebody makes more.
 */
#define DISK_KEPT_PERCENT   5
#define DISK_KEPT_BYTES_MAX (64 * 1024 * 1024)
/* What the store keeps allocated for itself, so that a transaction that began is never refused by
 * the disk: more than one turn's commands become on it, less on small disks (a part of them). */
#define RESERVE_BYTES_MAX (8 * 1024 * 1024)
#define RESERVE_BYTES_MIN (1024 * 1024)
#define RESERVE_SHARE     16
/* What one who is refused for a full disk is told to wait: people make room in minutes, not at
 * once. */
#define DISK_FULL_RETRY_S 30
/* Threads that one account may follow: each is a subscription and a cursor. */
#define FOLLOWED_MAX 1000

/* An invitation to a private chat that nobody answers by then has ended: he is not there. */
#define INVITATION_S 60
/* Invitations that an account may have open at a time, made or received. */
#define INVITATIONS_MAX 64
/* Invitations a second of one account, with a burst of ten times as many: all that may be open, and
 * then as fast as nobody types. Not for a broker whose accounts have no budget (--rate-account 0),
 * as the next two. */
#define INVITATIONS_A_S 7
/* ... and from one account to one other: five, then one in two seconds; a renewal costs half, since
 * it was consented to and asks nobody. */
#define INVITATION_PAIR_UNITS_A_S 1
#define INVITATION_COST           2
/* Broadcasts a second of one account, with a burst of ten times as many: each one interrupts
 * everybody, and costs the broker something for each who is online. */
#define BROADCASTS_A_S 2
/* The same for coming online, which is told to everybody, with its end. Who comes back from a lost
 * connection within its grace was not away. */
#define ARRIVALS_A_S 2
/* Private chats of one session at a time: each is a socket. */
#define PRIVATE_CHATS_MAX 64
/* What the acceptor gives and the inviter shows. */
#define NONCE_BYTES 32
/* Lines of one chat that wait for their acknowledgement: a script that sends much bounds itself, a
 * broken link must not eat the memory. */
#define PRIVATE_LINES_MAX 10000
/* Files of one chat and direction that are known at a time. */
#define PRIVATE_FILES_MAX 64
/* How long both sides try to make a broken link anew. */
#define PRIVATE_AGAIN_S 60
/* ... and how long when the other one's session has ended as well: a program that lost its
 * connections and lives on is back by then. */
#define PRIVATE_GONE_S 10
/* How long a program waits at its start to learn whether the name that it was given as its address
 * for private chats is one. */
#define PRIVATE_ADDRESS_MS 3000
/* A link that is not made by then is an error; one that is dead is noticed within three times 5 s.
 */
#define PRIVATE_CONNECT_MS           10000
#define PRIVATE_HEARTBEAT_MS         5000
#define PRIVATE_HEARTBEAT_TIMEOUT_MS 5000

/* What a session may lag behind before it is told the head again. */
#define HEAD_REPEAT_US (2 * 1000 * 1000)
/* A half-open peer is noticed within 20 s, by TCP: the first probe after 8 s of silence, then each
 * 4 s; with the third one unanswered it is over, and so is one that takes nothing for as long.
 * ZeroMQ's own heartbeats cost the broker a walk over all timers for each answer. */
#define TCP_SILENCE_S     8
#define TCP_PROBE_S       4
#define TCP_PROBES        3
#define TCP_UNANSWERED_MS 16000
/* A client's KeepAlive: it repairs what heads were lost; TCP sees to the connection. */
#define KEEP_ALIVE_S 60

#endif
