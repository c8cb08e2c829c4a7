/* The newest posts, whose rows are not written yet: of each thread those that end it, and what
 * their authors have of posts. Until their rows are written, at once for all threads, the log alone
 * has them; whoever reads the rows looks here, too. No SQL in here. */
#ifndef FRESH_H
#define FRESH_H

#include "threads.h"

struct fresh;

struct fresh_thread {
    struct store_thread thread; /* as it stands, with its posts in here */
    size_t count;               /* of these; they are its last entries, without holes */
    int64_t *positions;         /* owned: in the log */
    size_t positions_max;
    struct fresh_thread *next; /* borrowed */
};

struct fresh_author {
    int64_t account;
    int64_t bytes;             /* that it has of posts, with those in here */
    int64_t written;           /* of which so many are in its row */
    struct fresh_author *next; /* borrowed */
};

/* NULL: no memory. */
struct fresh *fresh_new(uint64_t seed);
void fresh_free(struct fresh *fresh);

/* NULL: there is none in here. */
struct fresh_thread *fresh_titled(const struct fresh *fresh, const char *title);
struct fresh_thread *fresh_thread(const struct fresh *fresh, int64_t stream);
struct fresh_author *fresh_author(const struct fresh *fresh, int64_t account);
/* Those that are not there yet. NULL: no memory. */
struct fresh_thread *fresh_thread_add(struct fresh *fresh, const struct store_thread *thread);
struct fresh_author *fresh_author_add(struct fresh *fresh, int64_t account, int64_t bytes);

/* The thread, which has one post more than it had, got it as its last entry. false: no memory. */
bool fresh_push(struct fresh *fresh, struct fresh_thread *of, const struct store_thread *thread,
                int64_t position);
/* The number in the stream of the first post in here. */
uint64_t fresh_first_seq(const struct fresh_thread *of);
/* How many of its posts in here are not after `seq`. */
uint64_t fresh_up_to(const struct fresh_thread *of, uint64_t seq);

/* All threads and all authors, in any order. */
const struct fresh_thread *fresh_threads(const struct fresh *fresh);
const struct fresh_author *fresh_authors(const struct fresh *fresh);
/* Posts in here. */
size_t fresh_count(const struct fresh *fresh);
/* How many rows are to be written or changed for them: of post, post_block, thread, account. */
size_t fresh_rows(const struct fresh *fresh);
/* Their rows are written. false: no memory. */
bool fresh_clear(struct fresh *fresh);

#endif
