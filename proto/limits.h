/* Every limit of zchat, with its reason. A limit that an administrator may want to change is an
 * option of the broker (broker/option.c), with its default; all others are here and part of the
 * protocol. */
#ifndef LIMITS_H
#define LIMITS_H

/* The protocol version that these sources speak. A change that an older peer would misread
 * increases it. */
#define PROTOCOL_VERSION 1
/* The number of the schema: it grows with every addition, so that a client knows what it may send.
 * proto/README.md says what each number brought. */
#define SCHEMA_NUMBER 10

/* A frame, in either direction: bounds what a peer can make the other side buffer before anything
 * is checked. */
#define FRAME_BYTES_MAX (1024 * 1024)
/* A frame that has this much takes nothing more: the reader works on it while the next one is on
 * its way, and at this size the cost of CURVE for each frame is small compared with its cost for
 * the bytes. */
#define FRAME_BYTES_FULL (128 * 1024)
/* Commands in one frame: at 16 the cost of CURVE is shared well enough, at 64 fully. */
#define FRAME_COMMANDS_MAX 64
/* The greeter's frames: a GreetingRequest is tiny, and comes from anybody. */
#define GREETING_BYTES_MAX 512
/* How much memory one decoded frame may take: 64 commands of 16 KiB fit four times. */
#define DECODE_BYTES_MAX (4 * 1024 * 1024)

/* A turn of the broker's loop, in time: who has to wait for its end should not notice. Its commit
 * and the sending of its frames come on top. */
#define TURN_US (15 * 1000)
/* ... in bytes of answers and events: they are in memory before anybody can take them. */
#define TURN_ANSWER_BYTES (4 * 1024 * 1024)
/* ... in rows read: about 2 us each, which counts if there is no clock. */
#define TURN_ROWS 8000
/* ... in bytes of commands: one commit may have to write as much, while others wait for it. */
#define TURN_COMMAND_BYTES (768 * 1024)
/* Turns that took longer are counted. */
#define TURN_LONG_US (50 * 1000)
/* How much of a turn one peer's commands may take before the commands of others that wait. */
#define SLICE_US           2000
#define SLICE_ANSWER_BYTES (512 * 1024)
#define SLICE_ROWS         1000
/* Frames whose commands wait for a later turn, in bytes. For one account (without one: for an
 * address) far more than a client has under way; for all together little enough that memory does
 * not suffer. Once half of that is waiting, each may have only a quarter. */
#define WAITING_BYTES_MAX     (8 * 1024 * 1024)
#define WAITING_BYTES_ALL_MAX (32 * 1024 * 1024)
/* ... for one connection that reads nothing: enough for the chunks of an upload that are under way,
 * and for the acknowledgements of a client that is only slow; and how many commands beyond that are
 * refused before the connection is cut off. */
#define WAITING_STALLED_BYTES_MAX (2 * 1024 * 1024)
#define WAITING_REFUSED_MAX       512
/* How long until peers that do not read are looked at again: at first, and in the end. */
#define STALL_LOOK_US     (2 * 1000)
#define STALL_LOOK_MAX_US (100 * 1000)
/* A peer for which this much waits, in the broker and in its pipe, is not served until it took
 * some. It is two chunks, so that a download never waits for the broker. */
#define LINE_FULL_BYTES (512 * 1024)
/* ... and beyond this it gets no events: it fetches them later with Sync. */
#define LINE_EVENTS_BYTES (768 * 1024)
/* What libzmq may hold for one peer. The broker keeps what is beyond that, which it can count and
 * drop. */
#define PIPE_BYTES_MAX (512 * 1024)
/* What may be held for all peers together, in the broker and in libzmq. Beyond that the largest
 * holder is cut off, if it holds more than everybody may have waiting for a moment. */
#define PEERS_BYTES_MAX (64 * 1024 * 1024)
#define PEER_BYTES_FAIR (256 * 1024)
/* What libzmq may hold of publications. Further ones are dropped until some were taken. */
#define PUBLISHED_BYTES_MAX (32 * 1024 * 1024)
/* A peer for which something waits and that takes nothing for so long is cut off, whatever it
 * sends; and how often such peers are looked for. */
#define UNREAD_CUT_US  (30 * 1000 * 1000)
#define UNREAD_LOOK_US (5 * 1000 * 1000)
/* A publication takes no event that would make it longer: many subscribers may have it waiting. */
#define PUBLICATION_BYTES_FULL (64 * 1024)
/* ... and with more connections than PUBLICATION_CROWD publications are shorter: encrypted, such a
 * one fits into the 8,192 bytes of libzmq's buffer for writing to each connection. For a longer one
 * libzmq holds an encrypted copy for each subscriber until that connection takes it; with 5,000
 * connections these copies took more memory than the connections themselves. */
