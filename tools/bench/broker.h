/* A broker of the bench's own: its folder, its process, what it needs of the machine. The only file
 * that knows Linux's /proc and how threads are kept on a core. */
#ifndef BROKER_H
#define BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct broker;

struct broker_options {
    const char *zchatd; /* NULL: the one beside this program */
    const char *data;   /* the store's folder */
    bool pin;
    uint64_t io_threads;
};

struct broker_usage {
    double main_s; /* CPU seconds of the thread with the store, */
    double io_s;   /* of ZeroMQ's, */
    double other_s;
    uint64_t rss_kib;
};

/* The functions below that return bool say on stderr what failed. */

/* A new folder below $TMPDIR; false: none. folder_remove() takes it away with all that is in it. */
bool folder_new(char *path, size_t path_bytes);
void folder_remove(const char *path);

/* Keeps this process on the first of the cores that it may use, a broker started before on the
 * second. */
bool pin_self(void);

/* Runs `zchatd user add -` for the names that `write_names` writes. */
bool broker_add_accounts(const struct broker_options *options, const char *key,
                         void (*write_names)(FILE *file, void *arg), void *arg);

/* Starts it and waits until it serves. NULL: it doesn't. */
struct broker *broker_start(const struct broker_options *options);

/* Ends it, waits for its end. */
void broker_free(struct broker *broker);

const char *broker_address(const struct broker *broker);

/* Readable when it wrote something, or ended. */
int broker_fd(const struct broker *broker);

/* Passes what it wrote on to stderr. false: it has ended. */
bool broker_listen(struct broker *broker);

bool broker_usage(const struct broker *broker, struct broker_usage *usage);

#endif
