/* What a call prints: data on stdout, as text or as JSON lines, and everything else on stderr.
 *
 * All writing to stdout goes through here, so that a failed write is never overlooked: every
 * function that writes data returns an exit status: STATUS_DONE, or why it can't go on, which has
 * been reported already. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "zchat.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The exit codes of COMMANDS.md; a code of the library becomes one through zchat_exit_status(). */
enum status {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,
    STATUS_USAGE = 2,
    STATUS_CONNECTION = 3,
    STATUS_AUTH = 4,
    STATUS_NOT_FOUND = 5,
    STATUS_FORBIDDEN = 6,
    STATUS_CONFLICT = 7,
    STATUS_BUSY = 8,
    STATUS_EXPIRED = 124,
    STATUS_INTERRUPTED = 130,
    STATUS_BROKEN_PIPE = 141 /* only inside the program, which then ends quietly with 0 */
};

/* The progress bar of a transfer: on stderr, only if that is a terminal, and drawn at most ten
 * times a second. */
struct bar {
    bool shown; /* there is somebody to see it */
    bool drawn; /* the cursor is behind it */
    uint64_t bytes;
    uint64_t total;
    uint64_t first_bytes; /* what was there already when it began */
    int64_t began_us;     /* 0: it has not begun */
    int64_t drawn_us;
};

void bar_init(struct bar *bar, bool quiet);
void bar_move(struct bar *bar, uint64_t bytes, uint64_t total);

/* Draws it a last time and ends its line, so that something else can be printed. */
void bar_end(struct bar *bar);

struct output {
    FILE *out; /* owned: writes to stdout */
    bool json;
    bool quiet;
    bool verbose;
    struct bar *bar; /* borrowed from a transfer; ended before anything else is printed. NULL:
                      * none */
    int write_error; /* errno of the first failed write to stdout */
    bool write_told; /* the failure was reported */
};

/* If there is no memory for a stream of its own, it uses stdout's. */
void output_init(struct output *output);
void output_release(struct output *output);

/* All add to the present line; the flush reports failures. */
void output_text(struct output *output, const char *text);
void output_bytes(struct output *output, const void *bytes, size_t count);
__attribute__((format(printf, 2, 3))) void output_format(struct output *output, const char *format,
                                                         ...);

/* Ends a line with a text from others. If that has several lines, those after the first are
 * indented, so that no text can look like another entry. */
void output_indented(struct output *output, const char *text);

/* Writes the object as one line and releases it. NULL: there was no memory for it. */
enum status output_object(struct output *output, json_t *object /* owned */);

/* The same with all beyond ASCII escaped: for what is handed out as the broker sent it, so that
 * nothing in it reaches a terminal. */
enum status output_ascii(struct output *output, json_t *object /* owned */);

/* Writes what was printed. It counts as written only after this has returned STATUS_DONE. A failure
 * is reported once, and returned each time. */
enum status output_flush(struct output *output);

/* Whether stdout is a pipe whose other end was closed. */
bool output_is_broken_pipe(void);

/* Reports the one error of a call on stderr and returns its exit status. */
__attribute__((format(printf, 4, 5))) enum status output_error(const struct output *output,
                                                               zchat_code code,
                                                               uint32_t retry_after_s,
                                                               const char *format, ...);

/* The same for a refusal that has a reason. */
__attribute__((format(printf, 5, 6))) enum status
output_refusal(const struct output *output, zchat_code code, zchat_reason reason,
               uint32_t retry_after_s, const char *format, ...);

/* The same for an error that has no code in libzchat: it gets a name of our own, and
 * STATUS_FAILED. */
__attribute__((format(printf, 3, 4))) enum status
output_failure(const struct output *output, const char *name, const char *format, ...);

/* Notices on stderr: output_notice unless --quiet, output_detail only with --verbose. */
__attribute__((format(printf, 2, 3))) void output_notice(const struct output *output,
                                                         const char *format, ...);
__attribute__((format(printf, 2, 3))) void output_detail(const struct output *output,
                                                         const char *format, ...);

/* New JSON values: a time (null for 0); and a 64-bit number, which is a string so that no reader
 * rounds it. */
json_t *value_time(int64_t time_us);
json_t *value_big(uint64_t number);
/* What was refused, and why: the object of an error. Its message is cleaned. */
json_t *value_error(zchat_code code, zchat_reason reason, uint32_t retry_after_s,
                    const char *message);

#endif
