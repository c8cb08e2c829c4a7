/* The script: bytes of stdin cut into lines. A line that is longer than any command becomes a
 * command that nobody knows, so that it fails under its number instead of eating memory. */
#include "script.h"

#include "memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRIPT_LINE_BYTES (64 * 1024)

struct script {
    char text[SCRIPT_LINE_BYTES + 1];
    size_t text_bytes;
    size_t line_bytes; /* of the line at the start, its end included; 0: none is whole */
    bool ended;        /* stdin is */
    bool overlong;     /* the line at the start is cut, its rest is to be passed over */
    unsigned line;
};

struct script *script_new(void) {
    return memory_take(sizeof(struct script));
}

void script_free(struct script *script) {
    free(script);
}

void script_read(struct script *script) {
    size_t room = SCRIPT_LINE_BYTES - script->text_bytes;
    ssize_t got = read(STDIN_FILENO, script->text + script->text_bytes, room);
    if (got > 0)
        script->text_bytes += (size_t)got;
    else if (got == 0 || (errno != EINTR && errno != EAGAIN))
        script->ended = true;
}

bool script_wants_input(const struct script *script) {
    return !script->ended && script->text_bytes < SCRIPT_LINE_BYTES && script->line_bytes == 0;
}

static void script_drop(struct script *script, size_t bytes) {
    memmove(script->text, script->text + bytes, script->text_bytes - bytes);
    script->text_bytes -= bytes;
}

/* Finds the end of the line at the start. */
static bool script_cut(struct script *script) {
    char *end = memchr(script->text, '\n', script->text_bytes);
    if (end != NULL)
        script->line_bytes = (size_t)(end - script->text) + 1;
    else if (script->ended || script->text_bytes == SCRIPT_LINE_BYTES)
        script->line_bytes = script->text_bytes;
    if (script->line_bytes == 0)
        return false;
    size_t text_bytes = script->line_bytes - (end == NULL ? 0 : 1);
    if (text_bytes > 0 && script->text[text_bytes - 1] == '\r')
        text_bytes--;
    script->text[text_bytes] = '\0';
    if (!script->overlong)
        script->line++;
    bool passed_over = script->overlong;
    script->overlong = end == NULL && !script->ended;
    if (passed_over)
        script->text[0] = '\0';
    else if (script->overlong)
        strcpy(script->text, "this-line-is-too-long");
    return true;
}

const char *script_peek(struct script *script) {
    for (;;) {
        if (script->line_bytes > 0)
            return script->text;
        if (!script_cut(script))
            return NULL;
        const char *start = script->text + strspn(script->text, " \t");
        if (*start == '\0' || *start == '#')
            script_take(script);
    }
}

void script_take(struct script *script) {
    script_drop(script, script->line_bytes);
    script->line_bytes = 0;
}

bool script_at_end(const struct script *script) {
    return script->ended && script->text_bytes == 0;
}

unsigned script_line(const struct script *script) {
    return script->line;
}
