/* The table of options, and the reading of argv along it. */
#include "option.h"

#include "common/option.h"

#include <string.h>

#define PAIRS (VERB_SPARSE | VERB_LATENCY)
#define OWN_BROKER                                                                                 \
    (VERB_SEND | VERB_IDLE | VERB_FILES | VERB_PRIVATE | VERB_LOGIN | VERB_FANOUT | PAIRS |        \
     VERB_GROWTH)

#define INLINE_OR_SUB [EVENTS_INLINE] = "inline", [EVENTS_SUB] = "sub"
#define WHATS         [WHAT_BROADCAST] = "broadcast", [WHAT_POST] = "post"

#define FIELD(of) OPTION_FIELD(struct settings, of)

/* clang-format off */
static const struct option rows[] = {
    {"senders", 0, OPTION_NUMBER, VERB_SEND | VERB_NAMES | VERB_FANOUT | VERB_GROWTH, FIELD(senders), 1, 1000, .standard = "8", .argument = "N",
     .help = "connections that send, each with an account of its own"},
    {"receivers", 0, OPTION_NUMBER, VERB_SEND, FIELD(receivers), 0, 1000, .standard = "8", .argument = "N",
     .help = "how many of the accounts have a session that reads"},
    {"accounts", 0, OPTION_NUMBER, VERB_SEND | VERB_NAMES, FIELD(accounts), 1, 1000000, .standard = "10000", .argument = "N",
     .help = "accounts to which messages are sent, at random"},
    {"window", 0, OPTION_NUMBER, VERB_SEND | VERB_FANOUT | VERB_GROWTH, FIELD(window), 1, 65536, .standard = "64", .argument = "N",
     .help = "messages of each sender that are under way at a time"},
    {"size", 0, OPTION_NUMBER, VERB_SEND | VERB_FANOUT | PAIRS | VERB_GROWTH, FIELD(size_bytes), 48, 16384, .standard = "100", .argument = "BYTES",
     .help = "length of a message's text"},
    {"window", 0, OPTION_NUMBER, VERB_FILES, FIELD(window), 1, 64, .standard = "4", .argument = "N",
     .help = "chunks of the plain copy that are under way at a time"},
    {"size-mib", 0, OPTION_NUMBER, VERB_FILES, FIELD(size_mib), 1, 1024, .standard = "64", .argument = "MIB",
     .help = "length of the file"},
    {"runs", 0, OPTION_NUMBER, VERB_FILES, FIELD(runs), 1, 99, .standard = "3", .argument = "N",
     .help = "how often it is copied, goes up and down, in turns; prints the medians"},
    {"lines", 0, OPTION_NUMBER, VERB_PRIVATE, FIELD(lines), 1, 1000000000, .standard = "1000000", .argument = "N",
     .help = "lines that are sent in each run"},
    {"window", 0, OPTION_NUMBER, VERB_PRIVATE, FIELD(window), 1, 10000, .standard = "10000", .argument = "N",
     .help = "lines that wait for their acknowledgement at a time: the library takes no more"},
    {"size", 0, OPTION_NUMBER, VERB_PRIVATE, FIELD(size_bytes), 20, 16384, .standard = "100", .argument = "BYTES",
     .help = "length of a line"},
    {"batch", 0, OPTION_NUMBER, VERB_PRIVATE, FIELD(batch), 1, 1000, .standard = "64", .argument = "N",
     .help = "lines in each frame of the plain pair of sockets: as many as libzchat puts into one"},
    {"runs", 0, OPTION_NUMBER, VERB_PRIVATE, FIELD(runs), 1, 99, .standard = "5", .argument = "N",
     .help = "how often the lines go through the plain pair and through the chat, in turns; prints "
     "the medians"},
    {"beside", 0, OPTION_FLAG, VERB_FILES, FIELD(beside),
     .help = "measure messages, too: alone, then beside uploads"},
    {"seconds", 0, OPTION_SECONDS, VERB_SEND | VERB_IDLE | VERB_FANOUT | PAIRS, FIELD(seconds), 0.1, 3600, .standard = "10", .argument = "S",
     .help = "how long to measure"},
    {"seconds", 0, OPTION_SECONDS, VERB_FILES, FIELD(seconds), 0.1, 3600, .standard = "3", .argument = "S",
     .help = "how long --beside measures, alone as well as with uploads"},
    {"rate", 0, OPTION_NUMBER, VERB_FILES, FIELD(rate), 1, 10000, .standard = "200", .argument = "N",
     .help = "messages/s of --beside; latencies count from when a message was due"},
    {"rate", 0, OPTION_NUMBER, VERB_SEND, FIELD(rate), 0, 10000000, .standard = "0", .argument = "N",
     .help = "messages/s of all senders together; latencies then count from when a message was due; "
     "0: as many as the windows allow"},
    {"limit-seconds", 0, OPTION_SECONDS, VERB_SEND, FIELD(limit_seconds), 0, 3600, .standard = "2", .argument = "S",
     .help = "how long each of the limits is measured, half before and half after: plain frames "
     "through encrypted sockets and back, without and with fdatasync, a plain log, and Redis if it "
     "is installed; 0: not at all, as with --server"},
    {"limit-seconds", 0, OPTION_SECONDS, VERB_FANOUT | PAIRS, FIELD(limit_seconds), 0.1, 3600, .standard = "2", .argument = "S",
     .help = "how long the bare server is measured, half before and half after"},
    {"limit-frame", 0, OPTION_NUMBER, VERB_SEND, FIELD(limit_frame), 1, 64, .standard = "1", .argument = "N",
     .help = "messages in each of the plain frames"},
    {"redis", 0, OPTION_TEXT, VERB_SEND, FIELD(redis), .argument = "PATH",
     .help = "the redis-server that is measured, too; else the one on the PATH, if there is one"},
    {"sample", 0, OPTION_NUMBER, VERB_SEND, FIELD(sample), 0, 1000000, .standard = "200", .argument = "N",
     .help = "accounts without a reader whose inboxes are read at the end"},
    {"check", 0, OPTION_FLAG, VERB_SEND, FIELD(check),
     .help = "read the inboxes of all accounts at the end, the senders' own too"},
    {"accounts", 0, OPTION_NUMBER, VERB_GROWTH, FIELD(accounts), 1000, 5000000, .standard = "100000", .argument = "N",
     .help = "accounts of the large store; the small one has 1000"},
    {"messages", 0, OPTION_NUMBER, VERB_GROWTH, FIELD(messages), 1000, 1000000000, .standard = "1000000", .argument = "N",
     .help = "messages with which the large store is filled, to accounts at random; the small one "
     "gets as many for each account"},
    {"visits", 0, OPTION_NUMBER, VERB_GROWTH, FIELD(visits), 1, 100000, .standard = "500", .argument = "N",
     .help = "random accounts that log in one after the other and read a page of 50 messages"},
    {"seconds", 0, OPTION_SECONDS, VERB_GROWTH, FIELD(seconds), 0.1, 3600, .standard = "3", .argument = "S",
     .help = "how long sending is measured"},
    {"filled", 0, OPTION_FLAG, VERB_GROWTH, FIELD(filled),
     .help = "the store in --data has its accounts and messages from an earlier run with these options and "
     "the same --config-dir"},
    {"seed", 0, OPTION_NUMBER, VERB_GROWTH, FIELD(seed), 1, 1e15, .standard = "1", .argument = "N",
     .help = "seed of the random choice of accounts"},
    {"pairs", 0, OPTION_NUMBER, VERB_SPARSE, FIELD(pairs), 1, 4000, .standard = "500", .argument = "N",
     .help = "senders, each with a receiver of its own and one message under way"},
    {"pairs", 0, OPTION_NUMBER, VERB_LATENCY, FIELD(pairs), 1, 4000, .standard = "8", .argument = "N",
     .help = "senders, each with a receiver of its own"},
    {"rate", 0, OPTION_NUMBER, VERB_LATENCY, FIELD(rate), 1, 1000000, .standard = "2000", .argument = "N",
     .help = "messages/s of all senders together; latencies count from when a message was due"},
    {"window", 0, OPTION_NUMBER, VERB_LATENCY, FIELD(window), 1, 65536, .standard = "1024", .argument = "N",
     .help = "messages of each sender that may be under way at a time"},
    {"clients", 0, OPTION_NUMBER, VERB_FANOUT, FIELD(clients), 1, 4000, .standard = "100", .argument = "N",
     .help = "clients that get them, each with an account of its own"},
    {"what", 0, OPTION_CHOICE, VERB_FANOUT, FIELD(what), .choices = {WHATS}, .standard = "broadcast",
     .help = "broadcasts to all, or posts to a thread that all follow"},
    {"events", 0, OPTION_CHOICE, VERB_FANOUT, FIELD(events), .choices = {INLINE_OR_SUB}, .standard = "sub",
     .help = "how they get them: on the command connection, or on a second one"},
    {"clients", 0, OPTION_NUMBER, VERB_IDLE | VERB_LOGIN, FIELD(clients), 1, 20000, .standard = "100", .argument = "N",
     .help = "clients, each with an account of its own"},
    {"rounds", 0, OPTION_NUMBER, VERB_LOGIN, FIELD(rounds), 1, 1000, .standard = "1", .argument = "N",
     .help = "how often they log in and leave: few clients log in too fast to measure anything"},
    {"at-a-time", 0, OPTION_NUMBER, VERB_IDLE | VERB_LOGIN, FIELD(at_a_time), 1, 1000, .standard = "32", .argument = "N",
     .help = "clients that log in at the same time"},
    {"events", 0, OPTION_CHOICE, VERB_IDLE | VERB_LOGIN, FIELD(events), .choices = {[EVENTS_NONE] = "none", INLINE_OR_SUB}, .standard = "sub",
     .help = "how the clients get the public events: not at all (and are not online), on the command "
     "connection, or on a second one"},
    {"alone", 0, OPTION_FLAG, VERB_SEND | VERB_IDLE | VERB_LOGIN | VERB_FANOUT | PAIRS | VERB_GROWTH, FIELD(alone),
     .help = "measure the broker alone, without what it is compared with"},
    {"seed", 0, OPTION_NUMBER, VERB_SEND, FIELD(seed), 1, 1e15, .standard = "1", .argument = "N",
     .help = "seed of the random choice of accounts"},
    {"pin", 0, OPTION_FLAG, OWN_BROKER, FIELD(pin),
     .help = "keep the broker with all its threads on one core, and this program off it"},
    {"log", 0, OPTION_TEXT, VERB_BARE, FIELD(log), .argument = "FILE",
     .help = "write each turn's frames to this file and sync it before they are answered"},
    {"io-threads", 0, OPTION_NUMBER, OWN_BROKER | VERB_BARE, FIELD(io_threads), 1, 16, .standard = "1", .argument = "N",
     .help = "passed on to the broker"},
    {"zchatd", 0, OPTION_TEXT, OWN_BROKER, FIELD(zchatd), .argument = "PATH",
     .help = "the broker's program; else the zchatd beside this one"},
    {"data", 0, OPTION_TEXT, OWN_BROKER, FIELD(data), .argument = "DIR",
     .help = "an empty folder for the broker's store, which is kept; else one below $TMPDIR, removed at "
     "the end"},
    {"server", 0, OPTION_TEXT, VERB_SEND, FIELD(server), .argument = "HOST[:PORT]",
     .help = "use this broker instead of starting one; make its accounts before that: zchat-bench "
     "names | zchatd user add - --device-key $(zchat-bench key --config-dir DIR)"},
    {"config-dir", 0, OPTION_TEXT, OWN_BROKER | VERB_KEY, FIELD(config_dir), .argument = "DIR",
     .help = "where the device key is that all accounts trust; else a temporary folder"},
    {"help", 0, OPTION_FLAG, OWN_BROKER | VERB_NAMES | VERB_KEY | VERB_BARE, FIELD(help),
     .help = "print this help and exit"},
};
/* clang-format on */

