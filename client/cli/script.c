/* The script: bytes of stdin cut into lines. A line that is longer than any command, or is not
 * text, has a fault instead of a command: it fails with its number, and nothing of it is sent. */
#include "script.h"

#include "memory.h"
#include "words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRIPT_LINE_BYTES (64 * 1024)

struct script {
    char text[SCRIPT_LINE_BYTES + 1];
    size_t text_bytes;
    size_t line_bytes; /* of the first line, with its end; 0: no line is whole yet */
    bool ended;        /* stdin is */
    bool overlong;     /* the first line was cut; the rest of it has to be passed over */
    const char *fault; /* of the first line; NULL: none */
    int error;         /* errno of what ended stdin; 0: its end */
    unsigned line;
};

struct script *script_new(void) {
    return memory_take(sizeof(struct script));
}

void script_free(struct script *script) {
    if (script)
        memory_wipe(script->text, sizeof script->text); /* SHT PASSWORD */
    free(script);
}

void script_read(struct script *script) {
    size_t room = SCRIPT_LINE_BYTES - script->text_bytes;
    ssize_t got = read(STDIN_FILENO, script->text + script->text_bytes, room);
    if (got > 0)
        script->text_bytes += (size_t)got;
    else if (got == 0 || (errno != EINTR && errno != EAGAIN))
        script->ended = true;
    if (got < 0 && script->ended)
        script->error = errno;
}

int script_error(const struct script *script) {
    return script->error;
}

bool script_wants_input(const struct script *script) {
    return !script->ended && script->text_bytes < SCRIPT_LINE_BYTES && script->line_bytes == 0;
}

static void script_drop(struct script *script, size_t bytes) {
    script->text_bytes -= bytes;
    memmove(script->text, script->text + bytes, script->text_bytes);
    memory_wipe(script->text + script->text_bytes, bytes);
}

/* Drops the byte order mark that some editors put before the first line. */
static void script_drop_mark(struct script *script) {
    static const char mark[] = "\xEF\xBB\xBF";
    if (script->line == 0 && script->text_bytes >= 3 && memcmp(script->text, mark, 3) == 0)
        script_drop(script, 3);
}

static const char *script_find_fault(const struct script *script, size_t text_bytes) {
    if (script->overlong)
        return "the line is longer than any command; nothing of it is sent";
    if (memchr(script->text, '\0', text_bytes))
        return "there is a NUL byte in the line; nothing of it is sent";
    if (!words_are_text(script->text, text_bytes))
        return "the line is not UTF-8; nothing of it is sent";
    return NULL;
}

/* Finds the end of the first line. */
static bool script_cut(struct script *script) {
    script_drop_mark(script);
    char *end = memchr(script->text, '\n', script->text_bytes);
    if (end)
        script->line_bytes = (size_t)(end - script->text) + 1;
    else if (script->ended || script->text_bytes == SCRIPT_LINE_BYTES)
        script->line_bytes = script->text_bytes;
    if (script->line_bytes == 0)
        return false;
    size_t text_bytes = script->line_bytes - (!end ? 0 : 1);
    if (text_bytes > 0 && script->text[text_bytes - 1] == '\r')
        text_bytes--;
    if (!script->overlong)
        script->line++;
    bool passed_over = script->overlong;
    script->overlong = !end && !script->ended;
    script->fault = passed_over ? NULL : script_find_fault(script, text_bytes);
    script->text[passed_over ? 0 : text_bytes] = '\0';
    return true;
}

const char *script_peek(struct script *script) {
    for (;;) {
        if (script->line_bytes > 0)
            return script->text;
        if (!script_cut(script))
            return NULL;
        const char *start = script->text + strspn(script->text, " \t");
        if (!script->fault && (*start == '\0' || *start == '#'))
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

const char *script_fault(const struct script *script) {
    return script->fault;
}

unsigned script_line(const struct script *script) {
    return script->line;
}
