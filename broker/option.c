/* The table, and how the values of its kinds are read, checked, written and moved. A value is
 * checked here and nowhere else: a config that was set by option_set holds only what the table
 * allows. */
#include "option.h"

#include "log.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define YEAR_S    31536000
#define FIELD(of) .field = offsetof(struct config, of)

static const struct option options[] = {
    {"config", OPTION_PATH, OPTION_ARGV_ONLY | OPTION_EMPTY, FIELD(config), .standard = "",
     .help = "The configuration file. --print-config writes one to begin with."},
    {"bind", OPTION_HOST, 0, FIELD(bind), .standard = "*",
     .help = "The address to listen on, or an interface's or a host's name, of whose addresses the "
             "first that can be taken is; * is all of them. Everything but the greeting is "
             "encrypted."},
    {"port", OPTION_NUMBER, 0, FIELD(port), .standard = "4000", .min = 0, .max = 65533,
     .help = "The port that people know. Commands are on the next one, events on the one after "
             "that. 0 takes three free ones."},
    {"advertise", OPTION_HOST, OPTION_EMPTY, FIELD(advertise), .standard = "",
     .help =
         "The host that clients are told to connect to. Empty, or a wildcard: the one that they "
         "reached the broker at."},
    {"data", OPTION_PATH, 0, FIELD(data), .standard = NULL,
     .help = "The folder of the store and the broker's key. It is made where it is missing."},
    {"identity", OPTION_CHOICE, OPTION_ARGV_ONLY, FIELD(identity), .standard = "keep",
     .choices = {[IDENTITY_KEEP] = "keep", [IDENTITY_NEW] = "new"},
     .help = "Whether the store must be served with the key that it was served with. New: once, "
             "where that key is lost; every client will warn of the change."},
    {"accept-loss", OPTION_CHOICE, OPTION_ARGV_ONLY | OPTION_SWITCH, FIELD(accept_loss),
     .standard = "no", .choices = {"no", "yes"},
     .help = "Start on a store that lost something that was acknowledged, and go on with what is "
             "left where that is whole: once, where there is no backup. Without it such a start is "
             "refused, with numbers."},
    {"block-duration", OPTION_NUMBER, OPTION_HUP, FIELD(block_duration_s), .standard = "60",
     .min = 1, .max = YEAR_S, .unit = "seconds",
     .help = "How long three wrong passwords in a row lock an account's password logins."},
    {"timeout", OPTION_NUMBER, OPTION_HUP, FIELD(timeout_s), .standard = "0", .min = 0,
     .max = YEAR_S, .unit = "seconds",
     .help = "A session without a command for this long is logged out. 0: never."},
    {"registration", OPTION_CHOICE, OPTION_HUP, FIELD(registration), .standard = "open",
     .choices = {[REGISTRATION_OPEN] = "open", [REGISTRATION_CLOSED] = "closed"},
     .help = "Whether anybody may make an account. Closed: only `zchatd user add` makes them."},
    {"admin-password-file", OPTION_PATH, OPTION_HUP | OPTION_EMPTY, FIELD(admin_password_file),
     .standard = "",
     .help = "A file whose first line is the password with which any member may shut the broker "
             "down. Empty: there is none."},
    {"sessions-per-user", OPTION_NUMBER, OPTION_HUP, FIELD(sessions_per_user), .standard = "8",
     .min = 1, .max = 1000,
     .help = "Sessions that one user may have at a time. With 1 a second login is refused."},
    {"log-level", OPTION_CHOICE, OPTION_HUP, FIELD(log_level), .standard = "info",
     .choices = {[LOG_LEVEL_DEBUG] = "debug",
                 [LOG_LEVEL_INFO] = "info",
                 [LOG_LEVEL_WARN] = "warn",
                 [LOG_LEVEL_ERROR] = "error"},
     .help = "What is logged on stderr: this level and those after it."},
    {"file-max", OPTION_NUMBER, OPTION_HUP, FIELD(file_mib), .standard = "64", .min = 1,
     .max = 1024 * 1024, .unit = "MiB",
     .help = "The largest file that may be uploaded into a thread."},
    {"files-max", OPTION_NUMBER, OPTION_HUP, FIELD(files_mib), .standard = "10240", .min = 0,
     .max = 1024 * 1024 * 1024, .unit = "MiB",
     .help = "What the files of all threads may have together. 0: no limit."},
    {"files-per-user", OPTION_NUMBER, OPTION_HUP, FIELD(files_user_mib), .standard = "2048",
     .min = 0, .max = 1024 * 1024 * 1024, .unit = "MiB",
     .help = "What one account's files may have, reservations of unfinished uploads included. 0: "
             "no limit."},
    {"posts-per-user", OPTION_NUMBER, OPTION_HUP, FIELD(posts_user_mib), .standard = "256",
     .min = 0, .max = 1024 * 1024, .unit = "MiB",
     .help = "What one account's posts may have, with all their edits, as long as the threads "
             "stand. 0: no limit."},
    {"threads-per-user", OPTION_NUMBER, OPTION_HUP, FIELD(threads_user), .standard = "10000",
     .min = 0, .max = 100000000,
     .help = "Threads that one account may have made and not removed. 0: no limit."},
    {"rate-account", OPTION_NUMBER, OPTION_HUP, FIELD(rate_account), .standard = "20000", .min = 0,
     .max = 1000000000, .unit = "commands/s",
     .help = "What one account may ask for, in all its sessions together. 0: no limit."},
    {"rate-key", OPTION_NUMBER, OPTION_HUP, FIELD(rate_key), .standard = "20000", .min = 0,
     .max = 1000000000, .unit = "commands/s",
     .help = "What one device's key may ask for. 0: no limit."},
    {"rate-address", OPTION_NUMBER, OPTION_HUP, FIELD(rate_address), .standard = "50000", .min = 0,
     .max = 1000000000, .unit = "commands/s",
     .help = "What one network address may ask for. 0: no limit."},
    {"rate-passwords", OPTION_NUMBER, OPTION_HUP, FIELD(rate_passwords), .standard = "20", .min = 0,
     .max = 1000000, .unit = "attempts/s",
     .help = "Passwords that one network address (IPv6: one /64) may try, with a burst of 10 s "
             "worth. What is beyond it waits its turn. 0: no limit."},
    {"rate-registrations", OPTION_NUMBER, OPTION_HUP, FIELD(rate_registrations), .standard = "100",
     .min = 0, .max = 1000000, .unit = "accounts/h",
     .help = "Accounts that one network address (IPv6: one /64) may register in an hour, where "
             "registration is open: a class behind one router at once, not a list of names to "
             "find out who is there. 0: no limit."},
    {"password-workers", OPTION_NUMBER, 0, FIELD(password_workers), .standard = "2", .min = 1,
     .max = 64, .unit = "threads",
     .help = "How many passwords are hashed at a time, at 130 ms and 64 MiB each."},
    {"io-threads", OPTION_NUMBER, 0, FIELD(io_threads), .standard = "1", .min = 1, .max = 16,
     .unit = "threads",
     .help = "ZeroMQ's threads, which encrypt: more where one of them keeps a core busy."},
};
#define OPTIONS (sizeof options / sizeof options[0])

