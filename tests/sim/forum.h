/* The town's threads: what must be durable of them, and what the core should do and answer. Threads
 * are made, followed and posted to, and nobody leaves one. One comes and goes: its creators remove
 * it and make it anew, and nobody follows it. */
#ifndef FORUM_H
#define FORUM_H

#include "asked.h"

struct store;
struct town;

#define DUST (THREADS_MAX - 1) /* the one that comes and goes */

/* What a transaction changes, but for the posts, which only grow and count up to `head`. */
struct forum_state {
    bool made[THREADS_MAX];
    uint64_t head[THREADS_MAX];
    uint32_t followers[THREADS_MAX]; /* a set of accounts, bit by bit */
    uint64_t base;                   /* so many posts of dust went with earlier ones */
    uint32_t removals;               /* of dust */
    int creator;                     /* of dust, and its id */
    unsigned char id[ID_BYTES];
};

struct post {
    unsigned char id[ID_BYTES];
    int author, thread;
};

/* A post where it is in its thread. */
struct placed {
    uint32_t item;
    int64_t time_us;
};

struct forum {
    unsigned char id[THREADS_MAX][ID_BYTES]; /* of those that are made */
    struct placed *stream[THREADS_MAX];      /* owned: event n at n - 1, of dust behind its base */
    size_t stream_max[THREADS_MAX];
    unsigned char (*dusts)[ID_BYTES]; /* owned: all that were ever made, */
    size_t dust_count, dust_max;
    unsigned char (*removed)[ID_BYTES]; /* owned: and those that were removed */
    size_t removed_max;
    struct post *posts; /* owned */
    uint32_t post_count;
    uint32_t post_max;
};

void forum_release(struct forum *forum);
uint32_t forum_post_new(struct forum *forum, const unsigned char id[ID_BYTES], int author,
                        int thread);
/* The post's number in its thread, and where that says when it came; 0: it is not there. */
uint64_t forum_seq(const struct forum *forum, const struct forum_state *state, uint32_t item);
int64_t forum_time(const struct forum *forum, const struct forum_state *state, int thread,
                   uint64_t seq);

/* -1: none of these. */
int forum_of_title(const char *title);
int forum_of_id(const struct forum *forum, const unsigned char *id, size_t id_bytes);
int forum_of_stream(const struct forum *forum, const char *name);
extern const char *const forum_titles[THREADS_MAX];

/* Whether the post is what was committed at that place of the thread. */
bool forum_fits(const struct town *town, int thread, uint64_t seq, const unsigned char id[ID_BYTES],
                int64_t time_us, const char *user, const char *text);

/* See asked_read and the model's commands: those that name a thread. */
const char *forum_read(struct asked *asked, const struct forum *forum,
                       const Zchat__V1__Command *command);
int forum_carry_out(struct forum *forum, struct forum_state *state, struct asked *asked,
                    int64_t now_us);

/* Whether the store holds exactly the state; if not, why. */
bool forum_is_in(const struct forum *forum, const struct forum_state *state, struct store *store,
                 char *why, size_t why_bytes);

#endif
