/* The newest posts, whose rows are not written yet: the last posts of each thread, and how many
 * bytes of posts their authors have. Rows are written for all threads at once; until then only the
 * log has these posts, so whoever reads the rows must look here, too. No SQL in here. */
#ifndef FRESH_H
#define FRESH_H

#include "threads.h"

struct fresh;

struct fresh_thread {
    struct store_thread thread; /* as it is now, including the posts in here */
    size_t count;               /* of posts in here: the thread's last entries, without holes */
    int64_t *positions;         /* owned: in the log */
    size_t positions_max;
    struct fresh_thread *next; /* borrowed */
};

struct fresh_author {
    int64_t account;
    int64_t bytes;             /* of all its posts, including those in here */
    int64_t written;           /* how many of them its row has */
    struct fresh_author *next; /* borrowed */
};

/* NULL: no memory. */
struct fresh *fresh_new(uint64_t seed);
void fresh_free(struct fresh *fresh);

/* NULL: the thread, or the author, is not in here. */
struct fresh_thread *fresh_titled(const struct fresh *fresh, const char *title);
struct fresh_thread *fresh_thread(const struct fresh *fresh, int64_t stream);
struct fresh_author *fresh_author(const struct fresh *fresh, int64_t account);
/* Add a thread, or an author, that is not there yet. NULL: no memory. */
struct fresh_thread *fresh_thread_add(struct fresh *fresh, const struct store_thread *thread);
struct fresh_author *fresh_author_add(struct fresh *fresh, int64_t account, int64_t bytes);

/* Adds a post, which is the last entry of `thread`; `thread` counts it already. false: no
 * memory. */
bool fresh_push(struct fresh *fresh, struct fresh_thread *of, const struct store_thread *thread,
                int64_t position);
/* The number in the stream of the thread's first post in here. */
uint64_t fresh_first_seq(const struct fresh_thread *of);
/* How many of the thread's posts in here are at `seq` or before. */
uint64_t fresh_up_to(const struct fresh_thread *of, uint64_t seq);

/* All threads and all authors, in any order. */
const struct fresh_thread *fresh_threads(const struct fresh *fresh);
const struct fresh_author *fresh_authors(const struct fresh *fresh);
/* Posts in here. */
size_t fresh_count(const struct fresh *fresh);
/* How many rows of post, post_block, thread and account have to be written or changed for them. */
size_t fresh_rows(const struct fresh *fresh);
/* Empties it: all rows are written. false: no memory. */
bool fresh_clear(struct fresh *fresh);

#endif
