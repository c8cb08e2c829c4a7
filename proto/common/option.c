#include "common/option.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"

/* Two changes would leave nearly nothing of a name this short. */
#define SHORT_BYTES 4

#define HELP_COLUMN 30
#define LAST_COLUMN 78

/* ---- how far a word is from one that exists ----
 *
 * The usual table of distances (Damerau, Levenshtein), of which only three rows are kept. */

#define WORD_MAX 40

static size_t least_of(size_t a, size_t b) {
    return a < b ? a : b;
}

/* One row: `before` is the row above, `again` the one above that. */
static void fill_row(const char *typed, size_t at, const char *name, size_t name_bytes,
                     size_t rows[3][WORD_MAX + 1]) {
    size_t *again = rows[(at + 1) % 3], *before = rows[(at + 2) % 3], *row = rows[at % 3];
    row[0] = at;
    for (size_t i = 1; i <= name_bytes; i++) {
        size_t changed = before[i - 1] + (typed[at - 1] != name[i - 1]);
        row[i] = least_of(changed, least_of(before[i], row[i - 1]) + 1);
        if (at > 1 && i > 1 && typed[at - 1] == name[i - 2] && typed[at - 2] == name[i - 1])
            row[i] = least_of(row[i], again[i - 2] + 1);
    }
}

size_t word_distance(const char *typed, size_t typed_bytes, const char *name) {
    size_t rows[3][WORD_MAX + 1];
    size_t name_bytes = strlen(name);
    if (typed_bytes > WORD_MAX || name_bytes > WORD_MAX || typed_bytes <= NEAREST_MAX)
        return NEAREST_MAX + 1;
    for (size_t i = 0; i <= name_bytes; i++)
        rows[0][i] = i;
    for (size_t at = 1; at <= typed_bytes; at++)
        fill_row(typed, at, name, name_bytes, rows);
    return rows[typed_bytes % 3][name_bytes];
}

/* ---- options ---- */

static bool is_in_group(const struct option_table *table, const struct option *option) {
    return table->group == 0 || option->groups == 0 || (option->groups & table->group) != 0;
}

const struct option *option_find(const struct option_table *table, const char *name, size_t bytes) {
    for (size_t i = 0; i < table->count; i++) {
        const struct option *row = &table->rows[i];
        if (is_in_group(table, row) && strlen(row->name) == bytes &&
            memcmp(row->name, name, bytes) == 0)
            return row;
    }
    return NULL;
}

static const struct option *find_letter(const struct option_table *table, char letter) {
    for (size_t i = 0; i < table->count; i++)
        if (is_in_group(table, &table->rows[i]) && table->rows[i].letter == letter)
            return &table->rows[i];
    return NULL;
}

const struct option *option_nearest(const struct option_table *table, const char *name,
                                    size_t bytes) {
    const struct option *nearest = NULL;
    size_t least = bytes <= SHORT_BYTES ? 2 : NEAREST_MAX + 1;
    for (size_t i = 0; i < table->count; i++) {
        size_t distance = word_distance(name, bytes, table->rows[i].name);
        if (is_in_group(table, &table->rows[i]) && distance < least) {
            least = distance;
            nearest = &table->rows[i];
        }
    }
    return nearest;
}

/* ---- values ---- */

union value {
    bool flag;
    uint64_t number;
    double seconds;
    int choice;
};

static bool read_flag(const char *text, union value *value) {
    value->flag = strcmp(text, "yes") == 0;
    return value->flag || strcmp(text, "no") == 0;
}

static bool read_number(const struct option *option, const char *text, union value *value) {
    if (text[0] == '\0' || text[strspn(text, DIGITS)] != '\0')
        return false;
    errno = 0;
    value->number = strtoull(text, NULL, 10);
    double number = (double)value->number;
    return errno == 0 && number >= option->min && number <= option->max;
}

static bool read_seconds(const struct option *option, const char *text, union value *value) {
    char *end;
    if (text[0] == '\0' || text[strspn(text, DIGITS ".")] != '\0')
        return false;
    value->seconds = strtod(text, &end);
    return end != text && *end == '\0' && value->seconds >= option->min &&
           value->seconds <= option->max;
}

