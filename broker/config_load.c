/* A value comes from argv; if argv does not have it, from the file; if that does not have it
 * either, from the defaults. The whole file is checked, including values that argv overrides.
 * Nothing here opens a socket or the data folder, except --check-config, which leaves no trace. */
#include "config_load.h"

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
    ACTION_PRINT,
    ACTION_CHECK,
    ACTION_VERSION,
    ACTION_HELP,
};

/* The options with OPTION_ACTION. */
static const char *const actions[] = {
    [ACTION_PRINT] = "print-config",
    [ACTION_CHECK] = "check-config",
    [ACTION_VERSION] = "version",
    [ACTION_HELP] = "help",
};
#define ACTIONS (sizeof actions / sizeof actions[0])

/* A config that is being put together. */
struct loading {
    struct config *config; /* borrowed: from the caller */
    enum action action;
    bool asked;                    /* --help or --version stood before anything wrong */
    uint64_t from_argv, from_file; /* bits of the options that were set there */
    char *error;                   /* borrowed: from the caller */
    size_t error_bytes;
    char wrong[OPTION_FAULT_BYTES]; /* in argv */
};

static uint64_t option_bit(const struct option *option) {
    size_t index = (size_t)(option - option_at(0));
    assert(index < 64);
    return UINT64_C(1) << index;
}

/* ---- argv ---- */

static void take_action(struct loading *loading, const char *name) {
    for (size_t i = ACTION_PRINT; i < ACTIONS; i++)
        if (!strcmp(name, actions[i]) && !loading->asked)
            loading->action = (enum action)i;
    if (loading->action >= ACTION_VERSION && loading->wrong[0] == '\0')
        loading->asked = true;
}

static bool take_option(void *arg, const struct option *option, const char *text,
                        char fault[OPTION_FAULT_BYTES]) {
    struct loading *loading = arg;
    if (option->traits & OPTION_ACTION) {
        take_action(loading, option->name);
        return true;
    }
    if (loading->from_argv & option_bit(option)) {
        snprintf(fault, OPTION_FAULT_BYTES, "is given twice");
        return false;
    }
    loading->from_argv |= option_bit(option);
    return option_keep(option, loading->config, text, fault);
}

static bool take_argv(struct loading *loading, char **argv) {
    const struct option_sink sink = {.set = take_option, .arg = loading};
    if (!*argv || option_read_argv(&option_table, &sink, argv + 1, loading->wrong) ||
        loading->asked)
        return true;
    snprintf(loading->error, loading->error_bytes, "%s", loading->wrong);
    return false;
}

/* ---- the file ---- */

static bool refuse_entry(struct loading *loading, unsigned line, const char *name,
                         const char *fault) {
    snprintf(loading->error, loading->error_bytes, "%s:%u: %.64s %s", loading->config->config, line,
             name, fault);
    return false;
}

static bool refuse_unknown(struct loading *loading, unsigned line, const char *name) {
    char fault[OPTION_FAULT_BYTES] = "is no option of the file; there are";
    for (size_t i = 0; option_at(i); i++) {
        if (option_at(i)->in_file) {
            size_t used = strlen(fault);
            snprintf(fault + used, sizeof fault - used, " %s", option_at(i)->name);
        }
    }
    return refuse_entry(loading, line, name, fault);
}

static bool take_entry(void *arg, unsigned line, const char *name, const char *value) {
    struct loading *loading = arg;
    char fault[OPTION_FAULT_BYTES];
    struct config unused = {0};
    const struct option *option = option_find(&option_table, name, strlen(name));
    if (!option || !option->in_file)
        return refuse_unknown(loading, line, name);
    if (loading->from_file & option_bit(option))
        return refuse_entry(loading, line, name, "is given twice");
    loading->from_file |= option_bit(option);
    bool beaten = loading->from_argv & option_bit(option);
    bool good = option_keep(option, beaten ? &unused : loading->config, value, fault);
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
    char fault[OPTION_FAULT_BYTES];
    for (size_t i = 0; option_at(i); i++) {
        const struct option *option = option_at(i);
        if ((loading->from_argv | loading->from_file) & option_bit(option))
            continue;
        if (!option_keep_standard(option, loading->config, fault)) {
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
    char fault[OPTION_FAULT_BYTES];
    struct config defaults = {0};
    if (option_keep_standard(option, &defaults, fault))
        option_format(option, &defaults, text, text_bytes);
    else
        snprintf(text, text_bytes, "none");
    option_release(option, &defaults);
}

static void print_entry(const struct option *option, const struct config *config) {
    char text[3 * OPTION_FAULT_BYTES], allowed[OPTION_FAULT_BYTES], standard[OPTION_FAULT_BYTES];
    option_describe(option, allowed, sizeof allowed);
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
        "    zchatd check-store       verifies the store: what is damaged\n"
        "    zchatd backup FILE       copies the store into one file, with or without a broker at "
        "work\n"
        "    zchatd restore FILE      makes a data folder of such a file\n"
        "    zchatd export [FILE]     writes everything in the store as lines of JSON\n"
        "    zchatd import FILE       makes a store of such lines\n\n"
        "An option beats the file, the file beats the default. HUP: may change while it runs.\n");
    option_print_all(&option_table, stdout);
}

static void print_config(const struct config *config) {
    puts(
        "# The configuration of zchatd (ZPL). Options marked HUP may change while it runs: send it "
        "HUP.");
    for (size_t i = 0; option_at(i); i++)
        if (option_at(i)->in_file)
            print_entry(option_at(i), config);
}

static bool check(const struct config *config, char *error, size_t error_bytes) {
    char remarks[CHECK_REMARKS_BYTES];
    if (!check_config(config, remarks, error, error_bytes))
        return false;
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
        if (!check(loading->config, loading->error, loading->error_bytes))
            return CONFIG_ERROR;
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

static bool complete(struct loading *loading, char **argv) {
    *loading->config = (struct config){.argv = argv};
    loading->error[0] = '\0';
    if (!take_argv(loading, argv))
        return false;
    if (loading->asked)
        return true;
    return take_file(loading) && take_standards(loading);
}

enum config_result config_load(struct config *config, char **argv, char *error,
                               size_t error_bytes) {
    struct loading loading = {.config = config, .error = error, .error_bytes = error_bytes};
    return complete(&loading, argv) ? act(&loading) : CONFIG_ERROR;
}

enum config_result config_reload(struct config *config, char *restart, size_t restart_bytes,
                                 char *error, size_t error_bytes) {
    struct config fresh;
    struct loading loading = {.config = &fresh, .error = error, .error_bytes = error_bytes};
    restart[0] = '\0';
    bool good = complete(&loading, config->argv);
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
    for (size_t i = 0; option_at(i); i++)
        option_release(option_at(i), config);
}

bool config_is_pipe(const char *path) {
    struct stat status;

    return stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
}
