/* The core of the broker: everything between a received frame and the frames to send, without
 * sockets, clock, files or threads. The process around it (or a simulator) feeds peers, frames,
 * finished password work and the time; the core changes its state and the store inside the turn's
 * transaction, and yields what to send once all of it is on the disk.
 *
 * A turn: core_frame, core_peer_close, core_work_done, core_tick in any number and order; then
 * core_commit; once that is on the disk core_next_frame and core_next_work until there is nothing
 * more.
 *
 * A turn is bounded in time, rows read and bytes of answers. What is left of a frame waits, in its
 * peer's order, and core_tick goes on with it: at once in the next turn, as core_deadline says, or
 * once the peer has read what it was sent. core_is_full says when to end a turn. */
#ifndef CORE_H
#define CORE_H

#include "limits.h"
#include "stats.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct core;
struct peer;

/* Budgets in commands per second; 0: no limit. Each allows a burst of what it gives in ten seconds.
 */
struct core_rates {
    uint32_t account;
    uint32_t key;
    uint32_t address;
    uint32_t passwords;     /* password checks for each address */
    uint32_t registrations; /* new accounts for each address; an hour, which is also the burst */
};

struct core_options {
    int64_t idle_timeout_us; /* 0: none */
    int64_t block_duration_us;
    bool registration_open;
    uint32_t sessions_per_user;
    uint32_t password_workers; /* how much work core_next_work hands out at a time */
    struct core_rates rates;
    uint64_t file_bytes_max;      /* of one file */
    uint64_t files_bytes_max;     /* of all files; 0: no limit */
    struct store_quotas quotas;   /* of one account */
    const char *admin_password;   /* borrowed until the next core_reconfigure; "": none */
    const char *software;         /* borrowed for good: the broker's name and version */
    unsigned char run[RUN_BYTES]; /* random: tells one run of the broker from the next */
    /* For the log: `event` is a word, `details` are "key=value key=value". NULL: nobody hears. */
    void (*note)(void *arg, const char *event, const char *details);
    /* The same for what an administrator should look at. */
    void (*warn)(void *arg, const char *event, const char *details);
    /* A session ended, `owner` (from core_peer_open) had it with `key`; `lost`: its connection is
     * gone, so the device may be back in a moment. Told in the turn in which it happens. NULL:
     * nobody hears. */
    void (*session_ended)(void *arg, void *owner, const unsigned char key[KEY_BYTES], bool lost);
    /* A reply to `owner` (from core_peer_open) was dropped, for which it would wait in vain: its
     * connection is to be cut. Told once, at once. NULL: nobody hears. */
    void (*gave_up)(void *arg, void *owner);
    void *note_arg; /* for all four */
    /* A steady clock, which bounds the time of a turn. NULL: only rows and bytes bound it. */
    int64_t (*clock_us)(void);
    /* Bytes of yielded frames that a peer's pipe still holds. NULL: none. */
    size_t (*in_pipe)(const void *owner);
    /* The same of all peers together. NULL: none. */
    size_t (*in_all_pipes)(const void *arg);
    const void *pipes_arg; /* borrowed */
};

/* `store` is borrowed and belongs to the core's thread. NULL: no memory. */
struct core *core_new(struct store *store, const struct core_options *options, int64_t now_us);
void core_free(struct core *core);
/* `now_us`, in all of these, is a clock that is never set: what lasts some time is measured by it.
 * How far the clock on the wall, which tells people the time and is what the store keeps, is ahead
 * of it (or, < 0, behind), said anew when it was set. 0 until it is said, and before the first turn
 * at the latest. */
void core_set_wall(struct core *core, int64_t ahead_us);
void core_reconfigure(struct core *core, const struct core_options *options);
struct stats *core_stats(struct core *core); /* borrowed; the process counts its own in it, too */

/* A connection that proved `key`. The peer is the core's and lives until core_peer_close. `owner`
 * is what core_peer_owner gives back. */
struct peer *core_peer_open(struct core *core, const unsigned char key[KEY_BYTES],
                            const char *address, void *owner, int64_t now_us);
