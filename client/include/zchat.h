/* libzchat: a client of a zchat broker.
 *
 * One `zchat` is one connection of one user. It has no thread of its own that calls back: a program
 * polls zchat_fd() and calls zchat_process(), or lets zchat_run() do both; every callback runs
 * inside one of these two. A handle belongs to one thread at a time; several handles are
 * independent, and may be used in several threads.
 *
 * A thousand handles share one thread that reads and writes the network, and one more once one of
 * them accepts a private chat; zchat_free of the last handle ends both threads, and waits up to a
 * tenth of a second for its last frames to be sent. After fork() a child makes handles of its own;
 * it can do nothing with those of its parent, not even zchat_free.
 *
 * The library never prints, sets no signal handler, and never aborts because of what it is given.
 * Strings are UTF-8, ended by NUL. Everything that a callback is given is borrowed until it
 * returns. Times are microseconds since 1970 UTC; sequence numbers count from 1, 0 means none. */
#ifndef ZCHAT_H
#define ZCHAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZCHAT_VERSION      "0.1.0"
#define ZCHAT_DEFAULT_PORT 4000

typedef struct zchat zchat;

/* How something ended. 1 to 99 are the schema's codes (zchat/v1/common.proto), sent by the broker,
 * or found out before asking it; from 100 on the connection or this machine is at fault. */
typedef enum zchat_code {
    ZCHAT_OK = 0,
    ZCHAT_INVALID = 1,
    ZCHAT_UNIMPLEMENTED = 2,
    ZCHAT_AUTH = 3,
    ZCHAT_NOT_FOUND = 4,
    ZCHAT_FORBIDDEN = 5,
    ZCHAT_CONFLICT = 6,
    ZCHAT_BUSY = 7,
    ZCHAT_EXPIRED = 8,
    ZCHAT_UNREACHABLE = 100, /* no broker there, or the connection broke before an answer */
    ZCHAT_WRONG_KEY = 101,   /* the broker's key is neither the pinned nor the given one */
    ZCHAT_UNKNOWN_KEY = 102, /* no key is pinned for this broker: zchat_trust(), or trust_new */
    ZCHAT_WRONG_PROTOCOL = 103,
    ZCHAT_IO = 104,        /* a file of this machine: the device key, known_brokers */
    ZCHAT_NO_MEMORY = 105, /* or no more file descriptors */
    ZCHAT_CANCELLED = 106, /* logged out, or the handle freed, before the answer */
    ZCHAT_UNKNOWN = 107    /* it is unknown if the other side has the private line or file */
} zchat_code;

/* The code's name as scripts see it, "NOT_FOUND". Never NULL. */
const char *zchat_code_name(zchat_code code);

/* Why the broker refused something: the schema's reasons (zchat/v1/common.proto says what each
 * means). More may be added; a program treats a reason that it does not know by its code. */
