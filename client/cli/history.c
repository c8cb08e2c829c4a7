/* The history file: each typed line is one line, with a newline in it written as \n and a backslash
 * as \\. A line that was sent to a partner has "\>PARTNER " in front, with which no escaped text
 * begins. Each line is appended at once, so several clients can share the file; if it has more than
 * twice what is kept when it is opened, it is cut.
 *
 * Readline's own list is made anew when account or conversation change, but only between two lines:
 * while one is edited or searched for, readline uses the old list. */
#include "history.h"

#include "conversation.h"
#include "line.h"
#include "memory.h"
#include "paths.h"
#include "words.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HISTORY_FILES     "history-"
#define HISTORY_LINES     1000
#define HISTORY_TAG_BYTES (NAME_BYTES + sizeof "(private)")
#define HISTORY_MARK      "\\>"

struct history_entry {
    char *tag;  /* owned: to whom it was sent; "": it is a command */
    char *text; /* owned */
};

struct history {
    struct line *line; /* borrowed: from the caller */
    enum history_extent extent;
    FILE *file;                    /* owned; NULL: nothing is kept */
    struct history_entry *entries; /* owned; the newest last */
    size_t count;
    char tag[HISTORY_TAG_BYTES]; /* the conversation whose lines readline has */
    bool stale;                  /* readline has other lines than it should */
    bool failing;                /* the last line could not be written into the file */
};

/* --- in memory --- */

static void history_forget(struct history *history) {
    for (size_t i = 0; i < history->count; i++) {
        free(history->entries[i].tag);
        memory_free_secret(history->entries[i].text);
    }
    free(history->entries);
    history->entries = NULL;
    history->count = 0;
    history->stale = true;
}

static void history_drop_oldest(struct history *history) {
    free(history->entries[0].tag);
    memory_free_secret(history->entries[0].text);
    history->count--;
    memmove(history->entries, history->entries + 1, history->count * sizeof *history->entries);
}

static void history_remember(struct history *history, const char *tag, const char *text) {
    if (history->count == HISTORY_LINES)
        history_drop_oldest(history);
    history->entries = memory_grow(history->entries, history->count + 1, sizeof *history->entries);
    history->entries[history->count++] =
        (struct history_entry){.tag = memory_text(tag), .text = memory_text(text)};
}

static void history_tag(const struct conversation *conversation, char tag[HISTORY_TAG_BYTES]) {
    snprintf(tag, HISTORY_TAG_BYTES, "%s%s", conversation->partner,
             conversation->is_private ? "(private)" : "");
}

/* Whether the arrow keys may bring it back in the conversation `tag`. */
static bool history_fits(const struct history_entry *entry, const char *tag) {
    return entry->tag[0] == '\0' || strcmp(entry->tag, tag) == 0;
}

void history_settle(struct history *history, const struct conversation *conversation) {
    char tag[HISTORY_TAG_BYTES];
    history_tag(conversation, tag);
    if ((!history->stale && strcmp(tag, history->tag) == 0) || line_is_begun(history->line))
        return;
    memcpy(history->tag, tag, sizeof tag);
    history->stale = false;
    line_forget(history->line);
    for (size_t i = 0; i < history->count; i++)
        if (history_fits(&history->entries[i], tag))
            line_remember(history->line, history->entries[i].text);
}

/* --- in the file --- */

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

/* "\>bob text" */
static void history_load_line(struct history *history, char *text) {
    const char *tag = "";
    if (strncmp(text, HISTORY_MARK, strlen(HISTORY_MARK)) == 0) {
        char *blank = strchr(text, ' ');
        if (!blank)
            return;
        *blank = '\0';
        tag = text + strlen(HISTORY_MARK);
        text = blank + 1;
    }
    history_unescape(text);
    history_remember(history, tag, text);
}

/* Reads all lines; returns how many there are. A line that nobody can have typed, because it is no
 * text or has a NUL in it, is passed over: it would come back as another line. */
static size_t history_load(struct history *history) {
    char *text = NULL;
    size_t room = 0;
    size_t lines = 0;
    ssize_t got;
    rewind(history->file);
    for (; (got = getline(&text, &room, history->file)) > 0; lines++) {
        size_t bytes = (size_t)got - (text[got - 1] == '\n' ? 1 : 0);
        text[bytes] = '\0';
        if (bytes > 0 && strlen(text) == bytes && words_are_text(text, bytes))
            history_load_line(history, text);
    }
    free(text);
    return lines;
}

