/* The history of a conversation. Each question looks back through so many entries of the inbox, and
 * brings those of the conversation, so several may be needed for a page. */
#include "find_talk.h"

#include "app.h"
#include "find.h"
#include "find_thread.h"
#include "mailbox.h"
#include "roster.h"

static void find_talk_ask(struct app *app);

/* Whether it is no user's name, but may be a thread's. */
static bool find_talk_is_other(const struct find *find, const zchat_reply *reply) {
    return find->either && reply->reason != ZCHAT_REASON_ONESELF &&
           (reply->code == ZCHAT_NOT_FOUND || reply->code == ZCHAT_INVALID);
}

static void find_talk_came(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    struct find *find = app->find;
    if (call->number == find->session && find_talk_is_other(find, reply)) {
        find_go_to(app, &find_thread_source);
        return;
    }
    if (!find_counts(call, reply))
        return;
    struct founds earlier = {0};
    find->either = false;
    for (size_t i = 0; i < reply->count; i++)
        founds_add_message(&earlier, &reply->messages[i]);
    founds_put_before(&find->page, &earlier);
    find->more = reply->more;
    find->before_seq = reply->seq;
    if (find->more && find->page.count < find->wanted && find_may_ask(find))
        find_talk_ask(app);
    else
        find_is_whole(app);
}

static void find_talk_ask(struct app *app) {
    struct find *find = app->find;
    struct call *call = find_call(app, find_talk_came);
    uint32_t limit = (uint32_t)(find->wanted - find->page.count);
    call_begun(call, zchat_history(app->z, find->what, find->before_seq, 0, 0, limit, call_answered,
                                   call));
}

static void find_talk_show(struct app *app) {
    const struct founds *page = &app->find->page;
    for (size_t i = 0; i < page->count; i++) {
        const zchat_message *message = &page->list[i].message;
        if (!message->damaged)
            roster_get(app->roster, message->sent ? message->to : message->from)->partner = true;
        mailbox_show(app, message);
    }
}

const struct find_source find_talk_source = {
    .ask = find_talk_ask,
    .show = find_talk_show,
    .empty = "there are no messages from or to",
    .older = "goes further back",
};
