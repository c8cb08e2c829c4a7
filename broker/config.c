/* A config comes from argv first, then from the file where argv is silent, then from the defaults.
 * The file is checked wholly, also where argv beats it. Nothing here opens a socket or the data
 * folder but --check-config, which leaves no trace. */
#include "config.h"

#include "check.h"
#include "config_file.h"
#include "limits.h"
#include "option.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum action {
    ACTION_RUN,
    ACTION_HELP,
    ACTION_VERSION,
    ACTION_PRINT,
    ACTION_CHECK,
};

static const struct {
    const char *flag;
    enum action action;
    const char *help;
} actions[] = {
    {"--print-config", ACTION_PRINT, "Print the configuration as a file for --config, and leave."},
    {"--check-config", ACTION_CHECK,
     "Check the configuration and what it names, leave no trace: 0 fine, 2 not."},
    {"--version", ACTION_VERSION, "Print the version, and leave."},
    {"--help", ACTION_HELP, "Print this, and leave."},
};
#define ACTIONS (sizeof actions / sizeof actions[0])

/* A config that is being put together. */
struct loading {
    struct config *config; /* borrowed: from the caller */
    enum action action;
    uint64_t from_argv, from_file; /* bits of the options that were set there */
    char *error;                   /* borrowed: from the caller */
    size_t error_bytes;
};

static uint64_t option_bit(const struct option *option) {
    size_t index = (size_t)(option - option_at(0));
    assert(index < 64);
    return UINT64_C(1) << index;
}

/* ---- argv ---- */

static bool refuse(struct loading *loading, const char *what, const char *why) {
    snprintf(loading->error, loading->error_bytes, "%.64s %s", what, why);
    return false;
}

/* Whether the word asks for an action; false also where it asks for one wrongly. */
static bool take_action(struct loading *loading, const char *word) {
    for (size_t i = 0; i < ACTIONS; i++) {
        if (!strcmp(word, actions[i].flag)) {
            loading->action = actions[i].action;
            return true;
        }
    }
    return false;
}

/* Takes the option at argv[*at], and moves on to its last word. */
static bool take_option(struct loading *loading, int argc, char **argv, int *at) {
    const char *word = argv[*at];
    if (strncmp(word, "--", 2) != 0) {
        return refuse(loading, word, "is no option; zchatd --help lists them");
    }
    const char *equals = strchr(word, '=');
    size_t name_bytes = equals ? (size_t)(equals - word) - 2 : strlen(word) - 2;
    const struct option *option = option_find(word + 2, name_bytes);
    if (!option) {
        return refuse(loading, word, "is no option; zchatd --help lists them");
    }
    if (loading->from_argv & option_bit(option)) {
        return refuse(loading, word, "is given twice");
    }
    const char *value = equals                           ? equals + 1
                        : option->traits & OPTION_SWITCH ? option->choices[1]
                        : *at + 1 < argc                 ? argv[++*at]
                                                         : NULL;
    if (!value || (!equals && !strncmp(value, "--", 2))) {
        return refuse(loading, word, "needs a value");
    }
    char fault[OPTION_TEXT_BYTES];
    if (!option_set(option, loading->config, value, fault, sizeof fault)) {
        snprintf(loading->error, loading->error_bytes, "--%s %s", option->name, fault);
        return false;
    }
    loading->from_argv |= option_bit(option);
    return true;
}

static bool take_argv(struct loading *loading, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (take_action(loading, argv[i])) {
            if (loading->action == ACTION_HELP || loading->action == ACTION_VERSION) {
                return true;
            }
        } else if (!take_option(loading, argc, argv, &i)) {
            return false;
        }
    }
    return true;
}

/* ---- the file ---- */

static bool refuse_entry(struct loading *loading, unsigned line, const char *name,
                         const char *fault) {
    snprintf(loading->error, loading->error_bytes, "%s:%u: %.64s %s", loading->config->config, line,
             name, fault);
    return false;
}

