/* The table of options, and the place ([user@]host), which is not an option. Nothing here asks
 * questions, and a password is never an argument. */
#include "options.h"

#include "memory.h"
#include "paths.h"
#include "zchat.h"

#include <stdlib.h>
#include <string.h>

#define FIELD(member) OPTION_FIELD(struct options, member)
#define ON_OR_OFF     [OPTIONS_ON] = "on", [OPTIONS_OFF] = "off"

static const struct option options_rows[] = {
    {"server", 's', OPTION_TEXT, 0, FIELD(server), .in_file = true, .environment = "ZCHAT_SERVER",
     .argument = "HOST[:PORT]", .standard = "localhost", .help = "the broker's greeter"},
    {"user", 'u', OPTION_TEXT, 0, FIELD(user), .in_file = true, .environment = "ZCHAT_USER",
     .argument = "NAME", .help = "log in as NAME"},
    {"password-file", 0, OPTION_TEXT, 0, FIELD(password_file), .in_file = true,
     .environment = "ZCHAT_PASSWORD_FILE", .argument = "FILE",
     .help = "the password is the first line of FILE"},
    {"server-key", 0, OPTION_TEXT, 0, FIELD(server_key), .in_file = true,
     .environment = "ZCHAT_SERVER_KEY", .argument = "KEY",
     .help = "accept only the broker with this public key or fingerprint"},
    {"trust-new", 0, OPTION_FLAG, 0, FIELD(trust_new),
     .help = "trust an unknown broker's key without asking"},
    {"config-dir", 0, OPTION_TEXT, 0, FIELD(config_dir), .environment = "ZCHAT_CONFIG_DIR",
     .argument = "DIR", .help = "where the device key and known_brokers are"},
    {"no-trust", 0, OPTION_FLAG, 0, FIELD(no_trust), .in_file = true,
     .help = "log in without trusting this device's key from now on"},
    {"private-address", 0, OPTION_TEXT, 0, FIELD(private_address), .in_file = true,
     .argument = "HOST", .help = "where others reach this machine for private chats"},
    {"timestamps", 0, OPTION_CHOICE, 0, FIELD(timestamps), .in_file = true, .choices = {ON_OR_OFF},
     .help = "the time before each message (on at a terminal)"},
    {"presence", 0, OPTION_CHOICE, 0, FIELD(presence), .in_file = true,
     .choices = {ON_OR_OFF, [OPTIONS_AUTO] = "auto"},
     .help = "who comes and goes; auto leaves out short absences and tells several at once"},
    {"receipts", 0, OPTION_CHOICE, 0, FIELD(receipts), .in_file = true, .choices = {ON_OR_OFF},
     .help = "tell that what you sent was read (on at a terminal)"},
    {"history", 0, OPTION_CHOICE, 0, FIELD(history), .in_file = true,
     .environment = "ZCHAT_HISTORY", .choices = {ON_OR_OFF, [OPTIONS_ALL] = "all"},
     .help = "keep typed lines for the next time; all: private ones, too"},
    {"bell", 0, OPTION_CHOICE, 0, FIELD(bell), .in_file = true, .choices = {ON_OR_OFF},
     .help = "the terminal's bell for messages to you, mentions and invitations (on)"},
    {"on-message", 0, OPTION_TEXT, 0, FIELD(on_message), .in_file = true, .argument = "CMD",
     .help = "run CMD for the same, with the text on its stdin and ZCHAT_MESSAGE_KIND, _FROM, _TO, "
             "_THREAD and _TIME in its environment"},
    {"forget", 0, OPTION_TEXT, 0, FIELD(forget), .argument = "HOST[:PORT]",
     .help = "forget the pinned key of that broker, and exit"},
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

/* The environment, then the command line. */
static bool options_read_given(struct options *options, char **argv,
                               char error[OPTION_FAULT_BYTES]) {
    struct options_reader reader = {.options = options};
    struct option_sink sink = {.set = options_take, .word = options_take_place, .arg = &reader};
    if (!option_read_environment(&options_table, &sink, error))
        return false;
    const char *other_user = options->user; /* it gives way to one in the place */
    options->user = NULL;
    if (*argv && !option_read_argv(&options_table, &sink, argv + 1, error))
        return false;
    bool user_given = options->user != NULL;
    if (!user_given)
        options->user = other_user;
    return !reader.place || options_cut_place(&reader, user_given, error);
}

/* A relative password file is relative to the folder of zchat.conf. */
static void options_place_password_file(struct options *options, const char *folder) {
    if (!options->password_file || options->password_file[0] == '/')
        return;
    options->file_password = paths_join(folder, options->password_file);
    options->password_file = options->file_password;
}

static int options_read_file(struct options *options, const char *folder,
                             char error[OPTION_FILE_ERROR_BYTES]) {
    struct options_reader reader = {.options = options};
    const struct option_file_sink sink = {.set = options_take, .arg = &reader};
    char *path = paths_join(folder, "zchat.conf");
    enum option_file_end end =
        option_file_read(&options_table, path, &sink, &options->file_text, error);
    free(path);
    options_place_password_file(options, folder);
    return end == OPTION_FILE_READ ? 0 : end == OPTION_FILE_FAULTY ? 2 : 3;
}

/* The environment and the command line are read twice: first for the folder that the file is in. */
int options_read(struct options *options, char **argv, char error[OPTION_FILE_ERROR_BYTES]) {
    int status = 0;
    memset(options, 0, sizeof *options);
    if (!options_read_given(options, argv, error))
        return 2;
    char *folder = zchat_config_folder(options->config_dir);
    options_release(options);
    memset(options, 0, sizeof *options);
    option_set_standards(&options_table, options);
    if (folder)
        status = options_read_file(options, folder, error);
    if (status == 0)
        options_read_given(options, argv, error);
    free(folder);
    return status;
}

void options_release(struct options *options) {
    free(options->place);
    free(options->file_text);
    free(options->file_password);
    options->place = options->file_text = options->file_password = NULL;
}

void options_print_help(void) {
    puts("usage: zchat [OPTION...] [[USER@]HOST[:PORT]]\n"
         "\n"
         "chat at a zchat broker; options that need not be given each time stand in zchat.conf in\n"
         "the config folder, a line each: timestamps = off\n"
         "with a file or pipe on stdin each of its lines is a command; help lists them\n");
    option_print_all(&options_table, stdout);
    puts("\n"
         "exit status of a script: 0, or that of its first failure: 2 usage, 3 no connection,\n"
         "4 login, 5 not found, 6 forbidden, 7 conflict, 8 busy, 124 timed out, 130 interrupted,\n"
         "1 anything else");
}
