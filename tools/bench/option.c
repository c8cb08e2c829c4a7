/* The table, and the reading of argv along it. */
#include "option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAIRS (VERB_SPARSE | VERB_LATENCY)
#define OWN_BROKER                                                                                 \
    (VERB_SEND | VERB_IDLE | VERB_FILES | VERB_PRIVATE | VERB_LOGIN | VERB_FANOUT | PAIRS |        \
     VERB_GROWTH)

enum kind {
    KIND_FLAG,
    KIND_NUMBER,
    KIND_SECONDS,
    KIND_TEXT,
    KIND_EVENTS,
    KIND_WHAT,
};

struct row {
    const char *name;
    enum kind kind;
    int verbs;
    size_t field;         /* where in struct settings */
    const char *standard; /* NULL: none */
    double min;
    double max;
    const char *argument; /* NULL: a flag */
    const char *help;
};

#define FIELD(of) offsetof(struct settings, of)

/* clang-format off */
static const struct row rows[] = {
    {"--senders", KIND_NUMBER, VERB_SEND | VERB_NAMES | VERB_FANOUT | VERB_GROWTH, FIELD(senders), "8", 1, 1000, "N",
     "connections that send, each of an account of its own"},
    {"--receivers", KIND_NUMBER, VERB_SEND, FIELD(receivers), "8", 0, 1000, "N",
     "how many of the accounts have a session that reads"},
    {"--accounts", KIND_NUMBER, VERB_SEND | VERB_NAMES, FIELD(accounts), "10000", 1, 1000000, "N",
     "accounts that are sent to, at random"},
    {"--window", KIND_NUMBER, VERB_SEND | VERB_FANOUT | VERB_GROWTH, FIELD(window), "64", 1, 65536, "N",
     "messages of each sender that are under way at a time"},
    {"--size", KIND_NUMBER, VERB_SEND | VERB_FANOUT | PAIRS | VERB_GROWTH, FIELD(size_bytes), "100", 48, 16384, "BYTES",
     "length of a message's text"},
    {"--window", KIND_NUMBER, VERB_FILES, FIELD(window), "4", 1, 64, "N",
     "chunks of the plain copy that are under way at a time"},
    {"--size-mib", KIND_NUMBER, VERB_FILES, FIELD(size_mib), "64", 1, 1024, "MIB",
     "length of the file"},
    {"--runs", KIND_NUMBER, VERB_FILES, FIELD(runs), "3", 1, 99, "N",
     "how often it is copied, goes up and down, in turns; the medians are told"},
    {"--lines", KIND_NUMBER, VERB_PRIVATE, FIELD(lines), "1000000", 1, 1000000000, "N",
     "lines that are sent in each run"},
    {"--window", KIND_NUMBER, VERB_PRIVATE, FIELD(window), "10000", 1, 10000, "N",
     "lines that wait for their acknowledgement at a time: the library takes no more"},
    {"--size", KIND_NUMBER, VERB_PRIVATE, FIELD(size_bytes), "100", 20, 16384, "BYTES",
     "length of a line"},
    {"--batch", KIND_NUMBER, VERB_PRIVATE, FIELD(batch), "64", 1, 1000, "N",
     "lines in each frame of the plain pair of sockets: as many as libzchat puts into one"},
    {"--runs", KIND_NUMBER, VERB_PRIVATE, FIELD(runs), "5", 1, 99, "N",
     "how often the lines go through the plain pair and through the chat, in turns; the medians "
     "are told"},
    {"--beside", KIND_FLAG, VERB_FILES, FIELD(beside), NULL, 0, 0, NULL,
     "measure messages, too: alone, then beside uploads"},
    {"--seconds", KIND_SECONDS, VERB_SEND | VERB_IDLE | VERB_FANOUT | PAIRS, FIELD(seconds), "10", 0.1, 3600, "S",
     "how long is measured"},
    {"--seconds", KIND_SECONDS, VERB_FILES, FIELD(seconds), "3", 0.1, 3600, "S",
     "how long --beside measures, alone as well as with uploads"},
    {"--rate", KIND_NUMBER, VERB_FILES, FIELD(rate), "200", 1, 10000, "N",
     "messages/s of --beside; latencies count from when a message was due"},
    {"--rate", KIND_NUMBER, VERB_SEND, FIELD(rate), "0", 0, 10000000, "N",
     "messages/s of all senders together; latencies then count from when a message was due; "
     "0: as many as the windows allow"},
    {"--limit-seconds", KIND_SECONDS, VERB_SEND, FIELD(limit_seconds), "2", 0, 3600, "S",
     "how long each of the limits is measured, half before and half after: plain frames through "
     "encrypted sockets and back, without and with fdatasync, a plain log, and Redis where it is "
     "installed; 0: not at all, as with --server"},
    {"--limit-seconds", KIND_SECONDS, VERB_FANOUT | PAIRS, FIELD(limit_seconds), "2", 0.1, 3600, "S",
     "how long the bare server is measured, half before and half after"},
    {"--limit-frame", KIND_NUMBER, VERB_SEND, FIELD(limit_frame), "1", 1, 64, "N",
     "messages in each of the plain frames"},
    {"--redis", KIND_TEXT, VERB_SEND, FIELD(redis), NULL, 0, 0, "PATH",
     "the redis-server that is measured, too; else the one on the PATH, if there is one"},
    {"--sample", KIND_NUMBER, VERB_SEND, FIELD(sample), "200", 0, 1000000, "N",
     "accounts without a reader whose inboxes are read at the end"},
    {"--check", KIND_FLAG, VERB_SEND, FIELD(check), NULL, 0, 0, NULL,
     "read the inboxes of all accounts at the end, the senders' own too"},
    {"--accounts", KIND_NUMBER, VERB_GROWTH, FIELD(accounts), "100000", 1000, 5000000, "N",
     "accounts of the large store; the small one has 1000"},
    {"--messages", KIND_NUMBER, VERB_GROWTH, FIELD(messages), "1000000", 1000, 1000000000, "N",
     "messages that the large store is filled with, to accounts at random; the small one has as "
     "many for each account"},
    {"--visits", KIND_NUMBER, VERB_GROWTH, FIELD(visits), "500", 1, 100000, "N",
     "random accounts that log in one after the other and read a page of 50 messages"},
    {"--seconds", KIND_SECONDS, VERB_GROWTH, FIELD(seconds), "3", 0.1, 3600, "S",
     "how long sending is measured"},
    {"--filled", KIND_FLAG, VERB_GROWTH, FIELD(filled), NULL, 0, 0, NULL,
     "the store in --data has its accounts and messages from an earlier run with these options and "
     "the same --config-dir"},
    {"--seed", KIND_NUMBER, VERB_GROWTH, FIELD(seed), "1", 1, 1e15, "N",
     "begins the random choice of accounts"},
    {"--pairs", KIND_NUMBER, VERB_SPARSE, FIELD(pairs), "500", 1, 4000, "N",
     "senders, each with a receiver of its own and one message under way"},
    {"--pairs", KIND_NUMBER, VERB_LATENCY, FIELD(pairs), "8", 1, 4000, "N",
     "senders, each with a receiver of its own"},
    {"--rate", KIND_NUMBER, VERB_LATENCY, FIELD(rate), "2000", 1, 1000000, "N",
     "messages/s of all senders together; latencies count from when a message was due"},
    {"--window", KIND_NUMBER, VERB_LATENCY, FIELD(window), "1024", 1, 65536, "N",
     "messages of each sender that may be under way at a time"},
    {"--clients", KIND_NUMBER, VERB_FANOUT, FIELD(clients), "100", 1, 4000, "N",
     "those who get them, each of an account of its own"},
    {"--what", KIND_WHAT, VERB_FANOUT, FIELD(what), "broadcast", 0, 0, "broadcast|post",
     "broadcasts to all, or posts to a thread that all follow"},
    {"--events", KIND_EVENTS, VERB_FANOUT, FIELD(events), "sub", 1, 0, "inline|sub",
     "how they get them: on the command connection, or on a second one"},
    {"--clients", KIND_NUMBER, VERB_IDLE | VERB_LOGIN, FIELD(clients), "100", 1, 20000, "N",
     "each of an account of its own"},
    {"--rounds", KIND_NUMBER, VERB_LOGIN, FIELD(rounds), "1", 1, 1000, "N",
     "how often they come in, and leave: few clients are in too soon to tell anything"},
    {"--at-a-time", KIND_NUMBER, VERB_IDLE | VERB_LOGIN, FIELD(at_a_time), "32", 1, 1000, "N",
     "clients that are on their way in at a time"},
    {"--events", KIND_EVENTS, VERB_IDLE | VERB_LOGIN, FIELD(events), "sub", 0, 0, "none|inline|sub",
     "how the clients get the public events: not at all (and are not online), on the command "
     "connection, or on a second one"},
    {"--alone", KIND_FLAG, VERB_SEND | VERB_IDLE | VERB_LOGIN | VERB_FANOUT | PAIRS | VERB_GROWTH, FIELD(alone), NULL, 0, 0, NULL,
     "measure the broker alone, without what it is compared with"},
    {"--seed", KIND_NUMBER, VERB_SEND, FIELD(seed), "1", 1, 1e15, "N",
     "begins the random choice of accounts"},
    {"--pin", KIND_FLAG, OWN_BROKER, FIELD(pin), NULL, 0, 0, NULL,
     "keep the broker with all its threads on one core, and this program off it"},
    {"--log", KIND_TEXT, VERB_BARE, FIELD(log), NULL, 0, 0, "FILE",
     "have each turn's frames in this file, on the disk, before they are answered"},
    {"--io-threads", KIND_NUMBER, OWN_BROKER | VERB_BARE, FIELD(io_threads), "1", 1, 16, "N",
     "given to the broker"},
    {"--zchatd", KIND_TEXT, OWN_BROKER, FIELD(zchatd), NULL, 0, 0, "PATH",
     "the broker's program; else the zchatd beside this one"},
    {"--data", KIND_TEXT, OWN_BROKER, FIELD(data), NULL, 0, 0, "DIR",
     "an empty folder for the broker's store, which is kept; else one below $TMPDIR, removed at "
     "the end"},
    {"--server", KIND_TEXT, VERB_SEND, FIELD(server), NULL, 0, 0, "HOST[:PORT]",
     "use this broker instead of an own one; its accounts are made before: zchat-bench names | "
     "zchatd user add - --device-key $(zchat-bench key --config-dir DIR)"},
    {"--config-dir", KIND_TEXT, OWN_BROKER | VERB_KEY, FIELD(config_dir), NULL, 0, 0, "DIR",
     "where the device key is that all accounts trust; else a temporary folder"},
    {"--help", KIND_FLAG, OWN_BROKER | VERB_NAMES | VERB_KEY | VERB_BARE, FIELD(help), NULL, 0, 0, NULL,
     "print this help and end"},
};
/* clang-format on */
#define ROWS (sizeof rows / sizeof rows[0])

