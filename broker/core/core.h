/* The core of the broker: everything between a received frame and the frames to send, without
 * sockets, clock, files or threads. The process around it (or a simulator) feeds peers, frames,
 * finished password work and the time; the core changes its state and the store inside the turn's
 * transaction, and yields what to send once all of it is on the disk.
 *
 * A turn: core_frame, core_peer_close, core_work_done, core_tick in any number and order; then
 * core_commit; and once that is on the disk, core_next_frame and core_next_work until there is
 * nothing more.
 *
 * A turn is bounded in time, rows read and bytes of answers. What is left of a frame waits, in its
 * peer's order, and core_tick goes on with it: at once in the next turn, as core_deadline says, or
 * once the peer has read what it was sent. core_is_full says when to end a turn. */
#ifndef CORE_H
#define CORE_H

#include "exchange.h"
#include "stats.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct core;

/* `store` is borrowed and belongs to the core's thread. NULL: no memory. */
struct core *core_new(struct store *store, const struct core_options *options, int64_t now_us);
void core_free(struct core *core);
/* `now_us`, in all of these, is a clock that is never set: durations are measured by it. The clock
 * on the wall, which people read and whose times the store keeps, is ahead of it by `ahead_us` (<
 * 0: behind). The process tells this before the first turn, and again whenever somebody has set the
 * clock on the wall. */
void core_set_wall(struct core *core, int64_t ahead_us);
void core_reconfigure(struct core *core, const struct core_options *options);
struct stats *core_stats(struct core *core); /* borrowed; the process counts its own in it, too */

/* A connection that proved `key`. The peer is the core's and lives until core_peer_close. `owner`
 * is what core_peer_owner gives back. */
struct peer *core_peer_open(struct core *core, const unsigned char key[KEY_BYTES],
                            const char *address, void *owner, int64_t now_us);
void *core_peer_owner(const struct peer *peer);
/* Whether the peer is logged in; and as which account (0: it is not logged in). */
bool core_peer_has_session(const struct peer *peer);
int64_t core_peer_account(const struct peer *peer);
/* Whether a reply to it was dropped. */
bool core_peer_lost_replies(const struct peer *peer);
/* Bytes made for the peer that are not yielded yet, or were refused; and the same for all peers and
 * topics. */
size_t core_peer_queued(const struct peer *peer);
size_t core_queued(const struct core *core);
void core_peer_close(struct core *core, struct peer *peer, int64_t now_us);

void core_frame(struct core *core, struct peer *peer, const void *frame, size_t frame_bytes,
                int64_t now_us);
/* A frame of the peer was dropped before it got here: it costs what a frame without a command
 * does. */
void core_frame_dropped(struct core *core, struct peer *peer, size_t frame_bytes, int64_t now_us);

/* Whether the turn should be ended before it takes more frames. It does take more: what does not
 * fit waits, or beyond a bound is refused as BUSY. */
bool core_is_full(const struct core *core);
/* Whether commands wait for the next turn. */
bool core_has_waiting(const struct core *core);

/* When core_tick wants to be called at the latest; INT64_MAX: not at all. */
int64_t core_deadline(const struct core *core);
void core_tick(struct core *core, int64_t now_us);

/* Whether somebody with the right to do so has told the broker to stop; *wipe: and to delete all
 * that it has. */
bool core_wants_shutdown(const struct core *core, bool *wipe);
/* Ends all sessions and tells everybody why. Called in the last turn. */
void core_shutdown(struct core *core, const char *text, int64_t now_us);

/* Whether the transaction is open, because the store was asked for something in this turn. */
bool core_is_in_turn(const struct core *core);
/* Ends the turn. false: the store did not take everything; nothing may be sent any more, and the
 * process has to end. */
bool core_commit(struct core *core);
/* Whether that commit is still on its way to the disk. The next turn may be filled meanwhile, but
 * nothing is sent and no turn is ended before core_commit_end. That call does not wait once the
 * store's store_commit_fd is readable. */
bool core_is_committing(const struct core *core);
bool core_commit_end(struct core *core);
/* Why the store failed, in one sentence. */
const char *core_error(const struct core *core);

/* The next frame to send; false: there is none. */
bool core_next_frame(struct core *core, struct core_frame *out);
/* The peer's pipe is full: the core takes the frame back, sends the peer no events until it went
 * through, and yields it again a little later. Beyond a bound replies are dropped, and false is
 * returned: the peer would wait for them in vain, so its connection is to be cut. */
bool core_frame_refused(struct core *core, struct core_frame *frame, int64_t now_us);

/* Hands over work to do elsewhere. NULL: there is none, or all workers have some already. */
struct core_work *core_next_work(struct core *core);
/* Whether work waits or is under way. */
bool core_has_work(const struct core *core);
/* The work comes back, with its results, to the core. */
void core_work_done(struct core *core, struct core_work *work, int64_t now_us);

/* The backup that options.make_backup began has ended. */
void core_backup_made(struct core *core, const struct core_backup *made, int64_t now_us);

/* Whether a session is open with this key: the event socket admits only such keys. */
bool core_key_is_live(const struct core *core, const unsigned char key[KEY_BYTES]);
/* Charges the key's budget for a connection to the event socket. false: there is too little in it
 * now. Subscriptions on that socket are charged to the same budget, even if there is too little in
 * it. */
bool core_key_may_listen(struct core *core, const unsigned char key[KEY_BYTES], int64_t now_us);
void core_key_subscribed(struct core *core, const unsigned char key[KEY_BYTES], uint32_t count,
                         int64_t now_us);

#endif
