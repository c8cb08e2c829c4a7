/* What a page of a history or of a search holds, copied until all of the page is here. */
#ifndef FOUND_H
#define FOUND_H

#include "zchat.h"

#include <stddef.h>
#include <stdint.h>

enum found_kind { FOUND_MESSAGE, FOUND_POST, FOUND_UPLOAD, FOUND_DAMAGED };

struct found {
    enum found_kind kind;
    zchat_message message; /* owned, with its strings; so are the next two */
    zchat_post post;
    zchat_upload upload;
    char *thread; /* owned: of a post that a search found; NULL: none */
    uint64_t seq; /* of an item of a thread */
};

struct founds {         /* all zero: nothing */
    struct found *list; /* owned */
    size_t count;
};

void founds_release(struct founds *founds);

void founds_add_message(struct founds *founds, const zchat_message *message);
void founds_add_post(struct founds *founds, const zchat_post *post, const char *thread);
/* An item of a thread; one of a kind that this program is too old for is left out. */
void founds_add_item(struct founds *founds, const zchat_item *item);

/* Removes the first ones until at most `count` are left. */
void founds_keep_last(struct founds *founds, size_t count);
/* Moves all of `earlier` before those in `founds`. */
void founds_put_before(struct founds *founds, struct founds *earlier);

#endif
