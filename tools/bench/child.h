/* A process that the bench starts and that serves it: zchatd, a bare server, Redis. It ends with
 * the bench, however the bench ends. This is the only unit that knows processes and their files in
 * /proc. */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct child;

struct child_options {
    char *const *argv;
    int core;          /* the core that it is kept on; -1: any */
    const char *ready; /* words in the line that says that it serves */
    bool quiet;        /* its other output is not passed on to stderr */
};

struct usage {
    double main_s; /* CPU seconds of the main thread, */
    double io_s;   /* of ZeroMQ's, */
    double other_s;
    double waited_s; /* waited for a core: threads could have run but did not */
    uint64_t rss_kib;
};

/* The functions below report failures on stderr. */

/* The path of a program: `given`; if that is NULL, the program `name` beside this one; if that is
 * NULL, too, this one. */
void child_program(const char *given, const char *name, char *path, size_t path_bytes);

/* Runs a program to its end; `write` writes its stdin. false: it failed. */
bool child_run(char *const argv[], void (*write)(FILE *file, void *arg), void *arg);

/* Starts it and waits until it serves. NULL: it does not. */
struct child *child_start(const struct child_options *options);
/* Ends it, and waits until it has ended. */
void child_free(struct child *child);

/* The value behind `name` (with its "=") in the line that said that it serves; false: there is
 * none. */
bool child_told(const struct child *child, const char *name, char *value, size_t value_bytes);

/* Readable when it has written something or ended. */
int child_fd(const struct child *child);
/* Passes on what it has written. false: it has ended. */
bool child_listen(struct child *child);

/* What it has used so far; child NULL: this process. */
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