typedef enum zchat_reason {
    ZCHAT_REASON_NONE = 0, /* only the code is known */
    /* A line for each would fill pages. */
    /* clang-format off */
    ZCHAT_REASON_MALFORMED = 101, ZCHAT_REASON_PROTOCOL_VERSION = 102, ZCHAT_REASON_BAD_ID = 103,
    ZCHAT_REASON_BAD_NAME = 104, ZCHAT_REASON_BAD_TITLE = 105, ZCHAT_REASON_BAD_PASSWORD = 106,
    ZCHAT_REASON_EMPTY_TEXT = 107, ZCHAT_REASON_TEXT_TOO_LONG = 108, ZCHAT_REASON_ONESELF = 109,
    ZCHAT_REASON_BAD_VALUE = 110, ZCHAT_REASON_WRONG_DIGEST = 111, ZCHAT_REASON_WRONG_OFFSET = 112,
    ZCHAT_REASON_PRIVATE_CHATS_OFF = 113,
    ZCHAT_REASON_UNKNOWN_COMMAND = 201,
    ZCHAT_REASON_NOT_LOGGED_IN = 301, ZCHAT_REASON_WRONG_PASSWORD = 302, ZCHAT_REASON_LOCKED = 303,
    ZCHAT_REASON_WRONG_ADMIN_PASSWORD = 304, ZCHAT_REASON_ADMIN_PASSWORD_LOCKED = 305,
    ZCHAT_REASON_UNTRUSTED_DEVICE = 306, ZCHAT_REASON_LOCKED_BY_ADMIN = 307,
    ZCHAT_REASON_NO_SUCH_USER = 401, ZCHAT_REASON_NO_SUCH_THREAD = 402,
    ZCHAT_REASON_NO_SUCH_POST = 403, ZCHAT_REASON_NO_SUCH_FILE = 404,
    ZCHAT_REASON_NO_SUCH_UPLOAD = 405, ZCHAT_REASON_NO_SUCH_DEVICE = 406,
    ZCHAT_REASON_NO_SUCH_STREAM = 407, ZCHAT_REASON_NO_SUCH_INVITATION = 408,
    ZCHAT_REASON_NOT_FOLLOWED = 409, ZCHAT_REASON_DAMAGED = 410,
    ZCHAT_REASON_NO_SUCH_MESSAGE = 411,
    ZCHAT_REASON_NO_SUCH_BACKUP = 412,
    ZCHAT_REASON_BLOCKED_BY_YOU = 501, ZCHAT_REASON_BLOCKED_BY_THEM = 502,
    ZCHAT_REASON_OFFLINE = 503, ZCHAT_REASON_NO_PRIVATE_CHATS = 504, ZCHAT_REASON_DECLINED = 505,
    ZCHAT_REASON_NOT_AUTHOR = 506, ZCHAT_REASON_NOT_CREATOR = 507, ZCHAT_REASON_NOT_UPLOADER = 508,
    ZCHAT_REASON_NOT_ADMIN = 509, ZCHAT_REASON_NO_ADMIN_PASSWORD = 510,
    ZCHAT_REASON_REGISTRATION_CLOSED = 511, ZCHAT_REASON_ANOTHER_SESSION = 512,
    ZCHAT_REASON_NO_RECEIPTS = 513, ZCHAT_REASON_ANOTHER_RECIPIENT = 514,
    ZCHAT_REASON_LOGGED_IN = 601, ZCHAT_REASON_ALREADY_ONLINE = 602, ZCHAT_REASON_NAME_TAKEN = 603,
    ZCHAT_REASON_TITLE_TAKEN = 604, ZCHAT_REASON_TITLE_ALIKE = 605, ZCHAT_REASON_ID_USED = 606,
    ZCHAT_REASON_STALE_NUMBER = 607, ZCHAT_REASON_POST_DELETED = 608,
    ZCHAT_REASON_ALREADY_BLOCKED = 609, ZCHAT_REASON_NOT_BLOCKED = 610,
    ZCHAT_REASON_ALREADY_FOLLOWED = 611, ZCHAT_REASON_NOT_FOLLOWING = 612,
    ZCHAT_REASON_ALREADY_ANSWERED = 613, ZCHAT_REASON_ALREADY_INVITED = 614,
    ZCHAT_REASON_INVITED_BY_THEM = 615, ZCHAT_REASON_CHAT_OPEN = 616, ZCHAT_REASON_CHAT_AWAY = 617,
    ZCHAT_REASON_PASSWORD_CHANGED = 618, ZCHAT_REASON_MESSAGE_RETRACTED = 619,
    ZCHAT_REASON_RATE = 701, ZCHAT_REASON_QUEUE_FULL = 702, ZCHAT_REASON_QUOTA = 703,
    ZCHAT_REASON_INBOX_FULL = 704, ZCHAT_REASON_SENDER_QUOTA = 705,
    ZCHAT_REASON_FILE_TOO_LARGE = 706, ZCHAT_REASON_STORE_FULL = 707, ZCHAT_REASON_DISK_FULL = 708,
    ZCHAT_REASON_TOO_MANY_SESSIONS = 709, ZCHAT_REASON_NO_MEMORY = 710, ZCHAT_REASON_NO_INDEX = 711,
    ZCHAT_REASON_BACKUP_RUNNING = 712, ZCHAT_REASON_BACKUP_FAILED = 713,
    ZCHAT_REASON_NO_ANSWER = 801
    /* clang-format on */
} zchat_reason;

/* What becomes of an account; the schema's numbers. */
typedef enum zchat_account_change {
    ZCHAT_ACCOUNT_CHANGE_LOCK = 1,   /* nobody can log in, and its sessions end; everything that it
                                      * has stays */
    ZCHAT_ACCOUNT_CHANGE_UNLOCK = 2, /* ends a lock by wrong passwords, too */
    ZCHAT_ACCOUNT_CHANGE_MAKE_ADMIN = 3,
    ZCHAT_ACCOUNT_CHANGE_MAKE_MEMBER = 4 /* takes the right of an administrator */
} zchat_account_change;

typedef enum zchat_choice {                        /* the schema's numbers */
                            ZCHAT_CHOICE_KEEP = 0, /* as it is */
                            ZCHAT_CHOICE_ON = 1,
                            ZCHAT_CHOICE_OFF = 2
} zchat_choice;

/* The reason's name as scripts see it, "NO_SUCH_USER"; "" for none and for an unknown one. Never
 * NULL. */
const char *zchat_reason_name(zchat_reason reason);

#define ZCHAT_PASSWORD_BYTES        1025 /* a password with its NUL */
#define ZCHAT_PASSWORD_SOURCE_BYTES 1030 /* the most to read from what holds one */

/* Takes the password from the first bytes that a file or a command gave, as all zchat programs do:
 * the first line without its end (LF or CRLF) and without a byte order mark. Returns NULL if
 * `password` holds it. Otherwise `password` is "", and it returns what is wrong, in words that
 * follow the source's name ("has an empty first line; …"). */
