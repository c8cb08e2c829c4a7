/* One table of verbs, one of options; the dispatcher reads argv, finds the store or the broker that
 * serves it, and calls the verb. A password comes from a file or the terminal, never from
 * argv, and is wiped by the function that holds it. */
#include "user.h"

#include "common/time_text.h"
#include "config_load.h"
#include "crypto.h"
#include "data.h"
#include "log.h"
#include "option.h"
#include "password.h"
#include "store.h"
#include "terminal.h"
#include "user_bulk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ERROR_BYTES 2048

/* Bits for verbs that have options of their own. */
enum verb_bit {
    VERB_OTHER = 1,
    VERB_ADD = 2,
    VERB_IMPORT = 4,
    VERB_ADMIN = 8,
    VERB_PASSWD = 16,
    VERB_LIST = 32,
};

/* What argv asks for, and what it needs. */
struct call {
    const struct verb *verb; /* borrowed: from the table */
    const char *operand;     /* borrowed: from argv; "" if the verb has none */
    const char *data, *config, *device_key,
        *password_file; /* borrowed: from argv; NULL: not given */
    bool admin, json, create, revoke, help;
    unsigned given;                 /* bits of the options' rows */
    bool user_seen;                 /* the word "user" itself */
    char wrong[OPTION_FAULT_BYTES]; /* in argv */
    char name[NAME_BYTES];          /* the operand, if it is a name */
    unsigned char key[KEY_BYTES];
    struct target target;
};

struct verb {
    const char *name;
    const char *operand; /* NULL: none */
    enum verb_bit bit;
    enum user_exit (*run)(struct call *call);
    const char *help;
};

