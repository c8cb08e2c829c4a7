/* Taking argv apart. getopt is not used: it knows no verbs, and names no option that is near. */
#include "command_line.h"

#include "common/nearest.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct command_line *line; /* borrowed: from the caller */
    struct options *options;   /* borrowed: from the caller */
    char **next;               /* the next argument; NULL after the last */
    bool only_words;
};

__attribute__((format(printf, 2, 3))) static void complain(struct command_line *line,
                                                           const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (!line->complaint[0])
        vsnprintf(line->complaint, sizeof line->complaint, format, arguments);
    va_end(arguments);
}

static bool verb_takes(const struct verb *verb, enum option_id id) {
    return id < OPTION_GLOBAL_COUNT || verb_has_option(verb, id);
}

/* Of the options that the verb takes; before a verb was said of all. OPTION_END: none is near. */
static enum option_id find_nearest(const struct command_line *line, const char *name,
                                   size_t bytes) {
    enum option_id nearest = OPTION_END;
    size_t least = NEAREST_MAX + 1;
    for (enum option_id id = 0; id < OPTION_END; id++) {
        if (line->verb && !verb_takes(line->verb, id))
            continue;
        size_t distance = word_distance(name, bytes, option_row(id)->name);
        if (distance < least) {
            least = distance;
            nearest = id;
        }
    }
    return nearest;
}

static void complain_of(struct command_line *line, const char *name, size_t bytes) {
    enum option_id nearest = find_nearest(line, name, bytes);
    if (nearest == OPTION_END)
        complain(line, "there is no option --%.*s; put -- before a text that begins with a dash",
                 (int)bytes, name);
    else
        complain(line, "there is no option --%.*s, the nearest is --%s", (int)bytes, name,
                 option_row(nearest)->name);
}

static void set(struct reader *reader, enum option_id id, const char *text) {
    const char *wrong;
    if (!option_set(reader->options, id, text, OPTION_FROM_FLAG, &wrong))
        complain(reader->line, "--%s %s, not \"%s\"", option_row(id)->name, wrong, text);
}

/* An option that needs a value takes it from the same argument, or else is the next one. */
static void set_valued(struct reader *reader, enum option_id id, const char *text) {
    if (!text && *reader->next)
        text = *reader->next++;
    if (text)
        set(reader, id, text);
    else
        complain(reader->line, "--%s needs a value", option_row(id)->name);
}

static void read_long(struct reader *reader, const char *argument) {
    size_t bytes = strcspn(argument, "=");
    const char *text = argument[bytes] ? argument + bytes + 1 : NULL;
    enum option_id id = option_find(argument, bytes);
    if (id == OPTION_END)
        complain_of(reader->line, argument, bytes);
    else if (option_row(id)->type != OPTION_FLAG)
        set_valued(reader, id, text);
    else if (text)
        complain(reader->line, "--%s takes no value", option_row(id)->name);
    else
        set(reader, id, "yes");
}

static void read_letters(struct reader *reader, const char *letters) {
    for (; *letters; letters++) {
        enum option_id id = option_find_letter(*letters);
        if (id == OPTION_END) {
            complain(reader->line,
                     "there is no option -%c; put -- before a text that begins with a dash",
                     *letters);
            return;
        }
        if (option_row(id)->type != OPTION_FLAG) {
            set_valued(reader, id, letters[1] ? letters + 1 : NULL);
            return;
        }
        set(reader, id, "yes");
    }
}

/* Whether --id was said instead of a word, by which the words of the verb are fewer. */
static int words_spared(const struct command_line *line, const struct options *options) {
    return line->verb->id_for_word && option_is_set(options, OPTION_ID);
}

static void complain_of_verb(struct command_line *line, const char *word) {
    char said[COMPLAINT_BYTES / 2];
    snprintf(said, sizeof said, "%s%s%s", line->group ? line->group : "", line->group ? " " : "",
             word);
    const char *nearest = verb_nearest(said);
    complain(line, "there is no verb \"%s\"%s%s", said, nearest ? ", the nearest is " : "",
             nearest ? nearest : "");
}

static void read_verb(struct command_line *line, const char *word) {
    if (!line->group && verb_is_group(word)) {
        line->group = word;
        return;
    }
    line->verb = line->group ? verb_find(line->group, word) : verb_find(word, NULL);
    if (!line->verb)
        complain_of_verb(line, word);
}

static void read_word(struct reader *reader, const char *word) {
    struct command_line *line = reader->line;
    if (!line->verb) {
        read_verb(line, word);
        return;
    }
    line->words[line->word_count++] = word;
    line->plain_count += !reader->only_words;
}

static void read_argument(struct reader *reader, const char *argument) {
    if (reader->only_words || argument[0] != '-' || argument[1] == 0)
        read_word(reader, argument);
    else if (strcmp(argument, "--") == 0)
        reader->only_words = true;
    else if (argument[1] == '-')
        read_long(reader, argument + 2);
    else
        read_letters(reader, argument + 1);
}

static void check(struct command_line *line, const struct options *options) {
    const struct verb *verb = line->verb;
    if (!verb) {
        complain(line, line->group ? "%s what?" : "no verb was given", line->group);
        return;
    }
    int spared = words_spared(line, options);
    for (enum option_id id = 0; id < OPTION_END; id++)
        if (option_is_set(options, id) && !verb_takes(verb, id))
            complain(line, "%s has no option --%s", verb->name, option_row(id)->name);
    if (line->word_count < verb->words_min - spared || line->word_count > verb->words_max - spared)
        complain(line, "usage: zmq-cli %s%s%s", verb->name, verb->words[0] ? " " : "", verb->words);
}

void command_line_read(struct command_line *line, struct options *options, int argc, char **argv) {
    *line = (struct command_line){0};
    line->words = calloc((size_t)argc + 1, sizeof *line->words);
    if (!line->words) {
        complain(line, "there is not enough memory");
        return;
    }
    struct reader reader = {.line = line, .options = options, .next = argv + (argc > 0)};
    while (*reader.next) {
        const char *argument = *reader.next++;
        read_argument(&reader, argument);
    }
    check(line, options);
}

void command_line_release(struct command_line *line) {
    free(line->words);
    *line = (struct command_line){0};
}
