/* All verbs, file by file, and the help that is printed from their rows. A new verb is a row beside
 * its function, and its name in the list at the end of that file. */
#include "verb.h"

#include "common/option.h"

#include <string.h>
#include <strings.h>

/* The verbs of each file, which are listed at its end; NULL after the last. */
extern const struct verb *const account_verbs[];
extern const struct verb *const people_verbs[];
extern const struct verb *const recv_verbs[];
extern const struct verb *const wait_verbs[];
extern const struct verb *const history_verbs[];
extern const struct verb *const events_verbs[];
extern const struct verb *const search_verbs[];
extern const struct verb *const thread_verbs[];
extern const struct verb *const file_verbs[];
extern const struct verb *const private_verbs[];
extern const struct verb *const admin_verbs[];
extern const struct verb *const user_verbs[];
extern const struct verb *const schema_verbs[];
extern const struct verb *const rpc_verbs[];

/* In the order of the help. */
static const struct verb *const *const files[] = {
    account_verbs, people_verbs, recv_verbs,   wait_verbs, history_verbs,
    search_verbs,  events_verbs, thread_verbs, file_verbs, private_verbs,
    admin_verbs,   user_verbs,   schema_verbs, rpc_verbs,
};
#define FILE_COUNT (sizeof files / sizeof files[0])

/* The verb at that place in the help; NULL after the last. */
static const struct verb *verb_at(size_t place) {
    for (size_t i = 0; i < FILE_COUNT; i++)
        for (const struct verb *const *verb = files[i]; *verb; verb++)
            if (place-- == 0)
                return *verb;
    return NULL;
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

const char *verb_nearest(const char *said) {
    const char *nearest = NULL;
    const struct verb *verb;
    size_t least = NEAREST_MAX + 1;
    for (size_t i = 0; (verb = verb_at(i)); i++) {
        size_t distance = word_distance(said, strlen(said), verb->name);
        if (distance < least) {
            least = distance;
            nearest = verb->name;
        }
    }
    return nearest;
}

static bool is_in_group(const struct verb *verb, const char *group) {
    size_t bytes = strlen(group);
    return strncmp(verb->name, group, bytes) == 0 && verb->name[bytes] == ' ';
}

bool verb_is_group(const char *first) {
    const struct verb *verb;
    size_t i = 0;
    while ((verb = verb_at(i)) && !is_in_group(verb, first))
        i++;
    return verb != NULL;
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
    const struct verb *verb;
    fputs("zmq-cli [OPTIONS] VERB ...   one verb of zchat, one result, for scripts\n\nverbs:\n",
          file);
    for (size_t i = 0; (verb = verb_at(i)); i++) {
        char head[40];
        if (group && !is_in_group(verb, group))
            continue;
        snprintf(head, sizeof head, "%s %s", verb->name, verb->words);
        fprintf(file, "  %-23s  ", head);
        option_print_wrapped(file, verb->help, 27);
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
