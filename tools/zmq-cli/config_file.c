/* What zmq-cli.conf says, as a list, so that the options of a context can be applied once it is
 * chosen. */
#include "config_file.h"

#include "common/option_file.h"

#include <stdlib.h>
#include <string.h>

#define CONTEXT_WORD "context"

struct reader {
    struct config_file *file; /* borrowed: from the caller */
    const char *context;      /* borrowed: from the file's text */
};

static bool add(struct reader *reader, enum option_id option, const char *value,
                char fault[OPTION_FAULT_BYTES]) {
    struct config_file *file = reader->file;
    struct config_entry *grown =
        realloc(file->entries, (file->entry_count + 1) * sizeof *file->entries);
    if (!grown) {
        snprintf(fault, OPTION_FAULT_BYTES, "finds no memory");
        return false;
    }
    file->entries = grown;
    file->entries[file->entry_count++] =
        (struct config_entry){.context = reader->context, .option = option, .value = value};
    return true;
}

/* A context without options exists, too: it is an entry without an option. */
static bool take_section(void *arg, char *line, char fault[OPTION_FAULT_BYTES]) {
    struct reader *reader = arg;
    size_t word = strcspn(line, " \t");
    reader->context = line + word + strspn(line + word, " \t");
    if (word != strlen(CONTEXT_WORD) || strncmp(line, CONTEXT_WORD, word) != 0)
        snprintf(fault, OPTION_FAULT_BYTES, "is no \"[context NAME]\"");
    else if (!reader->context[0])
        snprintf(fault, OPTION_FAULT_BYTES, "has no name");
    else
        return add(reader, OPTION_END, NULL, fault);
    return false;
}

static bool take_setting(void *arg, const struct option *option, const char *value,
                         char fault[OPTION_FAULT_BYTES]) {
    struct reader *reader = arg;
    struct options scratch = {0};
    if (option_id(option) == OPTION_CONTEXT && reader->context) {
        snprintf(fault, OPTION_FAULT_BYTES, "must stand before the first context");
        return false;
    }
    return options_set(&scratch, option, value, OPTION_FROM_FILE, fault) &&
           add(reader, option_id(option), value, fault);
}

enum status config_file_read(struct config_file *file, const char *path,
                             const struct output *output) {
    static const zchat_code codes[] = {[OPTION_FILE_READ] = ZCHAT_OK,
                                       [OPTION_FILE_FAULTY] = ZCHAT_INVALID,
                                       [OPTION_FILE_UNREADABLE] = ZCHAT_IO,
                                       [OPTION_FILE_NO_MEMORY] = ZCHAT_NO_MEMORY};
    struct reader reader = {.file = file};
    const struct option_file_sink sink = {
        .set = take_setting, .section = take_section, .arg = &reader};
    char error[OPTION_FILE_ERROR_BYTES];
    *file = (struct config_file){0};
    enum option_file_end end = option_file_read(&option_table, path, &sink, &file->text, error);
    if (end == OPTION_FILE_READ)
        return STATUS_DONE;
    return output_error(output, codes[end], 0, "%s", error);
}

static bool same_context(const char *a, const char *b) {
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool config_file_apply(const struct config_file *file, const char *context,
                       struct options *options) {
    bool found = !context;
    for (size_t i = 0; i < file->entry_count; i++) {
        const struct config_entry *entry = &file->entries[i];
        char fault[OPTION_FAULT_BYTES];
        if (!same_context(entry->context, context))
            continue;
        found = true;
        if (entry->option != OPTION_END)
            options_set(options, option_row(entry->option), entry->value,
                        context ? OPTION_FROM_CONTEXT : OPTION_FROM_FILE, fault);
    }
    return found;
}

void config_file_release(struct config_file *file) {
    free(file->entries);
    free(file->text);
    *file = (struct config_file){0};
}
