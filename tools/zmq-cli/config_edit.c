/* The text is copied line by line. Whoever else changes the file at the same time waits: the folder
 * is locked meanwhile. */
#define _GNU_SOURCE /* flock, mkostemp */
#include "config_edit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME       "zmq-cli.conf"
#define FILE_BYTES_MAX  (256 * 1024) /* as config_file.c reads */
#define BLANKS          " \t\r"
#define CONTEXT_WORD    "context"
#define BYTE_ORDER_MARK "\xEF\xBB\xBF" /* some editors put it in front of UTF-8 */

/* ---- the text ---- */

struct editor {
    const struct config_edit *edit; /* borrowed: from the caller */
    FILE *out;
    bool inside; /* the line is in the part that the change is about */
    bool found;  /* that part is there */
    bool done;   /* the value is written */
    size_t blank_lines;
};

static bool is_name(const char *text, size_t bytes, const char *name) {
    return strlen(name) == bytes && memcmp(text, name, bytes) == 0;
}

/* The line without blanks around it. */
static const char *trim(const char *line, size_t *bytes) {
    size_t before = 0;
    while (before < *bytes && strchr(BLANKS, line[before]))
        before++;
    *bytes -= before;
    while (*bytes > 0 && strchr(BLANKS, line[before + *bytes - 1]))
        (*bytes)--;
    return line + before;
}

/* Whether a "[context NAME]" names the one of the change; blanks stand where config_file.c takes
 * them. */
static bool is_wanted(const struct editor *editor, const char *line, size_t bytes) {
    size_t word = strlen(CONTEXT_WORD);
    if (!editor->edit->context || bytes < 2)
        return false;
    bytes -= 2; /* the brackets */
    line = trim(line + 1, &bytes);
    if (bytes <= word || memcmp(line, CONTEXT_WORD, word) != 0 || !strchr(BLANKS, line[word]))
        return false;
    bytes -= word;
    line = trim(line + word, &bytes);
    return is_name(line, bytes, editor->edit->context);
}

static void write_blank_lines(struct editor *editor) {
    for (; editor->blank_lines > 0; editor->blank_lines--)
        fputc('\n', editor->out);
}

/* A new key stands behind the last line of its part, before blank lines. */
static void leave_part(struct editor *editor) {
    const struct config_edit *edit = editor->edit;
    if (editor->inside && edit->key && edit->value && !editor->done)
        fprintf(editor->out, "%s = %s\n", edit->key, edit->value);
    editor->done |= editor->inside;
}

static bool is_key(const struct editor *editor, const char *line, size_t bytes) {
    const char *equals = memchr(line, '=', bytes);
    size_t key_bytes = equals ? (size_t)(equals - line) : 0;
    if (!editor->edit->key || !equals)
        return false;
    line = trim(line, &key_bytes);
    return is_name(line, key_bytes, editor->edit->key);
}

/* Returns whether the line stays. */
static bool judge(struct editor *editor, const char *line, size_t bytes) {
    const struct config_edit *edit = editor->edit;
    if (bytes > 0 && line[0] == '[') {
        leave_part(editor);
        editor->inside = is_wanted(editor, line, bytes);
        editor->found |= editor->inside;
    }
    if (editor->inside && !edit->key)
        return edit->value != NULL;
    if (!editor->inside || !is_key(editor, line, bytes))
        return true;
    if (edit->value && !editor->done) {
        write_blank_lines(editor);
        fprintf(editor->out, "%s = %s\n", edit->key, edit->value);
    }
    editor->done = true;
    return false;
}

static void copy_line(struct editor *editor, const char *line, size_t bytes) {
    size_t text_bytes = bytes;
    const char *text = trim(line, &text_bytes);
    if (text_bytes == 0) {
        editor->blank_lines++;
        return;
    }
    if (!judge(editor, text, text_bytes))
        return;
    write_blank_lines(editor);
    fprintf(editor->out, "%.*s\n", (int)bytes, line);
}