void *core_peer_owner(const struct peer *peer);
/* Whether it is logged in, and as which account (0: as none). */
bool core_peer_has_session(const struct peer *peer);
int64_t core_peer_account(const struct peer *peer);
/* Whether a reply to it was dropped. */
bool core_peer_lost_replies(const struct peer *peer);
/* Bytes made for the peer that are not yielded yet, or were refused; and for all peers and topics.
 */
size_t core_peer_queued(const struct peer *peer);
size_t core_queued(const struct core *core);
void core_peer_close(struct core *core, struct peer *peer, int64_t now_us);

void core_frame(struct core *core, struct peer *peer, const void *frame, size_t frame_bytes,
                int64_t now_us);
/* One of the peer was dropped before it got here: it costs what one without a command does. */
void core_frame_dropped(struct core *core, struct peer *peer, size_t frame_bytes, int64_t now_us);

/* Whether the turn is to be ended before it takes more frames. More are taken all the same: what
 * does not fit waits, or is refused as BUSY past a bound. */
bool core_is_full(const struct core *core);
/* Whether commands wait for the next turn. */
bool core_has_waiting(const struct core *core);

/* When core_tick wants to be called at the latest; INT64_MAX: not at all. */
int64_t core_deadline(const struct core *core);
void core_tick(struct core *core, int64_t now_us);

/* Whether somebody who may has told the broker to stop; *wipe: and to delete all it has. */
bool core_wants_shutdown(const struct core *core, bool *wipe);
/* Ends all sessions and tells everybody why. For the last turn. */
void core_shutdown(struct core *core, const char *text, int64_t now_us);

/* Whether the transaction is open: something was asked of the store in this turn. */
bool core_is_in_turn(const struct core *core);
/* Ends the turn. false: the store did not take everything, nothing may be sent any more, the
 * process ends. */
bool core_commit(struct core *core);
/* Whether that is still on its way to the disk. The next turn may be filled meanwhile, but nothing
 * is sent and no turn is ended before core_commit_end, which has not to wait itself once the
 * store's store_commit_fd is readable. */
bool core_is_committing(const struct core *core);
bool core_commit_end(struct core *core);
/* Why the store failed, one sentence. */
const char *core_error(const struct core *core);

/* One frame to send: to a peer, or, where peer is NULL, to the event socket. The bytes are the
 * caller's, to be freed with free(). */
struct core_frame {
    struct peer *peer; /* borrowed */
    uint8_t *bytes;    /* owned */
    size_t length;
};
bool core_next_frame(struct core *core, struct core_frame *out);
/* The peer's pipe is full: the core takes the frame back, sends the peer no events until it went
 * through, and yields it again a little later. Past a bound replies are dropped; false then: the
 * peer would wait for them in vain, so its connection is to be cut. */
bool core_frame_refused(struct core *core, struct core_frame *frame, int64_t now_us);

/* A password to check, to hash, or both: `verify` against `hash` ("": a dummy, which takes as long
 * and never fits); then, where that fitted or was not asked for, `new_password` into `new_hash`. */
struct core_work {
    struct core_work *next; /* borrowed: the core's queue */
    uint64_t number;
    bool verify;
    char hash[128];
    char *password;     /* owned, wiped */
    char *new_password; /* owned, wiped; NULL: none */
    bool verified;      /* result */
    bool failed;        /* result: no memory for the hash */
    char new_hash[128]; /* result */
};
/* Hands over work to do elsewhere; NULL: none, or as much as there are workers is under way. */
struct core_work *core_next_work(struct core *core);
/* Whether work waits or is under way. */
bool core_has_work(const struct core *core);
/* The work comes back, with its results, to the core. */
void core_work_done(struct core *core, struct core_work *work, int64_t now_us);

/* Whether a session is open with this key: whom the event socket admits. */
bool core_key_is_live(const struct core *core, const unsigned char key[KEY_BYTES]);
/* Takes a connection to the event socket out of the key's budget; false: there is too little in it
 * now. What is subscribed there comes out of the same budget, even if there is less in it. */
bool core_key_may_listen(struct core *core, const unsigned char key[KEY_BYTES], int64_t now_us);
void core_key_subscribed(struct core *core, const unsigned char key[KEY_BYTES], uint32_t count,
                         int64_t now_us);

#endif