static bool refuse_unknown(struct loading *loading, unsigned line, const char *name) {
    char fault[OPTION_TEXT_BYTES] = "is no option of the file; there are";
    for (size_t i = 0; option_at(i); i++) {
        if (!(option_at(i)->traits & OPTION_ARGV_ONLY)) {
            size_t used = strlen(fault);
            snprintf(fault + used, sizeof fault - used, " %s", option_at(i)->name);
        }
    }
    return refuse_entry(loading, line, name, fault);
}

static bool take_entry(void *arg, unsigned line, const char *name, const char *value) {
    struct loading *loading = arg;
    char fault[OPTION_TEXT_BYTES];
    struct config unused = {0};
    const struct option *option = option_find(name, strlen(name));
    if (!option || option->traits & OPTION_ARGV_ONLY) {
        return refuse_unknown(loading, line, name);
    }
    if (loading->from_file & option_bit(option)) {
        return refuse_entry(loading, line, name, "is given twice");
    }
    loading->from_file |= option_bit(option);
    bool beaten = loading->from_argv & option_bit(option);
    bool good = option_set(option, beaten ? &unused : loading->config, value, fault, sizeof fault);
    option_release(option, &unused);
    return good || refuse_entry(loading, line, name, fault);
}

static bool take_file(struct loading *loading) {
    const char *path = loading->config->config;
    struct stat status;
    if (loading->action == ACTION_CHECK && path && stat(path, &status) == 0 &&
        S_ISFIFO(status.st_mode)) {
        snprintf(loading->error, loading->error_bytes,
                 "config: %s is a pipe, which a check does not wait for: name a regular file",
                 path);
        return false;
    }
    return !path || !*path ||
           config_file_read(path, take_entry, loading, loading->error, loading->error_bytes);
}

static bool take_standards(struct loading *loading) {
    char fault[OPTION_TEXT_BYTES];
    for (size_t i = 0; option_at(i); i++) {
        const struct option *option = option_at(i);
        if ((loading->from_argv | loading->from_file) & option_bit(option)) {
            continue;
        }
        if (!option_set_standard(option, loading->config, fault, sizeof fault)) {
            snprintf(loading->error, loading->error_bytes, "--%s %s", option->name, fault);
            return false;
        }
    }
    return true;
}

/* ---- what is printed ---- */

/* Prints the text in lines of at most 78 columns that begin with `start`. */
static void print_wrapped(const char *start, const char *text) {
    while (*text) {
        size_t room = 78 - strlen(start), bytes = strlen(text);
        if (bytes > room) {
            for (bytes = room; bytes > 0 && text[bytes] != ' '; bytes--) {
            }
            bytes = bytes ? bytes : room;
        }
        printf("%s%.*s\n", start, (int)bytes, text);
        text += bytes + (text[bytes] == ' ');
    }
}

static void format_standard(const struct option *option, char *text, size_t text_bytes) {
    char fault[OPTION_TEXT_BYTES];
    struct config defaults = {0};
    if (option_set_standard(option, &defaults, fault, sizeof fault)) {
        option_format(option, &defaults, text, text_bytes);
    } else {
        snprintf(text, text_bytes, "none");
    }
    option_release(option, &defaults);
}

static void print_option(const struct option *option) {
    char text[OPTION_TEXT_BYTES];
    option_synopsis(option, text, sizeof text);
    printf(option->traits & OPTION_SWITCH ? "  --%s" : "  --%s %s", option->name, text);
    format_standard(option, text, sizeof text);
    printf(" (default %s%s)\n", text, option->traits & OPTION_HUP ? ", HUP" : "");
    print_wrapped("      ", option->help);
}

static void print_entry(const struct option *option, const struct config *config) {
    char text[3 * OPTION_TEXT_BYTES], allowed[OPTION_TEXT_BYTES], standard[OPTION_TEXT_BYTES];
    option_allowed(option, allowed, sizeof allowed);
    format_standard(option, standard, sizeof standard);
    snprintf(text, sizeof text, "%s Takes %s. Default: %s.%s", option->help, allowed, standard,
             option->traits & OPTION_HUP ? " HUP." : "");
    puts("");
    print_wrapped("# ", text);
    option_format(option, config, text, sizeof text);
    printf("%s = %s\n", option->name, text);
}