__attribute__((format(printf, 2, 3))) static enum user_exit fail(enum user_exit result,
                                                                 const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("zchatd user: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    return result;
}

static enum user_exit fail_status(struct call *call, enum store_status status) {
    switch (status) {
    case STORE_OK:
        return USER_DONE;
    case STORE_NOT_FOUND:
        return fail(USER_NOT_FOUND, "there is no account %s in the store %s", call->name,
                    call->target.path);
    case STORE_EXISTS:
        return fail(USER_EXISTS, "the account %s exists already in the store %s", call->name,
                    call->target.path);
    case STORE_FULL:
        return fail(USER_FAILED, "the disk has no room for the store %s", call->target.path);
    default:
        return fail(USER_FAILED, "%s", call->target.error);
    }
}

static struct order new_order(const struct call *call, enum order_verb verb) {
    struct order order = {.verb = verb};
    memcpy(order.name, call->name, sizeof order.name);
    return order;
}

/* Carries the order out and prints what was done, to which account, in which store. */
static enum user_exit carry_out(struct call *call, const struct order *order, const char *done) {
    uint32_t ended = 0;
    enum store_status status = target_carry_out(&call->target, order, &ended);
    if (status != STORE_OK)
        return fail_status(call, status);
    printf("%s %s in the store %s", done, call->name, call->target.path);
    if (call->target.control >= 0)
        printf(", which process %ld serves", call->target.process);
    if (ended > 0)
        printf("; ended %u session%s", (unsigned)ended, ended == 1 ? "" : "s");
    puts("");
    return USER_DONE;
}

static enum store_status find(struct call *call) {
    struct order order = new_order(call, ORDER_FIND);
    uint32_t ended;
    return target_carry_out(&call->target, &order, &ended);
}

/* ---- verbs ---- */

/* Makes the hash of the password in the file, or of one asked for on the terminal. */
static enum user_exit new_hash(struct call *call, char hash[PASSWORD_HASH_BYTES]) {
    char password[PASSWORD_BYTES], error[ERROR_BYTES];
    const char *file = call->password_file;
    enum user_exit result = USER_DONE;
    bool given = file ? password_read_file(file, password, error, sizeof error)
                      : terminal_ask_password(call->name, password, error, sizeof error);
    if (!given)
        result = fail(file && errno ? USER_IO : USER_INVALID, "%s", error);
    else if (!password_hash(password, hash))
        result = fail(USER_FAILED, "no memory to hash a password");
    password_wipe(password, sizeof password);
    return result;
}

static enum user_exit add_many(struct call *call) {
    if (!call->device_key || call->password_file) {
        return fail(USER_INVALID, "add - needs --device-key and takes no --password-file; "
                                  "import FILE adds accounts with passwords");
    }
    return user_bulk_add(&call->target, stdin, call->key, call->admin);
}

static enum user_exit add(struct call *call) {
    struct order order = new_order(call, ORDER_ADD);
    if (!strcmp(call->operand, "-"))
        return add_many(call);
    /* First, so that nobody types a password for nothing. */
    enum store_status status = find(call);
    if (status != STORE_NOT_FOUND)
        return fail_status(call, status == STORE_OK ? STORE_EXISTS : status);
    order.has_key = call->device_key;
    order.admin = call->admin;
    memcpy(order.key, call->key, sizeof order.key);
    snprintf(order.label, sizeof order.label, USER_DEVICE_LABEL);
    enum user_exit result = USER_DONE;
    if (!order.has_key || call->password_file)
        result = new_hash(call, order.hash);
    if (result == USER_DONE)
        result = carry_out(call, &order, "added");
    password_wipe(&order, sizeof order);
    return result;
}

static enum user_exit import(struct call *call) {
    bool is_stdin = !strcmp(call->operand, "-");
    FILE *file = is_stdin ? stdin : fopen(call->operand, "re");
    struct stat status;
    if (file && fstat(fileno(file), &status) == 0 && S_ISDIR(status.st_mode)) {
        fclose(file);
        file = NULL;
        errno = EISDIR;
    }
    if (!file) {
        return fail(USER_IO, "%s can't be read: %s", is_stdin ? "stdin" : call->operand,
                    strerror(errno));
    }
    return user_bulk_import(&call->target, file);
}

static enum user_exit lock(struct call *call) {
    struct order order = new_order(call, ORDER_LOCK);
    return carry_out(call, &order, "locked");
}

static enum user_exit unlock(struct call *call) {
    struct order order = new_order(call, ORDER_UNLOCK);
    return carry_out(call, &order, "unlocked");
}

static enum user_exit admin(struct call *call) {
    bool revoke = call->revoke;
    struct order order = new_order(call, revoke ? ORDER_MAKE_MEMBER : ORDER_MAKE_ADMIN);
    return carry_out(call, &order,
                     revoke ? "took the right of an administrator from"
                            : "made an administrator of");
}

static enum user_exit passwd(struct call *call) {
    struct order order = new_order(call, ORDER_PASSWD);
    enum store_status status = find(call);
    if (status != STORE_OK)
        return fail_status(call, status);
    enum user_exit result = new_hash(call, order.hash);
    if (result == USER_DONE)
        result = carry_out(call, &order, "changed the password of");
    password_wipe(&order, sizeof order);
    return result;
}

static const char *truth(bool value) {
    return value ? "true" : "false";
}

static void print_json(void *arg, const struct store_account *account) {
    char created[TIME_TEXT], seen[TIME_TEXT];
    (void)arg;
    time_precise(account->created_us, created);
    time_precise(account->last_seen_us, seen);
    /* A name has no characters that JSON would escape. */
    printf("{\"user\":\"%s\",\"admin\":%s,\"locked\":%s,\"password\":%s,\"created\":\"%s\","
           "\"last_seen\":%s%s%s}\n",
           account->name, truth(account->admin), truth(account->locked),
           truth(account->password_hash[0] != '\0'), created, account->last_seen_us ? "\"" : "",
           account->last_seen_us ? seen : "null", account->last_seen_us ? "\"" : "");
}

static void print_row(void *arg, const struct store_account *account) {
    char seen[TIME_TEXT] = "never";
    (void)arg;
    if (account->last_seen_us)
        time_precise(account->last_seen_us, seen);
    printf("%-32s last seen %-27s%s%s%s\n", account->name, seen, account->admin ? " admin" : "",
           account->locked ? " locked" : "", account->password_hash[0] ? "" : " no-password");
}

static enum user_exit list(struct call *call) {
    enum store_status status =
        store_account_list(call->target.store, call->json ? print_json : print_row, NULL);
    if (status != STORE_OK)
        return fail(USER_FAILED, "%s", store_error(call->target.store));
    if (!call->json) {
        fprintf(stderr, "%llu accounts in the store %s\n",
                (unsigned long long)store_account_count(call->target.store), call->target.path);
    }
    return USER_DONE;
}

static const struct verb verbs[] = {
    {"add", "NAME", VERB_ADD, add, "add an account; with NAME - one for each line of stdin"},
    {"import", "FILE", VERB_IMPORT, import,
     "add an account for each line \"NAME PASSWORD\"; those that exist stay as they are; FILE - is "
     "stdin"},
    {"lock", "NAME", VERB_OTHER, lock,
     "let nobody enter the account, keep all it has; its sessions end"},
    {"unlock", "NAME", VERB_OTHER, unlock, "undo lock, and a lock by wrong passwords"},
    {"admin", "NAME", VERB_ADMIN, admin, "make an administrator of the account"},
    {"passwd", "NAME", VERB_PASSWD, passwd, "change the password; the account's sessions end"},
    {"list", NULL, VERB_LIST, list, "list the accounts"},
};
#define VERBS (sizeof verbs / sizeof verbs[0])

#define FIELD(of) OPTION_FIELD(struct call, of)

static bool is_any(const char *text) {
    (void)text;
    return true;
}

static const struct option rows[] = {
    {"data", 0, OPTION_TEXT, 0, FIELD(data), .argument = "DIR",
     .help = "the broker's folder, like zchatd's own option"},
    {"config", 0, OPTION_TEXT, 0, FIELD(config), .fits = is_any, .argument = "FILE",
     .help = "the broker's configuration, like zchatd's own option"},
    {"device-key", 0, OPTION_TEXT, VERB_ADD, FIELD(device_key), .fits = is_any, .argument = "KEY",
     .help = "trust this key (Z85 or hex); without --password-file only this key can log in"},
    {"password-file", 0, OPTION_TEXT, VERB_ADD | VERB_PASSWD, FIELD(password_file), .fits = is_any,
     .argument = "FILE",
     .help = "the password is the first line of FILE; without it the terminal is asked"},
    {"admin", 0, OPTION_FLAG, VERB_ADD, FIELD(admin), .help = "make it an administrator"},
    {"create", 0, OPTION_FLAG, VERB_ADD | VERB_IMPORT, FIELD(create),
     .help = "make the store if there is none yet"},
    {"revoke", 0, OPTION_FLAG, VERB_ADMIN, FIELD(revoke),
     .help = "take the right of an administrator away"},
    {"json", 0, OPTION_FLAG, VERB_LIST, FIELD(json), .help = "print one JSON object a line"},
    {"help", 0, OPTION_FLAG, 0, FIELD(help), .help = "print this help and exit"},
};
#define ROWS (sizeof rows / sizeof rows[0])

static const struct option_table user_options = {
    .rows = rows, .count = ROWS, .apart = true, .hint = "zchatd user --help lists them"};

static void print_verb(const struct verb *verb) {
    printf("\n  %s%s%s\n      ", verb->name, verb->operand ? " " : "",
           verb->operand ? verb->operand : "");
    option_print_wrapped(stdout, verb->help, 6);
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].groups & verb->bit)
            option_print_help(&rows[i], NULL, stdout);
}

