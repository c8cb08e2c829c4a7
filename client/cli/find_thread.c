/* The history of a thread. The broker's pages go forward, so its end is read in parts that grow
 * towards its beginning: of each part only the last entries are kept. Some numbers have no entry
 * any more, and a page of the broker has an end in bytes, too. */
#include "find_thread.h"

#include "app.h"
#include "find.h"
#include "news.h"
#include "thread.h"

#include <string.h>

/* The longest part: a few pages of the broker. */
#define FIND_PART_MAX 2000

static void find_thread_read(struct app *app);

/* --- parts --- */

static void find_thread_begin_part(struct app *app, uint64_t last) {
    struct find *find = app->find;
    find->part_last = last;
    find->part_after = last > find->part_items ? last - find->part_items : 0;
    find->part_read = find->part_after;
    if (last == 0)
        find_is_whole(app);
    else
        find_thread_read(app);
}

static void find_thread_begin(struct app *app) {
    app->find->part_items = app->find->wanted;
    find_thread_begin_part(app, app->find->before_seq - 1);
}

static void find_thread_end_part(struct app *app) {
    struct find *find = app->find;
    bool dropped = find->part.count > find->wanted - find->page.count;
    founds_keep_last(&find->part, find->wanted - find->page.count);
    founds_put_before(&find->page, &find->part);
    bool full = find->page.count == find->wanted;
    find->more = dropped || find->part_after > 0;
    find->before_seq = full ? find->page.list[0].seq : find->part_after + 1;
    if (!full && find->more && find_may_ask(find)) {
        find->part_items =
            find->part_items < FIND_PART_MAX / 2 ? find->part_items * 2 : FIND_PART_MAX;
        find_thread_begin_part(app, find->part_after);
    } else {
        find_is_whole(app);
    }
}

/* One more than is needed is kept, to know whether there are some before the page. */
static void find_thread_take(struct find *find, const zchat_reply *reply) {
    for (size_t i = 0; i < reply->count; i++) {
        find->part_read = reply->items[i].seq;
        if (find->part_read <= find->part_last)
            founds_add_item(&find->part, &reply->items[i]);
    }
    founds_keep_last(&find->part, find->wanted - find->page.count + 1);
}

static void find_thread_came(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    struct find *find = app->find;
    if (!find_counts(call, reply))
        return;
    uint64_t read = find->part_read;
    forum_get_id(&app->forum, find->what, &reply->thread->id);
    find_thread_take(find, reply);
    if (reply->more && find->part_read > read && find->part_read < find->part_last)
        find_thread_read(app);
    else
        find_thread_end_part(app);
}

static void find_thread_read(struct app *app) {
    struct find *find = app->find;
    struct call *call = find_call(app, find_thread_came);
    uint32_t limit = (uint32_t)(find->part_last - find->part_read);
    call_begun(call,
               zchat_thread_read(app->z, find->what, find->part_read, limit, call_answered, call));
}

/* --- where it ends --- */

static void find_thread_end_came(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    struct find *find = app->find;
    zchat_reply told = *reply;
    char text[APP_ERROR_BYTES];
    if (find->either && reply->reason == ZCHAT_REASON_NO_SUCH_THREAD) {
        snprintf(text, sizeof text, "there is no user and no thread %s", find->what);
        told.text = text;
    }
    if (!find_counts(call, &told))
        return;
    find->before_seq = reply->thread->head + 1;
    find_thread_begin(app);
}

static void find_thread_ask(struct app *app) {
    struct find *find = app->find;
    if (find->before_seq > 0) {
        find_thread_begin(app);
        return;
    }
    struct call *call = find_call(app, find_thread_end_came);
    call_begun(call, zchat_thread_read(app->z, find->what, 0, 1, call_answered, call));
}

/* --- showing --- */

static void find_thread_show(struct app *app) {
    const struct founds *page = &app->find->page;
    struct forum_thread *thread = forum_get(&app->forum, app->find->what);
    news_seen(app, app->find->what);
    for (size_t i = 0; i < page->count; i++) {
        const struct found *found = &page->list[i];
        if (found->kind == FOUND_POST)
            thread_show_post(app, thread, &found->post);
        else if (found->kind == FOUND_UPLOAD)
            thread_show_upload(app, thread, &found->upload);
        else
            thread_show_damaged(app, found->seq);
    }
}

const struct find_source find_thread_source = {
    .ask = find_thread_ask,
    .show = find_thread_show,
    .empty = "there is nothing in",
    .older = "goes further back",
};
