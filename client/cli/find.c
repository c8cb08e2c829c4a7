/* The orders and their pages. Where a page ends, the source says; here it is shown, with what one
 * may do then. */
#include "find.h"

#include "app.h"
#include "line.h"
#include "memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FIND_PAGE_MAX 20
#define FIND_PAGE_MIN 5
/* Rows that the screen has for the command, a day, what comes next, and the line being typed. */
#define FIND_ROWS_APART 4

static void find_forget_page(struct find *find) {
    founds_release(&find->page);
    founds_release(&find->part);
    find->questions = 0;
    find->behind = 0;
}

static void find_end_order(struct find *find) {
    free(find->orders[0].what);
    find->order_count--;
    memmove(find->orders, find->orders + 1, find->order_count * sizeof find->orders[0]);
}

void find_forget(struct find *find) {
    unsigned session = find->session + 1;
    while (find->order_count > 0)
        find_end_order(find);
    find_forget_page(find);
    free(find->what);
    memset(find, 0, sizeof *find);
    find->session = session;
}

void find_release(struct find *find) {
    find_forget(find);
}

/* --- orders --- */

/* As many as fit on the screen, so that the first one is still there. */
static size_t find_page_size(const struct app *app) {
    size_t rows = !app->line ? FIND_PAGE_MAX + FIND_ROWS_APART : line_rows(app->line);
    size_t fitting = rows > FIND_ROWS_APART ? rows - FIND_ROWS_APART : 0;
    if (fitting < FIND_PAGE_MIN)
        return FIND_PAGE_MIN;
    return fitting < FIND_PAGE_MAX ? fitting : FIND_PAGE_MAX;
}

/* Whether there is something to ask for; if not, it has said so. */
static bool find_goes_on(struct app *app) {
    struct find *find = app->find;
    if (!find->source)
        app_fail(app, ZCHAT_NOT_FOUND, "more of what? history or search comes first");
    else if (!find->more)
        app_note(app, "that was all of it");
    return find->source && find->more;
}

static void find_begin_order(struct find *find, const struct find_order *order) {
    free(find->what);
    find->what = memory_text(order->what);
    find->source = order->source;
    find->either = order->either;
    find->begun = find->more = false;
    find->before_seq = 0;
    find->before = 0;
}

/* An order that fails at once ends before this returns, and the next one is begun by its end. */
static void find_begin(struct app *app) {
    struct find *find = app->find;
    const struct find_order *order = &find->orders[0];
    find_forget_page(find);
    find->wanted = find_page_size(app);
    if (order->source)
        find_begin_order(find, order);
    if (!order->source && !find_goes_on(app)) {
        find_end_order(find);
        if (find->order_count > 0)
            find_begin(app);
        return;
    }
    find->source->ask(app);
}

static void find_next(struct app *app) {
    find_end_order(app->find);
    find_forget_page(app->find);
    if (app->find->order_count > 0)
        find_begin(app);
}

static void find_add_order(struct app *app, const struct find_order *order) {
    struct find *find = app->find;
    if (find->order_count == FIND_ORDERS_MAX) {
        app_fail(app, ZCHAT_BUSY, "%d pages are being looked for already; wait for one of them",
                 FIND_ORDERS_MAX);
        return;
    }
    struct find_order *added = &find->orders[find->order_count++];
    *added = *order;
    added->what = memory_text(order->what);
    if (find->order_count == 1)
        find_begin(app);
}

void find_order(struct app *app, const struct find_source *source, const char *what, bool either) {
    find_add_order(app, &(struct find_order){source, (char *)what, either});
}

void find_order_more(struct app *app) {
    find_add_order(app, &(struct find_order){0});
}

/* --- answers --- */

struct call *find_call(struct app *app, call_done_fn *done) {
    struct call *call = call_new(app, done, "");
    call->number = app->find->session;
    app->find->questions++;
    return call;
}

bool find_counts(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (call->number != app->find->session)
        return false;
    if (!call_failed(call, reply, NULL))
        return true;
    if (!app->find->begun)
        app->find->source = NULL;
    find_next(app);
    return false;
}

bool find_may_ask(const struct find *find) {
    return find->questions < FIND_QUESTIONS_MAX;
}

void find_go_to(struct app *app, const struct find_source *source) {
    app->find->source = source;
    source->ask(app);
}

/* --- a page --- */

static void find_say_what_next(struct app *app) {
    const struct find *find = app->find;
    const char *slash = conversation_is_open(&app->conversation) ? "/" : "";
    if (find->behind == 1)
        app_note(app, "the newest message or post was not searched yet");
    else if (find->behind > 1)
        app_note(app, "the newest %" PRIu64 " messages and posts were not searched yet",
                 find->behind);
    if (find->more && find->page.count < find->wanted)
        app_note(app, "looked at a great many; %smore %s", slash, find->source->older);
    else if (find->more)
        app_note(app, "%smore %s", slash, find->source->older);
    else if (find->begun || find->page.count > 0)
        app_note(app, "that is all");
    else
        app_note(app, "%s %s", find->source->empty, find->what);
}

void find_is_whole(struct app *app) {
    struct find *find = app->find;
    find->source->show(app);
    find_say_what_next(app);
    find->begun = true;
    find_next(app);
}
