/* The writer: a buffer of whole lines. Styles are written only here: text from others is cleaned on
 * its way in, so it can't bring styles of its own. */
#include "screen.h"

#include "line.h"
#include "memory.h"
#include "mention.h"
#include "name.h"
#include "zchat.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCREEN_INDENT "        "
#define SCREEN_MARK   "\033[7m"
#define SCREEN_NORMAL "\033[0m"

struct screen {
    FILE *out;         /* borrowed: from the caller */
    struct line *line; /* borrowed: from the caller; NULL: nobody types */
    bool colours;
    bool held;
    bool bell; /* `out` is a terminal with somebody at it */
    bool ringing;
    char user[NAME_BYTES]; /* whose name is marked in texts; "": nobody's */
    char *text;            /* owned: what waits to be written */
    size_t text_bytes;
    size_t room_bytes;
};

struct screen *screen_new(FILE *out, bool colours, struct line *line) {
    struct screen *screen = memory_take(sizeof *screen);
    screen->out = out;
    screen->colours = colours;
    screen->line = line;
    screen->bell = line && isatty(fileno(out));
    return screen;
}

void screen_free(struct screen *screen) {
    if (!screen)
        return;
    free(screen->text);
    free(screen);
}

bool screen_has_colours(const struct screen *screen) {
    return screen->colours;
}

static void screen_append(struct screen *screen, const char *text, size_t bytes) {
    if (bytes == 0)
        return;
    if (screen->room_bytes - screen->text_bytes < bytes) {
        screen->room_bytes = (screen->text_bytes + bytes) * 2;
        screen->text = memory_grow(screen->text, screen->room_bytes, 1);
    }
    memcpy(screen->text + screen->text_bytes, text, bytes);
    screen->text_bytes += bytes;
}

static void screen_append_text(struct screen *screen, const char *text) {
    screen_append(screen, text, strlen(text));
}

static void screen_append_styled(struct screen *screen, const char *sgr, const char *text) {
    char *clean = memory_text(text);
    zchat_text_clean(clean);
    for (char *c = clean; *c != '\0'; c++)
        if (*c == '\n')
            *c = ' ';
    bool styled = screen->colours && sgr;
    if (styled)
        screen_append_text(screen, sgr);
    screen_append_text(screen, clean);
    if (styled)
        screen_append_text(screen, SCREEN_NORMAL);
    free(clean);
}

void screen_put(struct screen *screen, enum screen_style style, const char *text) {
    static const char *const sgr[] = {
        [SCREEN_PLAIN] = NULL,       [SCREEN_DIM] = "\033[2m",    [SCREEN_BOLD] = "\033[1m",
        [SCREEN_OWN] = "\033[1;32m", [SCREEN_ERROR] = "\033[31m",
    };
    screen_append_styled(screen, sgr[style], text);
}

void screen_putf(struct screen *screen, enum screen_style style, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int bytes = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = memory_take((size_t)(bytes < 0 ? 0 : bytes) + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)bytes + 1, format, arguments);
    va_end(arguments);
    screen_put(screen, style, text);
    free(text);
}

void screen_put_name(struct screen *screen, const char *user) {
    static const char *const colours[] = {"\033[1;36m", "\033[1;33m", "\033[1;35m",
                                          "\033[1;34m", "\033[1;31m", "\033[1;32m"};
    size_t hash = 0;
    for (const char *c = user; *c != '\0'; c++)
        hash = hash * 31 + (unsigned char)*c;
    screen_append_styled(screen, colours[hash % (sizeof colours / sizeof colours[0])], user);
}

void screen_set_user(struct screen *screen, const char *user) {
    name_copy(screen->user, user);
}

/* One row of a text, with the mentions of the user marked. */
static void screen_append_row(struct screen *screen, const char *row, size_t bytes) {
    size_t user_bytes = screen->colours ? strlen(screen->user) : 0;
    size_t done = 0;
    while (user_bytes > 0 && done < bytes) {
        size_t at = mention_find(row, bytes, done, screen->user);
        screen_append(screen, row + done, at - done);
        done = at;
        if (at == bytes)
            break;
        screen_append_text(screen, SCREEN_MARK);
        screen_append(screen, row + at, user_bytes);
        screen_append_text(screen, SCREEN_NORMAL);
        done = at + user_bytes;
    }
    screen_append(screen, row + done, bytes - done);
}

void screen_put_text(struct screen *screen, const char *text) {
    char *clean = memory_text(text);
    zchat_text_clean(clean);
    const char *start = clean;
    for (const char *end; (end = strchr(start, '\n')); start = end + 1) {
        screen_append_row(screen, start, (size_t)(end - start));
        screen_append_text(screen, "\n" SCREEN_INDENT);
    }
    screen_append_row(screen, start, strlen(start));
    free(clean);
}

void screen_end_line(struct screen *screen) {
    screen_append(screen, "\n", 1);
}

void screen_put_columns(struct screen *screen, char *const *words, size_t count) {
    size_t longest = 0;
    for (size_t i = 0; i < count; i++)
        longest = strlen(words[i]) > longest ? strlen(words[i]) : longest;
    size_t columns = !screen->line ? 1 : line_columns(screen->line) / (longest + 2);
    columns = columns == 0 ? 1 : columns;
    for (size_t i = 0; i < count; i++) {
        bool last = (i + 1) % columns == 0 || i + 1 == count;
        screen_putf(screen, SCREEN_PLAIN, "%-*s", last ? 0 : (int)longest + 2, words[i]);
        if (last)
            screen_end_line(screen);
    }
}

void screen_ring(struct screen *screen) {
    screen->ringing = screen->bell;
}

bool screen_write(struct screen *screen) {
    if (screen->text_bytes == 0 || screen->held)
        return true;
    if (screen->ringing)
        screen_append_text(screen, "\a");
    screen->ringing = false;
    if (screen->line)
        line_hide(screen->line);
    bool written = fwrite(screen->text, 1, screen->text_bytes, screen->out) == screen->text_bytes &&
                   fflush(screen->out) == 0;
    screen->text_bytes = 0;
    return written;
}

void screen_hold(struct screen *screen, bool held) {
    screen->held = held;
}

bool screen_is_held(const struct screen *screen) {
    return screen->held;
}

void screen_show_line(struct screen *screen) {
    if (screen->line)
        line_show(screen->line);
}
