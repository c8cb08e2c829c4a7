/* The bare server, with which the workloads are compared: CURVE, ZAP, a ROUTER and an XPUB in one
 * thread, turns of the loop that take what is there, no protocol and no store. If it has a log,
 * every turn's frames are on the disk (one pwrite, one fdatasync) before any of them is answered.
 *
 * A frame's first byte says what is done with it; numbers are in this machine's byte order. */
#ifndef BARE_H
#define BARE_H

#include "child.h"
#include "curve.h"
#include "option.h"

enum bare_op {
    BARE_ECHO = 'e',    /* comes back as it is */
    BARE_HELLO = 'h',   /* the same, and gives the connection the number (uint32_t) behind it */
    BARE_FORWARD = 'f', /* goes to the connection with the number behind it, and comes back */
    BARE_PUBLISH = 'p', /* comes back, and is published, in one frame with the turn's others */
    BARE_TO_ALL = 'a',  /* comes back, and goes to all that have numbers, likewise */
};

/* The first byte of published frames, and of frames to all. */
#define BARE_TOPIC 't'

/* The verb `bare`: serves until a signal ends it. */
int bare_main(const struct settings *settings);

struct bare {
    struct child *child; /* owned */
    struct curve_server at;
};

/* Where a child, zchatd or a bare server, said that it serves. false: it did not say. */
bool bare_told(const struct child *child, struct curve_server *at);

/* Starts one as a process; log NULL: no log. false: it said why; bare_stop() must follow anyway. */
bool bare_start(struct bare *bare, const char *log, int core, uint64_t io_threads);
void bare_stop(struct bare *bare);

#endif
