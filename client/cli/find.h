/* Looking for what was said before, page by page: what is being looked for, what was typed ahead,
 * and the page that is being gathered. One typed order is carried out at a time, so the pages come
 * in the order of typing, and a `more` waits for the page before it. */
#ifndef FIND_H
#define FIND_H

#include "found.h"
#include "zchat.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app;
struct call;

#define FIND_ORDERS_MAX 16 /* typed ahead: more would be a mistake */
/* Questions for one page: where few of many entries fit, it is shown as far as it was found. */
#define FIND_QUESTIONS_MAX 50

/* Asks the broker for the first part of the next page. */
typedef void find_ask_fn(struct app *app);
/* Shows the page that was gathered. */
typedef void find_show_fn(struct app *app);

struct find_source { /* of pages: a constant of the file that asks for them */
    find_ask_fn *ask;
    find_show_fn *show;
    const char *empty; /* a sentence that ends with what was looked for */
    const char *older; /* what `more` does then: "goes further back" */
};

struct find_order {
    const struct find_source *source; /* NULL: more of what was found last */
    char *what;                       /* owned: a user, a title or words; NULL: more */
    bool either;                      /* a user or, if there is none, a thread */
};

struct find {                                  /* all zero: nothing was looked for */
    struct find_order orders[FIND_ORDERS_MAX]; /* the first one is being carried out */
    size_t order_count;
    unsigned session; /* of those who logged in one after the other: older answers don't count */
    const struct find_source *source; /* of the last order; NULL: there was none */
    char *what;                       /* owned */
    bool either;
    bool begun; /* its first page was shown */
    bool more;
    uint64_t before_seq; /* the next page ends before this entry; 0: it is the first */
    int64_t before;      /* the same for a search */
    size_t wanted;       /* how many entries the page has at most */
    unsigned questions;  /* that were asked for the page */
    uint64_t behind;     /* of a search's page: the most that was not searched yet */
    struct founds page;
    struct founds part; /* of a thread: the part that is being read, which goes before `page` */
    uint64_t part_after, part_last; /* the part is what comes after the one, up to the other */
    uint64_t part_read;             /* up to here */
    uint64_t part_items;            /* how many numbers it spans */
};

void find_release(struct find *find);
/* Somebody else is logged in. */
void find_forget(struct find *find);

/* Carries out an order when those before it are done. */
void find_order(struct app *app, const struct find_source *source, const char *what, bool either);
/* The same for `more`. */
void find_order_more(struct app *app);

/* ---- for the sources ---- */

/* A call whose answer counts only as long as find_counts(). */
struct call *find_call(struct app *app, void (*done)(struct call *call, const zchat_reply *reply));
/* Whether the answer is for this session, and no failure; shows a failure, and ends the order. */
bool find_counts(struct call *call, const zchat_reply *reply);
/* Whether another question may be asked for the page. */
bool find_may_ask(const struct find *find);
/* The page is whole: shows it, ends the order and begins the next one. */
void find_is_whole(struct app *app);
/* The order goes on at another source. */
void find_go_to(struct app *app, const struct find_source *source);

#endif
