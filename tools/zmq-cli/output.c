/* Printing: lines of data, errors, notices. The first failed write to stdout is remembered, because
 * a later one may fail for another reason or not at all. */
#define _GNU_SOURCE /* fopencookie */
#include "output.h"

#include "bound.h"
#include "common/clock.h"
#include "common/time_text.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 2048
/* It can hardly be reported, because reports go to standard error. */
#define NOT_READ "standard error did not take what is said"

/* ---- the stream ---- */

/* After a failure nothing is tried again, because it might block. A stream's write function returns
 * 0 for a failure. */
static ssize_t write_out(void *cookie, const char *bytes, size_t count) {
    const struct output *output = cookie;
    if (output->write_error) {
        errno = output->write_error;
        return 0;
    }
    const char *before = bound_write_begins("standard output did not take what is printed");
    ssize_t written = write(STDOUT_FILENO, bytes, count);
    int error = errno;
    bound_write_ends(before);
    errno = error;
    return written < 0 ? 0 : written;
}

void output_init(struct output *output) {
    *output = (struct output){.out = NULL};
    output->out = fopencookie(output, "w", (cookie_io_functions_t){.write = write_out});
    if (!output->out)
        output->out = stdout;
    else if (isatty(STDOUT_FILENO))
        setvbuf(output->out, NULL, _IOLBF, 0);
}

void output_release(struct output *output) {
    if (output->out != stdout)
        fclose(output->out);
    output->out = NULL;
}

static void note_failure(struct output *output, bool failed) {
    if (failed && !output->write_error)
        output->write_error = errno ? errno : EIO;
}

void output_text(struct output *output, const char *text) {
    note_failure(output, fputs(text, output->out) == EOF);
}

void output_bytes(struct output *output, const void *bytes, size_t count) {
    note_failure(output, fwrite(bytes, 1, count, output->out) != count);
}

void output_format(struct output *output, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    note_failure(output, vfprintf(output->out, format, arguments) < 0);
    va_end(arguments);
}

void output_indented(struct output *output, const char *text) {
    for (const char *line = text; *line;) {
        size_t bytes = strcspn(line, "\n");
        output_format(output, "%.*s\n", (int)bytes, line);
        line += bytes + (line[bytes] == '\n');
        if (*line)
            output_text(output, "    ");
    }
}