static bool read_choice(const struct option *option, const char *text, union value *value) {
    for (value->choice = 0; value->choice < OPTION_CHOICES_MAX; value->choice++) {
        const char *choice = option->choices[value->choice];
        if (choice && strcmp(choice, text) == 0)
            return true;
    }
    return false;
}

static bool read_value(const struct option *option, const char *text, union value *value) {
    switch (option->kind) {
    case OPTION_FLAG:
        return read_flag(text, value);
    case OPTION_TEXT:
        return option->fits ? option->fits(text) : text[0] != '\0';
    case OPTION_NUMBER:
        return read_number(option, text, value);
    case OPTION_SECONDS:
        return read_seconds(option, text, value);
    case OPTION_CHOICE:
        return read_choice(option, text, value);
    }
    return false;
}

static void store_number(const struct option *option, void *field, uint64_t number) {
    uint32_t narrow = (uint32_t)number;
    bool fits = option->field_bytes == sizeof number || option->field_bytes == sizeof narrow;
    assert(fits);
    if (option->field_bytes == sizeof number)
        memcpy(field, &number, sizeof number);
    else
        memcpy(field, &narrow, sizeof narrow);
}

static void store(const struct option *option, void *values, const char *text,
                  const union value *value) {
    void *field = (char *)values + option->field;
    switch (option->kind) {
    case OPTION_FLAG:
        memcpy(field, &value->flag, sizeof value->flag);
        break;
    case OPTION_TEXT:
        memcpy(field, &text, sizeof text);
        break;
    case OPTION_NUMBER:
        store_number(option, field, value->number);
        break;
    case OPTION_SECONDS:
        memcpy(field, &value->seconds, sizeof value->seconds);
        break;
    case OPTION_CHOICE:
        memcpy(field, &value->choice, sizeof value->choice);
        break;
    }
}

/* ---- what it takes, in words ---- */

static void list_choices(const struct option *option, const char *between, char *text,
                         size_t text_bytes) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < OPTION_CHOICES_MAX; i++)
        if (option->choices[i] && used < text_bytes)
            used += (size_t)snprintf(text + used, text_bytes - used, "%s%s", used ? between : "",
                                     option->choices[i]);
}

static void describe_number(const struct option *option, char *text, size_t text_bytes) {
    const char *kind = option->kind == OPTION_NUMBER ? "whole number" : "number";
    char range[64], unit[40] = "";
    if (option->max >= OPTION_NUMBER_MAX)
        snprintf(range, sizeof range, "from %.15g on", option->min);
    else
        snprintf(range, sizeof range, "from %.15g to %.15g", option->min, option->max);
    if (option->unit)
        snprintf(unit, sizeof unit, " (%s)", option->unit);
    snprintf(text, text_bytes, "a %s %s%s", kind, range, unit);
}

void option_describe(const struct option *option, char *text, size_t text_bytes) {
    if (option->takes)
        snprintf(text, text_bytes, "%s", option->takes);
    else if (option->kind == OPTION_FLAG)
        snprintf(text, text_bytes, "yes or no");
    else if (option->kind == OPTION_CHOICE)
        list_choices(option, " or ", text, text_bytes);
    else if (option->kind == OPTION_TEXT)
        snprintf(text, text_bytes, "a text");
    else
        describe_number(option, text, text_bytes);
}

bool option_set(const struct option *option, void *values, const char *text,
                char fault[OPTION_FAULT_BYTES]) {
    char takes[OPTION_FAULT_BYTES / 2];
    union value value = {0};
    if (read_value(option, text, &value)) {
        store(option, values, text, &value);
        return true;
    }
    option_describe(option, takes, sizeof takes);
    if (text[0] == '\0')
        snprintf(fault, OPTION_FAULT_BYTES, "wants %s, and must not be empty", takes);
    else
        snprintf(fault, OPTION_FAULT_BYTES, "wants %s, not \"%.64s\"", takes, text);
    return false;
}

void option_set_standards(const struct option_table *table, void *values) {
    char fault[OPTION_FAULT_BYTES];
    for (size_t i = 0; i < table->count; i++) {
        const struct option *row = &table->rows[i];
        bool fits = !row->standard || !is_in_group(table, row) ||
                    option_set(row, values, row->standard, fault);
        assert(fits);
    }
}