static const char *const events_names[] = {
    [EVENTS_NONE] = "none", [EVENTS_INLINE] = "inline", [EVENTS_SUB] = "sub"};

static const char *const whats[] = {[WHAT_BROADCAST] = "broadcast", [WHAT_POST] = "post"};

const char *events_name(enum events events) {
    return events_names[events];
}

const char *what_name(enum what what) {
    return whats[what];
}

static bool set_number(const struct row *row, void *field, const char *text) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    uint64_t number = value;
    if (text[0] == 0 || text[strspn(text, "0123456789")] != 0 || errno != 0 ||
        (double)value < row->min || (double)value > row->max)
        return false;
    memcpy(field, &number, sizeof number);
    return true;
}

static bool set_seconds(const struct row *row, void *field, const char *text) {
    char *end;
    double value = strtod(text, &end);
    if (text[0] == 0 || *end != 0 || !(value >= row->min && value <= row->max))
        return false;
    memcpy(field, &value, sizeof value);
    return true;
}

/* The place of the text among the names; -1: it is none of them. */
static int place_of(const char *text, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], text) == 0)
            return (int)i;
    }
    return -1;
}

/* The row's min is the first of the names that it takes. */
static bool set_events(const struct row *row, void *field, const char *text) {
    int place = place_of(text, events_names, sizeof events_names / sizeof events_names[0]);
    enum events events = (enum events)place;
    if (place < (int)row->min)
        return false;
    memcpy(field, &events, sizeof events);
    return true;
}