const char *zchat_password_take(const char *bytes, size_t byte_count,
                                char password[ZCHAT_PASSWORD_BYTES]);

/* Reads the password in a file. false: `error` says why, with the file's name, and `password` is
 * "". Wipe `password` when it is no longer needed. */
bool zchat_password_read(const char *path, char password[ZCHAT_PASSWORD_BYTES], char *error,
                         size_t error_bytes);

/* The status with which a program should exit: 0 for OK, 2 usage, 3 no connection or I/O, 4 login,
 * 5 not found, 6 forbidden, 7 conflict, 8 busy, 124 timed out, 1 anything else. */
int zchat_exit_status(zchat_code code);

typedef struct zchat_id { /* a UUIDv7 */
    unsigned char bytes[16];
} zchat_id;

#define ZCHAT_ID_TEXT 37 /* bytes of an id's text with its NUL */

void zchat_id_new(zchat_id *id);
void zchat_id_format(const zchat_id *id, char text[ZCHAT_ID_TEXT]);
bool zchat_id_parse(const char *text, zchat_id *id);

/* Removes in place what must not reach a terminal: control characters except newline and tab,
 * escape sequences, bidi controls, characters without a width that join nothing, invalid UTF-8.
 * Everything that libzchat hands out is cleaned already; this is for texts from elsewhere. */
void zchat_text_clean(char *text);

typedef struct zchat_person {
    const char *user;
    bool online;
    int64_t last_seen_us; /* 0: never */
} zchat_person;

typedef struct zchat_device {
    uint64_t device;
    const char *label;
    const char *fingerprint;
    int64_t trusted_us;
    int64_t used_us; /* 0: never */
    bool current;
} zchat_device;

typedef struct zchat_stat {
    const char *name;
    uint64_t value;
} zchat_stat;

/* What a message says of an earlier one of the same two people, its original. */
typedef enum zchat_about {
    ZCHAT_ABOUT_NONE,
    ZCHAT_ABOUT_CORRECTS, /* this text replaces the original's */
    ZCHAT_ABOUT_RETRACTS  /* the original is taken back; this one's text is "" */
} zchat_about;

typedef struct zchat_message { /* an entry of the inbox */
    uint64_t seq;
    int64_t time_us;
    zchat_id id;
    const char *from;
    const char *to;
    const char *text;
    bool sent;    /* sent by oneself, from this or another device */
    bool missed;  /* it was stored before this login: "while you were away" */
    bool damaged; /* the broker can't read it any more: only seq is known; `text` says so */
    zchat_about about;
    zchat_id original; /* as it was first sent, however often it was corrected */
} zchat_message;

typedef struct zchat_thread {
    zchat_id id;
    const char *title;
    const char *creator;
    uint64_t posts;
    uint64_t uploads;
    int64_t created_us;
    int64_t last_us;
    uint64_t head;
} zchat_thread;

typedef struct zchat_post { /* as it stands now */
    zchat_id id;
    uint64_t number; /* counts from 1, and changes when an earlier post is deleted; 0: this one was
                      * deleted */
    const char *user;
    const char *text;
    int64_t time_us;
    int64_t edited_us; /* 0: never */
} zchat_post;

#define ZCHAT_HASH_BYTES 64 /* BLAKE2b-512 */

typedef struct zchat_upload {
    zchat_id id;
    const char *user;
    const char *file; /* a name, never a path */
    uint64_t size;
    int64_t time_us;
    unsigned char hash[ZCHAT_HASH_BYTES];
    uint64_t damaged; /* zchat_backup: how many pieces of files the broker's disk has damaged;
                       * zchat_export: how many places of the store */
} zchat_upload;

typedef struct zchat_item { /* of a thread: one pointer is not NULL, or it is damaged, or of a kind
                             * too new */
    uint64_t seq;
    const zchat_post *post;
    const zchat_upload *upload;
    bool damaged; /* the broker can't read it any more */
} zchat_item;

typedef struct zchat_found { /* by a search: one of the two is not NULL, or it is too new */
    const zchat_message *message;
    const zchat_post *post;
    const char *thread; /* the post's */
} zchat_found;

typedef struct zchat_followed {
    zchat_id id;
    const char *title;
    uint64_t head;
    uint64_t cursor;
} zchat_followed;

/* The answer to one call. `code` says which members count. If it is ZCHAT_OK: those marked with the
 * call's name; otherwise `reason`, `text`, which is one sentence, and `retry_after_s` (0:
 * unknown). */
