/* Frames on their way in. The commands of a frame are carried out until the turn is full; what is
 * left of it then waits, in order for each peer, and the peers that wait take turns, a slice each.
 * A peer that does not read what it was sent is not served until it did: its commands wait, too. */
#ifndef FRAMES_H
#define FRAMES_H

#include "state.h"

struct frames *frames_new(void);
/* Drops all that waits. */
void frames_free(struct frames *frames);

/* Carries a frame's commands out, or keeps what does not fit into this turn. */
void frames_take(struct core *core, struct peer *peer, const void *frame, size_t frame_bytes);
/* Goes on with what waits, until the turn is full. */
void frames_go_on(struct core *core);
/* The peer leaves: drops what waits from it. */
void frames_forget(struct core *core, struct peer *peer);
/* Whether commands wait for a turn that has time for them. */
bool frames_wait(const struct core *core);
/* Whether the turn takes no more frames. */
bool frames_are_full(const struct core *core);
/* When frames_go_on has something to do next. */
int64_t frames_deadline(const struct core *core);

#endif
