/* The history file: one line a line, a newline within it written as \n and a backslash as \\. Each
 * line is appended at once, so several clients share the file; at start, a file that has grown
 * beyond twice what is kept is cut. */
#include "history.h"

#include "line.h"
#include "memory.h"
#include "paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HISTORY_LINES 1000

struct history {
    struct line *line; /* borrowed: from the caller */
    FILE *file;        /* owned; NULL: nothing is kept */
    char *last;        /* owned; NULL: nothing was typed yet */
};

static char *history_escape(const char *text) {
    char *escaped = memory_take(strlen(text) * 2 + 1);
    char *out = escaped;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\n' || *c == '\\')
            *out++ = '\\';
        *out++ = (char)(*c == '\n' ? 'n' : *c);
    }
    return escaped;
}

static void history_unescape(char *text) {
    char *out = text;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\\' && c[1] != '\0') {
            c++;
            *out++ = (char)(*c == 'n' ? '\n' : *c);
        } else {
            *out++ = *c;
        }
    }
    *out = '\0';
}

/* Reads all lines; how many there are is returned. */
static size_t history_load(struct history *history) {
    char *text = NULL;
    size_t room = 0;
    size_t lines = 0;
    ssize_t got;
    rewind(history->file);
    while ((got = getline(&text, &room, history->file)) > 0) {
        if (text[got - 1] == '\n')
            text[got - 1] = '\0';
        history_unescape(text);
        line_remember(history->line, text);
        free(history->last);
        history->last = memory_text(text);
        lines++;
    }
    free(text);
    return lines;
}

/* Writes the last lines of `path` into a new file that takes its place. */
static int history_cut(FILE *from, size_t lines, const char *path, const char *new_path) {
    int fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
    if (to == NULL)
        return -1;
    rewind(from);
    for (int c; (c = getc(from)) != EOF;) {
        if (lines <= HISTORY_LINES)
            putc(c, to);
        if (c == '\n')
            lines--;
    }
    return fclose(to) == 0 && rename(new_path, path) == 0 ? 0 : -1;
}

static FILE *history_open(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return fd < 0 ? NULL : fdopen(fd, "a+");
}

static int history_attach(struct history *history) {
    char *path = paths_state_file("history");
    char *new_path = path == NULL ? NULL : paths_state_file("history.new");
    int result = -1;
    if (new_path == NULL || (history->file = history_open(path)) == NULL)
        goto out;
    size_t lines = history_load(history);
    if (lines > 2 * HISTORY_LINES) {
        if (history_cut(history->file, lines, path, new_path) != 0)
            goto out;
        fclose(history->file);
        history->file = history_open(path);
    }
    result = history->file == NULL ? -1 : 0;
out:
    free(path);
    free(new_path);
    return result;
}

struct history *history_new(struct line *line, const char **why) {
    struct history *history = memory_take(sizeof *history);
    history->line = line;
    *why = history_attach(history) == 0 ? NULL : strerror(errno);
    return history;
}

void history_free(struct history *history) {
    if (history == NULL)
        return;
    if (history->file != NULL)
        fclose(history->file);
    free(history->last);
    free(history);
}

void history_add(struct history *history, const char *text) {
    if (*text == '\0' || *text == ' ' ||
        (history->last != NULL && strcmp(history->last, text) == 0))
        return;
    free(history->last);
    history->last = memory_text(text);
    line_remember(history->line, text);
    if (history->file == NULL)
        return;
    char *escaped = history_escape(text);
    fprintf(history->file, "%s\n", escaped);
    fflush(history->file);
    free(escaped);
}