/* Writes the last lines of `path` into a new file that replaces it. */
static int history_cut(FILE *from, size_t lines, const char *path, const char *new_path) {
    int fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
    if (!to)
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

/* Makes sure that nobody else may read the file, whoever made it. */
static FILE *history_open_file(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat status;
    bool fine = fd >= 0 && fstat(fd, &status) == 0 && fchmod(fd, 0600) == 0;
    if (fine && !S_ISREG(status.st_mode)) { /* reading a pipe would wait */
        errno = EINVAL;
        fine = false;
    }
    if (fd >= 0 && !fine) {
        int error = errno;
        close(fd);
        errno = error;
        fd = -1;
    }
    return fd < 0 ? NULL : fdopen(fd, "a+");
}

/* "history-bob-0123456789abcdef..." with the broker's fingerprint. Both parts come from elsewhere,
 * so characters that names don't have become "_". */
static char *history_path(const char *user, const char *broker, const char *ending) {
    char name[2 * NAME_BYTES + 32];
    size_t bytes = (size_t)snprintf(name, sizeof name, HISTORY_FILES "%.*s-", NAME_BYTES, user);
    for (; *broker != '\0' && bytes < NAME_BYTES + 64; broker++)
        if (*broker != ' ')
            name[bytes++] = *broker;
    name[bytes] = '\0';
    for (char *c = name; *c != '\0'; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_.-", *c))
            *c = '_';
    snprintf(name + bytes, sizeof name - bytes, "%s", ending);
    return paths_state_file(name);
}

/* Whether a file's name begins with "history-" and ends with `ending`. */
static bool history_is_for(const char *name, const char *ending) {
    size_t bytes = strlen(name), least = strlen(HISTORY_FILES) + strlen(ending);
    return strncmp(name, HISTORY_FILES, strlen(HISTORY_FILES)) == 0 && bytes > least &&
           strcmp(name + bytes - strlen(ending), ending) == 0;
}

bool history_knows(const char *broker) {
    char *path = history_path("", broker, "");
    char *name = !path ? NULL : strrchr(path, '/');
    bool known = false;
    if (name) {
        *name = '\0';
        DIR *folder = opendir(path);
        const char *ending = name + 1 + strlen(HISTORY_FILES);
        for (struct dirent *entry; folder && !known && (entry = readdir(folder));)
            known = history_is_for(entry->d_name, ending);
        if (folder)
            closedir(folder);
    }
    free(path);
    return known;
}

static int history_attach(struct history *history, const char *user, const char *broker) {
    char *path = history_path(user, broker, "");
    char *new_path = !path ? NULL : history_path(user, broker, ".new");
    int result = -1;
    if (!new_path || !(history->file = history_open_file(path)))
        goto out;
    size_t lines = history_load(history);
    if (lines > 2 * HISTORY_LINES) {
        if (history_cut(history->file, lines, path, new_path) != 0)
            goto out;
        fclose(history->file);
        history->file = history_open_file(path);
    }
    result = !history->file ? -1 : 0;
out:
    free(path);
    free(new_path);
    return result;
}

/* --- life --- */

struct history *history_new(struct line *line, enum history_extent extent) {
    struct history *history = memory_take(sizeof *history);
    history->line = line;
    history->extent = extent;
    return history;
}

void history_free(struct history *history) {
    if (!history)
        return;
    history_close(history);
    free(history);
}

void history_close(struct history *history) {
    if (history->file)
        fclose(history->file);
    history->file = NULL;
    history->failing = false;
    history_forget(history);
}

const char *history_open(struct history *history, const char *user, const char *broker) {
    history_close(history);
    if (history->extent == HISTORY_NOTHING)
        return NULL;
    return history_attach(history, user, broker) == 0 ? NULL : strerror(errno);
}

/* The line as it stands in the file. The caller wipes and frees it. */
static char *history_row(const char *tag, const char *text) {
    char *escaped = history_escape(text);
    size_t bytes = strlen(HISTORY_MARK) + strlen(tag) + strlen(escaped) + sizeof " \n";
    char *row = memory_take(bytes);
    snprintf(row, bytes, "%s%s%s%s\n", *tag == '\0' ? "" : HISTORY_MARK, tag,
             *tag == '\0' ? "" : " ", escaped);
    memory_free_secret(escaped);
    return row;
}

/* Written at once, so that lines of several clients don't mix. What fits of a line on a full disk
 * is taken back: it would come back as another line, with the next one behind it. Returns 0, or an
 * errno. */
static int history_write(const struct history *history, const char *tag, const char *text) {
    int fd = fileno(history->file);
    char *row = history_row(tag, text);
    size_t bytes = strlen(row);
    ssize_t wrote = write(fd, row, bytes);
    int error = wrote < 0 ? errno : (size_t)wrote < bytes ? ENOSPC : 0;
    struct stat status;
    if (error != 0 && wrote > 0 &&
        (fstat(fd, &status) != 0 || ftruncate(fd, status.st_size - wrote) != 0))
        error = errno;
    memory_free_secret(row);
    return error;
}

/* Returns why the line is not in the file; NULL: it is, or that was returned for the last one. */
static const char *history_keep(struct history *history, const char *tag, const char *text) {
    int error = history_write(history, tag, text);
    bool told = history->failing;
    history->failing = error != 0;
    return error == 0 || told ? NULL : strerror(error);
}

const char *history_add(struct history *history, const struct conversation *conversation,
                        bool plain, const char *text, enum history_place place) {
    char tag[HISTORY_TAG_BYTES] = "";
    const struct history_entry *last =
        history->count == 0 ? NULL : &history->entries[history->count - 1];
    if (plain)
        history_tag(conversation, tag);
    if (place == HISTORY_NOWHERE || *text == '\0' || *text == ' ' ||
        (last && strcmp(last->text, text) == 0 && strcmp(last->tag, tag) == 0))
        return NULL;
    history_remember(history, tag, text);
    history->stale = true;
    bool kept =
        place == HISTORY_IN_FILE || (place == HISTORY_IN_PRIVATE && history->extent == HISTORY_ALL);
    return history->file && kept ? history_keep(history, tag, text) : NULL;
}
