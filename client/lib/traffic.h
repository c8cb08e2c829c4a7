/* Bytes that came over a connection of libzmq's beyond the frames that came out of it. libzmq keeps
 * the parts of a message that is not complete outside of every bound, and tells nobody: so the
 * kernel is asked how much came. While nothing comes nothing is asked.
 *
 * Who uses it asks traffic_is_due at each turn, and if it is reads, and then judges. */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include "wake.h"

#include <stddef.h>

/* What a frame has around it on its way, and more. */
#define TRAFFIC_FRAME_ADDS 64
/* Of a socket that listens many may have connected when the first message comes: strangers who
 * found the port. Each costs three system calls a look. */
#define TRAFFIC_LINES 64

struct traffic_line {
    int fd;          /* libzmq's */
    uint64_t cookie; /* of that socket: the number may have a new owner */
    uint64_t taken;  /* bytes that libzmq has read of it, at the last look */
    uint64_t frames; /* of those, what came out or is forgiven */
};

struct traffic {
    struct wake *wake;       /* borrowed: from the handle */
    uint64_t unfinished_max; /* bytes of a message that is not complete */
    uint64_t waiting_max;    /* ... and of those that wait to be read, with it */
    int64_t every_us;        /* how often it is looked while something comes */
    int64_t look_us;         /* when it is looked next; WAKE_NEVER: once something comes */
    int64_t looked_us;
    unsigned foreign;           /* of the wake, at the last turn */
    struct traffic_line *lines; /* owned */
    size_t count;
    size_t room;
    bool grew; /* the last look found more than the one before */
};

void traffic_init(struct traffic *traffic, struct wake *wake, int64_t every_us,
                  uint64_t unfinished_max, uint64_t waiting_max);
void traffic_release(struct traffic *traffic);
/* A connection that may be the one whose frames are read. */
void traffic_add(struct traffic *traffic, int fd);
/* It is this one, and no other. */
void traffic_settle(struct traffic *traffic, int fd);

/* Whether it is to be looked at now. `took`: a frame came out since the last turn. */
bool traffic_is_due(struct traffic *traffic, int64_t now_us, bool took);
/* Asks the kernel. */
void traffic_read(struct traffic *traffic);
/* Of what was read: `out_bytes` is what came out since the last look, with TRAFFIC_FRAME_ADDS for
 * each frame, `waiting` whether there is one to be taken now, after the read. False: more came than
 * may wait, or than one message may have. */
bool traffic_is_bounded(struct traffic *traffic, int64_t now_us, uint64_t out_bytes, bool waiting);
/* When it is due; WAKE_NEVER: not by itself. */
int64_t traffic_deadline_us(const struct traffic *traffic);

#endif
