/* Reading the TEXT of a verb, and --id. */
#include "input.h"

#include "common/clock.h"
#include "interrupt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STDIN_BYTES_MAX (1024 * 1024) /* a frame: no text can be longer, however it is cleaned */

static enum status no_memory(const struct call *call) {
    return output_error(call->output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
}

/* Joins the words from `first` on with spaces. */
static enum status join_words(const struct call *call, int first, char **text) {
    size_t bytes = 1;
    for (int i = first; i < call->word_count; i++)
        bytes += strlen(call->words[i]) + 1;
    char *end = *text = malloc(bytes);
    if (!end)
        return no_memory(call);
    *end = 0;
    for (int i = first; i < call->word_count; i++)
        end += sprintf(end, "%s%s", i > first ? " " : "", call->words[i]);
    return STATUS_DONE;
}

/* To its end, or until the buffer is full; -1 with errno. */
static ssize_t read_all(int fd, char *buffer, size_t capacity, int64_t deadline_us) {
    size_t used = 0;
    ssize_t got = 1;
    while (got != 0 && used < capacity) {
        got = interrupt_read(fd, buffer + used, capacity - used, deadline_us);
        if (got < 0)
            return -1;
        used += (size_t)got;
    }
    return (ssize_t)used;
}

static enum status tell_unread(const struct call *call, const char *what, int error) {
    if (interrupt_pending())
        return STATUS_INTERRUPTED;
    if (error == ETIMEDOUT)
        return output_error(call->output, ZCHAT_EXPIRED, 0, "%s did not end within --timeout, %s s",
                            what, option_text(call->options, OPTION_TIMEOUT));
    return output_error(call->output, ZCHAT_IO, 0, "cannot read %s: %s", what, strerror(error));
}

enum status input_read(struct call *call, int fd, const char *what, size_t bytes_max, char **bytes,
                       size_t *count) {
    *bytes = malloc(bytes_max + 2);
    if (!*bytes)
        return no_memory(call);
    bool bounded = option_is_set(call->options, OPTION_TIMEOUT);
    int64_t began_us = clock_us();
    ssize_t got = read_all(fd, *bytes, bytes_max + 1, bounded ? call->deadline_us : NO_DEADLINE);
    int error = errno;
    if (!bounded)
        call_shift_limit(call, began_us);
    if (got < 0 || interrupt_pending())
        return tell_unread(call, what, error);
    *count = (size_t)got;
    (*bytes)[*count] = 0;
    if (*count > bytes_max)
        return output_error(call->output, ZCHAT_INVALID, 0, "%s holds more than %zu bytes", what,
                            bytes_max);
    return STATUS_DONE;
}

/* All of stdin, without one newline at its end. */
static enum status take_stdin(struct call *call, char **text) {
    size_t bytes;
    enum status status =
        input_read(call, STDIN_FILENO, "standard input", STDIN_BYTES_MAX, text, &bytes);
    if (status != STATUS_DONE)
        return status;
    if (memchr(*text, 0, bytes))
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "the text on standard input contains a NUL byte");
    if (bytes > 0 && (*text)[bytes - 1] == '\n')
        (*text)[bytes - 1] = 0;
    return STATUS_DONE;
}

enum status input_text(struct call *call, int first, char **text) {
    bool from_stdin = call->word_count == first + 1 && first < call->plain_count &&
                      strcmp(call->words[first], "-") == 0;
    return from_stdin ? take_stdin(call, text) : join_words(call, first, text);
}

zchat_id input_id(const struct call *call) {
    zchat_id id;
    const char *given = option_text(call->options, OPTION_ID);
    if (!given || !zchat_id_parse(given, &id))
        zchat_id_new(&id);
    return id;
}