typedef struct zchat_reply {
    zchat_code code;
    zchat_reason reason;
    const char *text;
    uint32_t retry_after_s;
    /* login, register, change_account, reset_password, receipt */
    const char *user;
    bool trusted;
    bool admin;
    uint32_t idle_timeout_s;
    uint64_t head;   /* login: the inbox's last entry; sync: the stream's */
    uint64_t cursor; /* login, ack: the account's cursor */
    /* send, broadcast, announce */
    zchat_id id;
    uint64_t seq;
    bool delivered;
    bool read;     /* receipt */
    bool receipts; /* settings: others may learn what was read */
    uint32_t reached;
    uint32_t skipped;
    int64_t time_us; /* send, ping, login: the broker's clock */
    /* lists: `count` entries, and the array of the call */
    size_t count;
    const zchat_person *people;    /* who, since */
    const zchat_device *devices;   /* devices */
    const char *const *users;      /* blocked */
    const zchat_stat *stats;       /* stats */
    const zchat_message *messages; /* sync, history */
    const zchat_found *found;      /* search: the newest first */
    int64_t before;                /* search: where the next page begins; 0: there is none */
    uint64_t behind;               /* search: so many of the newest entries are not indexed yet */
    bool more;                     /* pages: there are more entries after these; history: before
                                    * `seq` */
    uint32_t sessions;    /* revoke, change_account, reset_password: how many sessions ended */
    const char *software; /* ping */
    /* threads: the page's arrays are lists like those above */
    const zchat_thread *thread;     /* thread_create, thread_read, thread_follow */
    const zchat_thread *threads;    /* thread_list */
    const zchat_item *items;        /* thread_read */
    const zchat_post *post;         /* thread_edit */
    uint64_t number;                /* thread_post */
    const zchat_followed *followed; /* thread_follow (one), followed */
    const zchat_upload *uploads;    /* file_list; file_put and file_get (one) */
    /* command: its result, packed */
    const void *result;
    size_t result_bytes;
} zchat_reply;

typedef void zchat_reply_fn(void *arg, const zchat_reply *reply);

typedef enum zchat_event_kind {
    ZCHAT_EVENT_UNKNOWN_KEY =
        1,                 /* text: the fingerprint. Decide with zchat_trust() or zchat_free() */
    ZCHAT_EVENT_CONNECTED, /* the broker proved its key; log in now */
    ZCHAT_EVENT_LOST,      /* code, text: why. The handle reconnects by itself, in retry_ms; the
                            * event comes again for each attempt that fails. Code WRONG_KEY,
                            * WRONG_PROTOCOL, IO: the broker that is there now is refused, and tried
                            * again slowly; all that waits goes on waiting */
    ZCHAT_EVENT_RESUMED,   /* connected and logged in again after LOST */
    ZCHAT_EVENT_REFUSED,   /* code, text: trying again can't help, so the handle does nothing more.
                            * Comes before the first CONNECTED, or if the login is no longer
                            * accepted */
    ZCHAT_EVENT_SYNCED,    /* all that was missed in the inbox has been handed out */
    ZCHAT_EVENT_MESSAGE,   /* message; in the order of seq, each one once, without holes */
    ZCHAT_EVENT_READ,      /* seq: the account's cursor moved, here or on another device */
    ZCHAT_EVENT_MESSAGE_READ, /* user, id: they have read the message that zchat_receipt waits for;
                               * time_us: when, 0: unknown */
    ZCHAT_EVENT_PRESENCE,     /* user, online */
    ZCHAT_EVENT_BROADCAST,    /* user, text, id */
    ZCHAT_EVENT_NOTICE, /* text: a notice to everybody; user: the administrator who announces it,
                         * "": the broker says it itself */
    ZCHAT_EVENT_SESSION_ENDED, /* text: why the broker ended the session; one may log in again */
    /* In followed threads: thread, seq, time_us, and */
    ZCHAT_EVENT_POSTED,          /* post */
    ZCHAT_EVENT_EDITED,          /* post */
    ZCHAT_EVENT_DELETED,         /* user, id: the post's */
    ZCHAT_EVENT_UPLOADED,        /* upload */
    ZCHAT_EVENT_PRIVATE_INVITED, /* user: who invites; text: their key's fingerprint. Accept or
                                  * decline, once */
    ZCHAT_EVENT_PRIVATE_OPEN, /* user; text: their key's fingerprint; online: it was pinned just now
                               */
    ZCHAT_EVENT_PRIVATE_LINE, /* user, text, id, time_us: a line of theirs; each once, in order */
    ZCHAT_EVENT_PRIVATE_OFFERED, /* user, upload (id, file, size): they offer a file */
    ZCHAT_EVENT_PRIVATE_BROKEN,  /* user, text: the link is dead; the library invites anew by
                                  * itself */
    ZCHAT_EVENT_PRIVATE_CLOSED,  /* user, text, id, online: an invitation (online false) or a chat
                                  * (true) is over, and why. One user may have both */
    ZCHAT_EVENT_THREAD_REMOVED,  /* user */
    ZCHAT_EVENT_DAMAGED,         /* the broker can't read that entry any more */
    ZCHAT_EVENT_FILE_DELETED,  /* in a followed thread: user, who did it; id: the file's; text: its
                                * name */
    ZCHAT_EVENT_THREADS_SYNCED /* everything missed in followed threads has been handed out */
} zchat_event_kind;