const struct option *option_at(size_t index) {
    return index < OPTIONS ? &options[index] : NULL;
}

const struct option *option_find(const char *name, size_t name_bytes) {
    for (size_t i = 0; i < OPTIONS; i++) {
        if (strlen(options[i].name) == name_bytes && !memcmp(options[i].name, name, name_bytes)) {
            return &options[i];
        }
    }
    return NULL;
}

static bool is_text(const struct option *option) {
    return option->kind == OPTION_PATH || option->kind == OPTION_HOST;
}

static uint32_t *number_of(const struct option *option, const struct config *config) {
    assert(!is_text(option));
    return (uint32_t *)(void *)((char *)(uintptr_t)config + option->field);
}

static char **text_of(const struct option *option, const struct config *config) {
    assert(is_text(option));
    return (char **)(void *)((char *)(uintptr_t)config + option->field);
}

/* ---- values ---- */

static bool read_number(const struct option *option, const char *text, uint32_t *number) {
    char *end;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 10 || text[digits] != '\0') {
        return false;
    }
    unsigned long long value = strtoull(text, &end, 10);
    *number = (uint32_t)value;
    return value >= option->min && value <= option->max;
}

static bool read_choice(const struct option *option, const char *text, uint32_t *number) {
    for (uint32_t i = 0; i < OPTION_CHOICES_MAX && option->choices[i]; i++) {
        if (!strcmp(option->choices[i], text)) {
            *number = i;
            return true;
        }
    }
    return false;
}

