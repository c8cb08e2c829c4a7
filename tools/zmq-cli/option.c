/* The table of options and the checks of their types. What an option does is the business of who
 * asks for its value; what stands here is all that --help, the environment and the configuration
 * file need to know of it. */
#include "option.h"

#include "zchat.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX 1e9

static const struct option table[OPTION_END] = {
    [OPTION_SERVER] = {"server", 's', OPTION_TEXT, true, "ZCHAT_SERVER", "localhost", "HOST[:PORT]",
                       "the broker; port 4000 unless given"},
    [OPTION_USER] = {"user", 'u', OPTION_TEXT, true, "ZCHAT_USER", NULL, "NAME",
                     "the account to log in to"},
    [OPTION_PASSWORD_FILE] = {"password-file", 0, OPTION_TEXT, true, "ZCHAT_PASSWORD_FILE", NULL,
                              "FILE", "the password is the first line of FILE"},
    [OPTION_PASSWORD_CMD] = {"password-cmd", 0, OPTION_TEXT, true, NULL, NULL, "COMMAND",
                             "the password is the first line that the shell's COMMAND prints"},
    [OPTION_SERVER_KEY] = {"server-key", 0, OPTION_TEXT, true, "ZCHAT_SERVER_KEY", NULL, "KEY",
                           "the only key that the broker may have, as Z85 or hex, or its "
                           "fingerprint"},
    [OPTION_TRUST_NEW] = {"trust-new", 0, OPTION_FLAG, true, NULL, NULL, NULL,
                          "pin the key of a broker met for the first time without asking"},
    [OPTION_CONFIG_DIR] = {"config-dir", 0, OPTION_TEXT, false, "ZCHAT_CONFIG_DIR", NULL, "DIR",
                           "where this device's key, known_brokers, zmq-cli.conf and what was last "
                           "read are; else ~/.config/zchat and ~/.local/state/zchat, or in "
                           "$XDG_CONFIG_HOME and $XDG_STATE_HOME"},
    [OPTION_CONTEXT] = {"context", 0, OPTION_TEXT, true, "ZCHAT_CONTEXT", NULL, "NAME",
                        "the [context NAME] of zmq-cli.conf to use"},
    [OPTION_TIMEOUT] =
        {"timeout", 0, OPTION_DURATION, true, "ZCHAT_TIMEOUT", "5", "SECONDS",
         "how long the whole call may take, whatever it waits for: a password "
         "command, a broker that is not there yet, an answer; given, also the end "
         "of stdin and a reader of what is printed, and in the call itself also all of recv, "
         "following and "
         "commands included, which it ends with 124; else of recv, and of files, how long "
         "nothing may move; of private chats, where it is given, how long the "
         "other one is waited for, else 60; in the call itself also by private "
         "accept without --once"},
    [OPTION_ONLINE] = {"online", 0, OPTION_FLAG, true, NULL, NULL, NULL,
                       "count as online while the call lasts, and be announced"},
    [OPTION_JSON] = {"json", 0, OPTION_FLAG, true, NULL, NULL, NULL,
                     "print JSON, one object a line; errors too, on stderr"},
    [OPTION_QUIET] = {"quiet", 'q', OPTION_FLAG, true, NULL, NULL, NULL,
                      "print no notices on stderr, only errors"},
    [OPTION_VERBOSE] = {"verbose", 'v', OPTION_FLAG, true, NULL, NULL, NULL,
                        "tell on stderr what is being done"},
    [OPTION_VERSION] = {"version", 0, OPTION_FLAG, false, NULL, NULL, NULL,
                        "print the version and end"},
    [OPTION_HELP] = {"help", 'h', OPTION_FLAG, false, NULL, NULL, NULL,
                     "print the help, after a verb that of the verb, and end"},
    [OPTION_NO_TRUST] = {"no-trust", 0, OPTION_FLAG, false, NULL, NULL, NULL,
                         "the account does not trust this device's key: the next login needs the "
                         "password again"},
    [OPTION_NEW_PASSWORD_FILE] = {"new-password-file", 0, OPTION_TEXT, false, NULL, NULL, "FILE",
                                  "the new password is the first line of FILE"},
    [OPTION_NEW_PASSWORD_CMD] = {"new-password-cmd", 0, OPTION_TEXT, false, NULL, NULL, "COMMAND",
                                 "the new password is the first line that COMMAND prints"},
    [OPTION_ID] = {"id", 0, OPTION_UUID, false, NULL, NULL, "UUID",
                   "the id of what is sent: sent again with the same one it stays one; of thread "
                   "edit and delete, the post's, which then needs no N"},
    [OPTION_REQUIRE_ONLINE] = {"require-online", 0, OPTION_FLAG, false, NULL, NULL, NULL,
                               "refuse, and store nothing, where the user is not online"},
    [OPTION_ACK] = {"ack", 0, OPTION_FLAG, false, NULL, NULL, NULL,
                    "count as read what was written, never before it was written"},
    [OPTION_EXEC] =
        {"exec", 0, OPTION_TEXT, false, NULL, NULL, "COMMAND",
         "instead of printing, give each message to the shell's COMMAND on its stdin "
         "(the text, or with --json the object; ZCHAT_ID _FROM _TO _SEQ _TIME are set), "
         "and count it as read when COMMAND exits 0; end where it doesn't"},
    [OPTION_FOLLOW] = {"follow", 0, OPTION_FLAG, false, NULL, NULL, NULL,
                       "go on with what arrives, also over a restart of the broker"},
    [OPTION_COUNT] = {"count", 0, OPTION_NUMBER, false, NULL, NULL, "N", "end after N messages"},
    [OPTION_WAIT] =
        {"wait", 0, OPTION_SECONDS, false, NULL, NULL, "SECONDS",
         "wait so long for the first message, and for each next one where --follow or "
         "--count wants more; exit 124 when none, or not all of --count, came; in a private "
         "chat stay so long after the end of stdin and his last line"},
    [OPTION_FROM_SEQ] = {"from-seq", 0, OPTION_NUMBER, false, NULL, NULL, "N",
                         "begin with entry N of the inbox, wherever the cursor is"},
    [OPTION_DRAIN] = {"drain", 0, OPTION_FLAG, false, NULL, NULL, NULL,
                      "print everything there is, count it as read, and end"},
    [OPTION_SENT] = {"sent", 0, OPTION_FLAG, false, NULL, NULL, NULL,
                     "also show what you sent yourself"},
    [OPTION_NAME] = {"name", 0, OPTION_TEXT, false, NULL, NULL, "NAME",
                     "the file's name in the thread, else the last part of its path"},
    [OPTION_OUTPUT] =
        {"output", 'o', OPTION_TEXT, false, NULL, NULL, "PATH",
         "where the file goes, else into this folder under its name; into a folder under its "
         "name; a device or pipe is written to; \"-\" is stdout"},
    [OPTION_FORCE] = {"force", 0, OPTION_FLAG, false, NULL, NULL, NULL,
                      "replace a file that is there already"},
    [OPTION_ADMIN_PASSWORD_FILE] = {"admin-password-file", 0, OPTION_TEXT, false, NULL, NULL,
                                    "FILE",
                                    "the admin password is the first line of FILE; an "
                                    "administrator's account needs none"},
    [OPTION_ADMIN_PASSWORD_CMD] = {"admin-password-cmd", 0, OPTION_TEXT, false, NULL, NULL,
                                   "COMMAND",
                                   "the admin password is the first line that COMMAND prints"},
    [OPTION_WIPE] = {"wipe", 0, OPTION_FLAG, false, NULL, NULL, NULL,
                     "also delete all threads, files, messages and accounts"},
    [OPTION_YES] = {"yes", 0, OPTION_FLAG, false, NULL, NULL, NULL,
                    "go on without asking; --wipe needs it where there is no terminal"},
    [OPTION_ONCE] = {"once", 0, OPTION_FLAG, false, NULL, NULL, NULL,
                     "end after one chat; else one after the other is served until interrupted"},
    [OPTION_ALL] = {"all", 0, OPTION_FLAG, false, NULL, NULL, NULL,
                    "decline everybody who invites within --timeout"},
    [OPTION_FILES_TO] = {"files-to", 0, OPTION_TEXT, false, NULL, NULL, "DIR",
                         "take offered files into this folder, each under its name, which must "
                         "not begin with a dot or a dash; else they are refused"},
    [OPTION_FILES_MAX] = {"files-max", 0, OPTION_NUMBER, false, NULL, NULL, "MIB",
                          "refuse offered files that are larger than so many MiB, else than 64"},
    [OPTION_PRIVATE_ADDRESS] = {"private-address", 0, OPTION_TEXT, true, NULL, NULL, "HOST",
                                "where others reach this machine for private chats, else at the "
                                "address that the broker sees"},
};