/* ---- argv and environment ---- */

struct reader {
    const struct option_table *table; /* borrowed from the caller, like all else */
    const struct option_sink *sink;
    char **next; /* the next argument; NULL behind the last */
    bool only_words;
    char *error;
};

/* Reports only the first thing that is wrong. */
__attribute__((format(printf, 2, 3))) static void complain(struct reader *reader,
                                                           const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (reader->error[0] == '\0')
        vsnprintf(reader->error, OPTION_FAULT_BYTES, format, arguments);
    va_end(arguments);
}

static void complain_of(struct reader *reader, const char *argument) {
    size_t bytes = strcspn(argument, "=");
    if (reader->sink->unknown && reader->error[0] == '\0')
        reader->sink->unknown(reader->sink->arg, argument);
    const struct option *nearest = NULL;
    if (bytes > 2 && argument[1] == '-')
        nearest = option_nearest(reader->table, argument + 2, bytes - 2);
    if (nearest)
        complain(reader, "%.*s is no option, did you mean --%s?", (int)(bytes < 64 ? bytes : 64),
                 argument, nearest->name);
    else
        complain(reader, "%.64s is no option; %s", argument, reader->table->hint);
}

static void set(struct reader *reader, const struct option *option, const char *text) {
    char fault[OPTION_FAULT_BYTES] = "";
    if (!reader->sink->set(reader->sink->arg, option, text, fault))
        complain(reader, "--%s %.960s", option->name, fault);
}

/* Whether the argument is one of the options, and so not a value of the option before it. */
static bool is_option(const struct reader *reader, const char *argument) {
    return reader->table->apart && strncmp(argument, "--", 2) == 0 &&
           option_find(reader->table, argument + 2, strcspn(argument + 2, "="));
}

/* `attached` is what stands behind "=" or the letter; NULL: nothing. */
static void take(struct reader *reader, const struct option *option, const char *attached) {
    bool flag = option->kind == OPTION_FLAG;
    if (flag && attached)
        complain(reader, "--%s takes no value", option->name);
    else if (flag)
        set(reader, option, "yes");
    else if (attached)
        set(reader, option, attached);
    else if (*reader->next && !is_option(reader, *reader->next))
        set(reader, option, *reader->next++);
    else
        complain(reader, "--%s needs a value%s%s", option->name, option->argument ? ": " : "",
                 option->argument ? option->argument : "");
}

static void read_long(struct reader *reader, const char *argument) {
    const char *name = argument + 2;
    size_t bytes = strcspn(name, "=");
    const struct option *option = option_find(reader->table, name, bytes);
    if (option)
        take(reader, option, name[bytes] ? name + bytes + 1 : NULL);
    else
        complain_of(reader, argument);
}

static void read_letters(struct reader *reader, const char *argument) {
    for (const char *letter = argument + 1; *letter; letter++) {
        const struct option *option = find_letter(reader->table, *letter);
        if (!option) {
            complain_of(reader, argument);
            return;
        }
        if (option->kind != OPTION_FLAG) {
            take(reader, option, letter[1] ? letter + 1 : NULL);
            return;
        }
        take(reader, option, NULL);
    }
}

static void read_word(struct reader *reader, const char *word) {
    char fault[OPTION_FAULT_BYTES] = "";
    if (!reader->sink->word)
        complain_of(reader, word);
    else if (!reader->sink->word(reader->sink->arg, word, !reader->only_words, fault))
        complain(reader, "%s", fault);
}

static void read_argument(struct reader *reader, const char *argument) {
    if (reader->only_words || argument[0] != '-' || argument[1] == '\0')
        read_word(reader, argument);
    else if (strcmp(argument, "--") == 0 && reader->sink->word)
        reader->only_words = true;
    else if (argument[1] == '-')
        read_long(reader, argument);
    else
        read_letters(reader, argument);
}

bool option_read_argv(const struct option_table *table, const struct option_sink *sink, char **argv,
                      char error[OPTION_FAULT_BYTES]) {
    struct reader reader = {.table = table, .sink = sink, .next = argv, .error = error};
    error[0] = '\0';
    while (*reader.next) {
        const char *argument = *reader.next++;
        read_argument(&reader, argument);
    }
    return error[0] == '\0';
}

