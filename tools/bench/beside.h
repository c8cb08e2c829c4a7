/* Messages at a steady rate, alone and beside uploads. */
#ifndef BESIDE_H
#define BESIDE_H

#include "client.h"
#include "figures.h"

/* How long acknowledgements took, each counted from when its message was due. */
struct beside {
    struct histogram idle;
    struct histogram loaded;
    uint64_t uploads; /* that ran meanwhile, one after another */
};

/* Sends from one handle for settings->seconds; then again while another handle, in a thread of its
 * own, uploads the file at `path` into the thread `title` again and again. Both must be logged in
 * and in the loop. false: bench_fail() was called. */
bool beside_measure(struct beside *beside, struct client *sender, struct client *uploader,
                    const char *title, const char *path);

#endif