static void finish(struct editor *editor, bool empty) {
    const struct config_edit *edit = editor->edit;
    leave_part(editor);
    if (editor->found || !edit->value)
        return;
    fprintf(editor->out, "%s[context %s]\n", empty ? "" : "\n", edit->context);
    if (edit->key)
        fprintf(editor->out, "%s = %s\n", edit->key, edit->value);
}

char *config_edit(const char *text, const struct config_edit *edit) {
    char *edited = NULL;
    size_t bytes;
    struct editor editor = {.edit = edit, .out = open_memstream(&edited, &bytes)};
    if (!editor.out)
        return NULL;
    editor.inside = editor.found = !edit->context;
    if (strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0) {
        fputs(BYTE_ORDER_MARK, editor.out);
        text += strlen(BYTE_ORDER_MARK);
    }
    for (const char *line = text; *line;) {
        size_t line_bytes = strcspn(line, "\n");
        copy_line(&editor, line, line_bytes);
        line += line_bytes + (line[line_bytes] == '\n');
    }
    finish(&editor, text[0] == '\0');
    if (fclose(editor.out) == 0)
        return edited;
    free(edited);
    return NULL;
}

/* ---- the file ---- */

static enum status fail(const struct output *output, const char *what, const char *path) {
    return output_error(output, ZCHAT_IO, 0, "cannot %s %s: %s", what, path, strerror(errno));
}

/* Makes the folder and those above it; whatever fails shows when it is opened. */
static int open_folder(const char *folder) {
    char *path = strdup(folder);
    for (char *slash = path ? strchr(path + 1, '/') : NULL; slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    free(path);
    (void)mkdir(folder, 0700);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        (void)flock(fd, LOCK_EX); /* a file system without locks has one user at a time */
    return fd;
}

/* A missing file is empty. */
static char *read_all(const char *path) {
    FILE *stream = fopen(path, "re");
    char *text = calloc(1, FILE_BYTES_MAX + 1);
    if (stream && text)
        (void)!fread(text, 1, FILE_BYTES_MAX, stream);
    if (stream)
        fclose(stream);
    return text;
}

static char *edit_all(char *text, const struct config_edit *edits, size_t count) {
    for (size_t i = 0; i < count && text; i++) {
        char *edited = config_edit(text, &edits[i]);
        free(text);
        text = edited;
    }
    return text;
}

/* Writes a file beside it, and gives it the name once it is whole. */
static enum status replace(const char *path, const char *text, const struct output *output) {
    size_t bytes = strlen(path) + sizeof ".XXXXXX";
    char *fresh = malloc(bytes);
    if (!fresh)
        return output_error(output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
    snprintf(fresh, bytes, "%s.XXXXXX", path);
    int fd = mkostemp(fresh, O_CLOEXEC); /* 0600 */
    FILE *stream = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool written = stream && fputs(text, stream) != EOF && fflush(stream) == 0 && fsync(fd) == 0;
    enum status status = STATUS_DONE;
    if (!written || rename(fresh, path) != 0)
        status = fail(output, "write", path);
    if (stream)
        fclose(stream);
    else if (fd >= 0)
        close(fd);
    if (status != STATUS_DONE && fd >= 0)
        unlink(fresh);
    free(fresh);
    return status;
}

enum status config_edit_file(const char *folder, const struct config_edit *edits, size_t count,
                             const struct output *output) {
    size_t bytes = strlen(folder) + sizeof "/" FILE_NAME;
    char *path = malloc(bytes);
    if (!path)
        return output_error(output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
    snprintf(path, bytes, "%s/%s", folder, FILE_NAME);
    int fd = open_folder(folder);
    char *target = fd >= 0 ? realpath(path, NULL) : NULL; /* a link stays one */
    char *text = fd >= 0 ? edit_all(read_all(target ? target : path), edits, count) : NULL;
    enum status status;
    if (fd < 0)
        status = fail(output, "open", folder);
    else if (!text)
        status = output_error(output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
    else
        status = replace(target ? target : path, text, output);
    if (fd >= 0)
        close(fd);
    free(text);
    free(target);
    free(path);
    return status;
}
