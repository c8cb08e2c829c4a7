/* Cutting stdin into lines. The buffer holds more than any line that can be sent. */
#include "private_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_BYTES (1024 * 1024)

void private_input_release(struct private_input *input) {
    free(input->buffer);
    *input = (struct private_input){0};
}

static const char *fail(struct private_input *input, const char *text) {
    input->ended = true;
    return text;
}

static void move_to_front(struct private_input *input) {
    memmove(input->buffer, input->buffer + input->begin, input->end - input->begin);
    input->end -= input->begin;
    input->begin = 0;
}

const char *private_input_read(struct private_input *input) {
    if (!input->buffer && !(input->buffer = malloc(BUFFER_BYTES + 1)))
        return fail(input, "there is not enough memory");
    if (input->begin > 0)
        move_to_front(input);
    if (input->end == BUFFER_BYTES)
        return fail(input, "a line on standard input is too long");
    ssize_t got = read(STDIN_FILENO, input->buffer + input->end, BUFFER_BYTES - input->end);
    if (got < 0 && errno == EINTR)
        return NULL;
    if (got < 0)
        return fail(input, "cannot read standard input");
    input->ended = got == 0;
    input->end += (size_t)got;
    return NULL;
}

static char *take(struct private_input *input, size_t *bytes) {
    char *line = input->buffer + input->begin;
    size_t left = input->end - input->begin;
    char *newline = left > 0 ? memchr(line, '\n', left) : NULL;
    if (!newline && (!input->ended || left == 0))
        return NULL;
    *bytes = newline ? (size_t)(newline - line) : left;
    line[*bytes] = 0;
    input->begin += *bytes + (newline != NULL);
    return line;
}

char *private_input_next(struct private_input *input, size_t *bytes) {
    char *line = NULL;
    *bytes = 0;
    if (input->buffer)
        do
            line = take(input, bytes);
        while (line && *bytes == 0);
    input->exhausted = !line && input->ended;
    return line;
}
