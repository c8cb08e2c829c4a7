/* Texts and questions for the index of words (words.h). A word is what letters, digits and marks
 * make, whatever its case and accents. Scripts that put no spaces between words have a word for
 * each character, so that a search finds what stands inside a line. */
#ifndef WORD_TEXT_H
#define WORD_TEXT_H

#include <stddef.h>

/* How many bytes word_text_write needs at most. */
#define WORD_TEXT_BYTES(text_bytes) (3 * (text_bytes))

/* Writes the text as the index takes it; returns its bytes. There is no NUL behind them. */
size_t word_text_write(char *out, const char *text, size_t text_bytes);

/* The largest expression that a question makes. */
#define WORD_QUERY_BYTES(words_bytes) (10 * (words_bytes) + 16)

/* What is looked for, as FTS5's expression: all of the words, in any order; "words in quotes" as
 * they follow each other. Returns how many words it has, or a few more: about what it costs to look
 * for them. */
size_t word_query(char *out, const char *words);

#endif