static enum status print_object(struct output *output, json_t *object, size_t flags) {
    if (!object)
        return output_error(output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
    note_failure(output, json_dumpf(object, output->out, flags) != 0);
    output_text(output, "\n");
    json_decref(object);
    return STATUS_DONE;
}

enum status output_object(struct output *output, json_t *object) {
    return print_object(output, object, JSON_COMPACT);
}

enum status output_ascii(struct output *output, json_t *object) {
    return print_object(output, object, JSON_COMPACT | JSON_ENSURE_ASCII);
}

enum status output_flush(struct output *output) {
    note_failure(output, fflush(output->out) == EOF);
    if (output->write_error == 0)
        return STATUS_DONE;
    if (output->write_error == EPIPE)
        return STATUS_BROKEN_PIPE;
    if (output->write_error == EINTR)
        return STATUS_INTERRUPTED;
    if (!output->write_told)
        output_error(output, ZCHAT_IO, 0, "cannot write to standard output: %s",
                     strerror(output->write_error));
    output->write_told = true;
    return (enum status)zchat_exit_status(ZCHAT_IO);
}

/* ---- the bar: its line is shorter than any terminal is wide, and each line covers the last one
 * ---- */

#define CELLS    24
#define EVERY_US 100000
#define MIB      (1024.0 * 1024.0)

void bar_init(struct bar *bar, bool quiet) {
    *bar = (struct bar){.shown = !quiet && isatty(STDERR_FILENO)};
}

static void draw(struct bar *bar) {
    static const char full[] = "########################", empty[] = "........................";
    double share = bar->total ? (double)bar->bytes / (double)bar->total : 1;
    double seconds = (double)(clock_us() - bar->began_us) / 1e6;
    double moved = (double)(bar->bytes - bar->first_bytes) / MIB;
    int cells = (int)(share * CELLS);
    fprintf(stderr, "\r[%.*s%.*s] %3d%%  %.1f of %.1f MiB  %.1f MiB/s  ", cells, full,
            CELLS - cells, empty, (int)(share * 100), (double)bar->bytes / MIB,
            (double)bar->total / MIB, seconds > 0 ? moved / seconds : 0);
    fflush(stderr);
    bar->drawn = true;
    bar->drawn_us = clock_us();
}

void bar_move(struct bar *bar, uint64_t bytes, uint64_t total) {
    bar->bytes = bytes > total ? total : bytes;
    bar->total = total;
    if (!bar->began_us || bar->bytes < bar->first_bytes) {
        bar->began_us = clock_us();
        bar->first_bytes = bar->bytes;
    }
    if (bar->shown && (!bar->drawn || clock_us() - bar->drawn_us >= EVERY_US))
        draw(bar);
}

void bar_end(struct bar *bar) {
    if (!bar->drawn)
        return;
    draw(bar);
    fputc('\n', stderr);
    bar->drawn = false;
}

/* ---- errors and notices ---- */

bool output_is_broken_pipe(void) {
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && out.revents & POLLERR;
}

static json_t *error_object(const char *name, zchat_reason reason, uint32_t retry_after_s,
                            const char *message) {
    json_t *error = json_pack("{s:s, s:s}", "code", name, "message", message);
    if (error && zchat_reason_name(reason)[0])
        json_object_set_new(error, "reason", json_string(zchat_reason_name(reason)));
    if (error && retry_after_s)
        json_object_set_new(error, "retry_after", json_integer(retry_after_s));
    return error;
}

static void print_error_object(const char *name, zchat_reason reason, uint32_t retry_after_s,
                               const char *message) {
    json_t *object =
        json_pack("{s:o}", "error", error_object(name, reason, retry_after_s, message));
    if (object)
        json_dumpf(object, stderr, JSON_COMPACT);
    else
        fputs("{\"error\":{\"code\":\"NO_MEMORY\",\"message\":\"\"}}", stderr);
    fputc('\n', stderr);
    json_decref(object);
}

static void end_bar(const struct output *output) {
    if (output->bar)
        bar_end(output->bar);
}

static void print_error(const struct output *output, const char *name, zchat_reason reason,
                        uint32_t retry_after_s, const char *format, va_list arguments) {
    char message[LINE_BYTES];
    vsnprintf(message, sizeof message, format, arguments);
    zchat_text_clean(message);
    const char *before = bound_write_begins(NOT_READ);
    end_bar(output);
    if (output->json)
        print_error_object(name, reason, retry_after_s, message);
    else
        fprintf(stderr, "zmq-cli: %s\n", message);
    bound_write_ends(before);
}

enum status output_error(const struct output *output, zchat_code code, uint32_t retry_after_s,
                         const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_error(output, zchat_code_name(code), ZCHAT_REASON_NONE, retry_after_s, format, arguments);
    va_end(arguments);
    return (enum status)zchat_exit_status(code);
}

enum status output_refusal(const struct output *output, zchat_code code, zchat_reason reason,
                           uint32_t retry_after_s, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_error(output, zchat_code_name(code), reason, retry_after_s, format, arguments);
    va_end(arguments);
    return (enum status)zchat_exit_status(code);
}

enum status output_failure(const struct output *output, const char *name, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_error(output, name, ZCHAT_REASON_NONE, 0, format, arguments);
    va_end(arguments);
    return STATUS_FAILED;
}

static void print_notice(const struct output *output, const char *format, va_list arguments) {
    char message[LINE_BYTES];
    vsnprintf(message, sizeof message, format, arguments);
    zchat_text_clean(message);
    const char *before = bound_write_begins(NOT_READ);
    end_bar(output);
    fprintf(stderr, "zmq-cli: %s\n", message);
    bound_write_ends(before);
}

void output_notice(const struct output *output, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (!output->quiet)
        print_notice(output, format, arguments);
    va_end(arguments);
}

void output_detail(const struct output *output, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (output->verbose)
        print_notice(output, format, arguments);
    va_end(arguments);
}

json_t *value_time(int64_t time_us) {
    char text[TIME_TEXT];
    return time_us ? json_string(time_precise(time_us, text)) : json_null();
}

json_t *value_big(uint64_t number) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    return json_string(text);
}

json_t *value_error(zchat_code code, zchat_reason reason, uint32_t retry_after_s,
                    const char *message) {
    char clean[LINE_BYTES];
    snprintf(clean, sizeof clean, "%s", message);
    zchat_text_clean(clean);
    return error_object(zchat_code_name(code), reason, retry_after_s, clean);
}
