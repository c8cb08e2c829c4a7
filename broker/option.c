/* The table, and how the values of its rows are written and moved. Texts are copies that the config
 * owns, because HUP may replace them. */
#include "option.h"

#include "log.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what texts may be ---- */

/* Quotes and control characters could not be written into a file. */
static bool is_printable(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f || *text == '"')
            return false;
    return true;
}

/* The address may have brackets, and an interface behind '%'. */
static bool is_ipv6(const char *text) {
    char address[INET6_ADDRSTRLEN];
    struct in6_addr unused;
    bool bracketed = *text == '[';
    const char *start = text + bracketed;
    size_t bytes = strcspn(start, "]%"), all = strcspn(start, "]");
    if (bytes >= sizeof address || strcmp(start + all, bracketed ? "]" : "") != 0)
        return false;
    memcpy(address, start, bytes);
    address[bytes] = '\0';
    return inet_pton(AF_INET6, address, &unused) == 1 && (start[bytes] != '%' || all > bytes + 1);
}

#define LABEL_BYTES_MAX     63 /* of a name, by RFC 1035, like the next one */
#define HOST_NAME_MAX_BYTES 253

/* Labels of letters, digits, '-' and '_'; a dot may follow the last one. */
static bool is_host_name(const char *text) {
    const char *label = text;
    while (*label) {
        size_t bytes = strspn(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-_");
        if (bytes == 0 || bytes > LABEL_BYTES_MAX || label[0] == '-' || label[bytes - 1] == '-' ||
            (label[bytes] != '.' && label[bytes] != '\0'))
            return false;
        label += bytes + (label[bytes] == '.');
    }
    return label != text && strlen(text) <= HOST_NAME_MAX_BYTES;
}

/* Length of the "tcp://" in front: an address may be written as an endpoint. */
static size_t endpoint_bytes(const char *text) {
    return !strncmp(text, "tcp://", 6) ? 6 : 0;
}

static bool is_host(const char *text) {
    text += endpoint_bytes(text);
    return !strcmp(text, "*") || is_ipv6(text) || is_host_name(text);
}

static bool is_host_or_none(const char *text) {
    return *text == '\0' || is_host(text);
}

static bool is_path_or_none(const char *text) {
    return is_printable(text);
}

static bool is_path(const char *text) {
    return *text != '\0' && is_printable(text);
}

/* ---- the table ---- */

#define PATH_TAKES                                                                                 \
    .argument = "PATH", .takes = "a path without double quotes and control characters"
#define HOST_TAKES .argument = "HOST", .takes = "a host name or an address, without a port"

#define PATH         .fits = is_path, PATH_TAKES
#define PATH_OR_NONE .fits = is_path_or_none, PATH_TAKES
#define HOST         .fits = is_host, HOST_TAKES
#define HOST_OR_NONE .fits = is_host_or_none, HOST_TAKES

#define YEAR_S    31536000
#define FIELD(of) OPTION_FIELD(struct config, of)

static const struct option rows[] = {
    {"config", 0, OPTION_TEXT, 0, FIELD(config), PATH_OR_NONE, .standard = "",
     .help = "The configuration file. --print-config writes one to start from."},
    {"bind", 0, OPTION_TEXT, 0, FIELD(bind), HOST, .in_file = true, .standard = "*",
     .help = "The address to listen on, or the name of an interface or a host, whose first usable "
             "address is taken; * means all addresses. Everything but the greeting is encrypted."},
    {"port", 0, OPTION_NUMBER, 0, FIELD(port), .in_file = true, .standard = "4000", .min = 0,
     .max = 65533,
     .help = "The port that people know. Commands are on the next one, events on the one after "
             "that. 0 takes three free ones."},
    {"advertise", 0, OPTION_TEXT, 0, FIELD(advertise), HOST_OR_NONE, .in_file = true,
     .standard = "",
     .help =
         "The host that clients are told to connect to. Empty, or a wildcard: the host at which "
         "they reached the broker."},
    {"data", 0, OPTION_TEXT, 0, FIELD(data), PATH, .in_file = true,
     .help = "The folder of the store and the broker's key. It is made if it is missing. Without "
             "the option it is $XDG_DATA_HOME/zchat or ~/.local/share/zchat, and for root "
             "/var/lib/zchat."},
    {"identity", 0, OPTION_CHOICE, 0, FIELD(identity), .standard = "keep",
     .choices = {[IDENTITY_KEEP] = "keep", [IDENTITY_NEW] = "new"},
     .help = "Whether the store must be served with the same key as before. Use new once, if that "
             "key is lost; every client will warn of the change."},
    {"accept-loss", 0, OPTION_FLAG, 0, FIELD(accept_loss), .standard = "no",
     .help = "Start on a store that has lost acknowledged data, and go on with what is left if "
             "that is whole. Use it once, if there is no backup. Without it such a start is "
             "refused, with numbers."},
    {"block-duration", 0, OPTION_NUMBER, 0, FIELD(block_duration_s), .in_file = true,
     .traits = OPTION_HUP, .standard = "60", .min = 1, .max = YEAR_S, .unit = "seconds",
     .help = "How long three wrong passwords in a row lock an account's password logins."},
    {"timeout", 0, OPTION_NUMBER, 0, FIELD(timeout_s), .in_file = true, .traits = OPTION_HUP,
     .standard = "0", .min = 0, .max = YEAR_S, .unit = "seconds",
     .help = "A session without a command for this long is logged out. 0: never."},
    {"registration", 0, OPTION_CHOICE, 0, FIELD(registration), .in_file = true,
     .traits = OPTION_HUP, .standard = "open",
     .choices = {[REGISTRATION_OPEN] = "open", [REGISTRATION_CLOSED] = "closed"},
     .help = "Whether anybody may make an account. Closed: only `zchatd user add` makes them."},
    {"admin-password-file", 0, OPTION_TEXT, 0, FIELD(admin_password_file), PATH_OR_NONE,
     .in_file = true, .traits = OPTION_HUP, .standard = "",
     .help = "A file whose first line is the password with which any member may shut the broker "
             "down. Empty: there is none."},
    {"sessions-per-user", 0, OPTION_NUMBER, 0, FIELD(sessions_per_user), .in_file = true,
     .traits = OPTION_HUP, .standard = "8", .min = 1, .max = 1000,
     .help = "Sessions that one user may have at a time. With 1 a second login is refused."},
    {"log-level", 0, OPTION_CHOICE, 0, FIELD(log_level), .in_file = true, .traits = OPTION_HUP,
     .standard = "info",
     .choices = {[LOG_LEVEL_DEBUG] = "debug",
                 [LOG_LEVEL_INFO] = "info",
                 [LOG_LEVEL_WARN] = "warn",
                 [LOG_LEVEL_ERROR] = "error"},
     .help = "What is logged on stderr: this level and those after it."},
    {"file-max", 0, OPTION_NUMBER, 0, FIELD(file_mib), .in_file = true, .traits = OPTION_HUP,
     .standard = "64", .min = 1, .max = 1024 * 1024, .unit = "MiB",
     .help = "The largest file that may be uploaded into a thread."},
    {"files-max", 0, OPTION_NUMBER, 0, FIELD(files_mib), .in_file = true, .traits = OPTION_HUP,
     .standard = "10240", .min = 0, .max = 1024 * 1024 * 1024, .unit = "MiB",
     .help = "How much room the files of all threads may take together. 0: no limit."},
    {"files-per-user", 0, OPTION_NUMBER, 0, FIELD(files_user_mib), .in_file = true,
     .traits = OPTION_HUP, .standard = "2048", .min = 0, .max = 1024 * 1024 * 1024, .unit = "MiB",
     .help = "How much room one account's files may take, including reservations of unfinished "
             "uploads. 0: no limit."},
    {"posts-per-user", 0, OPTION_NUMBER, 0, FIELD(posts_user_mib), .in_file = true,
     .traits = OPTION_HUP, .standard = "256", .min = 0, .max = 1024 * 1024, .unit = "MiB",
     .help = "How much room one account's posts may take, with all their edits, while their "
             "threads exist. 0: no limit."},
    {"threads-per-user", 0, OPTION_NUMBER, 0, FIELD(threads_user), .in_file = true,
     .traits = OPTION_HUP, .standard = "10000", .min = 0, .max = 100000000,
     .help = "Threads that one account may have made and not removed. 0: no limit."},
    {"rate-account", 0, OPTION_NUMBER, 0, FIELD(rate_account), .in_file = true,
     .traits = OPTION_HUP, .standard = "20000", .min = 0, .max = 1000000000, .unit = "commands/s",
     .help = "How much one account may ask for, in all its sessions together. 0: no limit."},
    {"rate-key", 0, OPTION_NUMBER, 0, FIELD(rate_key), .in_file = true, .traits = OPTION_HUP,
     .standard = "20000", .min = 0, .max = 1000000000, .unit = "commands/s",
     .help = "How much one device's key may ask for. 0: no limit."},
    {"rate-address", 0, OPTION_NUMBER, 0, FIELD(rate_address), .in_file = true,
     .traits = OPTION_HUP, .standard = "50000", .min = 0, .max = 1000000000, .unit = "commands/s",
     .help = "How much one network address may ask for. 0: no limit."},
    {"rate-passwords", 0, OPTION_NUMBER, 0, FIELD(rate_passwords), .in_file = true,
     .traits = OPTION_HUP, .standard = "20", .min = 0, .max = 1000000, .unit = "attempts/s",
     .help = "Passwords that one network address (IPv6: one /64) may try, with a burst of 10 s "
             "worth. Further ones wait their turn. 0: no limit."},
    {"rate-registrations", 0, OPTION_NUMBER, 0, FIELD(rate_registrations), .in_file = true,
     .traits = OPTION_HUP, .standard = "100", .min = 0, .max = 1000000, .unit = "accounts/h",
     .help = "Accounts that one network address (IPv6: one /64) may register in an hour, if "
             "registration is open: enough for a class behind one router, too few to find out by a "
             "list of names who is there. 0: no limit."},
    {"password-workers", 0, OPTION_NUMBER, 0, FIELD(password_workers), .in_file = true,
     .standard = "2", .min = 1, .max = 64, .unit = "threads",
     .help = "How many passwords are hashed at a time, at 130 ms and 64 MiB each."},
    {"io-threads", 0, OPTION_NUMBER, 0, FIELD(io_threads), .in_file = true, .standard = "1",
     .min = 1, .max = 16, .unit = "threads",
     .help = "ZeroMQ's threads, which encrypt: use more if one of them keeps a core busy."},
    {"print-config", 0, OPTION_FLAG, 0, .traits = OPTION_ACTION,
     .help = "print the configuration as a file for --config, and exit"},
    {"check-config", 0, OPTION_FLAG, 0, .traits = OPTION_ACTION,
     .help = "check the configuration and what it names, leave no trace, and exit: 0 fine, 2 not"},
    {"version", 0, OPTION_FLAG, 0, .traits = OPTION_ACTION, .help = "print the version and exit"},
    {"help", 0, OPTION_FLAG, 0, .traits = OPTION_ACTION, .help = "print this help and exit"},
};
#define ROWS (sizeof rows / sizeof rows[0])

const struct option_table option_table = {
    .rows = rows,
    .count = ROWS,
    .apart = true,
    .hint = "zchatd --help lists them",
    .noted = OPTION_HUP,
    .note = "HUP",
};

const struct option *option_at(size_t index) {
    return index < ROWS && rows[index].field_bytes > 0 ? &rows[index] : NULL;
}

static uint32_t *number_of(const struct option *option, const struct config *config) {
    return (uint32_t *)(void *)((char *)(uintptr_t)config + option->field);
}

static bool *flag_of(const struct option *option, const struct config *config) {
    return (bool *)(void *)((char *)(uintptr_t)config + option->field);
}

static char **text_of(const struct option *option, const struct config *config) {
    assert(option->kind == OPTION_TEXT);
    return (char **)(void *)((char *)(uintptr_t)config + option->field);
}

/* ---- values ---- */

#define TEXT_BYTES_MAX (OPTION_FAULT_BYTES / 2) /* a text with its NUL */

static bool copy_text(char **field, const char *text) {
    char *copy = strdup(text);
    if (copy) {
        free(*field);
        *field = copy;
    }
    return copy;
}

bool option_keep(const struct option *option, struct config *config, const char *text,
                 char fault[OPTION_FAULT_BYTES]) {
    struct option apart = *option;
    const char *checked = NULL;
    if (option->kind != OPTION_TEXT)
        return option_set(option, config, text, fault);
    if (strlen(text) >= TEXT_BYTES_MAX) {
        snprintf(fault, OPTION_FAULT_BYTES, "is too long: at most %d bytes are taken",
                 TEXT_BYTES_MAX - 1);
        return false;
    }
    apart.field = 0;
    if (!option_set(&apart, &checked, text, fault))
        return false;
    bool host = option->fits == is_host || option->fits == is_host_or_none;
    if (!copy_text(text_of(option, config), checked + (host ? endpoint_bytes(checked) : 0))) {
        snprintf(fault, OPTION_FAULT_BYTES, "can't be kept: no memory");
        return false;
    }
    return true;
}

/* The folder where a user's programs keep their data; a system service keeps them in /var. */
static bool data_standard(char *path, size_t path_bytes) {
    const char *base = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    int bytes;
    if (geteuid() == 0)
        bytes = snprintf(path, path_bytes, "/var/lib/zchat");
    else if (base && base[0] == '/')
        bytes = snprintf(path, path_bytes, "%s/zchat", base);
    else if (home && home[0] == '/')
        bytes = snprintf(path, path_bytes, "%s/.local/share/zchat", home);
    else
        return false;
    return bytes >= 0 && (size_t)bytes < path_bytes;
}

bool option_keep_standard(const struct option *option, struct config *config,
                          char fault[OPTION_FAULT_BYTES]) {
    char path[OPTION_FAULT_BYTES];
    if (option->standard)
        return option_keep(option, config, option->standard, fault);
    if (!data_standard(path, sizeof path)) {
        snprintf(fault, OPTION_FAULT_BYTES,
                 "is needed where neither HOME nor XDG_DATA_HOME tells a folder");
        return false;
    }
    return option_keep(option, config, path, fault);
}

void option_format(const struct option *option, const struct config *config, char *text,
                   size_t text_bytes) {
    if (option->kind == OPTION_TEXT)
        snprintf(text, text_bytes, "\"%s\"", *text_of(option, config));
    else if (option->kind == OPTION_FLAG)
        snprintf(text, text_bytes, "%s", *flag_of(option, config) ? "yes" : "no");
    else if (option->kind == OPTION_CHOICE)
        snprintf(text, text_bytes, "%s", option->choices[*number_of(option, config)]);
    else
        snprintf(text, text_bytes, "%u", *number_of(option, config));
}

/* ---- fields ---- */

bool option_equals(const struct option *option, const struct config *a, const struct config *b) {
    if (option->kind == OPTION_TEXT)
        return !strcmp(*text_of(option, a), *text_of(option, b));
    return !memcmp((const char *)a + option->field, (const char *)b + option->field,
                   option->field_bytes);
}

void option_swap(const struct option *option, struct config *a, struct config *b) {
    char kept[sizeof(uint64_t)];
    assert(option->field_bytes <= sizeof kept);
    memcpy(kept, (char *)a + option->field, option->field_bytes);
    memcpy((char *)a + option->field, (char *)b + option->field, option->field_bytes);
    memcpy((char *)b + option->field, kept, option->field_bytes);
}

void option_release(const struct option *option, struct config *config) {
    if (option->kind == OPTION_TEXT) {
        free(*text_of(option, config));
        *text_of(option, config) = NULL;
    }
}
