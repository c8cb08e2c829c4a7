/* What happens in followed threads: first what was missed, under a header with its number; then
 * what happens. What was written to the terminal counts as read. */
#ifndef NEWS_H
#define NEWS_H

#include "forum.h"
#include "zchat.h"

#include <stdbool.h>
#include <stddef.h>

struct app;
struct news_own;

struct news {             /* all zero: nothing yet */
    struct news_own *own; /* owned: done from here, but not yet come back as an event */
    size_t own_count;
    bool in_missed; /* the header was shown, its end was not */
    bool unacked;   /* something was shown and the broker was not told yet */
    int64_t due_ms; /* until when a script waits for what was missed */
};

void news_release(struct news *news);
/* Another session begins. */
void news_begin(struct app *app);

/* Whether all that was missed was shown, or the wait for it was long enough. */
bool news_are_here(const struct app *app, int64_t now_ms);
/* When news_are_here() changes by itself; -1: it does not. */
int64_t news_due_ms(const struct app *app);

/* Something happened in a thread. */
void news_take(struct app *app, const zchat_event *event);
/* What is on the screen was written: tells the broker. */
void news_acknowledge(struct app *app);

/* The user follows the thread from now on; and no longer. */
void news_follow(struct app *app, const zchat_followed *followed);
void news_unfollow(struct app *app, const char *title);

/* The user looks at the thread, or writes in it: nothing of it is unread. */
void news_seen(struct app *app, const char *title);

/* Something was asked for from here: when it comes back as an event, that is no news. `id`: of the
 * post; all zeros: not known. `file` NULL: it is not about a file. */
void news_expect(struct app *app, zchat_event_kind kind, const char *title, const zchat_id *id,
                 const char *file);
/* It was done. If the user does not follow the thread, no event will tell of it. */
void news_expected(struct app *app, zchat_event_kind kind, const char *title, const zchat_id *id,
                   const char *file);
/* It was refused. */
void news_expect_not(struct app *app, zchat_event_kind kind, const char *title, const zchat_id *id,
                     const char *file);

#endif
