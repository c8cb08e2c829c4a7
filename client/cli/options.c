/* The options table: each row is one option with its environment variable and its help text, and
 * everything that is known about options stands in it. Nothing here asks, and a password is never
 * an argument. */
#include "options.h"

#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum option_kind { OPTION_TEXT, OPTION_FLAG, OPTION_ON_OFF, OPTION_ON_OFF_AUTO, OPTION_ON_OFF_ALL };

struct option_row {
    const char *name;
    char letter;
    enum option_kind kind;
    size_t offset;
    const char *environment;
    const char *argument;
    const char *help;
};

#define AT(member) offsetof(struct options, member)

static const struct option_row option_table[] = {
    {"user", 'u', OPTION_TEXT, AT(user), "ZCHAT_USER", "NAME", "log in as NAME"},
    {"password-file", 0, OPTION_TEXT, AT(password_file), "ZCHAT_PASSWORD_FILE", "FILE",
     "read the password from FILE's first line"},
    {"server-key", 0, OPTION_TEXT, AT(server_key), "ZCHAT_SERVER_KEY", "KEY",
     "accept only the broker with this public key or fingerprint"},
    {"trust-new", 0, OPTION_FLAG, AT(trust_new), NULL, NULL,
     "trust an unknown broker's key without asking"},
    {"config-dir", 0, OPTION_TEXT, AT(config_dir), "ZCHAT_CONFIG_DIR", "DIR",
     "where the device key and known_brokers are"},
    {"no-trust", 0, OPTION_FLAG, AT(no_trust), NULL, NULL,
     "log in without trusting this device's key from now on"},
    {"private-address", 0, OPTION_TEXT, AT(private_address), NULL, "HOST",
     "where others reach this machine for private chats"},
    {"timestamps", 0, OPTION_ON_OFF, AT(timestamps), NULL, "on|off",
     "the time before each message (on at a terminal)"},
    {"presence", 0, OPTION_ON_OFF_AUTO, AT(presence), NULL, "on|off|auto",
     "who comes and goes; auto gathers what is mere noise"},
    {"history", 0, OPTION_ON_OFF_ALL, AT(history), "ZCHAT_HISTORY", "on|off|all",
     "keep typed lines for the next time; all: private ones, too"},
    {"version", 0, OPTION_FLAG, AT(version), NULL, NULL, "print the version and exit"},
    {"help", 'h', OPTION_FLAG, AT(help), NULL, NULL, "print this and exit"},
};
#define OPTION_ROWS (sizeof option_table / sizeof option_table[0])

struct option_reader {
    struct options *options; /* borrowed: from the caller */
    char *error;             /* borrowed: from the caller */
    size_t error_bytes;
    const char *place; /* borrowed: from argv */
};

static bool option_fail(struct option_reader *reader, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reader->error, reader->error_bytes, format, arguments);
    va_end(arguments);
    return false;
}

static const struct option_row *option_find(const char *name, size_t name_bytes, char letter) {
    for (size_t i = 0; i < OPTION_ROWS; i++) {
        const struct option_row *row = &option_table[i];
        if (name != NULL && strlen(row->name) == name_bytes &&
            strncmp(row->name, name, name_bytes) == 0)
            return row;
        if (name == NULL && row->letter == letter)
            return row;
    }
    return NULL;
}

static bool option_choose(struct option_reader *reader, const struct option_row *row,
                          const char *value) {
    enum options_choice *choice = (enum options_choice *)((char *)reader->options + row->offset);
    if (strcmp(value, "on") == 0)
        *choice = OPTIONS_ON;
    else if (strcmp(value, "off") == 0)
        *choice = OPTIONS_OFF;
    else if (strcmp(value, "auto") == 0 && row->kind == OPTION_ON_OFF_AUTO)
        *choice = OPTIONS_AUTO;
    else if (strcmp(value, "all") == 0 && row->kind == OPTION_ON_OFF_ALL)
        *choice = OPTIONS_ALL;
    else
        return option_fail(reader, "--%s is %s, not \"%s\"", row->name, row->argument, value);
    return true;
}

static bool option_set(struct option_reader *reader, const struct option_row *row,
                       const char *value) {
    char *member = (char *)reader->options + row->offset;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)member = true;
        return true;
    case OPTION_TEXT:
        if (*value == '\0')
            return option_fail(reader, "--%s needs a %s", row->name, row->argument);
        *(const char **)member = value;
        return true;
    case OPTION_ON_OFF:
    case OPTION_ON_OFF_AUTO:
    case OPTION_ON_OFF_ALL:
        break;
    }
    return option_choose(reader, row, value);
}