typedef struct zchat_event {
    zchat_event_kind kind;
    zchat_code code;
    const char *text;
    const char *user;
    bool online;
    uint32_t retry_ms;
    uint64_t seq;
    int64_t time_us;
    zchat_id id;
    const zchat_message *message;
    const zchat_thread *thread; /* only id and title */
    const zchat_post *post;
    const zchat_upload *upload;
    bool missed; /* in followed threads: it happened before this login */
} zchat_event;

typedef void zchat_event_fn(void *arg, const zchat_event *event);

typedef struct zchat_options {
    const char *server;     /* "host", "host:port", "[v6]:port"; "tcp://" is allowed in front */
    const char *server_key; /* in Z85, as 64 hex digits, or the fingerprint (128 bits of the key's
                             * hash); NULL: known_brokers in config_dir decides */
    const char *
        config_dir; /* device key, known_brokers. NULL: $XDG_CONFIG_HOME/zchat or ~/.config/zchat */
    bool trust_new; /* pin an unknown broker without asking */
    bool no_reconnect;           /* a lost connection is REFUSED with ZCHAT_UNREACHABLE at once */
    const char *client;          /* the program's name and version. NULL: libzchat */
    const char *device;          /* this device's label. NULL: user@hostname of the system */
    const char *private_address; /* where others reach this machine for private chats: a host's name
                                  * or address, which zchat_new looks up, in at most 3 s. NULL: the
                                  * address that the broker sees */
    zchat_event_fn *on_event;
    void *arg;
} zchat_options;

/* Makes a handle and begins to connect; the device key is made if config_dir has none. On failure
 * *out is NULL and, unless it is NULL, `error` gets one sentence. The options' strings are
 * copied. */
zchat_code zchat_new(zchat **out, const zchat_options *options, char *error, size_t error_bytes);

/* Sends what can be sent without waiting, answers open calls with CANCELLED, and closes. */
void zchat_free(zchat *z);

/* Readable when zchat_process() has something to do, timers included. It belongs to the handle:
 * only poll it. */
int zchat_fd(const zchat *z);

/* Does what there is to do, without waiting. ZCHAT_OK, or what made the handle give up (see
 * REFUSED). */
zchat_code zchat_process(zchat *z);

/* Processes until *done is true (ZCHAT_OK), until timeout_ms have passed (ZCHAT_EXPIRED; -1:
 * never), or until the handle gave up. If done is NULL only the timeout ends it. EINTR ends it with
 * ZCHAT_CANCELLED. */
zchat_code zchat_run(zchat *z, int timeout_ms, const bool *done);

/* Pins the key that UNKNOWN_KEY told of, and goes on connecting. */
zchat_code zchat_trust(zchat *z);

/* The config folder of a handle with this config_dir in its options (NULL: the default), whether or
 * not it is there. The caller frees it. NULL: there is no place for one (HOME is not set), or no
 * memory. */
char *zchat_config_folder(const char *config_dir);

/* Forgets the key that was pinned for a broker ("host", "host:port" …) or for somebody's device in
 * a private chat ("user@host"): the next key counts as met for the first time. Needs no handle;
 * config_dir is as in the options. `fingerprint` gets that of the forgotten key; ZCHAT_NOT_FOUND:
 * none was pinned. On failure `error`, unless it is NULL, gets one sentence. */
#define ZCHAT_FINGERPRINT_TEXT 40
zchat_code zchat_forget(const char *whose, const char *config_dir,
                        char fingerprint[ZCHAT_FINGERPRINT_TEXT], char *error, size_t error_bytes);

const char *zchat_server(const zchat *z);      /* "tcp://host:port" of the greeter */
const char *zchat_fingerprint(const zchat *z); /* of the broker's key; "" until it is known */
/* What the greeter said, for programs that explain a connection: where commands go and where events
 * come from ("tcp://host:port"; "" until it has greeted), and the number of the broker's schema (0:
 * it did not say). */
const char *zchat_commands_at(const zchat *z);
const char *zchat_events_at(const zchat *z);
uint32_t zchat_broker_schema(const zchat *z);
uint32_t zchat_schema(void); /* the number of the library's own */
/* Whether the connection for published events stands, which a login with ZCHAT_PUBLIC_SUB opens. */
bool zchat_events_ready(const zchat *z);
const char *zchat_device_key(const zchat *z); /* this device's public key, Z85 */
const char *zchat_user(const zchat *z);       /* logged in as; "": not logged in */

/* Why the last function of this handle that failed with a code did so. One sentence, never NULL. */
const char *zchat_error(const zchat *z);

/* How many calls wait for their answer: a program that sends much should bound this. */
size_t zchat_pending(const zchat *z);

typedef enum zchat_public_events {
    ZCHAT_PUBLIC_NONE = 0,
    ZCHAT_PUBLIC_INLINE, /* on the command connection: cheapest, for scripts and bots */
    ZCHAT_PUBLIC_SUB     /* on a SUB socket: for people's clients */
} zchat_public_events;

