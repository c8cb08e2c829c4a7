/* The options of zchat-bench: one table with name, type, range, default, the verbs that take it and
 * its help text. Every value that settings_read() accepts is within its row's range. */
#ifndef OPTION_H
#define OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum verb_bit {
    VERB_SEND = 1,
    VERB_IDLE = 2,
    VERB_NAMES = 4,
    VERB_KEY = 8,
    VERB_FILES = 16,
    VERB_PRIVATE = 32,
    VERB_BARE = 64,
    VERB_LOGIN = 128,
    VERB_FANOUT = 256,
    VERB_SPARSE = 512,
    VERB_LATENCY = 1024,
    VERB_GROWTH = 2048,
};

enum events {
    EVENTS_NONE,
    EVENTS_INLINE,
    EVENTS_SUB,
};

enum what {
    WHAT_BROADCAST,
    WHAT_POST,
};

struct settings {
    uint64_t senders;
    uint64_t receivers;
    uint64_t accounts;
    uint64_t window;
    uint64_t size_bytes;
    uint64_t rate;
    uint64_t sample;
    uint64_t clients;
    uint64_t pairs;
    uint64_t messages;
    uint64_t visits;
    uint64_t at_a_time;
    uint64_t rounds;
    uint64_t io_threads;
    uint64_t seed;
    uint64_t size_mib;
    uint64_t runs;
    uint64_t lines;
    uint64_t batch;
    uint64_t limit_frame;
    double seconds;
    double limit_seconds;
    const char *zchatd;     /* borrowed: argv. NULL: beside this program */
    const char *data;       /* borrowed: argv. NULL: a temporary folder */
    const char *server;     /* borrowed: argv. NULL: a broker of our own */
    const char *config_dir; /* borrowed: argv. NULL: a temporary folder */
    const char *redis;      /* borrowed: argv. NULL: the one on the PATH, if any */
    const char *log;        /* borrowed: argv. NULL: none */
    enum events events;
    enum what what;
    bool check;
    bool beside;
    bool alone;
    bool filled;
    bool pin;
    bool help;
};

/* Sets the defaults and reads argv from its third word on. false: it said on stderr what is wrong.
 */
bool settings_read(struct settings *settings, enum verb_bit verb, int argc, char **argv);

/* Prints the options that the verb takes. */
void settings_help(enum verb_bit verb, FILE *file);

const char *events_name(enum events events);
const char *what_name(enum what what);

#endif
