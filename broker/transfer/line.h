/* A line of JSON that is one object of texts, numbers and truth values, read key by key; and the
 * same for writing. Nothing is nested. */
#ifndef TRANSFER_LINE_H
#define TRANSFER_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than any record's line has: a piece of a file in base64 has 350,000 bytes, and a text of
 * nothing but escaped characters 100,000. */
#define LINE_BYTES_MAX ((size_t)512 * 1024)
#define LINE_KEY_BYTES 32

/* ---- reading ---- */

enum line_kind { LINE_TEXT, LINE_NUMBER, LINE_TRUTH };

struct line_value {
    enum line_kind kind;
    char key[LINE_KEY_BYTES];
    const char *text; /* valid UTF-8 without NUL; in the reader's room until the next value */
    size_t text_bytes;
    uint64_t number;
    bool truth;
};

struct line_reader {
    const char *at; /* borrowed, as `end` and `begin`: the line */
    const char *end;
    const char *begin;
    char *room;        /* borrowed: LINE_BYTES_MAX */
    const char *fault; /* static; NULL: none */
    bool any;          /* a value was read */
};

void line_begin(struct line_reader *reader, const char *line, size_t bytes, char *room);
/* The next key with its value. False: there is none, because the object has ended, or because of a
 * fault, which `fault` tells then. */
bool line_next(struct line_reader *reader, struct line_value *out);
/* Where it stands in the line, counted from 1: for a fault. */
size_t line_column(const struct line_reader *reader);

/* ---- writing ---- */

struct line {
    size_t length;
    char bytes[LINE_BYTES_MAX + 2]; /* with the newline; what does not fit is cut: see line_end */
};

void line_text(struct line *line, const char *key, const char *text, size_t bytes);
void line_number(struct line *line, const char *key, uint64_t number);
void line_truth(struct line *line, const char *key, bool truth);
void line_base64(struct line *line, const char *key, const void *bytes, size_t length);
/* Closes the object and adds the newline. False: it is longer than LINE_BYTES_MAX. */
bool line_end(struct line *line);

#endif
