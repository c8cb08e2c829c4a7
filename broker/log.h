/* The broker's log: logfmt on stderr, one line and one write(2) for each event, from any thread.
 *
 *     time=2024-05-01T12:00:00.000000Z level=info event=session_open user=yoda session=7
 *
 * Text that peers sent goes through log_quote. Never log a message's text, a key or a password. */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARN,
    LOG_LEVEL_ERROR,
};

/* From here on no line waits for the reader of stderr, such as a stopped terminal (Ctrl-S) or a
 * pager. Who replaces stderr afterwards calls log_close() first. */
void log_open(void);
void log_close(void);

/* Lines below this level are not written. It is info at first. */
void log_set_level(enum log_level level);

/* Whether lines of that level are written; for lines that are costly to make. */
bool log_is_on(enum log_level level);

/* `event` is one word; `format` gives "key=value key=value" and may be NULL. A control character in
 * it becomes '?', and the line is cut at LOG_LINE_BYTES. */
#define LOG_LINE_BYTES 2048
void log_debug(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_info(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_error(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Logs an event whose only key is the reason, a sentence of any text: in quotes, '"' and '\'
 * escaped. */
void log_reason(enum log_level level, const char *event, const char *reason);

/* Writes a peer's text as a value: in quotes, harmless for a terminal, '"' and '\' escaped, cut to
 * LOG_QUOTE_CHARACTERS with "..." behind it. Takes any bytes. Returns `out`. */
#define LOG_QUOTE_CHARACTERS 64
#define LOG_QUOTE_BYTES      (4 * LOG_QUOTE_CHARACTERS + 6)
const char *log_quote(char *out, size_t out_bytes, const char *text, size_t text_bytes);

#endif
