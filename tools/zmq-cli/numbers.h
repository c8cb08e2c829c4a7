/* Which post each number of a thread stood for when this user last read it, or posted to it.
 *
 * There is one file in the state folder for each broker, user and thread, 0600, which the next
 * reading replaces as a whole. Its name is a hash, so that no title is ever a path; the file itself
 * says for whom it is, which is checked. A number that was not shown never stands for another post:
 * if the file can't be trusted, the user is told to read again. */
#ifndef NUMBERS_H
#define NUMBERS_H

#include "call.h"

#include <stdio.h>

/* A reading under way. */
struct numbers {
    const struct call *call; /* borrowed: from the caller */
    char *path;              /* owned; NULL: there is no state folder */
    char *fresh_path;        /* owned; of the file that will replace it */
    FILE *fresh;             /* owned; NULL: it could not be made, or written */
    int error;               /* errno of what failed */
    uint64_t count;
};

/* Begins a reading; the call must be logged in. A failure shows at numbers_keep, after the thread
 * was printed. */
void numbers_begin(struct numbers *numbers, const struct call *call, const char *title);

/* Adds the next post and returns its number; the first one is number 1. */
uint64_t numbers_add(struct numbers *numbers, const zchat_id *id);

/* Replaces what was kept before. If that fails the old numbers are forgotten, and a notice says so;
 * it is an error only if not even that is possible. Releases the reading. */
enum status numbers_keep(struct numbers *numbers);

/* Finds the post with this number; *known is false if nothing was read or posted yet. */
enum status numbers_find(const struct call *call, const char *title, uint64_t number, zchat_id *id,
                         bool *known);

/* Adds the user's own new post, even if nothing was read, because its number was shown. After a
 * deletion another post may have been read with the same number: then the number means the new
 * post, which was shown last. Numbers between it and those that were read stay unknown. */
void numbers_append(const struct call *call, const char *title, uint64_t number,
                    const zchat_id *id);

/* Forgets the numbers: the thread was removed, or is new. */
void numbers_forget(const struct call *call, const char *title);

#endif
