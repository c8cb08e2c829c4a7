/* What a measured part used of the machine: the CPU seconds of the server and of the bench, and so
 * which of them was the bound. Parts add up. */
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
    double machine_s; /* CPU seconds of everything that ran, on all cores */
};

/* The values at the beginning. server: NULL if it is not ours. */
struct cost_since {
    const struct child *server; /* borrowed: from the caller */
    struct cost at;
};

void cost_begin(struct cost_since *since, const struct child *server, const struct cores *cores);

/* Adds what was used since then to `cost`. */
void cost_end(const struct cost_since *since, struct cost *cost);

/* Prints these, with `prefix` before each name: cpu_s_per_million, the server's CPU seconds for a
 * million, where `done` were done in all; how many cores the server, this program and everybody
 * else used; and bound, who had no time left: "server", "generator", "both", or "neither", if they
 * waited for something else, such as the disk or a wake-up. Without --pin it is "unknown". */
void cost_print(struct json *json, const char *prefix, const struct cost *cost, double done);

/* Prints what the limit's server needs for one of `limit_done`, divided by what `cost` is for one
 * of `done`. If the servers are the bound, this is the ratio of the two rates, whoever else uses
 * the machine. */
void cost_print_ratio(struct json *json, const char *name, const struct cost *cost, double done,
                      const struct cost *limit, double limit_done);

/* The word that cost_print prints. */
const char *cost_bound(const struct cost *cost);

#endif