typedef struct zchat_login_options {
    const char *user;
    const char *password; /* NULL: the device key is used. Copied only if a reconnect may need it,
                           * and wiped at logout */
    bool no_trust;        /* a login by password does not make the device key trusted */
    bool online;          /* counts as online */
    bool inbox;           /* hands out the inbox as MESSAGE events, from the cursor */
    bool from_seq_set;    /* hands it out from from_seq instead */
    uint64_t from_seq;
    bool private_chats; /* takes part in private chats */
    bool threads;       /* hands out what happens in followed threads; needs public_events */
    zchat_public_events public_events;
} zchat_login_options;

/* Each call either fails at once with a code, and is never answered; or it is sent together with
 * the others that wait, and answered once, by a call of `fn` (NULL: nobody is told). Calls before
 * CONNECTED wait. After a lost connection sends, broadcasts and questions are sent again, with the
 * same id, so that nothing is done twice; a call that can't be sent again safely is answered with
 * ZCHAT_UNREACHABLE. */
zchat_code zchat_login(zchat *z, const zchat_login_options *options, zchat_reply_fn *fn, void *arg);
zchat_code zchat_logout(zchat *z, zchat_reply_fn *fn, void *arg);
zchat_code zchat_register(zchat *z, const char *user, const char *password, bool no_trust,
                          zchat_reply_fn *fn, void *arg);
zchat_code zchat_passwd(zchat *z, const char *old_password, const char *new_password,
                        zchat_reply_fn *fn, void *arg);
zchat_code zchat_devices(zchat *z, zchat_reply_fn *fn, void *arg);
zchat_code zchat_revoke(zchat *z, uint64_t device, zchat_reply_fn *fn, void *arg);

/* Changes what the account's user chose, on all devices; the answer tells what is chosen then.
 * receipts: whether others may learn that their messages were read. */
zchat_code zchat_settings(zchat *z, zchat_choice receipts, zchat_reply_fn *fn, void *arg);

/* id NULL: a new one. */
zchat_code zchat_send(zchat *z, const char *to, const char *text, const zchat_id *id,
                      bool require_online, zchat_reply_fn *fn, void *arg);
/* Whether its recipient has read a message that oneself sent: the one with that id or, if `id` is
 * NULL, the entry `seq` of one's own inbox. The answer tells the recipient (user) and `read`;
 * FORBIDDEN: they tell nobody what they have read (NO_RECEIPTS), or there is a block. If it is not
 * read yet and `wait`, the event MESSAGE_READ comes once it is, also after a lost connection; 256
 * messages at a time. It never comes if the recipient chooses meanwhile that nothing is told.
 * Without `wait` an earlier wait ends. */
zchat_code zchat_receipt(zchat *z, const zchat_id *id, uint64_t seq, bool wait, zchat_reply_fn *fn,
                         void *arg);
/* The same with what is rare. */
typedef struct zchat_send_options {
    const zchat_id *id; /* NULL: a new one */
    bool require_online;
    zchat_about about; /* with ZCHAT_ABOUT_RETRACTS there is no text: "" or NULL */
    zchat_id original;
} zchat_send_options;
zchat_code zchat_send_with(zchat *z, const char *to, const char *text,
                           const zchat_send_options *options, zchat_reply_fn *fn, void *arg);
zchat_code zchat_broadcast(zchat *z, const char *text, zchat_reply_fn *fn, void *arg);
/* One page of at most `limit` people (0: 5000). `after` is the last person of the page before, as
 * it was handed out (NULL: the first page). */
zchat_code zchat_who(zchat *z, const zchat_person *after, uint32_t limit, zchat_reply_fn *fn,
                     void *arg);
zchat_code zchat_since(zchat *z, uint64_t seconds, const zchat_person *after, uint32_t limit,
                       zchat_reply_fn *fn, void *arg);
zchat_code zchat_block(zchat *z, const char *user, zchat_reply_fn *fn, void *arg);
zchat_code zchat_unblock(zchat *z, const char *user, zchat_reply_fn *fn, void *arg);
zchat_code zchat_blocked(zchat *z, zchat_reply_fn *fn, void *arg);

/* One page of the inbox after `after_seq`, at most `limit` entries (0: 500). */
zchat_code zchat_sync(zchat *z, uint64_t after_seq, uint32_t limit, zchat_reply_fn *fn, void *arg);

/* One page of one's own messages, in order, read back from the newest: at most `limit` (0: 500) of
 * the conversation with `user` (NULL: of all), from the time since_us on and before until_us (0:
 * any time), before the entry `before_seq` (0: up to the newest). The answer's `seq` is the
 * before_seq of the next page; there may be `more` even if the page holds few messages, or none. */
zchat_code zchat_history(zchat *z, const char *user, uint64_t before_seq, int64_t since_us,
                         int64_t until_us, uint32_t limit, zchat_reply_fn *fn, void *arg);

/* What has the words: of one's own messages, and of all posts, at most `limit` on a page (0: 100).
 * "In quotes" they follow each other. The first page has `before` 0; a page may be short, or empty,
 * though there are more. */