static void print_help(void) {
    puts(
        "zchatd is zchat's broker. It runs in the foreground, logs on stderr and says \"ready\" "
        "there\nwhen it serves. TERM and INT end it, HUP makes it read its configuration again.\n\n"
        "    zchatd [--OPTION VALUE ...]\n"
        "    zchatd user --help       accounts, with or without a broker at work\n"
        "    zchatd check-store       verifies the store: what is damaged\n\n"
        "An option beats the file, the file beats the default. HUP: may change while it runs.\n");
    for (size_t i = 0; option_at(i); i++) {
        print_option(option_at(i));
    }
    for (size_t i = 0; i < ACTIONS; i++) {
        printf("  %s\n      %s\n", actions[i].flag, actions[i].help);
    }
}

static void print_config(const struct config *config) {
    puts(
        "# The configuration of zchatd (ZPL). Options marked HUP may change while it runs: send it "
        "HUP.");
    for (size_t i = 0; option_at(i); i++) {
        if (!(option_at(i)->traits & OPTION_ARGV_ONLY)) {
            print_entry(option_at(i), config);
        }
    }
}

static bool check(const struct config *config, char *error, size_t error_bytes) {
    char remarks[CHECK_REMARKS_BYTES];
    if (!check_config(config, remarks, error, error_bytes)) {
        return false;
    }
    printf("configuration is fine%s\n", remarks);
    return true;
}

static enum config_result act(struct loading *loading) {
    switch (loading->action) {
    case ACTION_RUN:
        return CONFIG_RUN;
    case ACTION_HELP:
        print_help();
        break;
    case ACTION_VERSION:
        printf("zchatd %s, protocol %d\n", ZCHAT_VERSION_TEXT, PROTOCOL_VERSION);
        break;
    case ACTION_PRINT:
        print_config(loading->config);
        break;
    case ACTION_CHECK:
        if (!check(loading->config, loading->error, loading->error_bytes)) {
            return CONFIG_ERROR;
        }
        break;
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        snprintf(loading->error, loading->error_bytes, "stdout can't be written: %s",
                 strerror(errno));
        return CONFIG_UNHEARD;
    }
    return CONFIG_DONE;
}

/* ---- the whole ---- */

static bool complete(struct loading *loading, int argc, char **argv) {
    *loading->config = (struct config){.argc = argc, .argv = argv};
    loading->error[0] = '\0';
    if (!take_argv(loading, argc, argv)) {
        return false;
    }
    if (loading->action == ACTION_HELP || loading->action == ACTION_VERSION) {
        return true;
    }
    return take_file(loading) && take_standards(loading);
}

enum config_result config_load(struct config *config, int argc, char **argv, char *error,
                               size_t error_bytes) {
    struct loading loading = {.config = config, .error = error, .error_bytes = error_bytes};
    return complete(&loading, argc, argv) ? act(&loading) : CONFIG_ERROR;
}

enum config_result config_reload(struct config *config, char *restart, size_t restart_bytes,
                                 char *error, size_t error_bytes) {
    struct config fresh;
    struct loading loading = {.config = &fresh, .error = error, .error_bytes = error_bytes};
    restart[0] = '\0';
    bool good = complete(&loading, config->argc, config->argv);
    for (size_t i = 0; good && option_at(i); i++) {
        const struct option *option = option_at(i);
        if (option->traits & OPTION_HUP) {
            option_swap(option, config, &fresh);
        } else if (!option_equals(option, config, &fresh)) {
            size_t used = strlen(restart);
            snprintf(restart + used, restart_bytes - used, "%s%s", used ? ", " : "", option->name);
        }
    }
    config_release(&fresh);
    return good ? CONFIG_RUN : CONFIG_ERROR;
}

void config_release(struct config *config) {
    for (size_t i = 0; option_at(i); i++) {
        option_release(option_at(i), config);
    }
}

bool config_is_pipe(const char *path) {
    struct stat status;

    return stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
}
