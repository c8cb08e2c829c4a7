/* The inside of the core, for its own files: what a command's handler works on. */
#ifndef STATE_H
#define STATE_H

#include "claim.h"
#include "core.h"
#include "gathered.h"
#include "limit.h"
#include "outbox.h"
#include "session.h"
#include "thread_topic.h"
#include "threads.h"
#include "topic.h"
#include "turn.h"

struct passwords;
struct privates;
struct recent;

struct core {
    struct store *store; /* borrowed */
    struct core_options options;
    struct stats stats;
    struct wire_arena *frame_arena; /* owned: the frame being read */
    struct wire_arena *reply_arena; /* owned: the reply being made */
    struct limits *limits;          /* owned */
    struct claims *claims;          /* owned */
    struct outbox *outbox;          /* owned */
    struct passwords *passwords;    /* owned */
    struct privates *privates;      /* owned */
    struct recent *recent;          /* owned: broadcasts, by id */
    struct sessions sessions;
    struct topics topics;
    struct thread_topics thread_topics;
    struct gathered gathered;
    struct turn turn;
    struct peer *peers; /* owned, by number */
    uint64_t peer_number;
    int64_t started_us;
    int64_t now_us;         /* of the last input */
    int64_t wall_ahead_us;  /* of the clock that people have */
    int64_t wall_set_by_us; /* since the store was told; small corrections add up */
    bool wall_was_set;
    bool wall_known;
    int64_t alive_us; /* when the store is told again that the broker lives */
    int64_t
        notes_us; /* when what logins left in the store's memory is written; INT64_MAX: nothing */
    int64_t expire_us; /* when unfinished uploads are looked for */
    int64_t full_us;   /* when a full disk is looked at again */
    bool full;         /* as last told to the log */
    bool shutdown_wanted;
    bool wipe_wanted;
    bool in_turn;    /* the store's transaction is open */
    bool committing; /* the one before it is on its way to the disk */
    bool failed;     /* the store failed: nothing may be sent any more */
};

struct fault {
    Zchat__V1__Reason reason; /* UNSPECIFIED: none */
    uint32_t retry_after_s;
    char text[256];
};

/* One command on its way through its row's functions. */
struct call {
    struct core *core;
    struct peer *peer;
    struct session *session; /* NULL: anonymous */
    const struct command_row *row;
    Zchat__V1__Command *command; /* in the frame's arena */
    int64_t now_us;
    uint64_t rows_before; /* what was read and made before it began */
    size_t made_before;
    const struct core_work *work; /* the password work's result, once it is there */
    struct fault fault;
    union {
        struct {
            struct store_account account;
            int64_t locked_until_us;
            bool trusted;
            bool first; /* this session made the account come online */
            bool last;  /* it took the place of the last one that counted as online */
        } login;
        struct {
            struct store_message_stored stored;
            struct member *to; /* borrowed: the table's; NULL: no session is theirs */
        } sent;
        struct {
            int64_t other;
        } block;
        struct {
            struct store_device devices[DEVICES_MAX];
            size_t count;
            unsigned char key[KEY_BYTES];
        } device;
        struct {
            uint64_t cursor;
            bool moved;
        } ack;
        struct store_account invited;
        struct store_thread thread;
        struct store_post_changed changed;
        struct store_followed followed;
        struct {
            struct store_file file;
            struct store_thread thread;
            bool done;
        } upload;
    } result;
};

#define REASON(name) ZCHAT__V1__REASON__REASON_##name

/* Makes the call fail: the reason is for programs, and tells the code as well, the text is one
 * sentence for people. */
void call_fail(struct call *call, Zchat__V1__Reason reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void call_fail_later(struct call *call, Zchat__V1__Reason reason, uint32_t retry_after_s,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));
bool call_failed(const struct call *call);
/* Takes a store's status; STORE_FAILED fails the core, STORE_FULL the call, other ones are the
 * handler's. Returns it. */
enum store_status call_store(struct call *call, enum store_status status);
/* The end of a chain that turns a status into a refusal: one that nothing was said about would
 * pass as success, so it is our bug. */
void call_status_told(const struct call *call, enum store_status status);
/* Answers the call: its fault, or the reply's body that the caller has set. */
void call_reply(struct call *call, Zchat__V1__Reply *reply);
/* Answers a command that is done and has nothing to tell. */
void call_reply_empty(struct call *call);

/* Counts rows that were read of the store, or of a list in memory. */
void call_read(struct call *call, uint64_t count);
/* Zeroed memory that lives until the call is answered; NULL where the reply's cap is reached. */
void *call_memory(struct call *call, size_t bytes);

/* Something for the log; names and numbers only. */
void core_note(struct core *core, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, and as a warning, of what somebody can make happen as often as they like: once a minute
 * for each event and source, with the number of those that were passed over before it. */
void core_note_rarely(struct core *core, const char *event, const char *source, const char *format,
                      ...) __attribute__((format(printf, 4, 5)));
void core_warn_rarely(struct core *core, const char *event, const char *source, const char *format,
                      ...) __attribute__((format(printf, 4, 5)));
/* The same as a warning: what an administrator should look at. */
void core_warn(struct core *core, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The time of people's clocks, which may be set at any time: for what they are told and what the
 * store keeps, never for how long something lasts. */
int64_t core_wall_us(const struct core *core, int64_t now_us);

/* The transaction of the turn; every operation that writes or reads comes after it. */
bool core_begin(struct core *core);
enum store_status core_store(struct core *core, enum store_status status);

#endif
