/* Each page begins with its usage and with examples. The short one must fit a screen, which a test
 * checks for every verb; what does not fit there is in `more` of its row. */
#include "help.h"

#include "nearest.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_COLUMN 12
#define ABOUT_COLUMN 30

static const char *const program_examples[] = {
    "zmq-cli --trust-new --password-file bot.password register bot",
    "zmq-cli --user bot send alice the build is red",
    "zmq-cli --user bot recv --ack --json",
    NULL,
};

static const char exits[] =
    "exit status: 0 done, 1 other failure, 2 usage, 3 no connection or I/O, 4 login,\n"
    "5 not found, 6 forbidden, 7 conflict, 8 busy, 124 timed out, 130 interrupted;\n"
    "when --timeout is over: 3 without a connection to the broker, else 124\n";

static const char precedence[] =
    "a flag beats the environment, which beats the --context, which beats the rest\n"
    "of zmq-cli.conf\n";

static void print_examples(const char *const *examples, FILE *file) {
    fputs("examples:\n", file);
    for (; examples && *examples; examples++)
        fprintf(file, "  %s\n", *examples);
}

/* ---- options ---- */

static void print_option_list(const enum option_id *ids, size_t count, bool full, FILE *file) {
    int head_bytes = 0;
    for (size_t i = 0; i < count; i++)
        if (option_head_bytes(option_row(ids[i])) > head_bytes)
            head_bytes = option_head_bytes(option_row(ids[i]));
    for (size_t i = 0; i < count; i++)
        if (full)
            option_print_help(option_row(ids[i]), NULL, file);
        else
            option_print_brief(option_row(ids[i]), head_bytes, file);
}

static void print_global_options(bool full, FILE *file) {
    enum option_id ids[OPTION_GLOBAL_COUNT];
    for (enum option_id id = 0; id < OPTION_GLOBAL_COUNT; id++)
        ids[id] = id;
    fputs("options of every verb, anywhere before --:\n", file);
    print_option_list(ids, OPTION_GLOBAL_COUNT, full, file);
}

static void print_own_options(const struct verb *verb, bool full, FILE *file) {
    size_t count = 0;
    while (verb->options && verb->options[count] != OPTION_END)
        count++;
    if (count == 0)
        return;
    fputs("\noptions of this verb:\n", file);
    print_option_list(verb->options, count, full, file);
}

/* ---- pages ---- */

static void print_exits_of(const struct verb *verb, FILE *file) {
    static const char heading[] = "exit status here: ";
    if (!verb->exits)
        return;
    fputs(heading, file);
    option_print_wrapped(file, verb->exits, (int)strlen(heading));
}

static void print_verb(const struct verb *verb, bool full, FILE *file) {
    const char *blank = verb->words[0] ? " " : "";
    fprintf(file, "zmq-cli [OPTIONS] %s%s%s\n", verb->name, blank, verb->words);
    if (verb->classic)
        fprintf(file, "classic name: %s\n", verb->classic);
    print_examples(verb->examples, file);
    fputs("\n", file);
    option_print_wrapped(file, verb->help, 0);
    if (full && verb->more)
        option_print_wrapped(file, verb->more, 0);
    print_own_options(verb, full, file);
    fputs("\n", file);
    print_exits_of(verb, file);
    if (full) {
        fputs("\n", file);
        print_global_options(full, file);
        fprintf(file, "\n%s%s", precedence, exits);
    } else {
        fprintf(file, "in full: zmq-cli %s --help -v; also help options, help status\n",
                verb->name);
    }
}

/* A verb in a list: its words, and what it does, up to the first semicolon. */
static void print_row(const struct verb *verb, FILE *file) {
    char head[64], about[256];
    snprintf(head, sizeof head, "  %s%s%s", verb->name, verb->words[0] ? " " : "", verb->words);
    snprintf(about, sizeof about, "%.*s", (int)strcspn(verb->help, ";"), verb->help);
    fprintf(file, "%-*s  ", ABOUT_COLUMN - 2, head);
    option_print_wrapped(file, about, ABOUT_COLUMN);
}

static void print_list(const struct verb_group *group, const char *first, FILE *file) {
    const struct verb *verb;
    fprintf(file, "zmq-cli [OPTIONS] VERB ...%s%s\n\n", group ? "   " : "",
            group ? group->about : "");
    for (size_t i = 0; (verb = verb_at(i)); i++)
        if (group ? verb_is_of(verb, group) : verb_begins_with(verb, first))
            print_row(verb, file);
    fputs("\nexamples and options of a verb: zmq-cli help VERB\n", file);
}

/* "thread create|list|post": verbs that begin with the same word are one. */
static void print_group(const struct verb_group *group, FILE *file) {
    char verbs[512] = "", first[32] = "";
    const struct verb *verb;
    size_t used = 0;
    for (size_t i = 0; (verb = verb_at(i)); i++) {
        if (!verb_is_of(verb, group) || used >= sizeof verbs)
            continue;
        bool same = first[0] && verb_begins_with(verb, first);
        used += (size_t)snprintf(verbs + used, sizeof verbs - used, "%s%s",
                                 same   ? "|"
                                 : used ? ", "
                                        : "",
                                 same ? verb_last_word(verb) : verb->name);
        snprintf(first, sizeof first, "%.*s", (int)strcspn(verb->name, " "), verb->name);
    }
    fprintf(file, "  %-*s", GROUP_COLUMN - 2, group->name);
    option_print_wrapped(file, verbs, GROUP_COLUMN);
}

