/* The list of verbs, and the help that is printed from their rows. A new verb is a name in both
 * lists here, and a row with its function in the file of its group. */
#include "verb.h"

#include "common/option.h"

#include <string.h>
#include <strings.h>

/* Each stands beside its function. */
extern const struct verb register_verb, login_verb, logout_verb, passwd_verb, devices_verb,
    revoke_verb, send_verb, broadcast_verb, who_verb, since_verb, block_verb, unblock_verb,
    blocked_verb, inbox_verb, recv_verb, thread_create_verb, thread_list_verb, thread_post_verb,
    thread_read_verb, thread_edit_verb, thread_delete_verb, thread_remove_verb, thread_follow_verb,
    thread_unfollow_verb, file_put_verb, file_get_verb, file_list_verb, private_start_verb,
    private_accept_verb, private_decline_verb, private_send_verb, private_stop_verb,
    private_file_verb, ping_verb, forget_verb, stats_verb, shutdown_verb, call_verb, describe_verb,
    list_verb, rpc_verb;

/* In the order of the help. */
static const struct verb *const table[] = {
    &register_verb,      &login_verb,          &logout_verb,
    &passwd_verb,        &devices_verb,        &revoke_verb,
    &send_verb,          &broadcast_verb,      &who_verb,
    &since_verb,         &block_verb,          &unblock_verb,
    &blocked_verb,       &inbox_verb,          &recv_verb,
    &thread_create_verb, &thread_list_verb,    &thread_post_verb,
    &thread_read_verb,   &thread_edit_verb,    &thread_delete_verb,
    &thread_remove_verb, &thread_follow_verb,  &thread_unfollow_verb,
    &file_put_verb,      &file_get_verb,       &file_list_verb,
    &private_start_verb, &private_accept_verb, &private_decline_verb,
    &private_send_verb,  &private_stop_verb,   &private_file_verb,
    &ping_verb,          &forget_verb,         &stats_verb,
    &shutdown_verb,      &call_verb,           &rpc_verb,
    &list_verb,          &describe_verb,
};
#define VERB_COUNT (sizeof table / sizeof table[0])

/* Whether `name` is the words, one or two. */
static bool is_named(const char *name, const char *first, const char *second) {
    size_t bytes = strlen(first);
    if (!second)
        return strcmp(name, first) == 0;
    return strncmp(name, first, bytes) == 0 && name[bytes] == ' ' &&
           strcmp(name + bytes + 1, second) == 0;
}

/* What other chats call a message to one person: it must not be taken for the forum's MSG, which
 * posts for all. */
static bool is_message(const char *first, const char *second) {
    return !second && (strcmp(first, "msg") == 0 || strcmp(first, "w") == 0);
}

const struct verb *verb_find(const char *first, const char *second) {
    if (is_message(first, second))
        return verb_find("send", NULL);
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (is_named(table[i]->name, first, second) ||
            (!second && table[i]->classic && strcasecmp(table[i]->classic, first) == 0))
            return table[i];
    return NULL;
}

const char *verb_nearest(const char *said) {
    const char *nearest = NULL;
    size_t least = NEAREST_MAX + 1;
    for (size_t i = 0; i < VERB_COUNT; i++) {
        size_t distance = word_distance(said, strlen(said), table[i]->name);
        if (distance < least) {
            least = distance;
            nearest = table[i]->name;
        }
    }
    return nearest;
}

static bool is_in_group(const struct verb *verb, const char *group) {
    size_t bytes = strlen(group);
    return strncmp(verb->name, group, bytes) == 0 && verb->name[bytes] == ' ';
}

bool verb_is_group(const char *first) {
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (is_in_group(table[i], first))
            return true;
    return false;
}

bool verb_has_option(const struct verb *verb, enum option_id id) {
    const enum option_id *own = verb->options;
    while (own && *own != OPTION_END && *own != id)
        own++;
    return own && *own == id;
}

static void print_one(const struct verb *verb, FILE *file) {
    fprintf(file, "zmq-cli [OPTIONS] %s%s%s\n", verb->name, verb->words[0] ? " " : "", verb->words);
    if (verb->classic)
        fprintf(file, "classic name: %s\n", verb->classic);
    fputs("\n  ", file);
    option_print_wrapped(file, verb->help, 2);
    if (verb->options)
        fputs("\noptions of this verb:\n", file);
    for (const enum option_id *id = verb->options; id && *id != OPTION_END; id++)
        option_print_help(option_row(*id), NULL, file);
}

static void print_all(const char *group, FILE *file) {
    fputs("zmq-cli [OPTIONS] VERB ...   one verb of zchat, one result, for scripts\n\nverbs:\n",
          file);
    for (size_t i = 0; i < VERB_COUNT; i++) {
        char head[40];
        if (group && !is_in_group(table[i], group))
            continue;
        snprintf(head, sizeof head, "%s %s", table[i]->name, table[i]->words);
        fprintf(file, "  %-23s  ", head);
        option_print_wrapped(file, table[i]->help, 27);
    }
}

void verb_print_help(const struct verb *verb, const char *group, FILE *file) {
    if (verb)
        print_one(verb, file);
    else
        print_all(group, file);
    fputs("\noptions of every verb, anywhere before --:\n", file);
    for (enum option_id id = 0; id < OPTION_GLOBAL_COUNT; id++)
        option_print_help(option_row(id), NULL, file);
    fputs("\na flag beats the environment, which beats the --context, which beats the rest of\n"
          "zmq-cli.conf\n"
          "exit status: 0 done, 1 other failure, 2 usage, 3 no connection or I/O, 4 login, 5 not\n"
          "found, 6 forbidden, 7 conflict, 8 busy, 124 timed out, 130 interrupted; when --timeout\n"
          "is over it is 3 if there is no connection to the broker, 124 if what was waited for is\n"
          "late\n",
          file);
}
