/* The bare server: what the workloads are compared with. CURVE, ZAP, a ROUTER and an XPUB in one
 * thread, a turn of the loop for what is there, no protocol and no store; with a log every turn's
 * frames are on the disk (one pwrite, one fdatasync) before any of them is answered.
 *
 * A frame's first byte says what is done with it; numbers are in this machine's order. */
#ifndef BARE_H
#define BARE_H

#include "child.h"
#include "curve.h"
#include "option.h"

enum bare_op {
    BARE_ECHO = 'e',    /* comes back as it is */
    BARE_HELLO = 'h',   /* the same, and the connection has the number (uint32_t) behind it */
    BARE_FORWARD = 'f', /* goes to the connection of the number behind it, and comes back */
    BARE_PUBLISH = 'p', /* comes back, and is published with the turn's others as one frame */
    BARE_TO_ALL = 'a',  /* comes back, and goes to all that have numbers, with the turn's others */
};

/* What a published frame begins with; so does one to all. */
#define BARE_TOPIC 't'

/* The verb `bare`: serves until it is ended. */
int bare_main(const struct settings *settings);

struct bare {
    struct child *child; /* owned */
    struct curve_server at;
};

/* Where a child serves that said so, zchatd or a bare server. false: it did not say. */
bool bare_told(const struct child *child, struct curve_server *at);

/* Starts one as a process; log NULL: none. false: it said why; bare_stop() anyway. */
bool bare_start(struct bare *bare, const char *log, int core, uint64_t io_threads);
void bare_stop(struct bare *bare);

#endif
