/* The table of options, and the place ([user@]host), which is not an option. Nothing here asks
 * questions, and a password is never an argument. */
#include "options.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

#define FIELD(member) OPTION_FIELD(struct options, member)
#define ON_OR_OFF     [OPTIONS_ON] = "on", [OPTIONS_OFF] = "off"

static const struct option options_rows[] = {
    {"user", 'u', OPTION_TEXT, 0, FIELD(user), .environment = "ZCHAT_USER", .argument = "NAME",
     .help = "log in as NAME"},
    {"password-file", 0, OPTION_TEXT, 0, FIELD(password_file), .environment = "ZCHAT_PASSWORD_FILE",
     .argument = "FILE", .help = "the password is the first line of FILE"},
    {"server-key", 0, OPTION_TEXT, 0, FIELD(server_key), .environment = "ZCHAT_SERVER_KEY",
     .argument = "KEY", .help = "accept only the broker with this public key or fingerprint"},
    {"trust-new", 0, OPTION_FLAG, 0, FIELD(trust_new),
     .help = "trust an unknown broker's key without asking"},
    {"config-dir", 0, OPTION_TEXT, 0, FIELD(config_dir), .environment = "ZCHAT_CONFIG_DIR",
     .argument = "DIR", .help = "where the device key and known_brokers are"},
    {"no-trust", 0, OPTION_FLAG, 0, FIELD(no_trust),
     .help = "log in without trusting this device's key from now on"},
    {"private-address", 0, OPTION_TEXT, 0, FIELD(private_address), .argument = "HOST",
     .help = "where others reach this machine for private chats"},
    {"timestamps", 0, OPTION_CHOICE, 0, FIELD(timestamps), .choices = {ON_OR_OFF},
     .help = "the time before each message (on at a terminal)"},
    {"presence", 0, OPTION_CHOICE, 0, FIELD(presence),
     .choices = {ON_OR_OFF, [OPTIONS_AUTO] = "auto"},
     .help = "who comes and goes; auto leaves out short absences and tells several at once"},
    {"history", 0, OPTION_CHOICE, 0, FIELD(history), .environment = "ZCHAT_HISTORY",
     .choices = {ON_OR_OFF, [OPTIONS_ALL] = "all"},
     .help = "keep typed lines for the next time; all: private ones, too"},
    {"bell", 0, OPTION_CHOICE, 0, FIELD(bell), .in_file = true, .choices = {ON_OR_OFF},
     .help = "the terminal's bell for messages to you, mentions and invitations (on)"},
    {"on-message", 0, OPTION_TEXT, 0, FIELD(on_message), .in_file = true, .argument = "CMD",
     .help = "run CMD for the same, with the text on its stdin and ZCHAT_MESSAGE_KIND, _FROM, _TO, "
             "_THREAD and _TIME in its environment"},
    {"version", 0, OPTION_FLAG, 0, FIELD(version), .help = "print the version and exit"},
    {"help", 'h', OPTION_FLAG, 0, FIELD(help), .help = "print this help and exit"},
};

#define OPTIONS_ROWS (sizeof options_rows / sizeof options_rows[0])

static const struct option_table options_table = {
    .rows = options_rows, .count = OPTIONS_ROWS, .hint = "zchat --help lists them"};

struct options_reader {
    struct options *options; /* borrowed: from the caller */
    const char *place;       /* borrowed: from argv; NULL: none was given */
};

static bool options_take(void *arg, const struct option *option, const char *text,
                         char fault[OPTION_FAULT_BYTES]) {
    struct options_reader *reader = arg;
    return option_set(option, reader->options, text, fault);
}

static bool options_take_place(void *arg, const char *word, bool plain,
                               char fault[OPTION_FAULT_BYTES]) {
    struct options_reader *reader = arg;
    (void)plain;
    if (*word == '\0')
        snprintf(fault, OPTION_FAULT_BYTES, "the broker's address is empty");
    else if (reader->place)
        snprintf(fault, OPTION_FAULT_BYTES, "one broker at a time: %.400s or %.400s", reader->place,
                 word);
    else
        reader->place = word;
    return *fault == '\0';
}

/* Cuts [user@]host[:port]; --user overrides what is before the @. */
static bool options_cut_place(struct options_reader *reader, bool user_given,
                              char error[OPTION_FAULT_BYTES]) {
    struct options *options = reader->options;
    options->place = memory_text(reader->place);
    char *at = strrchr(options->place, '@');
    options->server = !at ? options->place : at + 1;
    if (*options->server == '\0' || at == options->place) {
        snprintf(error, OPTION_FAULT_BYTES, "%.900s is no [user@]host[:port]", reader->place);
        return false;
    }
    if (!at)
        return true;
    *at = '\0';
    if (!user_given)
        options->user = options->place;
    return true;
}

bool options_read(struct options *options, char **argv, char error[OPTION_FAULT_BYTES]) {
    struct options_reader reader = {.options = options};
    struct option_sink sink = {.set = options_take, .word = options_take_place, .arg = &reader};
    const char *server = getenv("ZCHAT_SERVER");
    memset(options, 0, sizeof *options);
    options->server = server && *server != '\0' ? server : "localhost";
    if (!option_read_environment(&options_table, &sink, error))
        return false;
    const char *environment_user = options->user;
    options->user = NULL;
    if (*argv && !option_read_argv(&options_table, &sink, argv + 1, error))
        return false;
    bool user_given = options->user != NULL;
    if (!user_given)
        options->user = environment_user;
    return !reader.place || options_cut_place(&reader, user_given, error);
}

void options_release(struct options *options) {
    free(options->place);
    options->place = NULL;
}

void options_print_help(void) {
    puts("usage: zchat [OPTION...] [[USER@]HOST[:PORT]]\n"
         "\n"
         "chat at a zchat broker; without an argument at that of $ZCHAT_SERVER, or of localhost\n"
         "with a file or pipe on stdin each of its lines is a command; help lists them\n");
    option_print_all(&options_table, stdout);
    puts("\n"
         "exit status of a script: 0, or that of its first failure: 2 usage, 3 no connection,\n"
         "4 login, 5 not found, 6 forbidden, 7 conflict, 8 busy, 124 timed out, 130 interrupted,\n"
         "1 anything else");
}
