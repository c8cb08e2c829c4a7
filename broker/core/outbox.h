/* What goes out after the commit: for each peer one frame of replies and events a turn, for each
 * topic one of its events; more where a frame would grow past its limit. Frames leave in the order
 * in which they were begun. A peer whose pipe is full keeps its frames here for a while, and gets
 * no events until they went through. What waits for a peer, here and in its pipe, is counted in
 * bytes, and so is what waits here for all of them. */
#ifndef OUTBOX_H
#define OUTBOX_H

#include "exchange.h"
#include "stats.h"
#include "wire.h"

struct outbox;
struct outbox_frame;

/* A peer's side of it, inside struct peer. */
struct outbox_line {
    /* Number of the last gathered event that the line may have to take, and what it has taken.
     * Before anything else goes to the line it takes what is behind. NULL: it takes none. */
    const uint64_t *gathered; /* borrowed: the core's */
    uint64_t taken;
    struct outbox_frame *open; /* borrowed: the frame that grows in this turn */
    struct outbox_frame *held; /* owned: refused by its pipe, in order */
    struct outbox_line *next;  /* borrowed: the other lines that are listed */
    struct outbox_line *prev;
    struct peer *peer;   /* borrowed: whose line it is */
    void *owner;         /* borrowed: the peer's */
    size_t queued_bytes; /* in frames that were not yielded yet, or are held */
    size_t pipe_bytes;   /* in its pipe when it was refused last */
    size_t last_bytes;   /* of its last frame: the next one is likely to be as long */
    bool listed;         /* among the lines that hold frames or missed events */
    bool missed_events;  /* events were dropped since it was clogged */
    bool lost_replies;   /* replies were dropped: it can't go on */
};

/* Both are the core's, and borrowed. `catch_up` is called for a line that is behind with what was
 * gathered: it sets line->taken, and adds what is behind with outbox_events. */
struct outbox *outbox_new(struct stats *stats, const struct core_options *options,
                          void (*catch_up)(void *arg, struct outbox_line *line), void *arg);
void outbox_free(struct outbox *outbox);

/* `owner` is what the options' functions know the peer by. */
void outbox_line_init(struct outbox_line *line, struct peer *peer, void *owner);
void outbox_line_release(struct outbox *outbox, struct outbox_line *line);
/* Whether the line takes no events: they would be dropped. */
bool outbox_line_is_clogged(const struct outbox *outbox, const struct outbox_line *line);
/* Whether so much waits for the peer, here and in its pipe, that nothing more is to be made for it.
 */
bool outbox_line_is_full(const struct outbox *outbox, const struct outbox_line *line);
/* Bytes that wait here for the peer; for all peers and topics. */
size_t outbox_line_queued(const struct outbox_line *line);
size_t outbox_queued(const struct outbox *outbox);
/* All bytes ever made: it only grows. */
size_t outbox_made(const struct outbox *outbox);

/* Its peer reads nothing, and asks for ever more: its connection is to be cut. */
void outbox_line_give_up(struct outbox *outbox, struct outbox_line *line);

/* An element of a frame: an event is packed once, for however many are told of it. */
struct outbox_packed {
    const uint8_t *bytes; /* borrowed: the outbox's, until the next one is packed */
    size_t length;
};
struct outbox_packed outbox_pack(struct outbox *outbox, const Zchat__V1__ServerEvent *event);

/* false: it is too long for a frame. */
bool outbox_reply(struct outbox *outbox, struct outbox_line *line, const Zchat__V1__Reply *reply);
/* false: the line is clogged, the event is dropped. */
bool outbox_push(struct outbox *outbox, struct outbox_line *line,
                 const struct outbox_packed *event);
/* The same of an event that nobody else is told of. */
bool outbox_event(struct outbox *outbox, struct outbox_line *line,
                  const Zchat__V1__ServerEvent *event);
/* The same for events that are packed already, one behind the other as elements of WIRE_EVENTS, in
 * less bytes than a frame. */
bool outbox_events(struct outbox *outbox, struct outbox_line *line, const uint8_t *packed,
                   size_t bytes, size_t count);
/* As though so many events had been dropped for a clogged line. */
void outbox_events_missed(struct outbox *outbox, struct outbox_line *line, size_t count);
/* What comes next begins a new frame. */
void outbox_line_break(struct outbox_line *line);
/* The same, of the frame that grows where `open` of outbox_publish is; NULL: none does. */
void outbox_break(struct outbox_frame *open);
/* Counts bytes as made that are made later, for whoever causes them. */
void outbox_charge(struct outbox *outbox, size_t bytes);
/* An event that no stream makes up for: it waits like a reply. */
void outbox_event_kept(struct outbox *outbox, struct outbox_line *line,
                       const Zchat__V1__ServerEvent *event);
/* `open` is where the topic keeps its growing frame between calls. */
void outbox_publish(struct outbox *outbox, struct outbox_frame **open, const char *topic,
                    const struct outbox_packed *event);
void outbox_publish_head(struct outbox *outbox, const char *topic, uint64_t head);
/* An event that waits for others of its topic, to leave with them in a later turn: in `*waiting`,
 * which is NULL at first. */
void outbox_gather(struct outbox *outbox, struct outbox_frame **waiting, const char *topic,
                   const struct outbox_packed *event);
/* Whether it would leave in a frame that is not too long. */
bool outbox_may_gather(const struct outbox *outbox, const struct outbox_frame *waiting,
                       const struct outbox_packed *event);
/* What waits is published in this turn, it is so many events. Returns them, one behind the other:
 * the outbox's, until the turn is sealed. */
struct outbox_packed outbox_publish_gathered(struct outbox *outbox, struct outbox_frame **waiting,
                                             const char *topic, size_t count);
/* Forgets what waits; NULL: nothing does. */
void outbox_drop_gathered(struct outbox *outbox, struct outbox_frame **waiting);

/* The turn is over: outbox_next yields the frames of sealed turns. */
void outbox_seal(struct outbox *outbox);
bool outbox_next(struct outbox *outbox, struct core_frame *out);
void outbox_refused(struct outbox *outbox, struct outbox_line *line, struct core_frame *frame,
                    int64_t now_us);

/* Held frames are tried again at the deadline; `drained` is called for each line that missed events
 * and holds nothing any more. */
int64_t outbox_deadline(const struct outbox *outbox);
void outbox_tick(struct outbox *outbox, int64_t now_us,
                 void (*drained)(void *arg, struct peer *peer), void *arg);

#endif
