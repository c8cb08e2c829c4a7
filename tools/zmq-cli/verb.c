/* All verbs, file by file, in the groups in which the help has them. A new verb is a row beside its
 * function, and its name in the list at the end of that file. */
#include "verb.h"

#include <string.h>
#include <strings.h>

/* The verbs of each file, which are listed at its end; NULL after the last. */
extern const struct verb *const account_verbs[];
extern const struct verb *const people_verbs[];
extern const struct verb *const receipt_verbs[];
extern const struct verb *const recv_verbs[];
extern const struct verb *const wait_verbs[];
extern const struct verb *const history_verbs[];
extern const struct verb *const events_verbs[];
extern const struct verb *const search_verbs[];
extern const struct verb *const thread_verbs[];
extern const struct verb *const file_verbs[];
extern const struct verb *const private_verbs[];
extern const struct verb *const admin_verbs[];
extern const struct verb *const backup_verbs[];
extern const struct verb *const user_verbs[];
extern const struct verb *const schema_verbs[];
extern const struct verb *const rpc_verbs[];
extern const struct verb *const raw_verbs[];
extern const struct verb *const doctor_verbs[];
extern const struct verb *const context_verbs[];
static const struct verb *const help_verbs[] = {&help_verb, NULL};

/* In the order of the help. */
static const struct verb_group groups[] = {
    {"account", "your account and the devices that it trusts", {account_verbs}},
    {"people", "messages to others, and who they are", {people_verbs, receipt_verbs}},
    {"messages",
     "what came, and what was said before",
     {recv_verbs, wait_verbs, history_verbs, search_verbs, events_verbs}},
    {"thread", "the forum", {thread_verbs}},
    {"file", "the files of threads", {file_verbs}},
    {"private", "chats from one program straight to another one", {private_verbs}},
    {"admin", "the broker", {admin_verbs, backup_verbs, doctor_verbs}},
    {"user", "the accounts of others, for administrators", {user_verbs}},
    {"context", "named sets of settings", {context_verbs}},
    {"program", "for programs, and this help", {rpc_verbs, schema_verbs, raw_verbs, help_verbs}},
};
#define GROUP_COUNT (sizeof groups / sizeof groups[0])

/* The verb at *place within the group, or NULL, and *place less the verbs that were passed. */
static const struct verb *verb_in(const struct verb_group *group, size_t *place) {
    for (const struct verb *const *const *file = group->files; *file; file++)
        for (const struct verb *const *verb = *file; *verb; verb++)
            if ((*place)-- == 0)
                return *verb;
    return NULL;
}

const struct verb *verb_at(size_t place) {
    const struct verb *verb = NULL;
    for (size_t i = 0; i < GROUP_COUNT && !verb; i++)
        verb = verb_in(&groups[i], &place);
    return verb;
}

const struct verb_group *verb_group_at(size_t place) {
    return place < GROUP_COUNT ? &groups[place] : NULL;
}

const struct verb_group *verb_group_find(const char *name) {
    for (size_t i = 0; i < GROUP_COUNT; i++)
        if (strcmp(groups[i].name, name) == 0)
            return &groups[i];
    return NULL;
}

bool verb_is_of(const struct verb *verb, const struct verb_group *group) {
    const struct verb *other;
    for (size_t i = 0, place = 0; (place = i, other = verb_in(group, &place)); i++)
        if (other == verb)
            return true;
    return false;
}

/* Whether `name` consists of these words, one or two. */
static bool is_named(const char *name, const char *first, const char *second) {
    size_t bytes = strlen(first);
    if (!second)
        return strcmp(name, first) == 0;
    return strncmp(name, first, bytes) == 0 && name[bytes] == ' ' &&
           strcmp(name + bytes + 1, second) == 0;
}

/* Whether it is `msg`, as other chat programs call a message to one person: it must not be taken
 * for the forum's MSG, which publishes a post. */
static bool is_message(const char *first, const char *second) {
    return !second && (strcmp(first, "msg") == 0 || strcmp(first, "w") == 0);
}

const struct verb *verb_find(const char *first, const char *second) {
    const struct verb *verb;
    if (is_message(first, second))
        return verb_find("send", NULL);
    for (size_t i = 0; (verb = verb_at(i)); i++)
        if (is_named(verb->name, first, second) ||
            (!second && verb->classic && strcasecmp(verb->classic, first) == 0))
            break;
    return verb;
}

bool verb_begins_with(const struct verb *verb, const char *first) {
    size_t bytes = strlen(first);
    return strncmp(verb->name, first, bytes) == 0 && verb->name[bytes] == ' ';
}

bool verb_is_pair(const char *first) {
    const struct verb *verb;
    size_t i = 0;
    while ((verb = verb_at(i)) && !verb_begins_with(verb, first))
        i++;
    return verb != NULL;
}

const char *verb_last_word(const struct verb *verb) {
    const char *blank = strchr(verb->name, ' ');
    return blank ? blank + 1 : verb->name;
}

bool verb_takes(const struct verb *verb, enum option_id id) {
    const enum option_id *own = verb->options;
    if (id < OPTION_GLOBAL_COUNT)
        return true;
    while (own && *own != OPTION_END && *own != id)
        own++;
    return own && *own == id;
}
