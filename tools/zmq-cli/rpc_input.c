/* Reads into one buffer, which has room for the longest line. */
#include "rpc_input.h"

#include "json/from_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* With the newline. */
static size_t buffer_bytes(const struct rpc_input *input) {
    return (input->line_bytes_max ? input->line_bytes_max : JSON_TEXT_BYTES_MAX) + 1;
}

static void move_to_front(struct rpc_input *input) {
    if (input->begin > 0)
        memmove(input->buffer, input->buffer + input->begin, input->end - input->begin);
    input->end -= input->begin;
    input->begin = 0;
}

bool rpc_input_read(struct rpc_input *input) {
    if (!input->buffer && !(input->buffer = malloc(buffer_bytes(input)))) {
        input->ended = true;
        return false;
    }
    move_to_front(input);
    ssize_t got = read(STDIN_FILENO, input->buffer + input->end, buffer_bytes(input) - input->end);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    input->ended = got <= 0;
    input->end += got > 0 ? (size_t)got : 0;
    return got >= 0;
}

/* Takes the bytes out, and their newline if there is one. */
static void take(struct rpc_input *input, size_t bytes, bool newline) {
    input->begin += bytes + newline;
    input->looked = 0;
}

enum rpc_line rpc_input_next(struct rpc_input *input, const char **line, size_t *bytes) {
    size_t left = input->end - input->begin;
    if (left == 0)
        return RPC_LINE_NONE;
    char *begin = input->buffer + input->begin;
    char *newline =
        memchr(begin + input->looked, input->by_nul ? '\0' : '\n', left - input->looked);
    bool passed = input->passing, full = !newline && left == buffer_bytes(input);
    input->looked = left;
    if (!newline && !full && !input->ended)
        return RPC_LINE_NONE;
    *line = begin;
    *bytes = newline ? (size_t)(newline - begin) : left;
    take(input, *bytes, newline != NULL);
    input->passing = full;
    if (passed)
        return rpc_input_next(input, line, bytes);
    return full ? RPC_LINE_TOO_LONG : RPC_LINE_READ;
}

void rpc_input_release(struct rpc_input *input) {
    free(input->buffer);
    *input = (struct rpc_input){0};
}
