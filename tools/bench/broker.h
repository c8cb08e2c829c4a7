/* A zchatd of the bench's own. */
#ifndef BROKER_H
#define BROKER_H

#include "child.h"

struct broker_options {
    const char *zchatd; /* NULL: the one beside this program */
    const char *data;   /* the store's folder */
    int core;           /* -1: anywhere */
    uint64_t io_threads;
};

/* Runs `zchatd user add -` for the names that `write_names` writes. false: it said why. */
bool broker_add_accounts(const struct broker_options *options, const char *key,
                         void (*write_names)(FILE *file, void *arg), void *arg);

/* NULL: it said why. */
struct child *broker_start(const struct broker_options *options);

#endif