static void print_program(bool full, FILE *file) {
    const struct verb_group *group;
    fputs("zmq-cli [OPTIONS] VERB ...   one verb of zchat, one result, for scripts\n", file);
    print_examples(program_examples, file);
    fputs("\nverbs, by group:\n", file);
    for (size_t i = 0; (group = verb_group_at(i)); i++)
        print_group(group, file);
    fputs("\nmore: zmq-cli help VERB, help GROUP, help options, help status\n"
          "(in full with -v, as JSON with --json; VERB --help is the same)\n",
          file);
    if (full) {
        fputs("\n", file);
        print_global_options(full, file);
        fprintf(file, "\n%s%s", precedence, exits);
    }
}

static void print_options(bool full, FILE *file) {
    print_global_options(full, file);
    fprintf(file, "\n%s", precedence);
}

/* Prints it as one text, so that a failed write is noticed. */
struct page {
    FILE *memory;
    char *text;
    size_t bytes;
};

static bool page_open(struct page *page) {
    *page = (struct page){0};
    page->memory = open_memstream(&page->text, &page->bytes);
    return page->memory != NULL;
}

static enum status page_print(struct page *page, struct output *output) {
    if (fclose(page->memory) == 0)
        output_text(output, page->text);
    free(page->text);
    return output_flush(output);
}

enum status help_print(const struct command_line *line, bool full, struct output *output) {
    struct page page;
    if (!page_open(&page))
        return output_error(output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
    if (line->verb)
        print_verb(line->verb, full, page.memory);
    else if (line->group)
        print_list(NULL, line->group, page.memory);
    else
        print_program(full, page.memory);
    return page_print(&page, output);
}

/* ---- help, the verb ---- */

static json_t *value_examples(const struct verb *verb) {
    json_t *list = json_array();
    for (const char *const *example = verb->examples; example && *example; example++)
        json_array_append_new(list, json_string(*example));
    return list;
}

static json_t *value_options(const struct verb *verb) {
    json_t *list = json_array();
    for (const enum option_id *id = verb->options; id && *id != OPTION_END; id++) {
        const struct option *row = option_row(*id);
        char letter[2] = {row->letter, '\0'};
        json_array_append_new(list, json_pack("{s:s, s:s?, s:s?, s:s}", "option", row->name,
                                              "letter", row->letter ? letter : NULL, "argument",
                                              row->argument, "help", row->help));
    }
    return list;
}

static enum status print_object(const struct verb *verb, struct output *output) {
    const struct verb_group *group = verb_group_at(0);
    for (size_t i = 1; !verb_is_of(verb, group); i++) /* each verb is in one */
        group = verb_group_at(i);
    return output_object(output,
                         json_pack("{s:s, s:s, s:s?, s:s, s:s, s:o, s:o}", "verb", verb->name,
                                   "group", group->name, "classic", verb->classic, "words",
                                   verb->words, "help", verb->help, "options", value_options(verb),
                                   "examples", value_examples(verb)));
}

/* What the words ask for; all NULL: the program. */
struct subject {
    const struct verb *verb;
    const struct verb_group *group;
    const char *first; /* the first word of verbs of two words */
    void (*topic)(bool full, FILE *file);
};

static void print_exits(bool full, FILE *file) {
    (void)full;
    fputs(exits, file);
}

static bool find_subject(const struct command_line *line, struct subject *subject) {
    const char *first = line->word_count > 0 ? line->words[0] : NULL;
    const char *second = line->word_count > 1 ? line->words[1] : NULL;
    *subject = (struct subject){0};
    if (!first)
        return true;
    subject->verb = verb_find(first, second);
    if (subject->verb || second)
        return subject->verb;
    if (strcmp(first, "options") == 0)
        subject->topic = print_options;
    else if (strcmp(first, "status") == 0)
        subject->topic = print_exits;
    else if (!(subject->group = verb_group_find(first)) && verb_is_pair(first))
        subject->first = first;
    return subject->topic || subject->group || subject->first;
}

static bool is_wanted(const struct subject *subject, const struct verb *verb) {
    if (subject->verb)
        return verb == subject->verb;
    if (subject->group)
        return verb_is_of(verb, subject->group);
    return !subject->first || verb_begins_with(verb, subject->first);
}

static enum status print_objects(const struct subject *subject, struct output *output) {
    const struct verb *verb;
    enum status status = STATUS_DONE;
    for (size_t i = 0; (verb = verb_at(i)) && status == STATUS_DONE; i++)
        if (is_wanted(subject, verb))
            status = print_object(verb, output);
    return status == STATUS_DONE ? output_flush(output) : status;
}

static enum status print_subject(const struct subject *subject, bool full, struct output *output) {
    struct page page;
    if (!page_open(&page))
        return output_error(output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
    if (subject->verb)
        print_verb(subject->verb, full, page.memory);
    else if (subject->topic)
        subject->topic(full, page.memory);
    else if (subject->group || subject->first)
        print_list(subject->group, subject->first, page.memory);
    else
        print_program(full, page.memory);
    return page_print(&page, output);
}

enum status help_run(const struct command_line *line, bool full, struct output *output) {
    struct subject subject;
    char fault[OPTION_FAULT_BYTES];
    if (!find_subject(line, &subject)) {
        nearest_verb(line->words[0], line->word_count > 1 ? line->words[1] : NULL, fault);
        return output_error(output, ZCHAT_INVALID, 0, "%s", fault);
    }
    if (output->json && !subject.topic)
        return print_objects(&subject, output);
    return print_subject(&subject, full, output);
}

const struct verb help_verb = {
    .name = "help",
    .words = "[VERB|GROUP|options|status]",
    .words_max = 2,
    .examples = VERB_EXAMPLES("zmq-cli help recv", "zmq-cli help thread", "zmq-cli help --json"),
    .help = "show what a verb does, with examples",
    .more = "with --json each verb is an object with its words, options and examples",
};
