/* A line is made in a buffer of its own and leaves with one write(2), so that two threads' lines
 * never mix on a pipe, a terminal or an appended file. Nothing that peers send can begin a new line
 * or reach a terminal as a command.
 *
 * The level and where lines go are the only state: they belong to the process as stderr does, so
 * they are kept here and not in every struct that may have to log something. A failed write is not
 * reported: there is nobody to tell. Nobody waits for the log: lines that a terminal or a pipe does
 * not take at once are lost, and the next line that gets through says how many. */
#define _GNU_SOURCE /* O_CLOEXEC and its like */
#include "log.h"

#include "common/clock.h"
#include "common/time_text.h"
#include "text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int level_now = LOG_LEVEL_INFO;
/* stderr opened once more, not blocking; -1: stderr itself is used, because it takes everything. */
static atomic_int unwaiting = -1;
static atomic_bool is_socket;
static atomic_uint lines_lost;
static atomic_bool line_is_cut; /* the last line was cut in the middle */

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_ERROR] = "error",
};

void log_set_level(enum log_level level) {
    atomic_store(&level_now, (int)level);
}

bool log_is_on(enum log_level level) {
    return (int)level >= atomic_load(&level_now);
}

/* The flag for not blocking belongs to the open file, which a shell or a supervisor may share: so
 * the terminal or pipe is opened again, and stderr stays as it is. A regular file is not opened
 * again: it always takes what it gets, and opening would lose the position in it. */
void log_open(void) {
    struct stat status;
    if (fstat(STDERR_FILENO, &status) != 0)
        return;
    atomic_store(&is_socket, S_ISSOCK(status.st_mode));
    if (S_ISFIFO(status.st_mode) || isatty(STDERR_FILENO)) {
        atomic_store(&unwaiting,
                     open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    }
}

void log_close(void) {
    int fd = atomic_exchange(&unwaiting, -1);
    if (fd >= 0)
        close(fd);
    atomic_store(&is_socket, false);
}

/* A line that grows; it is cut at its end. */
struct line {
    char text[LOG_LINE_BYTES];
    size_t used;
};

__attribute__((format(printf, 2, 0))) static void line_vprint(struct line *line, const char *format,
                                                              va_list arguments) {
    size_t room = sizeof line->text - 1 - line->used; /* 1 for the newline */
    int bytes = vsnprintf(line->text + line->used, room, format, arguments);
    if (bytes > 0)
        line->used += (size_t)bytes < room ? (size_t)bytes : room - 1;
}

__attribute__((format(printf, 2, 3))) static void line_print(struct line *line, const char *format,
                                                             ...) {
    va_list arguments;
    va_start(arguments, format);
    line_vprint(line, format, arguments);
    va_end(arguments);
}

static void line_begin(struct line *line, enum log_level level, const char *event) {
    char time[TIME_TEXT];
    time_precise(clock_wall_us(), time);
    line->used = 0;
    line_print(line, "time=%s level=%s event=%s", time, level_names[level], event);
}

static ssize_t write_once(const char *text, size_t bytes) {
    int fd = atomic_load(&unwaiting);
    if (atomic_load(&is_socket))
        return send(STDERR_FILENO, text, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    return write(fd >= 0 ? fd : STDERR_FILENO, text, bytes);
}

/* Whether all of it was written. */
static bool write_text(const char *text, size_t bytes) {
    ssize_t written;
    do {
        written = write_once(text, bytes);
    } while (written < 0 && errno == EINTR);
    if (written > 0 && (size_t)written < bytes)
        atomic_store(&line_is_cut, true);
    return written < 0 ? errno != EAGAIN : (size_t)written == bytes;
}

/* Tells how many lines were lost. False: that could not be written, and is still to be told. */
static bool tell_lost(unsigned lost) {
    bool cut = atomic_exchange(&line_is_cut, false);
    struct line line;
    line_begin(&line, LOG_LEVEL_WARN, "log_lines_lost");
    line_print(&line, " lines=%u\n", lost);
    if ((!cut || write_text("\n", 1)) && write_text(line.text, line.used))
        return true;
    if (cut)
        atomic_store(&line_is_cut, true);
    return false;
}

static void line_write(struct line *line) {
    for (size_t i = 0; i < line->used; i++) {
        unsigned char byte = (unsigned char)line->text[i];
        if (byte < 0x20 || byte == 0x7f)
            line->text[i] = '?';
    }
    line->text[line->used++] = '\n';
    unsigned lost = atomic_exchange(&lines_lost, 0);
    bool told = lost == 0 || tell_lost(lost);
    if (!told || !write_text(line->text, line->used))
        atomic_fetch_add(&lines_lost, (told ? 0 : lost) + 1);
}

__attribute__((format(printf, 3, 0))) static void log_event(enum log_level level, const char *event,
                                                            const char *format, va_list arguments) {
    if (!log_is_on(level))
        return;
    int errno_kept = errno;
    struct line line;
    line_begin(&line, level, event);
    if (format) {
        line_print(&line, " ");
        line_vprint(&line, format, arguments);
    }
    line_write(&line);
    errno = errno_kept;
}

void log_debug(const char *event, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    log_event(LOG_LEVEL_DEBUG, event, format, arguments);
    va_end(arguments);
}

void log_info(const char *event, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    log_event(LOG_LEVEL_INFO, event, format, arguments);
    va_end(arguments);
}

void log_warn(const char *event, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    log_event(LOG_LEVEL_WARN, event, format, arguments);
    va_end(arguments);
}

void log_error(const char *event, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    log_event(LOG_LEVEL_ERROR, event, format, arguments);
    va_end(arguments);
}

void log_reason(enum log_level level, const char *event, const char *reason) {
    if (!log_is_on(level))
        return;
    int errno_kept = errno;
    struct line line;
    line_begin(&line, level, event);
    line_print(&line, " reason=\"");
    for (; *reason; reason++)
        line_print(&line, "%s%c", *reason == '"' || *reason == '\\' ? "\\" : "", *reason);
    line_print(&line, "\"");
    line_write(&line);
    errno = errno_kept;
}

/* Bytes of the UTF-8 character that begins with `first`; the text is valid. */
static size_t character_bytes(char first) {
    unsigned char byte = (unsigned char)first;
    if (byte < 0x80)
        return 1;
    return byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

const char *log_quote(char *out, size_t out_bytes, const char *text, size_t text_bytes) {
    assert(out_bytes >= LOG_QUOTE_BYTES);
    char clean[16 * LOG_QUOTE_CHARACTERS];
    size_t taken = text_bytes < sizeof clean ? text_bytes : sizeof clean;
    if (taken > 0)
        memcpy(clean, text, taken);
    size_t clean_bytes = text_clean_line(clean, taken);

    size_t used = 0, at = 0;
    out[used++] = '"';
    for (int i = 0; i < LOG_QUOTE_CHARACTERS && at < clean_bytes; i++) {
        if (clean[at] == '"' || clean[at] == '\\')
            out[used++] = '\\';
        size_t bytes = character_bytes(clean[at]);
        memcpy(out + used, clean + at, bytes);
        used += bytes;
        at += bytes;
    }
    out[used++] = '"';
    if (at < clean_bytes || taken < text_bytes) {
        memcpy(out + used, "...", 3);
        used += 3;
    }
    out[used] = '\0';
    return out;
}
