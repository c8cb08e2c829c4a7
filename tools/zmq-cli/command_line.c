/* The verb and its words, and options between them. */
#include "command_line.h"

#include "nearest.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct command_line *line; /* borrowed: from the caller */
    struct options *options;   /* borrowed: from the caller */
};

static bool take_option(void *arg, const struct option *option, const char *text,
                        char fault[OPTION_FAULT_BYTES]) {
    struct reader *reader = arg;
    if (option_id(option) == OPTION_SETTING)
        reader->line->settings[reader->line->setting_count++] = text;
    return options_set(reader->options, option, text, OPTION_FROM_FLAG, fault);
}

/* How many words the verb needs less, because --id was given instead of one, or because there is no
 * TEXT. */
static int words_spared(const struct command_line *line, const struct options *options) {
    return (line->verb->id_for_word && option_is_set(options, OPTION_ID)) ||
           option_is_set(options, OPTION_RETRACTS);
}

/* What was meant is told at the end, when all of it is known. */
static bool take_stray(struct command_line *line, const char *word,
                       char fault[OPTION_FAULT_BYTES]) {
    const char *first = line->group ? line->group : word;
    if (line->complaint[0])
        return true;
    line->stray[0] = first;
    line->stray[1] = line->group ? word : NULL;
    snprintf(fault, OPTION_FAULT_BYTES, "there is no verb \"%.64s\"", word);
    return false;
}

static bool take_verb(struct command_line *line, const char *word, char fault[OPTION_FAULT_BYTES]) {
    if (line->stray[0]) {
        line->stray[1] = line->stray[1] ? line->stray[1] : word;
        return true;
    }
    if (!line->group && verb_is_pair(word)) {
        line->group = word;
        return true;
    }
    line->verb = line->group ? verb_find(line->group, word) : verb_find(word, NULL);
    return line->verb || take_stray(line, word, fault);
}

static bool take_word(void *arg, const char *word, bool plain, char fault[OPTION_FAULT_BYTES]) {
    struct command_line *line = ((struct reader *)arg)->line;
    if (!line->verb)
        return take_verb(line, word, fault);
    line->words[line->word_count++] = word;
    line->plain_count += plain;
    return true;
}

static void note_unknown(void *arg, const char *argument) {
    ((struct reader *)arg)->line->unknown = argument;
}

__attribute__((format(printf, 2, 3))) static void complain(struct command_line *line,
                                                           const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (!line->complaint[0])
        vsnprintf(line->complaint, sizeof line->complaint, format, arguments);
    va_end(arguments);
}

/* Whether the first thing that is wrong is a mistyped word; tells what was probably meant. */
static bool complain_of_nearest(struct command_line *line) {
    if (line->unknown)
        nearest_option(line->verb, line->unknown, line->complaint);
    else if (line->stray[0])
        nearest_verb(line->stray[0], line->stray[1], line->complaint);
    return line->complaint[0] != '\0';
}

static void check_options(struct command_line *line, const struct options *options) {
    for (enum option_id id = 0; id < OPTION_END && !line->complaint[0]; id++)
        if (option_is_set(options, id) && !verb_takes(line->verb, id))
            nearest_of_verb(line->verb, id, line->complaint);
}

static void check(struct command_line *line, const struct options *options) {
    const struct verb *verb = line->verb;
    if (complain_of_nearest(line))
        return;
    if (!verb) {
        complain(line, line->group ? "%s what?" : "no verb was given", line->group);
        return;
    }
    int spared = words_spared(line, options);
    check_options(line, options);
    if (line->word_count < verb->words_min - spared || line->word_count > verb->words_max - spared)
        complain(line, "usage: zmq-cli %s%s%s", verb->name, verb->words[0] ? " " : "", verb->words);
}

static bool pass_option(void *arg, const struct option *option, const char *text,
                        char fault[OPTION_FAULT_BYTES]) {
    (void)arg, (void)option, (void)text, (void)fault;
    return true;
}

static bool find_group(void *arg, const char *word, bool plain, char fault[OPTION_FAULT_BYTES]) {
    unsigned *group = arg;
    (void)plain, (void)fault;
    if (*group == 0) {
        const struct verb *verb = verb_find(word, NULL);
        *group = verb && verb->option_group ? verb->option_group : OPTION_GROUP_CHAT;
    }
    return true;
}

/* Which options there are depends on the verb, which may stand behind some of them. A letter of two
 * options takes a value in both groups, so the verb is found without knowing which it is. */
static unsigned group_of_verb(char **argv) {
    char error[OPTION_FAULT_BYTES] = "";
    unsigned group = 0;
    const struct option_sink sink = {.set = pass_option, .word = find_group, .arg = &group};
    option_read_argv(&option_table, &sink, argv, error);
    return group ? group : OPTION_GROUP_CHAT;
}

void command_line_read(struct command_line *line, struct options *options, int argc, char **argv) {
    *line = (struct command_line){0};
    line->words = calloc((size_t)argc + 1, sizeof *line->words);
    line->settings = calloc((size_t)argc + 1, sizeof *line->settings);
    if (!line->words || !line->settings) {
        complain(line, "there is not enough memory");
        return;
    }
    struct reader reader = {.line = line, .options = options};
    const struct option_sink sink = {
        .set = take_option, .word = take_word, .unknown = note_unknown, .arg = &reader};
    struct option_table table = option_table;
    table.group = group_of_verb(argv + (argc > 0));
    option_read_argv(&table, &sink, argv + (argc > 0), line->complaint);
    check(line, options);
}

void command_line_release(struct command_line *line) {
    free(line->words);
    free(line->settings);
    *line = (struct command_line){0};
}
