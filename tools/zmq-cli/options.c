/* The table of options, and the values that a call has for them. What an option does is up to the
 * code that asks for its value; the table has all that --help, the environment and the
 * configuration file need to know. */
#include "options.h"

#include "when.h"
#include "zchat.h"

#include <assert.h>
#include <string.h>

#define SECONDS_MAX 1e9
#define WHEN_TAKES                                                                                 \
    "a time as 2026-11-27T08:00:00Z, a day as 2026-11-27, or how long ago, as 90s, 30m, 2h, 3d "   \
    "or 1w"

/* Values are kept as texts, which are checked when they come; this holds the one that is asked
 * for. */
union value {
    bool flag;
    const char *text;
    uint64_t number;
    double seconds;
};
#define VALUE .field = 0, .field_bytes = sizeof(union value)

static bool is_uuid(const char *text) {
    zchat_id id;
    return zchat_id_parse(text, &id);
}

static const struct option table[OPTION_END] = {
    [OPTION_SERVER] = {"server", 's', OPTION_TEXT, 0, VALUE, .in_file = true,
                       .standard = "localhost", .environment = "ZCHAT_SERVER",
                       .argument = "HOST[:PORT]", .help = "the broker, at port 4000 unless given"},
    [OPTION_USER] = {"user", 'u', OPTION_TEXT, 0, VALUE, .in_file = true,
                     .environment = "ZCHAT_USER", .argument = "NAME",
                     .help = "the account to log in to"},
    [OPTION_PASSWORD_FILE] = {"password-file", 0, OPTION_TEXT, 0, VALUE, .in_file = true,
                              .environment = "ZCHAT_PASSWORD_FILE", .argument = "FILE",
                              .help = "the password is its first line"},
    [OPTION_PASSWORD_CMD] = {"password-cmd", 0, OPTION_TEXT, 0, VALUE, .in_file = true,
                             .argument = "COMMAND",
                             .help = "the password is its first line of output",
                             .more = "the shell runs it"},
    [OPTION_SERVER_KEY] =
        {"server-key", 0, OPTION_TEXT, 0, VALUE, .in_file = true, .environment = "ZCHAT_SERVER_KEY",
         .argument = "KEY",
         .help = "the only key that the broker may have, as Z85 or hex, or its fingerprint"},
    [OPTION_TRUST_NEW] = {"trust-new", 0, OPTION_FLAG, 0, VALUE, .in_file = true,
                          .help = "pin the key of an unknown broker without asking"},
    [OPTION_CONFIG_DIR] = {"config-dir", 0, OPTION_TEXT, 0, VALUE,
                           .environment = "ZCHAT_CONFIG_DIR", .argument = "DIR",
                           .help = "where key, pins, zmq-cli.conf and state are",
                           .more = "that is, this device's key, known_brokers, and what was last "
                                   "read; else ~/.config/zchat and ~/.local/state/zchat, or in "
                                   "$XDG_CONFIG_HOME and $XDG_STATE_HOME"},
    [OPTION_CONTEXT] = {"context", 0, OPTION_TEXT, 0, VALUE, .in_file = true,
                        .environment = "ZCHAT_CONTEXT", .argument = "NAME",
                        .help = "a [context NAME] of zmq-cli.conf"},
    [OPTION_TIMEOUT] =
        {"timeout", 0, OPTION_SECONDS, 0, VALUE, 1e-6, SECONDS_MAX,
         .takes = "a number of seconds above 0, at most 1000000000", .in_file = true,
         .standard = "5", .environment = "ZCHAT_TIMEOUT", .argument = "SECONDS",
         .help = "how long the whole call may take",
         .more = "whatever it waits for or moves: a password command, a broker that is not there "
                 "yet, an answer, a file, an inbox, a private chat, the end of stdin, a reader of "
                 "what is printed; it ends with 124; not given, stdin and readers may take their "
                 "time, files and recv may go on as long as something moves, and the other one of "
                 "a private chat is waited for 60 s; rpc, raw, recv --follow and private accept "
                 "without "
                 "--once are only ended by one in the call itself"},
    [OPTION_ONLINE] = {"online", 0, OPTION_FLAG, 0, VALUE, .in_file = true,
                       .help = "be online, and announced, while the call lasts"},
    [OPTION_JSON] = {"json", 0, OPTION_FLAG, 0, VALUE, .in_file = true,
                     .help = "print JSON, one object a line; errors, too",
                     .more = "those on stderr"},
    [OPTION_QUIET] = {"quiet", 'q', OPTION_FLAG, 0, VALUE, .in_file = true,
                      .help = "print no notices on stderr, only errors"},
    [OPTION_VERBOSE] = {"verbose", 'v', OPTION_FLAG, 0, VALUE, .in_file = true,
                        .help = "tell on stderr what is being done",
                        .more = "with --help: print all there is to say"},
    [OPTION_VERSION] = {"version", 0, OPTION_FLAG, 0, VALUE, .help = "print the version and exit"},
    [OPTION_HELP] = {"help", 'h', OPTION_FLAG, 0, VALUE,
                     .help = "print this help, or after a verb the verb's", .more = "and exit"},
    [OPTION_NO_TRUST] = {"no-trust", 0, OPTION_FLAG, 0, VALUE,
                         .help = "don't let the account trust this device's key",
                         .more = "the next login needs the password again"},
    [OPTION_NEW_PASSWORD_FILE] = {"new-password-file", 0, OPTION_TEXT, 0, VALUE, .argument = "FILE",
                                  .help = "the new password is the first line of FILE"},
    [OPTION_NEW_PASSWORD_CMD] = {"new-password-cmd", 0, OPTION_TEXT, 0, VALUE,
                                 .argument = "COMMAND",
                                 .help = "the new password is the first line that COMMAND prints"},
    [OPTION_ID] = {"id", 0, OPTION_TEXT, 0, VALUE, .fits = is_uuid, .takes = "a UUID",
                   .argument = "UUID",
                   .help =
                       "the id of what is sent, which is stored once; of what exists, instead of N",
                   .more = "it is stored once however often it is sent with this id; for thread "
                           "edit and delete the id of the post"},
    [OPTION_REQUIRE_ONLINE] = {"require-online", 0, OPTION_FLAG, 0, VALUE,
                               .help = "refuse, and store nothing, if the user is not online"},
    [OPTION_WAIT_READ] = {"wait-read", 0, OPTION_SECONDS, 0, VALUE, 0, SECONDS_MAX,
                          .takes = "a number of seconds, at most 1000000000", .argument = "SECONDS",
                          .help = "how long to wait until it is read, else exit 124"},
    [OPTION_CORRECTS] = {"corrects", 0, OPTION_TEXT, 0, VALUE, .fits = is_uuid, .takes = "a UUID",
                         .argument = "UUID",
                         .help = "the TEXT replaces that of the message with this id"},
    [OPTION_RETRACTS] = {"retracts", 0, OPTION_TEXT, 0, VALUE, .fits = is_uuid, .takes = "a UUID",
                         .argument = "UUID",
                         .help = "take back the message with this id; without a TEXT"},
    [OPTION_ACK] = {"ack", 0, OPTION_FLAG, 0, VALUE,
                    .help = "count messages as read, each one once it was written"},
    [OPTION_EXEC] = {"exec", 0, OPTION_TEXT, 0, VALUE, .argument = "COMMAND",
                     .help = "give each one to the shell's COMMAND on stdin, and count it as read "
                             "when that exits 0",
                     .more = "a message or event, instead of printing it: the text, or with --json "
                             "the object; ZCHAT_ID _FROM _SEQ _TIME are set, of a message _TO "
                             "_CORRECTS _RETRACTS, of an event _TYPE _THREAD _NUMBER; it ends if "
                             "COMMAND doesn't exit 0"},
    [OPTION_FOLLOW] = {"follow", 0, OPTION_FLAG, 0, VALUE,
                       .help = "go on with what arrives, even after a restart of the broker"},
    [OPTION_COUNT] = {"count", 'n', OPTION_NUMBER, 0, VALUE, 1, OPTION_NUMBER_MAX, .argument = "N",
                      .help = "end after N messages"},
    [OPTION_WAIT] =
        {"wait", 0, OPTION_SECONDS, 0, VALUE, 0, SECONDS_MAX,
         .takes = "a number of seconds, at most 1000000000", .argument = "SECONDS",
         .help = "how long to wait for the next message, event or line, or for being read",
         .more = "for the first message, and for each next one if --follow or --count wants more; "
                 "exit 124 when none, or not all of --count, came; in a private chat how long to "
                 "stay after the end of stdin and their last line"},
    [OPTION_FROM_SEQ] = {"from-seq", 0, OPTION_NUMBER, 0, VALUE, 1, OPTION_NUMBER_MAX,
                         .argument = "N",
                         .help = "begin with entry N of the inbox, whatever was read"},
    [OPTION_DRAIN] = {"drain", 0, OPTION_FLAG, 0, VALUE,
                      .help = "print everything there is, count it as read, and exit"},
    [OPTION_SENT] = {"sent", 0, OPTION_FLAG, 0, VALUE, .help = "also show what you sent yourself"},
    [OPTION_TOPIC] =
        {"topic", 0, OPTION_TEXT, 0, VALUE, .argument = "TOPICS",
         .help = "only of presence, broadcast, notice, thread or thread/TITLE",
         .more = "with commas between; thread is all that you follow, thread/TITLE one of them"},
    [OPTION_FROM] = {"from", 0, OPTION_TEXT, 0, VALUE, .argument = "USER",
                     .help = "only a message from USER"},
    [OPTION_MATCH] = {"match", 0, OPTION_TEXT, 0, VALUE, .argument = "RE",
                      .help = "only a message with a line that the regular expression matches",
                      .more = "as RE2 does: like grep -E, with \\b, \\d, \\pL and (?i), but "
                              "without \\1; no text can make that take long"},
    [OPTION_THREAD] = {"thread", 0, OPTION_TEXT, 0, VALUE, .argument = "T",
                       .help = "of the thread T instead of a conversation"},
    [OPTION_SINCE] = {"since", 0, OPTION_TEXT, 0, VALUE, .fits = when_fits, .takes = WHEN_TAKES,
                      .argument = "WHEN",
                      .help = "only what came then or later: 2026-11-27T08:00:00Z, 2026-11-27, or "
                              "90s, 30m, 2h, 3d, 1w ago"},
    [OPTION_UNTIL] = {"until", 0, OPTION_TEXT, 0, VALUE, .fits = when_fits, .takes = WHEN_TAKES,
                      .argument = "WHEN", .help = "only what came before then"},
    [OPTION_LIMIT] = {"limit", 0, OPTION_NUMBER, 0, VALUE, 1, OPTION_NUMBER_MAX, .argument = "N",
                      .help = "print the newest N, else 50"},
    [OPTION_AS] = {"as", 0, OPTION_TEXT, 0, VALUE, .argument = "NAME",
                   .help = "the file's name in the thread, else the last part of PATH"},
    [OPTION_NAME] = {"name", 0, OPTION_TEXT, 0, VALUE, .argument = "NAME",
                     .help = "the same as --as"},
    [OPTION_OUTPUT] =
        {"output", 'o', OPTION_TEXT, OPTION_GROUP_CHAT, VALUE, .argument = "PATH",
         .help =
             "a path, or a folder, where it gets its own name, or \"-\", stdout; else this folder",
         .more = "a device or pipe is written to"},
    [OPTION_FORCE] = {"force", 0, OPTION_FLAG, 0, VALUE,
                      .help = "replace a file that is there already"},
    [OPTION_ADMIN_PASSWORD_FILE] = {"admin-password-file", 0, OPTION_TEXT, 0, VALUE,
                                    .argument = "FILE",
                                    .help = "the admin password is the first line of FILE",
                                    .more = "an administrator's account needs none"},
    [OPTION_ADMIN_PASSWORD_CMD] =
        {"admin-password-cmd", 0, OPTION_TEXT, 0, VALUE, .argument = "COMMAND",
         .help = "the admin password is the first line that COMMAND prints"},
    [OPTION_WIPE] = {"wipe", 0, OPTION_FLAG, 0, VALUE,
                     .help = "also delete all threads, files, messages and accounts"},
    [OPTION_YES] = {"yes", 0, OPTION_FLAG, 0, VALUE,
                    .help = "go on without asking; --wipe needs it if there is no terminal"},
    [OPTION_ONCE] = {"once", 0, OPTION_FLAG, 0, VALUE,
                     .help = "end after one chat, else serve one after the other"},
    [OPTION_ALL] = {"all", 0, OPTION_FLAG, 0, VALUE,
                    .help = "decline everybody who invites within --timeout"},
    [OPTION_FILES_TO] = {"files-to", 0, OPTION_TEXT, 0, VALUE, .argument = "DIR",
                         .help = "take offered files into this folder, else refuse them",
                         .more = "each under its name, which must not begin with a dot or a dash"},
    [OPTION_FILES_MAX] = {"files-max", 0, OPTION_NUMBER, 0, VALUE, 1, OPTION_NUMBER_MAX,
                          .argument = "MIB", .help = "refuse files larger than MIB, else than 64"},
    [OPTION_FILES_COUNT] = {"files-count", 0, OPTION_NUMBER, 0, VALUE, 1, OPTION_NUMBER_MAX,
                            .argument = "N",
                            .help = "refuse files beyond N in a call, else beyond 100"},
    [OPTION_FILES_TOTAL] = {"files-total", 0, OPTION_NUMBER, 0, VALUE, 1, OPTION_NUMBER_MAX,
                            .argument = "MIB",
                            .help = "refuse files beyond MIB in all, else 16 times --files-max",
                            .more = "with which a call would take more than that"},
    [OPTION_PRIVATE_ADDRESS] = {"private-address", 0, OPTION_TEXT, 0, VALUE, .in_file = true,
                                .argument = "HOST",
                                .help = "where others reach this machine for private chats, else "
                                        "at the address that the broker sees"},
    [OPTION_NO_EVENTS] = {"no-events", 0, OPTION_FLAG, 0, VALUE,
                          .help = "print answers alone, and take no events"},
    [OPTION_REVOKE] = {"revoke", 0, OPTION_FLAG, 0, VALUE, .help = "take that right"},
    [OPTION_READ] = {"read", 'r', OPTION_FLAG, OPTION_GROUP_RAW, VALUE,
                     .help = "only print what arrives; a REP answers with nothing"},
    [OPTION_WRITE] = {"write", 'w', OPTION_FLAG, OPTION_GROUP_RAW, VALUE,
                      .help = "only send stdin, and end with it"},
    [OPTION_BIND] = {"bind", 'b', OPTION_FLAG, OPTION_GROUP_RAW, VALUE,
                     .help = "bind to each ADDRESS",
                     .more = "which port a * has become is told on stderr"},
    [OPTION_CONNECT] = {"connect", 'c', OPTION_FLAG, OPTION_GROUP_RAW, VALUE,
                        .help = "connect to each ADDRESS"},
    [OPTION_SETTING] =
        {"option", 'o', OPTION_TEXT, OPTION_GROUP_RAW, VALUE, .argument = "NAME=VALUE",
         .help = "set an option of the socket; as often as needed",
         .more = "zmq_setsockopt(3) lists them; hwm sets both high-water marks; @FILE as VALUE is "
                 "the first line of FILE, for secrets; SUB and XSUB without subscribe get all; a "
                 "CURVE client without a key of its own gets a new one"},
    [OPTION_NULL] = {"null", '0', OPTION_FLAG, OPTION_GROUP_RAW, VALUE,
                     .help = "a NUL ends each message, not a newline"},
    [OPTION_MULTIPART] = {"multipart", 'm', OPTION_FLAG, OPTION_GROUP_RAW, VALUE,
                          .help = "a TAB in a line of stdin begins the next part"},
    [OPTION_JSON_IN] = {"json-in", 0, OPTION_FLAG, OPTION_GROUP_RAW, VALUE,
                        .help = "lines of stdin are JSON, as --json prints it"},
    [OPTION_SUBSCRIBERS] = {"subscribers", 0, OPTION_NUMBER, OPTION_GROUP_RAW, VALUE, 1,
                            OPTION_NUMBER_MAX, .argument = "N",
                            .help = "a PUB or XPUB waits for N subscriptions to write",
                            .more = "from then on it drops nothing: the slowest is waited for"},
};

