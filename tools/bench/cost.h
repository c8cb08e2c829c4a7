/* What a measured part took of the machine: the server's CPU seconds, the bench's own, and so which
 * of them was the bound. Parts add up. */
#ifndef COST_H
#define COST_H

#include "child.h"
#include "cores.h"
#include "figures.h"

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

/* What the limit's server needs for one of its `limit_done`, by what `cost` is for one of `done`:
 * the ratio of the two rates where the servers are the bound, whoever else uses the machine. */
void cost_print_ratio(struct json *json, const char *name, const struct cost *cost, double done,
                      const struct cost *limit, double limit_done);

/* The word that cost_print prints. */
const char *cost_bound(const struct cost *cost);

#endif