static bool set_what(void *field, const char *text) {
    int place = place_of(text, whats, sizeof whats / sizeof whats[0]);
    enum what what = (enum what)place;
    if (place >= 0)
        memcpy(field, &what, sizeof what);
    return place >= 0;
}

static bool set(struct settings *settings, const struct row *row, const char *text) {
    void *field = (char *)settings + row->field;
    switch (row->kind) {
    case KIND_FLAG:
        *(bool *)field = true;
        return true;
    case KIND_NUMBER:
        return set_number(row, field, text);
    case KIND_SECONDS:
        return set_seconds(row, field, text);
    case KIND_TEXT:
        memcpy(field, &text, sizeof text);
        return text[0] != 0;
    case KIND_EVENTS:
        return set_events(row, field, text);
    case KIND_WHAT:
        return set_what(field, text);
    }
    return false;
}

static const struct row *find(enum verb_bit verb, const char *name) {
    for (size_t i = 0; i < ROWS; i++) {
        if ((rows[i].verbs & (int)verb) && strcmp(rows[i].name, name) == 0)
            return &rows[i];
    }
    return NULL;
}

static void complain(const struct row *row, const char *text) {
    if (row->kind == KIND_NUMBER || row->kind == KIND_SECONDS)
        fprintf(stderr, "zchat-bench: %s takes a number from %g to %g, not \"%s\"\n", row->name,
                row->min, row->max, text);
    else
        fprintf(stderr, "zchat-bench: %s takes %s, not \"%s\"\n", row->name, row->argument, text);
}