zchat_code zchat_search(zchat *z, const char *words, int64_t before, uint32_t limit,
                        zchat_reply_fn *fn, void *arg);

/* Moves the account's cursor: everything up to `seq` is read. If fn is NULL it goes with the next
 * frame, and is not answered. */
zchat_code zchat_ack(zchat *z, uint64_t seq, zchat_reply_fn *fn, void *arg);

/* Threads are named by their titles. An edit or a deletion names its post by `post` or, if that is
 * NULL, by its number as it is at the broker now. If `post` is given, `number` is the one with
 * which the post was shown (0: none): if the thread was made anew since, the answer is then
 * CONFLICT, not NOT_FOUND. */
zchat_code zchat_thread_create(zchat *z, const char *title, const zchat_id *id, zchat_reply_fn *fn,
                               void *arg);
/* One page of threads in the order of titles, after `after_title` (NULL: the first page), at most
 * `limit` (0: 500). */
zchat_code zchat_thread_list(zchat *z, const char *after_title, uint32_t limit, zchat_reply_fn *fn,
                             void *arg);
zchat_code zchat_thread_post(zchat *z, const char *title, const char *text, const zchat_id *id,
                             zchat_reply_fn *fn, void *arg);
/* One page of a thread as it is now, after the item with `after_seq` (0: the first page). */
zchat_code zchat_thread_read(zchat *z, const char *title, uint64_t after_seq, uint32_t limit,
                             zchat_reply_fn *fn, void *arg);
zchat_code zchat_thread_edit(zchat *z, const char *title, const zchat_id *post, uint64_t number,
                             const char *text, zchat_reply_fn *fn, void *arg);
zchat_code zchat_thread_delete(zchat *z, const char *title, const zchat_id *post, uint64_t number,
                               zchat_reply_fn *fn, void *arg);
zchat_code zchat_thread_remove(zchat *z, const char *title, zchat_reply_fn *fn, void *arg);
/* Which threads one follows is kept with the account. A session that logged in with `threads` hands
 * out what happens in them as events, from each thread's cursor, without holes. */
zchat_code zchat_thread_follow(zchat *z, const char *title, zchat_reply_fn *fn, void *arg);
zchat_code zchat_thread_unfollow(zchat *z, const char *title, zchat_reply_fn *fn, void *arg);
zchat_code zchat_followed_list(zchat *z, zchat_reply_fn *fn, void *arg);
/* Moves the account's cursor in a followed thread: everything up to `seq` is read. */
zchat_code zchat_thread_ack(zchat *z, const zchat_id *thread, uint64_t seq, zchat_reply_fn *fn,
                            void *arg);

/* Files travel in chunks, a few at a time, so that messages pass between them; after a lost
 * connection a file goes on where it was. `progress` is called as bytes are acknowledged or
 * written, and with the same number again while they are only hashed. */
typedef void zchat_progress_fn(void *arg, uint64_t bytes, uint64_t total);

/* Uploads the file at `path` under `name` (NULL: the path's last part). It is hashed while it is
 * sent, and the hash checked at both ends. If this device began to upload the same file into the
 * same thread before, that upload goes on, unless the file was changed since. A missing or
 * unreadable file, or one that changes meanwhile, fails with ZCHAT_IO. */
zchat_code zchat_file_put(zchat *z, const char *title, const char *path, const char *name,
                          zchat_progress_fn *progress, zchat_reply_fn *fn, void *arg);
/* Downloads a file to `path`: into a temporary file beside it, which gets the name only when it is
 * whole and verified; a download that broke off goes on. An existing file is ZCHAT_CONFLICT unless
 * `force`. With path NULL the bytes go to `fd` in order, and the answer tells whether they were
 * right. */
zchat_code zchat_file_get(zchat *z, const char *title, const char *name, const char *path, int fd,
                          bool force, zchat_progress_fn *progress, zchat_reply_fn *fn, void *arg);
/* For administrators: has the broker make a copy of all that it has, but for its key, and fetches
 * it to `path`, like zchat_file_get; a fetch that broke off begins anew. The answer has one upload,
 * with size, time and hash. BUSY: another one is being made. */
zchat_code zchat_backup(zchat *z, const char *path, bool force, zchat_progress_fn *progress,
                        zchat_reply_fn *fn, void *arg);
/* The same with all as lines of JSON, as zchatd export writes them; path NULL: to `fd`. */
zchat_code zchat_export(zchat *z, const char *path, int fd, bool force, zchat_progress_fn *progress,
                        zchat_reply_fn *fn, void *arg);
/* One page of files in the order in which they came, at most `limit` (0: 500). The first page:
 * after NULL, after_seq 0. The next one: the answer's `seq`, or if that is 0, as from older
 * brokers, the name of the page's last file. */
zchat_code zchat_file_list(zchat *z, const char *title, const char *after, uint64_t after_seq,
                           uint32_t limit, zchat_reply_fn *fn, void *arg);