const struct option *option_row(enum option_id id) {
    assert(id < OPTION_END);
    return &table[id];
}

enum option_id option_find(const char *name, size_t name_bytes) {
    enum option_id id = 0;
    while (id < OPTION_END &&
           (strlen(table[id].name) != name_bytes || memcmp(table[id].name, name, name_bytes) != 0))
        id++;
    return id;
}

enum option_id option_find_letter(char letter) {
    enum option_id id = 0;
    while (id < OPTION_END && (letter == 0 || table[id].letter != letter))
        id++;
    return id;
}

bool option_parse_number(const char *text, uint64_t *number) {
    if (text[0] == 0 || text[strspn(text, "0123456789")] != 0)
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, NULL, 10);
    *number = value;
    return errno == 0 && value > 0;
}

static bool parse_seconds(const char *text, double *seconds) {
    if (text[0] == 0 || text[strspn(text, "0123456789.")] != 0)
        return false;
    char *end;
    *seconds = strtod(text, &end);
    return *end == 0 && end != text && *seconds <= SECONDS_MAX;
}

static bool is_flag_value(const char *text) {
    return strcmp(text, "yes") == 0 || strcmp(text, "no") == 0;
}

/* NULL where the text fits. */
static const char *type_complaint(enum option_type type, const char *text) {
    double seconds;
    uint64_t number;
    zchat_id id;
    switch (type) {
    case OPTION_FLAG:
        return is_flag_value(text) ? NULL : "is \"yes\" or \"no\"";
    case OPTION_TEXT:
        return text[0] ? NULL : "must not be empty";
    case OPTION_SECONDS:
        return parse_seconds(text, &seconds)
                   ? NULL
                   : "is a number of seconds in digits, at most 1000000000";
    case OPTION_DURATION:
        return parse_seconds(text, &seconds) && seconds > 0
                   ? NULL
                   : "is a number of seconds in digits, not 0, at most 1000000000";
    case OPTION_NUMBER:
        return option_parse_number(text, &number) ? NULL : "is a whole number from 1 on";
    case OPTION_UUID:
        return zchat_id_parse(text, &id) ? NULL : "is a UUID";
    }
    return "has no type";
}