#define PUBLICATION_BYTES_CROWD 8000
#define PUBLICATION_CROWD       256

/* A client's own bounds for what others send it: frames that wait in libzmq to be read. What is
 * beyond waits in the kernel, and then with the sender. */
#define CLIENT_FRAMES_MAX 64
/* ... of a private chat, where beyond it heartbeats are not heard: twice the window of lines. Most
 * are small, so all of them together have no more bytes than twice the windows. */
#define PRIVATE_FRAMES_MAX  256
#define PRIVATE_WAITING_MAX (32 * 1024 * 1024)
/* ... bytes of a message that is not complete: a frame, and as much that comes with it. */
#define CLIENT_UNFINISHED_MAX (2 * FRAME_BYTES_MAX)
/* ... of a greeting, which tells a key and three short texts, and comes from anybody. */
#define GREETING_ANSWER_BYTES_MAX (4 * 1024)
/* ... how often what comes is looked at for that: some tens of MiB may come until it is noticed.
 * Without encryption it comes faster, and there is nothing else to do. */
#define CLIENT_LOOK_US         (100 * 1000)
#define CLIENT_LOOK_GREETER_US (10 * 1000)
/* ... and bytes of frames, in a row, with nothing in them that was asked for: what was on its way
 * when a few calls were given up has fewer. */
#define CLIENT_UNASKED_MAX (8 * 1024 * 1024)

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
/* The random tag of one run of a program. */
#define INSTANCE_BYTES 16
/* ... and of one run of a broker. */
#define RUN_BYTES 16
/* A message's id, UUIDv7. */
#define ID_BYTES 16
/* A CURVE key, binary and as Z85 text without its NUL. */
#define KEY_BYTES      32
#define KEY_TEXT_BYTES 40

/* One page of Sync: whichever is reached first. The bytes leave room in the frame for other
 * things. */
#define SYNC_ENTRIES_MAX 500
#define SYNC_BYTES_MAX   (FRAME_BYTES_MAX - 128 * 1024)
/* Entries that one ReadHistory looks at, whether or not they are of the conversation: about 3 ms of
 * work. */
#define HISTORY_ROWS_MAX 1000
/* What a search looks for, and what one page of it finds at most. */
#define SEARCH_BYTES_MAX 256
#define SEARCH_FOUND_MAX 100
/* Each word costs about a millisecond, wherever it is. */
#define SEARCH_WORDS_MAX 24
/* People in one answer of Who or Since: a quarter of a MiB, and about 10 ms of work. */
#define PEOPLE_MAX 5000
/* How many rows read, and how many bytes of answers, cost one unit of the rate budgets. A message
 * sent costs one unit, too: each takes the broker about the same time. */
#define ROWS_PER_UNIT  8
#define BYTES_PER_UNIT (8 * 1024)
/* Public events that the broker keeps for each topic: a subscriber that missed more takes a
 * snapshot. */
#define TOPIC_EVENTS_KEPT 1000
/* After so long a silence it is told at once who came or went; what follows waits for so long and
 * is told together: a frame to everybody for each login would cost more than the login. */
#define GATHER_US (250 * 1000)
/* ... and so much for each who is told, if that is longer, which it is for more than 1,250: each
 * frame takes about 10 us of a core, so these 5,000 a second take a twentieth of it. */
#define GATHER_HEARER_US 200
#define GATHER_US_MAX    (2 * 1000 * 1000)
/* ... and it is told in slices of this size with pauses between them, so that in a crowd others get
 * their share of what the broker can encrypt. */
#define GATHER_SLICE_BYTES (512 * 1024)
#define GATHER_PAUSE_US    (5 * 1000)
#define BROADCAST_PAUSE_US (1 * 1000)
/* Broadcasts that follow one are told together, after a wait of so long for each who is told: a
 * frame to one takes about 3 us of a core, whatever is in it, so these take a sixth of the core;
 * and nobody who reads them notices the wait. */
#define BROADCAST_HEARER_US 20
#define BROADCAST_US_MAX    (20 * 1000)
/* ... at once if they have so many bytes: then the contents of a frame cost more than the frame. */
#define BROADCAST_BYTES_FULL (16 * 1024)
/* How many events may wait for that: beyond it the oldest are dropped, and who missed them is told
 * the head. */
#define GATHERED_MAX TOPIC_EVENTS_KEPT
/* ... but no broadcast is dropped: beyond so many broadcasts, or bytes, everybody is told at
 * once. */
#define GATHERED_BYTES_MAX (64 * 1024)
/* Events of a thread that follow one are told together in the same way, after a wait of so long for
 * each account that follows the thread and has a session. The wait is longer than for broadcasts,
 * because each turn with posts costs a commit as well: with 100 followers, 20 us gave 0.7 of the
 * deliveries/s of broadcasts, 60 us gave 0.85; and nobody who reads notices 6 ms. */
