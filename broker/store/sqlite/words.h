/* The index of words: which of the log's entries have which words. It is made from the log, in a
 * database of its own beside the store, by a thread of its own with the least priority: what is
 * durable is indexed a moment later, and nothing else waits for it. An index that is lost or
 * another store's is made anew at the start, a damaged one once the damage is met.
 *
 * It says only where to look: whether an entry still stands, and who may read it, the log and the
 * tables decide. All calls come from the store's thread. */
#ifndef WORDS_H
#define WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Behind the store's path: the index. */
#define WORDS_SUFFIX "-words"

struct words;

/* Opens or makes the index of the store at `path`, whose connections have the VFS `vfs`, and whose
 * log ends at `last`. NULL: see *reason. */
struct words *words_new(const char *path, const char *vfs, int64_t last, const char **reason);
void words_free(struct words *words);
/* Removes the index of the store at `path`, which nobody has open. */
void words_remove(const char *path);

/* Entries up to this position of the log are durable. Costs next to nothing. */
void words_note(struct words *words, int64_t position);
/* Up to which position the index goes. */
int64_t words_indexed(const struct words *words);

/* Which entries: those before a position and from `from` on that have the words (word_text.h), and
 * that the account sent or received, or that are in threads. */
struct words_query {
    const char *expression;
    int64_t account;
    int64_t before;
    int64_t from;
};

/* Their positions, the last one first, at most `limit`. false: the index can't be read now. */
bool words_find(struct words *words, const struct words_query *query, int64_t *positions,
                size_t limit, size_t *count);

#endif