static bool fits_together(const struct settings *settings) {
    if (settings->receivers <= settings->accounts)
        return true;
    fprintf(stderr, "zchat-bench: there can't be more --receivers than --accounts\n");
    return false;
}

static bool is_complete(const struct settings *settings) {
    if (!settings->filled || (settings->data && settings->config_dir))
        return true;
    fprintf(stderr, "zchat-bench: --filled needs --data and --config-dir of the earlier run\n");
    return false;
}

bool settings_read(struct settings *settings, enum verb_bit verb, int argc, char **argv) {
    *settings = (struct settings){0};
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].standard && (rows[i].verbs & (int)verb))
            set(settings, &rows[i], rows[i].standard);
    }
    for (int i = 2; i < argc; i++) {
        const struct row *row = find(verb, argv[i]);
        const char *text = row && row->argument ? argv[++i] : "";
        if (!row || !text) {
            fprintf(stderr, "zchat-bench: %s %s; see zchat-bench %s --help\n",
                    row ? row->name : argv[i], row ? "lacks its value" : "is no option of it",
                    argv[1]);
            return false;
        }
        if (!set(settings, row, text)) {
            complain(row, text);
            return false;
        }
    }
    return (verb != VERB_SEND || fits_together(settings)) && is_complete(settings);
}

void settings_help(enum verb_bit verb, FILE *file) {
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *row = &rows[i];
        if (!(row->verbs & (int)verb))
            continue;
        fprintf(file, "  %s%s%s\n      %s", row->name, row->argument ? " " : "",
                row->argument ? row->argument : "", row->help);
        if (row->standard)
            fprintf(file, " (default %s)", row->standard);
        fputc('\n', file);
    }
}
