/* Near is a word that differs in a letter or two, or begins with what was typed. */
#include "nearest.h"

#include <string.h>

#define SHORTEST_BEGINNING 3
#define SHORT_BYTES        4 /* two changes would leave nearly nothing of a name this short */
#define NEVER              (NEAREST_MAX + 1)

/* In how many letters a name differs from what was typed; nothing is nearer than what begins with
 * it. */
static size_t how_far(const char *typed, size_t bytes, const char *name) {
    size_t distance = word_distance(typed, bytes, name);
    if (bytes <= SHORT_BYTES && distance > 1)
        distance = NEVER;
    if (bytes >= SHORTEST_BEGINNING && strncmp(typed, name, bytes) == 0)
        distance = 0;
    return distance;
}

/* ---- verbs ---- */

static const struct verb *find_nearest_verb(const char *said) {
    const struct verb *nearest = NULL, *verb;
    size_t least = NEVER;
    for (size_t i = 0; (verb = verb_at(i)); i++) {
        size_t distance = how_far(said, strlen(said), verb->name);
        if (distance < least) {
            least = distance;
            nearest = verb;
        }
    }
    return nearest;
}

/* A verb of two words whose second one is at most so far from what was typed. */
static const struct verb *find_second_word(const char *said, size_t most) {
    const struct verb *verb;
    for (size_t i = 0; (verb = verb_at(i)); i++)
        if (strchr(verb->name, ' ') && how_far(said, strlen(said), verb_last_word(verb)) <= most)
            break;
    return verb;
}

/* The first word of a verb of two words that is near. */
static const struct verb *find_first_word(const char *said) {
    const struct verb *verb;
    for (size_t i = 0; (verb = verb_at(i)); i++) {
        char first[32];
        snprintf(first, sizeof first, "%.*s", (int)strcspn(verb->name, " "), verb->name);
        if (verb_begins_with(verb, first) && how_far(said, strlen(said), first) <= NEAREST_MAX)
            break;
    }
    return verb;
}

/* "create, list, post": what may follow the first word. */
static void list_seconds(const char *first, char *text, size_t text_bytes) {
    const struct verb *verb;
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; (verb = verb_at(i)); i++)
        if (verb_begins_with(verb, first) && used < text_bytes)
            used += (size_t)snprintf(text + used, text_bytes - used, "%s%s", used ? ", " : "",
                                     verb_last_word(verb));
}

/* After a first word that exists: the second one is wrong. */
static void tell_second(const char *first, const char *said, char fault[OPTION_FAULT_BYTES]) {
    char seconds[OPTION_FAULT_BYTES / 4];
    const struct verb *verb = find_nearest_verb(said);
    list_seconds(first, seconds, sizeof seconds);
    if (verb)
        snprintf(fault, OPTION_FAULT_BYTES, "there is no verb \"%s\", did you mean %s?", said,
                 verb->name);
    else
        snprintf(fault, OPTION_FAULT_BYTES, "there is no verb \"%s\"; after %s comes one of %s",
                 said, first, seconds);
}

void nearest_verb(const char *first, const char *second, char fault[OPTION_FAULT_BYTES]) {
    char said[OPTION_FAULT_BYTES / 4], meant[64] = "";
    snprintf(said, sizeof said, "%s%s%s", first, second ? " " : "", second ? second : "");
    if (verb_is_pair(first)) {
        tell_second(first, said, fault);
        return;
    }
    const struct verb *verb = second ? find_nearest_verb(said) : NULL;
    if (!verb)
        snprintf(said, sizeof said, "%s", first);
    if (verb || (verb = find_second_word(first, 0)) || (verb = find_nearest_verb(first)))
        snprintf(meant, sizeof meant, "%s", verb->name);
    else if ((verb = find_first_word(first)))
        snprintf(meant, sizeof meant, "%.*s", (int)strcspn(verb->name, " "), verb->name);
    else if ((verb = find_second_word(first, NEAREST_MAX)))
        snprintf(meant, sizeof meant, "%s", verb->name);
    snprintf(fault, OPTION_FAULT_BYTES, "there is no verb \"%s\"%s%s%s", said,
             verb ? ", did you mean " : "", meant, verb ? "?" : "");
}

/* ---- options ---- */

/* The nearest of the options that the verb takes, or of all if that is NULL. */
static enum option_id find_nearest_option(const struct verb *verb, const char *name, size_t bytes) {
    enum option_id nearest = OPTION_END;
    size_t least = NEVER;
    for (enum option_id id = 0; id < OPTION_END; id++) {
        size_t distance = how_far(name, bytes, option_row(id)->name);
        if (distance < least && (!verb || verb_takes(verb, id))) {
            least = distance;
            nearest = id;
        }
    }
    return nearest;
}

/* "recv, wait": the verbs that the option goes with, three of them. */
static void list_verbs(enum option_id id, char *text, size_t text_bytes) {
    const struct verb *verb;
    size_t used = 0, count = 0;
    text[0] = '\0';
    for (size_t i = 0; (verb = verb_at(i)) && count < 3; i++) {
        if (!verb_takes(verb, id) || used >= text_bytes)
            continue;
        used +=
            (size_t)snprintf(text + used, text_bytes - used, "%s%s", count ? ", " : "", verb->name);
        count++;
    }
}

void nearest_option(const struct verb *verb, const char *argument, char fault[OPTION_FAULT_BYTES]) {
    size_t bytes = strcspn(argument, "=");
    int shown = bytes < 64 ? (int)bytes : 64;
    char verbs[OPTION_FAULT_BYTES / 4];
    enum option_id own = OPTION_END, any = OPTION_END;
    if (bytes > 2 && argument[1] == '-') {
        own = find_nearest_option(verb, argument + 2, bytes - 2);
        any = find_nearest_option(NULL, argument + 2, bytes - 2);
    }
    if (own != OPTION_END) {
        snprintf(fault, OPTION_FAULT_BYTES, "%.*s is no option, did you mean --%s?", shown,
                 argument, option_row(own)->name);
    } else if (any != OPTION_END) {
        list_verbs(any, verbs, sizeof verbs);
        snprintf(fault, OPTION_FAULT_BYTES, "%.*s is no option; --%s goes with %s, not with %s",
                 shown, argument, option_row(any)->name, verbs, verb->name);
    } else {
        snprintf(fault, OPTION_FAULT_BYTES, "%.64s is no option; %s", argument, option_table.hint);
    }
}

void nearest_of_verb(const struct verb *verb, enum option_id id, char fault[OPTION_FAULT_BYTES]) {
    const char *name = option_row(id)->name;
    char verbs[OPTION_FAULT_BYTES / 4];
    enum option_id near = find_nearest_option(verb, name, strlen(name));
    list_verbs(id, verbs, sizeof verbs);
    snprintf(fault, OPTION_FAULT_BYTES, "%s has no option --%s, which goes with %s", verb->name,
             name, verbs);
    size_t used = strlen(fault);
    if (near != OPTION_END)
        snprintf(fault + used, OPTION_FAULT_BYTES - used, "; did you mean --%s?",
                 option_row(near)->name);
}