static const char *const events_names[] = {[EVENTS_NONE] = "none", INLINE_OR_SUB};
static const char *const what_names[] = {WHATS};

const char *events_name(enum events events) {
    return events_names[events];
}

const char *what_name(enum what what) {
    return what_names[what];
}

static bool complain(const char *why) {
    fprintf(stderr, "zchat-bench: %s\n", why);
    return false;
}

static bool fits_together(const struct settings *settings) {
    if (settings->receivers > settings->accounts)
        return complain("there can't be more --receivers than --accounts");
    if (settings->filled && (!settings->data || !settings->config_dir))
        return complain("--filled needs --data and --config-dir of the earlier run");
    return true;
}

static struct option_table table_of(enum verb_bit verb, const char *hint) {
    return (struct option_table){
        .rows = rows, .count = sizeof rows / sizeof rows[0], .group = (unsigned)verb, .hint = hint};
}

static bool set(void *settings, const struct option *option, const char *text,
                char fault[OPTION_FAULT_BYTES]) {
    return option_set(option, settings, text, fault);
}

bool settings_read(struct settings *settings, enum verb_bit verb, int argc, char **argv) {
    char hint[64], error[OPTION_FAULT_BYTES];
    const struct option_sink sink = {.set = set, .arg = settings};
    *settings = (struct settings){0};
    if (argc < 2)
        return complain("no verb was given");
    snprintf(hint, sizeof hint, "zchat-bench %.20s --help lists them", argv[1]);
    const struct option_table table = table_of(verb, hint);
    option_set_standards(&table, settings);
    if (!option_read_argv(&table, &sink, argv + 2, error))
        return settings->help || complain(error);
    return settings->help || fits_together(settings);
}

void settings_help(enum verb_bit verb, FILE *file) {
    const struct option_table table = table_of(verb, NULL);
    option_print_all(&table, file);
}
