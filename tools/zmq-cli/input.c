/* Taking the TEXT of a verb, and --id. */
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

/* The words from `first` on, joined by spaces. */
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

static ssize_t read_stdin(char *buffer, size_t capacity, int64_t deadline_us) {
    size_t used = 0;
    ssize_t got = 1;
    while (got != 0 && used < capacity) {
        got = interrupt_read(STDIN_FILENO, buffer + used, capacity - used, deadline_us);
        if (got < 0)
            return -1;
        used += (size_t)got;
    }
    return (ssize_t)used;
}

static enum status check_stdin(const struct call *call, const char *buffer, ssize_t bytes) {
    if (interrupt_pending())
        return STATUS_INTERRUPTED;
    if (bytes < 0 && errno == ETIMEDOUT)
        return output_error(call->output, ZCHAT_EXPIRED, 0,
                            "standard input did not end within --timeout, %s s",
                            option_text(call->options, OPTION_TIMEOUT));
    if (bytes < 0)
        return output_error(call->output, ZCHAT_IO, 0, "cannot read standard input: %s",
                            strerror(errno));
    if (bytes > STDIN_BYTES_MAX)
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "the text on standard input is too long");
    if (memchr(buffer, 0, (size_t)bytes))
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "the text on standard input contains a NUL byte");
    return STATUS_DONE;
}

/* All of stdin, without one newline at its end. Whoever writes it may take their time, unless
 * --timeout was given: the one that it has by itself begins with the end of the text. */
static enum status take_stdin(struct call *call, char **text) {
    char *buffer = *text = malloc(STDIN_BYTES_MAX + 2);
    if (!buffer)
        return no_memory(call);
    bool bounded = option_is_set(call->options, OPTION_TIMEOUT);
    int64_t began_us = clock_us();
    ssize_t bytes =
        read_stdin(buffer, STDIN_BYTES_MAX + 1, bounded ? call->deadline_us : NO_DEADLINE);
    if (!bounded)
        call_shift_limit(call, began_us);
    enum status status = check_stdin(call, buffer, bytes);
    if (status != STATUS_DONE)
        return status;
    if (bytes > 0 && buffer[bytes - 1] == '\n')
        bytes--;
    buffer[bytes] = 0;
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