static void print_help(void) {
    puts("usage: zchatd user VERB [NAME|FILE] [--data DIR] [--config FILE] [OPTION ...]\n\n"
         "administers the accounts of a store, with or without a broker at work: a broker that\n"
         "serves the store is asked\n");
    for (size_t i = 0; i < ROWS; i++)
        if (!rows[i].groups)
            option_print_help(&rows[i], NULL, stdout);
    for (size_t i = 0; i < VERBS; i++)
        print_verb(&verbs[i]);
    puts("\nexit codes: 0 done, 1 failed, 2 usage or invalid, 3 the store or a file can't be\n"
         "opened or stdout can't be written, 5 no such account, 7 it exists already");
}

/* ---- argv ---- */

/* How many words the option at argv[at] takes, its value included; 0: it is no option. */
static int option_words(int argc, char **argv, int at) {
    if (strncmp(argv[at], "--", 2) != 0)
        return 0;
    const struct option *option = option_find(&option_table, argv[at] + 2, strlen(argv[at] + 2));
    bool value_follows = option && option->kind != OPTION_FLAG && at + 1 < argc;
    return value_follows ? 2 : 1;
}

int user_word_behind(int argc, char **argv, int at) {
    at++;
    while (at < argc && option_words(argc, argv, at) > 0)
        at += option_words(argc, argv, at);
    return at < argc ? at : 0;
}

int user_verb_at(int argc, char **argv, const char *verb) {
    int at = user_word_behind(argc, argv, 0);
    return at > 0 && !strcmp(argv[at], verb) ? at : 0;
}

bool user_wanted(int argc, char **argv) {
    return user_verb_at(argc, argv, "user") > 0;
}

static bool take_option(void *arg, const struct option *option, const char *text,
                        char fault[OPTION_FAULT_BYTES]) {
    struct call *call = arg;
    unsigned bit = 1u << (option - rows);
    if (call->given & bit) {
        snprintf(fault, OPTION_FAULT_BYTES, "is given twice");
        return false;
    }
    call->given |= bit;
    return option_set(option, call, text, fault);
}

