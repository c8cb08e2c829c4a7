/* Questions whose answers show nothing. */
#include "learn.h"

#include "app.h"
#include "common/clock.h"
#include "memory.h"
#include "roster.h"

#include <stdlib.h>
#include <string.h>

/* What was asked this short a time ago is not asked again. */
#define LEARN_AGAIN_MS 5000
/* So many of the newest messages tell whom the user wrote with. */
#define LEARN_MESSAGES 200
/* Nobody chooses among more titles, or files, than are on so many pages. */
#define LEARN_PAGES_MAX 4

void learn_release(struct learn *learn) {
    free(learn->title);
    memset(learn, 0, sizeof *learn);
}

/* Whether an answer can come soon. */
static bool learn_may_ask(const struct app *app) {
    return app->connected && app->logged_in && !app->leaving;
}

/* --- people --- */

static void learn_people_came(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (reply->code != ZCHAT_OK || !app->logged_in)
        return;
    for (size_t i = 0; i < reply->count; i++) {
        const zchat_message *message = &reply->messages[i];
        if (!message->damaged)
            roster_get(app->roster, message->sent ? message->to : message->from)->partner = true;
    }
}

void learn_people(struct app *app) {
    if (!learn_may_ask(app) || app->learn->people_asked)
        return;
    app->learn->people_asked = true;
    struct call *call = call_new(app, learn_people_came, "");
    call_begun(call, zchat_history(app->z, NULL, 0, 0, 0, LEARN_MESSAGES, call_answered, call));
}

/* --- titles --- */

static void learn_titles_page(struct app *app, const char *after, uint64_t page);

/* call->number counts the pages. */
static void learn_titles_came(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (reply->code != ZCHAT_OK)
        return;
    for (size_t i = 0; i < reply->count; i++)
        forum_get_id(&app->forum, reply->threads[i].title, &reply->threads[i].id);
    if (reply->more && reply->count > 0 && call->number < LEARN_PAGES_MAX)
        learn_titles_page(app, reply->threads[reply->count - 1].title, call->number + 1);
}

static void learn_titles_page(struct app *app, const char *after, uint64_t page) {
    struct call *call = call_new_in(app, learn_titles_came, after, NULL);
    call->number = page;
    call_begun(call, zchat_thread_list(app->z, call->title, 0, call_answered, call));
}

void learn_titles(struct app *app) {
    int64_t now_ms = clock_ms();
    bool asked = app->learn->titles_ms > 0 && now_ms - app->learn->titles_ms < LEARN_AGAIN_MS;
    if (!learn_may_ask(app) || asked)
        return;
    app->learn->titles_ms = now_ms;
    learn_titles_page(app, NULL, 1);
}

/* --- files --- */

static void learn_files_page(struct app *app, const char *title, const char *after,
                             uint64_t after_seq, uint64_t page);

static void learn_files_came(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (reply->code != ZCHAT_OK)
        return;
    for (size_t i = 0; i < reply->count; i++)
        forum_show_file(forum_get(&app->forum, call->title), reply->uploads[i].file);
    if (reply->more && reply->count > 0 && call->number < LEARN_PAGES_MAX)
        learn_files_page(app, call->title, reply->uploads[reply->count - 1].file, reply->seq,
                         call->number + 1);
}

static void learn_files_page(struct app *app, const char *title, const char *after,
                             uint64_t after_seq, uint64_t page) {
    struct call *call = call_new_in(app, learn_files_came, title, after);
    call->number = page;
    call_begun(call,
               zchat_file_list(app->z, call->title, call->name, after_seq, 0, call_answered, call));
}

void learn_files(struct app *app, const char *title) {
    struct learn *learn = app->learn;
    int64_t now_ms = clock_ms();
    bool asked = learn->title && strcmp(learn->title, title) == 0 &&
                 now_ms - learn->files_ms < LEARN_AGAIN_MS;
    if (!learn_may_ask(app) || asked)
        return;
    free(learn->title);
    learn->title = memory_text(title);
    learn->files_ms = now_ms;
    learn_files_page(app, title, NULL, 0, 1);
}