bool option_read_environment(const struct option_table *table, const struct option_sink *sink,
                             char error[OPTION_FAULT_BYTES]) {
    char fault[OPTION_FAULT_BYTES] = "";
    for (size_t i = 0; i < table->count; i++) {
        const struct option *row = &table->rows[i];
        const char *text = row->environment ? getenv(row->environment) : NULL;
        if (text && text[0] && !sink->set(sink->arg, row, text, fault)) {
            snprintf(error, OPTION_FAULT_BYTES, "%s %.960s", row->environment, fault);
            return false;
        }
    }
    return true;
}

/* ---- help ---- */

void option_print_wrapped(FILE *file, const char *text, int indent) {
    int column = indent;
    while (*text) {
        size_t bytes = strcspn(text, " ");
        if (column + 1 + (int)bytes > LAST_COLUMN) {
            fprintf(file, "\n%*s", indent, "");
            column = indent;
        }
        column += fprintf(file, "%s%.*s", column > indent ? " " : "", (int)bytes, text);
        text += bytes + (text[bytes] == ' ');
    }
    fputc('\n', file);
}

static void format_argument(const struct option *option, char *text, size_t text_bytes) {
    text[0] = '\0';
    if (option->argument)
        snprintf(text, text_bytes, "%s", option->argument);
    else if (option->kind == OPTION_CHOICE)
        list_choices(option, "|", text, text_bytes);
    else if (option->kind == OPTION_NUMBER || option->kind == OPTION_SECONDS)
        snprintf(text, text_bytes, "%.15g..%.15g%s%s", option->min, option->max,
                 option->unit ? " " : "", option->unit ? option->unit : "");
}

static void format_head(const struct option *option, const char *no_letter, char *head,
                        size_t head_bytes) {
    char letter[5], argument[64];
    snprintf(letter, sizeof letter, "%s", no_letter);
    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    format_argument(option, argument, sizeof argument);
    snprintf(head, head_bytes, "  %s--%s%s%s", letter, option->name, argument[0] ? " " : "",
             argument);
}

/* Writes " (default 60, HUP); $ZCHAT_X", or those parts of it that the option has. */
static void format_notes(const struct option *option, const char *note, char *text,
                         size_t text_bytes) {
    const char *standard = option->standard && option->standard[0] ? option->standard : NULL;
    int used =
        snprintf(text, text_bytes, "%s%s%s%s%s%s", standard || note ? " (" : "",
                 standard ? "default " : "", standard ? standard : "", standard && note ? ", " : "",
                 note ? note : "", standard || note ? ")" : "");
    if (option->environment)
        snprintf(text + used, text_bytes - (size_t)used, "; $%s", option->environment);
}

void option_print_help(const struct option *option, const char *note, FILE *file) {
    char head[128], notes[128], help[OPTION_FAULT_BYTES];
    format_head(option, "    ", head, sizeof head);
    format_notes(option, note, notes, sizeof notes);
    snprintf(help, sizeof help, "%s%s%s%s", option->help, option->more ? "; " : "",
             option->more ? option->more : "", notes);
    fprintf(file, "%-*s", HELP_COLUMN, head);
    if (strlen(head) >= HELP_COLUMN)
        fprintf(file, "\n%*s", HELP_COLUMN, "");
    option_print_wrapped(file, help, HELP_COLUMN);
}

int option_head_bytes(const struct option *option) {
    char head[128];
    format_head(option, "", head, sizeof head);
    return (int)strlen(head);
}

void option_print_brief(const struct option *option, int head_bytes, FILE *file) {
    char head[128], notes[128], help[OPTION_FAULT_BYTES];
    format_head(option, "", head, sizeof head);
    format_notes(option, NULL, notes, sizeof notes);
    snprintf(help, sizeof help, "%s%s", option->help, notes);
    fprintf(file, "%-*s  ", head_bytes, head);
    option_print_wrapped(file, help, head_bytes + 2);
}

void option_print_all(const struct option_table *table, FILE *file) {
    for (size_t i = 0; i < table->count; i++) {
        const struct option *row = &table->rows[i];
        if (is_in_group(table, row))
            option_print_help(row, row->traits & table->noted ? table->note : NULL, file);
    }
}
