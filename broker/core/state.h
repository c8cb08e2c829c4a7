/* The inside of the core, for its own files: all that lasts longer than one command. */
#ifndef STATE_H
#define STATE_H

#include "backup_stage.h"
#include "claim.h"
#include "limit.h"
#include "outbox.h"
#include "session.h"
#include "threads.h"
#include "topic.h"
#include "turn.h"

struct frames;
struct gathered;
struct passwords;
struct privates;
struct receipts;
struct recent;
struct thread_topics;

struct core {
    struct store *store; /* borrowed */
    struct core_options options;
    struct stats stats;
    struct wire_arena *frame_arena;      /* owned: the frame being read */
    struct wire_arena *reply_arena;      /* owned: the reply being made */
    struct limits *limits;               /* owned */
    struct claims *claims;               /* owned */
    struct outbox *outbox;               /* owned */
    struct passwords *passwords;         /* owned */
    struct privates *privates;           /* owned */
    struct receipts *receipts;           /* owned */
    struct recent *recent;               /* owned: broadcasts, by id */
    struct frames *frames;               /* owned */
    struct gathered *gathered;           /* owned */
    struct thread_topics *thread_topics; /* owned */
    struct sessions sessions;
    struct topics topics;
    struct turn turn;
    struct peer *peers; /* owned, by number */
    uint64_t peer_number;
    int64_t started_us;
    int64_t now_us;         /* of the last input */
    int64_t wall_ahead_us;  /* how far people's clock is ahead */
    int64_t wall_set_by_us; /* since the store was last told; small corrections add up */
    bool wall_was_set;
    bool wall_known;
    int64_t alive_us;  /* when the store is next told that the broker lives */
    int64_t notes_us;  /* when notes of logins in the store's memory are written; INT64_MAX: none */
    int64_t expire_us; /* when unfinished uploads are next looked for */
    int64_t full_us;   /* when a full disk is next looked at */
    bool full;         /* as last written to the log */
    struct backup backup;
    bool shutdown_wanted;
    bool wipe_wanted;
    bool in_turn;    /* the store's transaction is open */
    bool committing; /* the one before it is on its way to the disk */
    bool failed;     /* the store failed: nothing may be sent any more */
};

/* Writes to the log; names and numbers only. */
void core_note(struct core *core, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, and the same as a warning, for what somebody can make happen as often as they like:
 * written once a minute for each event and source, with the number of those passed over since the
 * last one. */
void core_note_rarely(struct core *core, const char *event, const char *source, const char *format,
                      ...) __attribute__((format(printf, 4, 5)));
void core_warn_rarely(struct core *core, const char *event, const char *source, const char *format,
                      ...) __attribute__((format(printf, 4, 5)));
/* Writes a warning: something that an administrator should look at. */
void core_warn(struct core *core, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The time on people's clocks, which may be set at any time. It is what people are told and what
 * the store keeps, and never measures how long something lasts. */
int64_t core_wall_us(const struct core *core, int64_t now_us);

/* Whether a block stands between the two accounts, whoever set it. */
bool core_is_hidden(const struct core *core, int64_t a, int64_t b);

/* Begins the transaction of the turn; every operation that writes or reads comes after it. */
bool core_begin(struct core *core);
enum store_status core_store(struct core *core, enum store_status status);

#endif
