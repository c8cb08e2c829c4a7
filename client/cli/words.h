/* Words of a typed line whose arguments may contain blanks: "…" keeps them together, and a
 * backslash takes the next character as it is. Nothing else is special: a leading dash, too, is
 * part of the word. Also times in words. */
#ifndef WORDS_H
#define WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Cuts the next word off *text, in place, with its quotes resolved, and moves *text behind it and
 * the one blank that ends it. *word is NULL if none is left. false: a quote is not closed. */
bool words_take(char **text, const char **word);

/* How many whole words there are before the last, unfinished word of `text`; *quoted: whether that
 * word has an open quote. */
size_t words_count(const char *text, bool *quoted);

/* `text` as it must be typed within quotes. The caller frees it. */
char *words_escape(const char *text);
/* Whether `text` must be typed within quotes to be one word. */
bool words_need_quotes(const char *text);

/* Whether all bytes are UTF-8 without NUL: if not, nothing of them is a command or a message. */
bool words_are_text(const char *bytes, size_t count);

/* A whole positive number of at most `max`; 0: it is none. */
uint64_t words_number(const char *word, uint64_t max);

/* ---- times, in this machine's local time ---- */

#define CLOCK_DATE_BYTES 48
#define CLOCK_TIME_BYTES 24

/* "Friday, 21 November 2025". */
void clock_date(int64_t time_us, char text[CLOCK_DATE_BYTES]);
/* "12:30". */
void clock_minute(int64_t time_us, char text[CLOCK_TIME_BYTES]);
/* "2025-11-21 12:30"; "never" for 0. */
void clock_moment(int64_t time_us, char text[CLOCK_TIME_BYTES]);
/* A number that is the same for all times of one local day. */
int clock_day(int64_t time_us);

#endif
