/* What a measured part took of the machine: the server's CPU seconds, the bench's own, and so which
 * of them was the bound. Parts add up. */
#ifndef COST_H
#define COST_H

#include "child.h"
#include "cores.h"
#include "json.h"

struct cost {
    bool pinned;
    double seconds;
    struct usage server; /* rss_kib is that at the end */
    struct usage own;
    double machine_s; /* CPU seconds of whatever ran, on all cores */
};

/* Where things stood. server: NULL where it is not ours. */
struct cost_since {
    const struct child *server; /* borrowed: from the caller */
    struct cost at;
};

void cost_begin(struct cost_since *since, const struct child *server, const struct cores *cores);

/* Adds what was taken since then to `cost`. */
void cost_end(const struct cost_since *since, struct cost *cost);

/* Prints, each name behind `prefix`: cpu_s_per_million of the server, `done` of them in all; how
 * many cores the server, this program and everybody else used; and bound: who had no time left,
 * "server", "generator", "both", or "neither", where something else is waited for: the disk, a
 * wake-up. Without --pin it is "unknown". */
void cost_print(struct json *json, const char *prefix, const struct cost *cost, double done);

/* The word that it prints. */
const char *cost_bound(const struct cost *cost);

#endif