const struct option_table option_table = {
    .rows = table, .count = OPTION_END, .hint = "put -- before a text that begins with a dash"};

const struct option *option_row(enum option_id id) {
    assert(id < OPTION_END);
    return &table[id];
}

enum option_id option_id(const struct option *row) {
    return (enum option_id)(row - table);
}

static union value read_value(const struct options *options, enum option_id id) {
    char fault[OPTION_FAULT_BYTES];
    union value value = {0};
    bool fits = option_set(&table[id], &value, options->values[id].text, fault);
    assert(fits);
    return value;
}

bool options_set(struct options *options, const struct option *row, const char *text,
                 enum option_source source, char fault[OPTION_FAULT_BYTES]) {
    union value value;
    if (!option_set(row, &value, text, fault))
        return false;
    if (source >= options->values[option_id(row)].source)
        options->values[option_id(row)] = (struct option_value){.text = text, .source = source};
    return true;
}

void options_init(struct options *options) {
    *options = (struct options){0};
    for (enum option_id id = 0; id < OPTION_END; id++)
        if (table[id].standard)
            options->values[id] = (struct option_value){table[id].standard, OPTION_FROM_DEFAULT};
}

bool option_is_set(const struct options *options, enum option_id id) {
    return options->values[id].source > OPTION_FROM_DEFAULT;
}

bool option_is_given(const struct options *options, enum option_id id) {
    return options->values[id].source == OPTION_FROM_FLAG;
}

bool option_flag(const struct options *options, enum option_id id) {
    assert(table[id].kind == OPTION_FLAG);
    return options->values[id].text && read_value(options, id).flag;
}

const char *option_text(const struct options *options, enum option_id id) {
    return options->values[id].text;
}

int64_t option_microseconds(const struct options *options, enum option_id id) {
    assert(table[id].kind == OPTION_SECONDS);
    return options->values[id].text ? (int64_t)(read_value(options, id).seconds * 1e6) : -1;
}

uint64_t option_number(const struct options *options, enum option_id id) {
    assert(table[id].kind == OPTION_NUMBER);
    return options->values[id].text ? read_value(options, id).number : 0;
}

bool option_parse_number(const char *text, uint64_t *number) {
    static const struct option row = {
        "", 0, OPTION_NUMBER, 0, .field_bytes = sizeof *number, .min = 1, .max = OPTION_NUMBER_MAX};
    char fault[OPTION_FAULT_BYTES];
    return option_set(&row, number, text, fault);
}