/* Quotes and control characters could not be written into a file. */
static bool is_printable(const char *text) {
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f || *text == '"') {
            return false;
        }
    }
    return true;
}

/* With or without brackets, and with or without an interface behind '%'. */
static bool is_ipv6(const char *text) {
    char address[INET6_ADDRSTRLEN];
    struct in6_addr unused;
    bool bracketed = *text == '[';
    const char *start = text + bracketed;
    size_t bytes = strcspn(start, "]%"), all = strcspn(start, "]");
    if (bytes >= sizeof address || strcmp(start + all, bracketed ? "]" : "") != 0) {
        return false;
    }
    memcpy(address, start, bytes);
    address[bytes] = '\0';
    return inet_pton(AF_INET6, address, &unused) == 1 && (start[bytes] != '%' || all > bytes + 1);
}

#define LABEL_BYTES_MAX     63 /* of a name, by RFC 1035, as the next */
#define HOST_NAME_MAX_BYTES 253

/* Labels of letters, digits, '-' and '_'; a dot may stand behind the last one. */
static bool is_host_name(const char *text) {
    const char *label = text;
    while (*label) {
        size_t bytes = strspn(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-_");
        if (bytes == 0 || bytes > LABEL_BYTES_MAX || label[0] == '-' || label[bytes - 1] == '-' ||
            (label[bytes] != '.' && label[bytes] != '\0')) {
            return false;
        }
        label += bytes + (label[bytes] == '.');
    }
    return label != text && strlen(text) <= HOST_NAME_MAX_BYTES;
}

static bool is_host(const char *text) {
    return !strcmp(text, "*") || is_ipv6(text) || is_host_name(text);
}

#define TEXT_BYTES_MAX (OPTION_TEXT_BYTES / 2) /* a text with its NUL */

static bool read_text(const struct option *option, const char *text, const char **value) {
    if (option->kind == OPTION_HOST && !strncmp(text, "tcp://", 6)) {
        text += 6;
    }
    *value = text;
    if (*text == '\0') {
        return option->traits & OPTION_EMPTY;
    }
    return strlen(text) < TEXT_BYTES_MAX && is_printable(text) &&
           (option->kind == OPTION_PATH || is_host(text));
}

static void list_choices(const struct option *option, const char *between, char *text,
                         size_t text_bytes) {
    size_t used = 0;
    for (size_t i = 0; i < OPTION_CHOICES_MAX && option->choices[i]; i++) {
        int bytes =
            snprintf(text + used, text_bytes - used, "%s%s", i ? between : "", option->choices[i]);
        assert(bytes >= 0 && (size_t)bytes < text_bytes - used);
        used += (size_t)bytes;
    }
}

void option_allowed(const struct option *option, char *text, size_t text_bytes) {
    switch (option->kind) {
    case OPTION_NUMBER:
        snprintf(text, text_bytes, "a whole number from %u to %u%s%s%s", option->min, option->max,
                 option->unit ? " (" : "", option->unit ? option->unit : "",
                 option->unit ? ")" : "");
        break;
    case OPTION_CHOICE:
        list_choices(option, " or ", text, text_bytes);
        break;
    case OPTION_PATH:
        snprintf(text, text_bytes, "a path without double quotes and control characters");
        break;
    case OPTION_HOST:
        snprintf(text, text_bytes, "a host name or an address, without a port");
        break;
    }
}

void option_synopsis(const struct option *option, char *text, size_t text_bytes) {
    switch (option->kind) {
    case OPTION_NUMBER:
        snprintf(text, text_bytes, "%u..%u%s%s", option->min, option->max, option->unit ? " " : "",
                 option->unit ? option->unit : "");
        break;
    case OPTION_CHOICE:
        list_choices(option, "|", text, text_bytes);
        break;
    case OPTION_PATH:
        snprintf(text, text_bytes, "PATH");
        break;
    case OPTION_HOST:
        snprintf(text, text_bytes, "HOST");
        break;
    }
}

static bool set_text(const struct option *option, struct config *config, const char *text) {
    char **field = text_of(option, config);
    char *copy = strdup(text);
    if (copy) {
        free(*field);
        *field = copy;
    }
    return copy;
}

bool option_set(const struct option *option, struct config *config, const char *text, char *fault,
                size_t fault_bytes) {
    char allowed[OPTION_TEXT_BYTES];
    const char *value = NULL;
    uint32_t number = 0;
    bool good = is_text(option)                 ? read_text(option, text, &value)
                : option->kind == OPTION_NUMBER ? read_number(option, text, &number)
                                                : read_choice(option, text, &number);
    if (!good && is_text(option) && strlen(text) >= TEXT_BYTES_MAX) {
        snprintf(fault, fault_bytes, "is too long: at most %d bytes are taken", TEXT_BYTES_MAX - 1);
        return false;
    }
    if (!good) {
        option_allowed(option, allowed, sizeof allowed);
        snprintf(fault, fault_bytes, "wants %s, not \"%.64s\"", allowed, text);
        return false;
    }
    if (!is_text(option)) {
        *number_of(option, config) = number;
        return true;
    }
    if (!set_text(option, config, value)) {
        snprintf(fault, fault_bytes, "can't be kept: no memory");
        return false;
    }
    return true;
}

/* Where the user's programs keep their data; a service of the system keeps it in /var. */
static bool data_standard(char *path, size_t path_bytes) {
    const char *base = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    int bytes;
    if (geteuid() == 0) {
        bytes = snprintf(path, path_bytes, "/var/lib/zchat");
    } else if (base && base[0] == '/') {
        bytes = snprintf(path, path_bytes, "%s/zchat", base);
    } else if (home && home[0] == '/') {
        bytes = snprintf(path, path_bytes, "%s/.local/share/zchat", home);
    } else {
        return false;
    }
    return bytes >= 0 && (size_t)bytes < path_bytes;
}

bool option_set_standard(const struct option *option, struct config *config, char *fault,
                         size_t fault_bytes) {
    char path[OPTION_TEXT_BYTES];
    if (option->standard) {
        return option_set(option, config, option->standard, fault, fault_bytes);
    }
    if (!data_standard(path, sizeof path)) {
        snprintf(fault, fault_bytes,
                 "is needed where neither HOME nor XDG_DATA_HOME tells a folder");
        return false;
    }
    return option_set(option, config, path, fault, fault_bytes);
}

void option_format(const struct option *option, const struct config *config, char *text,
                   size_t text_bytes) {
    if (is_text(option)) {
        snprintf(text, text_bytes, "\"%s\"", *text_of(option, config));
    } else if (option->kind == OPTION_CHOICE) {
        snprintf(text, text_bytes, "%s", option->choices[*number_of(option, config)]);
    } else {
        snprintf(text, text_bytes, "%u", *number_of(option, config));
    }
}

/* ---- fields ---- */

bool option_equals(const struct option *option, const struct config *a, const struct config *b) {
    if (is_text(option)) {
        return !strcmp(*text_of(option, a), *text_of(option, b));
    }
    return *number_of(option, a) == *number_of(option, b);
}

void option_swap(const struct option *option, struct config *a, struct config *b) {
    if (is_text(option)) {
        char *text = *text_of(option, a);
        *text_of(option, a) = *text_of(option, b);
        *text_of(option, b) = text;
    } else {
        uint32_t number = *number_of(option, a);
        *number_of(option, a) = *number_of(option, b);
        *number_of(option, b) = number;
    }
}

void option_release(const struct option *option, struct config *config) {
    if (is_text(option)) {
        free(*text_of(option, config));
        *text_of(option, config) = NULL;
    }
}
