/* The threads that this run has heard of, and for each the numbers under which its posts were last
 * shown. A number that somebody types means the post that was last shown with it, even if posts
 * before it were deleted since: so the post's id is sent. */
#ifndef FORUM_H
#define FORUM_H

#include "zchat.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORUM_START_BYTES 44

struct forum_post {
    uint64_t number;
    zchat_id id;
    char start[FORUM_START_BYTES]; /* how its text begins; "": not known */
};

struct forum_thread {
    char *title;              /* owned */
    zchat_id id;              /* all zero: not known */
    bool read;                /* it was read in this run: `posts` has all its posts */
    struct forum_post *posts; /* owned; as they were shown, the newest last */
    size_t posts_count;
    char **files; /* owned: names that were told of; more may be there */
    size_t files_count;
    bool followed;       /* its news are shown here */
    uint64_t unread;     /* how many of these came since the user last looked at the thread */
    uint64_t missed_seq; /* events up to this one came before the login */
    uint64_t shown_seq;  /* the last event that was put on the screen */
    uint64_t acked_seq;  /* the last one that the broker was told of */
};

struct forum {                     /* all zero: nothing is known */
    struct forum_thread **threads; /* owned, and so is each of them; in the order of titles */
    size_t count;
};

void forum_release(struct forum *forum);

/* NULL: this run has not heard of it. */
struct forum_thread *forum_find(const struct forum *forum, const char *title);
struct forum_thread *forum_find_id(const struct forum *forum, const zchat_id *id);
/* Found, or added. */
struct forum_thread *forum_get(struct forum *forum, const char *title);
/* The same; if another thread had the title before, it is forgotten. */
struct forum_thread *forum_get_id(struct forum *forum, const char *title, const zchat_id *id);
void forum_drop(struct forum *forum, const char *title);

/* The thread is about to be shown from its beginning. */
void forum_begin_reading(struct forum_thread *thread);
/* Notes that a post was shown with a number. */
void forum_show_post(struct forum_thread *thread, uint64_t number, const zchat_id *id,
                     const char *text);
/* Notes that a file is in the thread. */
void forum_show_file(struct forum_thread *thread, const char *file);
/* The post as it was last shown; NULL: it was not shown. Borrowed until another one is shown. */
const struct forum_post *forum_post(const struct forum_thread *thread, const zchat_id *id);
/* The id of the post that was shown with that number; false: none was. */
bool forum_resolve(const struct forum_thread *thread, uint64_t number, zchat_id *id);

#endif
