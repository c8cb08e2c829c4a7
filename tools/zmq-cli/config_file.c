/* Reading zmq-cli.conf: the text is cut up in place, and every line is checked, even those of other
 * contexts, so that a mistake shows before the line is needed. */
#include "config_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_BYTES_MAX  (256 * 1024) /* nobody writes so much by hand */
#define CONTEXT_PREFIX  "[context "
#define BYTE_ORDER_MARK "\xEF\xBB\xBF" /* some editors put it in front of UTF-8 */

struct reader {
    struct config_file *file; /* borrowed: from the caller */
    const char *path;         /* borrowed: from the caller */
    size_t line;
    const char *context;         /* borrowed: from the file's text */
    const struct output *output; /* borrowed: from the caller */
};

static char *trimmed(char *text) {
    text += strspn(text, " \t");
    size_t bytes = strlen(text);
    while (bytes > 0 && strchr(" \t\r", text[bytes - 1]))
        text[--bytes] = 0;
    return text;
}

static enum status complain(const struct reader *reader, const char *what, const char *why) {
    return output_error(reader->output, ZCHAT_INVALID, 0, "%s:%zu: %s %s", reader->path,
                        reader->line, what, why);
}

static enum status add(struct reader *reader, enum option_id option, const char *value) {
    struct config_file *file = reader->file;
    struct config_entry *grown =
        realloc(file->entries, (file->entry_count + 1) * sizeof *file->entries);
    if (!grown)
        return output_error(reader->output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
    file->entries = grown;
    file->entries[file->entry_count++] =
        (struct config_entry){.context = reader->context, .option = option, .value = value};
    return STATUS_DONE;
}

/* A context without options exists, too: it is an entry without an option. */
static enum status read_section(struct reader *reader, char *line) {
    size_t bytes = strlen(line), prefix = strlen(CONTEXT_PREFIX);
    if (strncmp(line, CONTEXT_PREFIX, prefix) != 0 || line[bytes - 1] != ']')
        return complain(reader, line, "is no \"[context NAME]\"");
    line[bytes - 1] = 0;
    reader->context = trimmed(line + prefix);
    if (!reader->context[0])
        return complain(reader, "the context", "has no name");
    return add(reader, OPTION_END, NULL);
}

static enum status read_setting(struct reader *reader, char *line) {
    char *equals = strchr(line, '=');
    if (!equals)
        return complain(reader, line, "is no \"key = value\"");
    *equals = 0;
    const char *key = trimmed(line), *value = trimmed(equals + 1);
    const struct option *option = option_find(&option_table, key, strlen(key));
    if (!option || !option->in_file)
        return complain(reader, key, "is no key of this file");
    if (option_id(option) == OPTION_CONTEXT && reader->context)
        return complain(reader, key, "must stand before the first context");
    struct options scratch = {0};
    char fault[OPTION_FAULT_BYTES];
    if (!options_set(&scratch, option, value, OPTION_FROM_FILE, fault))
        return complain(reader, key, fault);
    return add(reader, option_id(option), value);
}

static enum status read_line(struct reader *reader, char *line) {
    line = trimmed(line);
    if (line[0] == 0 || line[0] == '#')
        return STATUS_DONE;
    return line[0] == '[' ? read_section(reader, line) : read_setting(reader, line);
}

/* Reads the whole file, with a NUL after it. NULL sets errno. */
static char *slurp(const char *path, size_t *count) {
    FILE *stream = fopen(path, "re");
    char *text = stream ? malloc(FILE_BYTES_MAX + 1) : NULL;
    size_t bytes = text ? fread(text, 1, FILE_BYTES_MAX + 1, stream) : 0;
    int error = errno;
    bool failed = stream && ferror(stream);
    if (stream)
        fclose(stream);
    if (text && !failed && bytes <= FILE_BYTES_MAX) {
        text[bytes] = 0;
        *count = bytes;
        return text;
    }
    free(text);
    errno = bytes > FILE_BYTES_MAX ? EFBIG : error;
    return NULL;
}

/* Refuses a NUL, which would end the text at a place that no editor shows. */
static enum status check_nul(struct reader *reader, const char *text, size_t bytes) {
    const char *nul = memchr(text, 0, bytes);
    if (!nul)
        return STATUS_DONE;
    reader->line = 1;
    for (const char *at = text; at < nul; at++)
        reader->line += *at == '\n';
    return complain(reader, "the line", "has a NUL in it");
}

/* Only a regular file is read: a pipe may keep us waiting, and a device has no end. */
static bool is_no_file(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && !S_ISREG(facts.st_mode);
}

enum status config_file_read(struct config_file *file, const char *path,
                             const struct output *output) {
    struct reader reader = {.file = file, .path = path, .output = output};
    *file = (struct config_file){0};
    size_t bytes = 0, mark = strlen(BYTE_ORDER_MARK);
    if (is_no_file(path))
        return output_error(output, ZCHAT_IO, 0,
                            "%s is a folder, device, pipe or socket, not a file: move it out of "
                            "the way",
                            path);
    file->text = slurp(path, &bytes);
    if (!file->text && errno == ENOENT)
        return STATUS_DONE;
    if (!file->text)
        return output_error(output, ZCHAT_IO, 0, "cannot read %s: %s", path, strerror(errno));
    enum status status = check_nul(&reader, file->text, bytes);
    char *begin = file->text + (strncmp(file->text, BYTE_ORDER_MARK, mark) == 0 ? mark : 0);
    for (char *line = begin, *next; line && status == STATUS_DONE; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        reader.line++;
        status = read_line(&reader, line);
    }
    return status;
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