/* `attached` is what stands behind "=" or the letter; NULL: nothing. */
static bool option_take(struct option_reader *reader, const struct option_row *row,
                        const char *attached, char ***next) {
    if (row->kind == OPTION_FLAG && attached != NULL)
        return option_fail(reader, "--%s takes no value", row->name);
    if (row->kind != OPTION_FLAG && attached == NULL) {
        if (**next == NULL)
            return option_fail(reader, "--%s needs a value: %s", row->name, row->argument);
        attached = *(*next)++;
    }
    return option_set(reader, row, attached);
}

static bool option_read_one(struct option_reader *reader, const char *argument, char ***next) {
    const struct option_row *row;
    const char *attached = NULL;
    if (argument[1] == '-') {
        attached = strchr(argument, '=');
        size_t bytes = attached == NULL ? strlen(argument) : (size_t)(attached - argument);
        row = option_find(argument + 2, bytes - 2, 0);
        attached = attached == NULL ? NULL : attached + 1;
    } else {
        row = option_find(NULL, 0, argument[1]);
        if (argument[2] != '\0')
            attached = argument + 2;
    }
    if (row == NULL)
        return option_fail(reader, "there is no option %s; --help lists them", argument);
    return option_take(reader, row, attached, next);
}

static bool option_read_place(struct option_reader *reader, const char *argument) {
    if (reader->place != NULL)
        return option_fail(reader, "one broker at a time: %s or %s", reader->place, argument);
    if (*argument == '\0')
        return option_fail(reader, "the broker's address is empty");
    reader->place = argument;
    return true;
}

static bool option_read_all(struct option_reader *reader, char **next) {
    bool only_places = false;
    while (*next != NULL) {
        const char *argument = *next++;
        bool fine;
        if (!only_places && strcmp(argument, "--") == 0) {
            only_places = true;
            continue;
        }
        if (!only_places && argument[0] == '-' && argument[1] != '\0')
            fine = option_read_one(reader, argument, &next);
        else
            fine = option_read_place(reader, argument);
        if (!fine)
            return false;
    }
    return true;
}

static bool option_read_environment(struct option_reader *reader) {
    for (size_t i = 0; i < OPTION_ROWS; i++) {
        const struct option_row *row = &option_table[i];
        const char *value = row->environment == NULL ? NULL : getenv(row->environment);
        if (value != NULL && *value != '\0' && !option_set(reader, row, value))
            return false;
    }
    const char *server = getenv("ZCHAT_SERVER");
    reader->options->server = server != NULL && *server != '\0' ? server : "localhost";
    return true;
}

/* [user@]host[:port]; --user beats what stands before the @. */
static bool option_cut_place(struct option_reader *reader, bool user_given) {
    struct options *options = reader->options;
    options->place = memory_text(reader->place);
    char *at = strrchr(options->place, '@');
    options->server = at == NULL ? options->place : at + 1;
    if (*options->server == '\0' || at == options->place)
        return option_fail(reader, "%s is no [user@]host[:port]", reader->place);
    if (at == NULL)
        return true;
    *at = '\0';
    if (!user_given)
        options->user = options->place;
    return true;
}

bool options_read(struct options *options, int argc, char **argv, char *error, size_t error_bytes) {
    struct option_reader reader = {.options = options, .error = error, .error_bytes = error_bytes};
    memset(options, 0, sizeof *options);
    if (!option_read_environment(&reader))
        return false;
    const char *environment_user = options->user;
    options->user = NULL;
    if (argc > 0 && !option_read_all(&reader, argv + 1))
        return false;
    bool user_given = options->user != NULL;
    if (!user_given)
        options->user = environment_user;
    return reader.place == NULL || option_cut_place(&reader, user_given);
}

void options_release(struct options *options) {
    free(options->place);
    options->place = NULL;
}

void options_print_help(void) {
    puts("usage: zchat [OPTION...] [[USER@]HOST[:PORT]]\n"
         "\n"
         "Chat at a zchat broker. Without an argument the broker is $ZCHAT_SERVER, or localhost.\n"
         "With a file or pipe on stdin, each of its lines is a command; `help` lists them.\n");
    for (size_t i = 0; i < OPTION_ROWS; i++) {
        const struct option_row *row = &option_table[i];
        char name[40];
        char letter[8] = "";
        if (row->letter != 0)
            snprintf(letter, sizeof letter, "-%c, ", row->letter);
        snprintf(name, sizeof name, "%s--%s %s", letter, row->name,
                 row->argument == NULL ? "" : row->argument);
        printf("  %-26s %s", name, row->help);
        printf(row->environment == NULL ? "\n" : " [%s]\n", row->environment);
    }
    puts("\n"
         "Exit status of a script: 0, or that of its first failure: 2 usage, 3 no connection,\n"
         "4 login, 5 not found, 6 forbidden, 7 conflict, 8 busy, 124 timed out, 130 interrupted,\n"
         "1 anything else.");
}
