/* What goes out after the commit: in each turn one frame of replies and events for each peer, and
 * one frame of events for each topic; more frames if one would grow past its limit. Frames leave in
 * the order in which they were begun. If a peer's pipe is full, its frames wait here for a while,
 * and it gets no events until they went through. The bytes that wait for a peer, here and in its
 * pipe, are counted, and so are the bytes that wait here for all peers. */
#ifndef OUTBOX_H
#define OUTBOX_H

#include "exchange.h"
#include "stats.h"
#include "wire.h"

struct outbox;
struct outbox_frame;

/* A peer's side of it, inside struct peer. */
struct outbox_line {
    /* The number of the last gathered event that the line may have to take, and of the last one
     * that it has taken. Before anything else goes to the line it takes those between. NULL: it
     * takes none. */
    const uint64_t *gathered; /* borrowed: the core's */
    uint64_t taken;
    struct outbox_frame *open; /* borrowed: the frame that grows in this turn */
    struct outbox_frame *held; /* owned: refused by its pipe, in order */
    struct outbox_line *next;  /* borrowed: the other lines that are listed */
    struct outbox_line *prev;
    struct peer *peer;   /* borrowed: whose line it is */
    void *owner;         /* borrowed: the peer's */
    size_t queued_bytes; /* in frames that are not yielded yet, or are held */
    size_t pipe_bytes;   /* in its pipe when a frame was last refused */
    size_t last_bytes;   /* of its last frame: the next one is likely as long */
    bool listed;         /* among the lines that hold frames or missed events */
    bool missed_events;  /* events were dropped since it was clogged */
    bool lost_replies;   /* replies were dropped: it can't go on */
};

/* `stats` and `options` are the core's, and borrowed. `catch_up` is called for a line that has not
 * taken all gathered events: it sets line->taken, and adds the missing ones with outbox_events. */
struct outbox *outbox_new(struct stats *stats, const struct core_options *options,
                          void (*catch_up)(void *arg, struct outbox_line *line), void *arg);
void outbox_free(struct outbox *outbox);

/* The options' functions know the peer as `owner`. */
void outbox_line_init(struct outbox_line *line, struct peer *peer, void *owner);
void outbox_line_release(struct outbox *outbox, struct outbox_line *line);
/* Whether the line takes no events: they would be dropped. */
bool outbox_line_is_clogged(const struct outbox *outbox, const struct outbox_line *line);
/* Whether so much waits for the peer, here and in its pipe, that nothing more should be made for
 * it. */
bool outbox_line_is_full(const struct outbox *outbox, const struct outbox_line *line);
/* Bytes that wait here for the peer; and for all peers and topics. */
size_t outbox_line_queued(const struct outbox_line *line);
size_t outbox_queued(const struct outbox *outbox);
/* The number of all bytes ever made: it only grows. */
size_t outbox_made(const struct outbox *outbox);

/* Gives up a line whose peer reads nothing and asks for ever more: its connection is to be cut. */
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
/* The same for an event that nobody else is told of. */
bool outbox_event(struct outbox *outbox, struct outbox_line *line,
                  const Zchat__V1__ServerEvent *event);
/* The same for events that are packed already: elements of WIRE_EVENTS, one behind the other, in
 * fewer bytes than a frame. */
bool outbox_events(struct outbox *outbox, struct outbox_line *line, const uint8_t *packed,
                   size_t bytes, size_t count);
/* Counts so many events as dropped, as for a clogged line. */
void outbox_events_missed(struct outbox *outbox, struct outbox_line *line, size_t count);
/* What comes next begins a new frame. */
void outbox_line_break(struct outbox_line *line);
/* The same for the growing frame of a topic, `open` of outbox_publish; NULL: none is growing. */
void outbox_break(struct outbox_frame *open);
/* Counts bytes as made now that will be made later, so that whoever causes them is charged. */
void outbox_charge(struct outbox *outbox, size_t bytes);
/* Sends an event that no stream makes up for if it is lost: so it waits like a reply. */
void outbox_event_kept(struct outbox *outbox, struct outbox_line *line,
                       const Zchat__V1__ServerEvent *event);
/* The topic keeps its growing frame in `*open` between calls. */
void outbox_publish(struct outbox *outbox, struct outbox_frame **open, const char *topic,
                    const struct outbox_packed *event);
void outbox_publish_head(struct outbox *outbox, const char *topic, uint64_t head);
/* Lets an event wait for others of its topic, to leave with them in a later turn. It waits in
 * `*waiting`, which is NULL at first. */
void outbox_gather(struct outbox *outbox, struct outbox_frame **waiting, const char *topic,
                   const struct outbox_packed *event);
/* Whether the frame that waits would not be too long with this event. */
bool outbox_may_gather(const struct outbox *outbox, const struct outbox_frame *waiting,
                       const struct outbox_packed *event);
/* Publishes in this turn what waits, which is `count` events. Returns them, one behind the other;
 * they are the outbox's until the turn is sealed. */
struct outbox_packed outbox_publish_gathered(struct outbox *outbox, struct outbox_frame **waiting,
                                             const char *topic, size_t count);
/* Forgets what waits; NULL: nothing waits. */
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
