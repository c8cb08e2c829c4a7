/* The inside of the links, for the files that implement link.h: link_table.c and link_watch.c, with
 * probe.c and unfinished.c. */
#ifndef LINK_INSIDE_H
#define LINK_INSIDE_H

#include "link.h"

#include <uthash.h>

struct links {
    struct links_options options;
    struct link **by_fd; /* owned array, owned entries or NULL */
    size_t fds;
    size_t count;
    struct link *ranks[LINK_RANKS]; /* borrowed */
    struct source_count *sources;   /* owned: those with strangers */
    size_t strangers;
    uint64_t cut_total;
    size_t places;      /* for strangers, as of the last tick */
    bool goes_on;       /* there were still too many then */
    int watch;          /* owned: an epoll descriptor */
    int spare;          /* owned: a descriptor's number, so that a cut needs no new one */
    int64_t look_us;    /* when to look next; INT64_MAX: nothing was active of late */
    struct link *over;  /* borrowed */
    uint64_t drains[2]; /* of each socket */
    uint64_t taken[2];
    struct link *unfinished;                /* borrowed */
    struct unfinished_sum *unfinished_sums; /* owned, by account */
    struct link *probes;                    /* borrowed */
    uint64_t unfinished_bytes;
    uint64_t unfinished_large; /* sum of what each has beyond UNFINISHED_FAIR */
};

/* ---- link_table.c ---- */

/* Whether the link has a session; if so, it becomes a LINK_MEMBER. */
bool link_promote(struct links *links, struct link *link);
/* A descriptor of the link's own socket, which can't become another socket's until link_let_go; -1:
 * it is closed. */
int link_hold(const struct links *links, const struct link *link);
void link_let_go(const struct links *links);

/* ---- link_watch.c ---- */

/* Asks the kernel for the link's progress; returns whether it had grown. */
bool link_progress(struct link *link);
void link_watch_begin(struct links *links, struct link *link);
void link_watch_end(struct links *links, struct link *link);

#endif
