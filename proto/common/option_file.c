/* The text is cut up in place, and every line is checked, so that a mistake shows before the line
 * is needed. */
#include "option_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_BYTES_MAX  (256 * 1024)   /* nobody writes so much by hand */
#define BYTE_ORDER_MARK "\xEF\xBB\xBF" /* some editors put it in front of UTF-8 */

struct reader {
    const struct option_table *table;    /* borrowed: from the caller */
    const struct option_file_sink *sink; /* borrowed: from the caller */
    const char *path;                    /* borrowed: from the caller */
    char *error;                         /* borrowed: from the caller */
    size_t line;
};

static char *trimmed(char *text) {
    text += strspn(text, " \t");
    size_t bytes = strlen(text);
    while (bytes > 0 && strchr(" \t\r", text[bytes - 1]))
        text[--bytes] = 0;
    return text;
}

static bool complain(const struct reader *reader, const char *what, const char *why) {
    snprintf(reader->error, OPTION_FILE_ERROR_BYTES, "%s:%zu: %.400s %s", reader->path,
             reader->line, what, why);
    return false;
}

static bool read_section(struct reader *reader, char *line) {
    char fault[OPTION_FAULT_BYTES] = "begins a section, which this file has not";
    size_t bytes = strlen(line);
    if (line[bytes - 1] != ']')
        return complain(reader, line, "lacks its closing bracket");
    if (!reader->sink->section)
        return complain(reader, line, fault);
    line[bytes - 1] = 0;
    bool taken = reader->sink->section(reader->sink->arg, trimmed(line + 1), fault);
    return taken || complain(reader, trimmed(line + 1), fault);
}

static bool read_setting(struct reader *reader, char *line) {
    char *equals = strchr(line, '=');
    if (!equals)
        return complain(reader, line, "is no \"key = value\"");
    *equals = 0;
    const char *key = trimmed(line), *value = trimmed(equals + 1);
    const struct option *option = option_find(reader->table, key, strlen(key));
    if (!option || !option->in_file)
        return complain(reader, key, "is no key of this file");
    char fault[OPTION_FAULT_BYTES];
    return reader->sink->set(reader->sink->arg, option, value, fault) ||
           complain(reader, key, fault);
}

static bool read_line(struct reader *reader, char *line) {
    line = trimmed(line);
    if (line[0] == 0 || line[0] == '#')
        return true;
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
static bool check_nul(struct reader *reader, const char *text, size_t bytes) {
    const char *nul = memchr(text, 0, bytes);
    if (!nul)
        return true;
    reader->line = 1;
    for (const char *at = text; at < nul; at++)
        reader->line += *at == '\n';
    return complain(reader, "the line", "has a NUL in it");
}

static bool read_text(struct reader *reader, char *text) {
    size_t mark = strlen(BYTE_ORDER_MARK);
    char *begin = text + (strncmp(text, BYTE_ORDER_MARK, mark) == 0 ? mark : 0);
    for (char *line = begin, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        reader->line++;
        if (!read_line(reader, line))
            return false;
    }
    return true;
}

/* Only a regular file is read: a pipe may keep us waiting, and a device has no end. */
static bool is_no_file(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && !S_ISREG(facts.st_mode);
}

static enum option_file_end unreadable(const char *path, char error[OPTION_FILE_ERROR_BYTES]) {
    if (errno == ENOENT)
        return OPTION_FILE_READ;
    if (errno == ENOMEM) {
        snprintf(error, OPTION_FILE_ERROR_BYTES, "there is not enough memory");
        return OPTION_FILE_NO_MEMORY;
    }
    snprintf(error, OPTION_FILE_ERROR_BYTES, "cannot read %s: %s", path, strerror(errno));
    return OPTION_FILE_UNREADABLE;
}

enum option_file_end option_file_read(const struct option_table *table, const char *path,
                                      const struct option_file_sink *sink, char **text,
                                      char error[OPTION_FILE_ERROR_BYTES]) {
    struct reader reader = {.table = table, .sink = sink, .path = path, .error = error};
    size_t bytes = 0;
    *text = NULL;
    if (is_no_file(path)) {
        snprintf(error, OPTION_FILE_ERROR_BYTES,
                 "%s is a folder, device, pipe or socket, not a file: move it out of the way",
                 path);
        return OPTION_FILE_UNREADABLE;
    }
    *text = slurp(path, &bytes);
    if (!*text)
        return unreadable(path, error);
    bool good = check_nul(&reader, *text, bytes) && read_text(&reader, *text);
    return good ? OPTION_FILE_READ : OPTION_FILE_FAULTY;
}
