/* A process of the bench's own that serves it: zchatd, a bare server, Redis. It is ended with the
 * bench, however that ends. The only file that knows processes and Linux's /proc about them. */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct child;

struct child_options {
    char *const *argv;
    int core;          /* where it is kept; -1: anywhere */
    const char *ready; /* words in the line by which it says that it serves */
    bool quiet;        /* what else it says is not passed on to stderr */
};

struct usage {
    double main_s; /* CPU seconds of the main thread, */
    double io_s;   /* of ZeroMQ's, */
    double other_s;
    double waited_s; /* for a core: what a thread could have run and did not */
    uint64_t rss_kib;
};

/* The functions below say on stderr what failed. */

/* The path of a program: `given`, or where that is NULL the one of that name beside this one; with
 * name NULL it is this one. */
void child_program(const char *given, const char *name, char *path, size_t path_bytes);

/* Runs a program to its end, with what `write` writes as its stdin. false: it did not end well. */
bool child_run(char *const argv[], void (*write)(FILE *file, void *arg), void *arg);

/* Starts it and waits until it serves. NULL: it doesn't. */
struct child *child_start(const struct child_options *options);
/* Ends it, waits for its end. */
void child_free(struct child *child);

/* What stands behind `name` (with its "=") in the line in which it said that it serves; false: it
 * did not say. */
bool child_told(const struct child *child, const char *name, char *value, size_t value_bytes);

/* Readable when it wrote something, or ended. */
int child_fd(const struct child *child);
/* Passes on what it wrote. false: it has ended. */
bool child_listen(struct child *child);

/* So far; child NULL: this process. */
bool child_usage(const struct child *child, struct usage *usage);

/* CPU seconds of all threads. */
double usage_s(const struct usage *usage);

/* ---- a zchatd of the bench's own ---- */

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
