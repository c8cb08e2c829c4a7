/* The broker's process in the simulation: feeds the core turn by turn with what arrived, sends what
 * it yields, does the passwords' work, and dies by a failing disk or a power failure. */
#ifndef BROKER_H
#define BROKER_H

#include "core.h"
#include "disk.h"
#include "link.h"

struct world;

struct job {
    struct job *next;
    struct core_work *work; /* owned */
    int name;               /* whose password is guessed; -1: nobody's */
    bool while_locked;      /* it was handed out during a lock */
    int64_t done_us;
};

struct broker {
    struct disk *disk;   /* owned */
    struct store *store; /* owned; NULL: down */
    struct core *core;   /* owned; NULL: down */
    struct core_options options;
    struct job *jobs;                  /* owned */
    int64_t restart_us;                /* INT64_MAX: it runs */
    int64_t busy_until_us;             /* the last turn lasts until then */
    uint64_t thread_head[THREADS_MAX]; /* likewise of each thread; 0: nothing was published yet */
    uint64_t asked;   /* commands that it took in, but those that come by themselves */
    uint64_t unasked; /* frames out with more than replies in them */
    uint64_t head[4]; /* of each topic, at 1 + topic, as published, or one before its first */
    int64_t started_us;
    bool is_unknown; /* whether the turn in which it died is on the disk */
};

void broker_init(struct world *world);
void broker_release(struct world *world);
bool broker_is_up(const struct broker *broker);
/* When it has something to do; INT64_MAX: nothing. */
int64_t broker_due(const struct world *world);
/* A turn, or its start. */
void broker_run(struct world *world);
/* The power fails, at once. */
void broker_cut_power(struct world *world);
/* An orderly end: everybody is told. It starts again a little later. */
void broker_stop(struct world *world);
/* Takes over changed options. */
void broker_reconfigure(struct world *world);

#endif
