/* Pages of a search: messages and posts that have the words, the newest first. */
#ifndef FIND_WORDS_H
#define FIND_WORDS_H

struct find_source;

extern const struct find_source find_words_source;

#endif
