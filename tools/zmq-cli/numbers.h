/* Which post each number of a thread stood for when this user last read it, or posted to it.
 *
 * One file in the state folder for each broker, user and thread, 0600, which the next reading
 * replaces as a whole. Its name is a hash, so that no title is ever a path; whose it is stands
 * inside and is checked. A number that was never shown is never taken for another post: where the
 * file can't be trusted, the user is told to read again. */
#ifndef NUMBERS_H
#define NUMBERS_H

#include "call.h"

#include <stdio.h>

/* A reading under way. */
struct numbers {
    const struct call *call; /* borrowed: from the caller */
    char *path;              /* owned; NULL: there is no state folder */
    char *fresh_path;        /* owned; of the file that will take its place */
    FILE *fresh;             /* owned; NULL: it could not be made, or written */
    int error;               /* errno of what failed */
    uint64_t count;
};

/* The call is logged in. A failure shows at numbers_keep, after the thread was printed. */
void numbers_begin(struct numbers *numbers, const struct call *call, const char *title);

/* The next post: the first one is number 1. Returns its number. */
uint64_t numbers_add(struct numbers *numbers, const zchat_id *id);

/* Replaces what was kept before. Where that fails the old numbers are forgotten, and a notice says
 * so; only where not even that is possible it is an error. Releases the reading. */
enum status numbers_keep(struct numbers *numbers);

/* The post that has this number; *known is false where nothing was read or posted yet. */
enum status numbers_find(const struct call *call, const char *title, uint64_t number, zchat_id *id,
                         bool *known);

/* Adds one's own new post, also where nothing was read: its number was shown. After a deletion it
 * may be that of another one that was read: then it means the new post, which was shown last.
 * Numbers between it and what was read stay unknown. */
void numbers_append(const struct call *call, const char *title, uint64_t number,
                    const zchat_id *id);

/* The thread is no more, or new. */
void numbers_forget(const struct call *call, const char *title);

#endif