static bool take_verb(struct call *call, const char *word, char fault[OPTION_FAULT_BYTES]) {
    for (size_t i = 0; i < VERBS; i++) {
        if (!strcmp(verbs[i].name, word)) {
            call->verb = &verbs[i];
            return true;
        }
    }
    snprintf(fault, OPTION_FAULT_BYTES, "\"%.64s\" is no verb; zchatd user --help lists them",
             word);
    return false;
}

static bool take_word(void *arg, const char *word, bool plain, char fault[OPTION_FAULT_BYTES]) {
    struct call *call = arg;
    (void)plain;
    if (!call->user_seen) {
        call->user_seen = true;
        return true;
    }
    if (!call->verb)
        return take_verb(call, word, fault);
    if (!call->verb->operand || *call->operand) {
        snprintf(fault, OPTION_FAULT_BYTES, "%s: one word too many: \"%.64s\"", call->verb->name,
                 word);
        return false;
    }
    call->operand = word;
    return true;
}

static enum user_exit take_argv(struct call *call, char **argv) {
    const struct option_sink sink = {.set = take_option, .word = take_word, .arg = call};
    if (!option_read_argv(&user_options, &sink, argv + 1, call->wrong) && !call->help)
        return fail(USER_INVALID, "%s", call->wrong);
    return USER_DONE;
}

/* Checks argv as a whole. */
static enum user_exit check_call(struct call *call) {
    const struct verb *verb = call->verb;
    const char *key = call->device_key;
    if (!verb)
        return fail(USER_INVALID, "a verb is missing; zchatd user --help lists them");
    for (size_t i = 0; i < ROWS; i++)
        if ((call->given & 1u << i) && rows[i].groups && !(rows[i].groups & verb->bit))
            return fail(USER_INVALID, "%s takes no --%s", verb->name, rows[i].name);
    if (verb->operand && !*call->operand)
        return fail(USER_INVALID, "%s needs a %s", verb->name, verb->operand);
    bool many = verb->run == add && !strcmp(call->operand, "-");
    if (verb->operand && !strcmp(verb->operand, "NAME") && !many &&
        !name_fold(call->operand, call->name)) {
        char quoted[LOG_QUOTE_BYTES];
        return fail(USER_INVALID, "%s is no name; " USER_NAME_RULE,
                    log_quote(quoted, sizeof quoted, call->operand, strlen(call->operand)));
    }
    if (key && !key_parse(key, call->key)) {
        return fail(USER_INVALID,
                    "--device-key wants a key: 40 characters of Z85 or 64 hex digits");
    }
    return USER_DONE;
}

/* ---- the whole ---- */

/* Loads the config as the broker would, from the same two options, --data and --config. */
static enum user_exit load_config(const struct call *call, struct config *config) {
    char error[ERROR_BYTES];
    const char *argv[6] = {"zchatd"};
    int argc = 1;
    if (call->data) {
        argv[argc++] = "--data";
        argv[argc++] = call->data;
    }
    if (call->config) {
        argv[argc++] = "--config";
        argv[argc++] = call->config;
    }
    if (config_load(config, (char **)(uintptr_t)argv, error, sizeof error) != CONFIG_RUN)
        return fail(USER_INVALID, "%s", error);
    return USER_DONE;
}

static enum user_exit open_target(struct call *call, const char *folder) {
    bool create = call->create;
    switch (target_open(&call->target, folder, create, call->verb->bit == VERB_LIST)) {
    case TARGET_OPENED:
        return USER_DONE;
    case TARGET_NONE:
        return fail(USER_IO, "%s; name the broker's folder with --data DIR%s", call->target.error,
                    call->verb->bit & (VERB_ADD | VERB_IMPORT) ? ", or make a store with --create"
                                                               : "");
    case TARGET_FAILED:
        break;
    }
    return fail(USER_IO, "%s", call->target.error);
}

static enum user_exit run(struct call *call) {
    struct config config;
    enum user_exit result = load_config(call, &config);
    if (result == USER_DONE) {
        result = open_target(call, config.data);
        if (result == USER_DONE)
            result = call->verb->run(call);
        target_close(&call->target);
    }
    config_release(&config);
    return result;
}

int user_main(int argc, char **argv) {
    struct call call = {.operand = ""};
    (void)argc;
    enum user_exit result = take_argv(&call, argv);
    if (result == USER_DONE && call.help) {
        print_help();
    } else if (result == USER_DONE) {
        result = check_call(&call);
        result = result == USER_DONE ? run(&call) : result;
    }
    if ((fflush(stdout) != 0 || ferror(stdout)) && result == USER_DONE)
        result = fail(USER_IO, "stdout can't be written: %s", strerror(errno));
    return (int)result;
}
