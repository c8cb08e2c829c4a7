/* Each line goes through CZMQ's zconfig by itself, so that an error can name its line, which
 * zconfig's tree does not keep. What zconfig would misread (lines of more than 1,024 bytes, a
 * comment in place of a value) or only complain about on stdout is refused before that. */
#include "config_file.h"

#include "text.h"

#include <czmq.h>

#define LINE_BYTES_MAX 1000
#define READ_BYTES_MAX (64 * 1024) /* a comment may be long */
#define BLANKS         " \t\r\n\v\f"
#define NAME_BYTES_ALL "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

/* What is wrong with a line that should be an entry; NULL: nothing. */
static const char *line_fault(const char *line, size_t bytes) {
    if (strlen(line) != bytes)
        return "holds a NUL; the file is text";
    if (bytes > LINE_BYTES_MAX)
        return "is too long";
    if (line[strspn(line, BLANKS)] != line[0])
        return "is indented; options stand at the beginning of a line";
    size_t name = strspn(line, NAME_BYTES_ALL);
    const char *equals = line + name + strspn(line + name, BLANKS);
    if (name == 0 || *equals != '=')
        return "is not \"name = value\"";
    const char *value = equals + 1 + strspn(equals + 1, BLANKS);
    if (*value == '\0' || *value == '#')
        return "has no value; an empty one is \"\"";
    if (*value != '"' && *value != '\'')
        return NULL;
    const char *end = strchr(value + 1, *value);
    if (!end)
        return "lacks its closing quote";
    end += 1 + strspn(end + 1, BLANKS);
    return *end == '\0' || *end == '#' ? NULL : "has something behind its quoted value";
}

static bool is_blank(const char *line) {
    size_t blanks = strspn(line, BLANKS);
    return line[blanks] == '\0' || line[blanks] == '#';
}

/* Reads the next line with its end; -1: there is none. If it is longer than any line may be, as
 * from a device that never ends, reads only its beginning. */
static ssize_t take_line(char line[READ_BYTES_MAX + 1], FILE *file) {
    size_t bytes = 0;
    int c = 0;
    while (bytes < READ_BYTES_MAX && c != '\n' && (c = getc(file)) != EOF)
        line[bytes++] = (char)c;
    line[bytes] = '\0';
    return bytes > 0 ? (ssize_t)bytes : -1;
}

/* Reads one line: it is blank, an entry for `each`, or an error. */
static bool read_line(const char *line, size_t bytes, unsigned number, const char *path,
                      bool (*each)(void *, unsigned, const char *, const char *), void *arg,
                      char *error, size_t error_bytes) {
    if (strlen(line) == bytes && bytes < READ_BYTES_MAX - 3 && is_blank(line))
        return true;
    const char *fault = line_fault(line, bytes);
    zconfig_t *root = fault ? NULL : zconfig_str_load(line);
    zconfig_t *entry = root ? zconfig_child(root) : NULL;
    bool good = false;
    if (entry) {
        good = each(arg, number, zconfig_name(entry), zconfig_value(entry));
    } else {
        snprintf(error, error_bytes, "%s:%u: the line %s", path, number,
                 fault ? fault : "is no valid ZPL");
    }
    zconfig_destroy(&root);
    return good;
}

bool config_file_read(const char *path,
                      bool (*each)(void *arg, unsigned line, const char *name, const char *value),
                      void *arg, char *error, size_t error_bytes) {
    char line[READ_BYTES_MAX + 1];
    ssize_t bytes = 0;
    bool good = true;
    FILE *file = fopen(path, "re");
    for (unsigned number = 1; file && good; number++) {
        errno = 0;
        bytes = take_line(line, file);
        if (bytes < 0)
            break;
        size_t mark = number == 1 ? text_mark_bytes(line, (size_t)bytes) : 0;
        good = read_line(line + mark, (size_t)bytes - mark, number, path, each, arg, error,
                         error_bytes);
    }
    if (!file || (good && !feof(file))) {
        snprintf(error, error_bytes, "the configuration file %s can't be read: %s", path,
                 strerror(errno));
        good = false;
    }
    if (file)
        fclose(file);
    return good;
}