bool option_set(struct options *options, enum option_id id, const char *text,
                enum option_source source, const char **wrong) {
    *wrong = type_complaint(option_row(id)->type, text);
    if (*wrong)
        return false;
    if (source >= options->values[id].source)
        options->values[id] = (struct option_value){.text = text, .source = source};
    return true;
}

void options_init(struct options *options) {
    *options = (struct options){0};
    for (enum option_id id = 0; id < OPTION_END; id++) {
        const char *wrong = NULL;
        if (table[id].fallback) {
            bool fits = option_set(options, id, table[id].fallback, OPTION_FROM_DEFAULT, &wrong);
            assert(fits);
        }
    }
}

bool option_is_set(const struct options *options, enum option_id id) {
    return options->values[id].source > OPTION_FROM_DEFAULT;
}

bool option_is_given(const struct options *options, enum option_id id) {
    return options->values[id].source == OPTION_FROM_FLAG;
}

bool option_flag(const struct options *options, enum option_id id) {
    assert(table[id].type == OPTION_FLAG);
    const char *text = options->values[id].text;
    return text && strcmp(text, "yes") == 0;
}

const char *option_text(const struct options *options, enum option_id id) {
    return options->values[id].text;
}

int64_t option_microseconds(const struct options *options, enum option_id id) {
    double seconds;
    const char *text = options->values[id].text;
    if (!text)
        return -1;
    bool fits = parse_seconds(text, &seconds);
    assert(fits);
    return (int64_t)(seconds * 1e6);
}

uint64_t option_number(const struct options *options, enum option_id id) {
    uint64_t number;
    const char *text = options->values[id].text;
    if (!text)
        return 0;
    bool fits = option_parse_number(text, &number);
    assert(fits);
    return number;
}

void help_print_wrapped(FILE *file, const char *text, int indent) {
    int column = indent;
    while (*text) {
        size_t bytes = strcspn(text, " ");
        if (column + 1 + (int)bytes > 78) {
            fprintf(file, "\n%*s", indent, "");
            column = indent;
        }
        column += fprintf(file, "%s%.*s", column > indent ? " " : "", (int)bytes, text);
        text += bytes + (text[bytes] == ' ');
    }
    fputc('\n', file);
}

void option_print_help(enum option_id id, FILE *file) {
    const struct option *row = option_row(id);
    char head[64], help[768], letter[5] = "    ";
    if (row->letter)
        snprintf(letter, sizeof letter, "-%c, ", row->letter);
    snprintf(head, sizeof head, "  %s--%s%s%s", letter, row->name, row->argument ? " " : "",
             row->argument ? row->argument : "");
    snprintf(help, sizeof help, "%s%s%s%s%s%s", row->help, row->fallback ? " (default " : "",
             row->fallback ? row->fallback : "", row->fallback ? ")" : "",
             row->environment ? "; $" : "", row->environment ? row->environment : "");
    fprintf(file, "%-30s", head);
    if (strlen(head) >= 30)
        fprintf(file, "\n%30s", "");
    help_print_wrapped(file, help, 30);
}