#define THREAD_FOLLOWER_US 60
#define THREAD_US_MAX      (20 * 1000)
/* ... at once if they have so many bytes, */
#define THREAD_BYTES_FULL (32 * 1024)
/* and the thread that is due first, if so many bytes wait for all threads: about 30 full ones. */
#define THREADS_BYTES_MAX (1024 * 1024)
/* Broadcast ids that the broker remembers, so that a retry is not sent twice. */
#define BROADCAST_IDS_KEPT 1000

/* Unread messages in one inbox, and in it from one sender: a person who never reads, or one who
 * floods, must not fill the disk. */
#define INBOX_UNREAD_MAX            1000000
#define INBOX_UNREAD_PER_SENDER_MAX 250000
/* ... and in bytes, each message with INBOX_ENTRY_BYTES: it allows 4,000 texts of the largest size
 * from one sender, which, like the number for lines, is the mail of some months. */
#define INBOX_UNREAD_BYTES_MAX            (256 * 1024 * 1024)
#define INBOX_UNREAD_BYTES_PER_SENDER_MAX (64 * 1024 * 1024)
/* What a message counts for in these besides its text: about what the store needs for it. */
#define INBOX_ENTRY_BYTES 128
/* Devices of one account: far more than anybody owns. */
#define DEVICES_MAX 64
/* Sent messages that one session may wait for to be read: more than anybody has under way, little
 * enough that thousands of sessions take no more than 100 MiB with them. */
#define AWAITED_MAX 256
/* Names that one user may block. */
#define BLOCKS_MAX 10000
/* Script sessions of one user: a forgotten loop must not use up the broker's memory. */
#define SCRIPT_SESSIONS_MAX 64
/* Subscriptions of one key at the event socket: a million topics from one client cost the broker
 * 900 MB. */
#define SUBSCRIPTIONS_MAX 1000
/* One subscription, which is the packed name of a topic; ZeroMQ keeps a node for each byte of
 * it. */
#define SUBSCRIPTION_BYTES_MAX 64
/* What a key may spend on the event socket in a second, with a burst of ten times as much: a
 * subscription, or the end of one, costs 1; a connection, with its handshake and end, costs more. A
 * client that follows as many threads as allowed can come back at once; one that connects in a loop
 * has to wait. */
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
 * descriptors, and at most this many. Beyond that, the oldest one of the address with the most is
 * cut. */
#define STRANGERS_MAX 4096
/* ... from one address (IPv6: a /64), in percent of that: others must find a place. */
#define STRANGERS_OF_ADDRESS_PERCENT 75
/* A connection that has not sent a whole frame by then is cut; sooner if more than half of the
 * places are taken. */
#define SILENT_S         30
#define SILENT_CROWDED_S 10
/* The same for one that proved a key but has no session: somebody may be typing a password. */
#define STRANGER_S         600
#define STRANGER_CROWDED_S 30
/* A handshake that is not through by then is given up. */
#define HANDSHAKE_MS 5000
/* Bytes of one incomplete message, which may take up to 4.5 times as many in the broker's memory.
 * For a connection without a session the bound is between the first two, so that all such
 * connections together have no more than the third (and 1,000 of them take no more than 32 MiB of
 * memory). */
#define UNFINISHED_STRANGER_MIN  (6 * 1024)
#define UNFINISHED_STRANGER_MAX  (64 * 1024)
#define UNFINISHED_STRANGERS_MAX (6 * 1024 * 1024)
/* ... for a session's command connection: one frame. */
#define UNFINISHED_MEMBER_MAX (FRAME_BYTES_MAX + 64 * 1024)
/* ... what each may have in any case: a frame with one chunk, which takes less than 2 MiB of
 * memory; and how much all that have more may have beyond that together: two of the largest
 * frames. */
#define UNFINISHED_FAIR      (384 * 1024)
#define UNFINISHED_LARGE_MAX (2 * 1024 * 1024)
/* ... and after how many more bytes such a message is looked at again, to see whether it has many
 * parts. */
#define UNFINISHED_PROBE (64 * 1024)
/* ... for all connections of an account: some uploads at a time over slow lines; and for all
 * members. Beyond these bounds the connection that has the most is cut. */
#define UNFINISHED_ACCOUNT_MAX (4 * 1024 * 1024)
#define UNFINISHED_MEMBERS_MAX (16 * 1024 * 1024)
/* ... at the event socket, where a message is a subscription. */
#define UNFINISHED_SUBSCRIBER_MAX (8 * 1024)
/* A connection to the greeter is closed this long after it came or was last answered. */
#define GUEST_S 5
/* ... and after so many answers: each takes a system call, and a request has two bytes. */
#define GUEST_ANSWERS_MAX 16
/* ... and there are at most this many, or one for each so many descriptors if that is less. */
#define GUESTS_MAX    256
#define GUESTS_ONE_OF 8
/* One of each so many descriptors is kept for files: connections without a session are cut before
 * they take these. */