/* Deletes a file: one's own, or any if one created the thread or is an administrator. */
zchat_code zchat_file_delete(zchat *z, const char *title, const char *name, zchat_reply_fn *fn,
                             void *arg);
/* Gives up the transfers that were begun with `arg`: each is answered with ZCHAT_CANCELLED. An
 * upload gives its room back; the downloaded part of a file is removed. */
void zchat_file_cancel(zchat *z, const void *arg);

/* Stops the broker. password NULL: the account is an administrator's. */
zchat_code zchat_shutdown(zchat *z, const char *password, bool wipe, zchat_reply_fn *fn, void *arg);
/* For administrators: sends a notice to everybody who is online, whomever they have blocked. */
zchat_code zchat_announce(zchat *z, const char *text, zchat_reply_fn *fn, void *arg);
/* For administrators, and only for accounts of others. A new password ends the account's sessions,
 * its trust in all devices, and a lock by wrong passwords. */
zchat_code zchat_change_account(zchat *z, const char *user, zchat_account_change change,
                                zchat_reply_fn *fn, void *arg);
zchat_code zchat_reset_password(zchat *z, const char *user, const char *new_password,
                                zchat_reply_fn *fn, void *arg);

/* Private chats: the login says that this session takes part (private_chats). Lines and files go
 * straight to the other one's program, over a PAIR socket with CURVE; the broker knows only that
 * the chat is open. Each device key is pinned at first use (CONFIG_DIR/known_peers); a changed key
 * is refused.
 *
 * start answers OK when the link is up; otherwise NOT_FOUND, INVALID (oneself), FORBIDDEN (offline,
 * a block, declined), EXPIRED (60 s), CONFLICT (open already), UNREACHABLE (10 s; both addresses in
 * the text), WRONG_KEY. */
zchat_code zchat_private_start(zchat *z, const char *user, zchat_reply_fn *fn, void *arg);
/* Accepts or declines an invitation that PRIVATE_INVITED told of. accept answers when the link is
 * up; it ends a chat that is open with the same user. If two invite each other they get a chat:
 * start accepts an invitation that is there already or comes meanwhile. */
zchat_code zchat_private_accept(zchat *z, const char *user, zchat_reply_fn *fn, void *arg);
zchat_code zchat_private_decline(zchat *z, const char *user, zchat_reply_fn *fn, void *arg);
/* Answers OK when the other one's program has the line; UNREACHABLE: it was not delivered; UNKNOWN:
 * it was sent, but the chat ended before the other side said that it has the line; NOT_FOUND: there
 * is no chat with them. If the link breaks, lines wait for the new link, and are delivered once. */
zchat_code zchat_private_send(zchat *z, const char *user, const char *text, zchat_reply_fn *fn,
                              void *arg);
/* Ends the chat or takes an invitation back; the other one is told. Answers at once; unacknowledged
 * lines are answered first, as described at send. */
zchat_code zchat_private_stop(zchat *z, const char *user, zchat_reply_fn *fn, void *arg);
/* Whether zchat_private_file could send the file at `path`: ZCHAT_OK, or IO or INVALID with a
 * sentence that says why. Needs no handle, so a program can look before it asks anybody. */
zchat_code zchat_private_file_check(const char *path, char *error, size_t error_bytes);
/* Whether a file may be made without asking under this name, which somebody else chose: it has no
 * path in it, no leading dot or dash, and nothing that a terminal would hide. */
bool zchat_file_name_is_plain(const char *name);
/* Offers the file at `path`, sends it if it is wanted, and answers when the other side has it whole
 * and verified. UNKNOWN: all was sent, but the chat ended before the other side said so. */
zchat_code zchat_private_file(zchat *z, const char *user, const char *path,
                              zchat_progress_fn *progress, zchat_reply_fn *fn, void *arg);
/* Takes an offered file or, if path is NULL, refuses it. Like zchat_file_get it makes a file that
 * appears when it is whole. */
zchat_code zchat_private_file_answer(zchat *z, const char *user, const zchat_id *file,
                                     const char *path, bool force, zchat_progress_fn *progress,
                                     zchat_reply_fn *fn, void *arg);
/* How many private chats are open; their users, each borrowed until the next call. */
size_t zchat_private_count(const zchat *z);
const char *zchat_private_user(const zchat *z, size_t i);

zchat_code zchat_ping(zchat *z, zchat_reply_fn *fn, void *arg);
zchat_code zchat_stats(zchat *z, zchat_reply_fn *fn, void *arg);

/* Any command of the schema but login and logout, for programs that are driven by it: its number in
 * Command.body (zchat/v1/batch.proto), and its request as protobuf packs it. Where it makes
 * something whose id is the caller's to choose, and has none, it gets a new one; the answer tells
 * the id that it had. The broker checks the rest. */
zchat_code zchat_command(zchat *z, uint32_t number, const void *request, size_t request_bytes,
                         zchat_reply_fn *fn, void *arg);

#endif