#define DESCRIPTORS_KEPT_ONE_OF 10

/* Passwords that wait to be hashed, at 130 ms each: with more, the wait would exceed any
 * patience. */
#define PASSWORD_QUEUE_MAX 256
/* ... for one device's key, which has one user; and for one address (IPv6: one /64), where a whole
 * class may be behind a router. */
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
/* An unfinished upload gives its name and room back when a day has passed without a new chunk: long
 * enough to come back from a journey. */
#define UPLOAD_EXPIRE_S (24 * 60 * 60)
/* ... but after minutes if no byte of it came: a reservation alone is worth nothing. */
#define UPLOAD_EMPTY_EXPIRE_S (5 * 60)
/* What a row in a thread's log, and a file, count for in an account's quota besides their own
 * bytes: about what the store needs for them. */
#define LOG_ROW_BYTES  128
#define FILE_ROW_BYTES 1024
/* How much of the broker's disk files must leave free: the log of messages needs room until
 * somebody makes more. */
#define DISK_KEPT_PERCENT   5
#define DISK_KEPT_BYTES_MAX (64 * 1024 * 1024)
/* How much the store keeps allocated for itself, so that the disk never refuses a transaction that
 * began: more than one turn's commands take on the disk; on small disks less, a part of the
 * disk. */
#define RESERVE_BYTES_MAX (8 * 1024 * 1024)
#define RESERVE_BYTES_MIN (1024 * 1024)
#define RESERVE_SHARE     16
/* How long one who is refused because of a full disk is told to wait: people make room in minutes,
 * not at once. */
#define DISK_FULL_RETRY_S 30
/* Threads that one account may follow: each is a subscription and a cursor. */
#define FOLLOWED_MAX 1000

/* An invitation to a private chat ends if nobody answers it by then: the invitee is not there. */
#define INVITATION_S 60
/* Invitations that an account may have open at a time, made or received. */
#define INVITATIONS_MAX 64
/* Invitations in a second from one account, with a burst of ten times as many: all that may be
 * open, and then faster than anybody types. Like the next two, this does not apply if accounts have
 * no budget (--rate-account 0). */
#define INVITATIONS_A_S 7
/* ... and from one account to one other: five, then one in two seconds. A renewal costs half,
 * because the invitee has consented already and nobody is asked. */
#define INVITATION_PAIR_UNITS_A_S 1
#define INVITATION_COST           2
/* Broadcasts in a second from one account, with a burst of ten times as many: each one interrupts
 * everybody, and costs the broker something for each who is online. */
#define BROADCASTS_A_S 2
/* The same for coming online, which everybody is told, and so is going. Who comes back from a lost
 * connection within the grace time was not away. */
#define ARRIVALS_A_S 2
/* Private chats of one session at a time: each is a socket. */
#define PRIVATE_CHATS_MAX 64
/* The nonce that the acceptor of an invitation gives, and that the inviter shows when it
 * connects. */
#define NONCE_BYTES 32
/* Lines of one chat that wait for their acknowledgement: a script that sends much limits itself,
 * but a broken link must not use up the memory. */
#define PRIVATE_LINES_MAX 10000
/* Files of one chat and direction that are known at a time. */
#define PRIVATE_FILES_MAX 64
/* How long both sides try to restore a broken link. */
#define PRIVATE_AGAIN_S 60
/* ... and how long if the other one's session has ended as well: a program that lost its
 * connections but lives on is back by then. */
#define PRIVATE_GONE_S 10
/* How long a program waits at its start to learn whether the name given as its address for private
 * chats exists. */
#define PRIVATE_ADDRESS_MS 3000
/* It is an error if a link is not made by then; a dead link is noticed within three times 5 s. */
#define PRIVATE_CONNECT_MS           10000
#define PRIVATE_HEARTBEAT_MS         5000
#define PRIVATE_HEARTBEAT_TIMEOUT_MS 5000

/* How long a session may lag behind before it is told the head again. */
#define HEAD_REPEAT_US (2 * 1000 * 1000)
/* TCP notices a half-open peer within 20 s: it sends the first probe after 8 s of silence, then one
 * every 4 s; if three are unanswered the connection is over. It is also over if the peer takes
 * nothing for as long. ZeroMQ's own heartbeats would cost the broker a walk over all timers for
 * each answer. */
#define TCP_SILENCE_S     8
#define TCP_PROBE_S       4
#define TCP_PROBES        3
#define TCP_UNANSWERED_MS 16000
/* How often a client sends KeepAlive: the answer makes up for lost heads; TCP watches the
 * connection. */
#define KEEP_ALIVE_S 60

#endif
