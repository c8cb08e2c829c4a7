/* News of threads. The list of followed threads, which is asked for with the login, tells how many
 * were missed, so they need not be held back to be counted. What the user did from here is on the
 * screen already, as answers; what they did from other devices is shown like everybody's. */
#include "news.h"

#include "app.h"
#include "attention.h"
#include "common/clock.h"
#include "memory.h"
#include "screen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* How long a script waits for missed events, which normally come at once; then it goes on without
 * them. */
#define NEWS_PATIENCE_MS 5000

struct news_own {
    zchat_event_kind kind;
    char *title; /* owned */
    zchat_id id; /* all zero: any */
    char *file;  /* owned; NULL: none */
};

static const zchat_id news_no_id;

static void news_free_own(struct news_own *own) {
    free(own->title);
    free(own->file);
}

void news_release(struct news *news) {
    for (size_t i = 0; i < news->own_count; i++)
        news_free_own(&news->own[i]);
    free(news->own);
    memset(news, 0, sizeof *news);
}

/* --- what one did from here --- */

static bool news_is_own(const struct news_own *own, zchat_event_kind kind, const char *title,
                        const zchat_id *id, const char *file) {
    if (own->kind != kind)
        return false;
    if (memcmp(&own->id, &news_no_id, sizeof own->id) != 0) /* then the title may have any form */
        return memcmp(&own->id, id, sizeof own->id) == 0;
    if (strcmp(own->title, title) != 0)
        return false;
    return !own->file || (file && strcmp(own->file, file) == 0);
}

void news_expect(struct app *app, zchat_event_kind kind, const char *title, const zchat_id *id,
                 const char *file) {
    struct news *news = app->news;
    news->own = memory_grow(news->own, news->own_count + 1, sizeof *news->own);
    news->own[news->own_count++] = (struct news_own){
        .kind = kind, .title = memory_text(title), .id = *id, .file = memory_text(file)};
}

/* Takes it out; returns whether it was there. */
static bool news_forget(struct news *news, zchat_event_kind kind, const char *title,
                        const zchat_id *id, const char *file) {
    for (size_t i = 0; i < news->own_count; i++) {
        if (!news_is_own(&news->own[i], kind, title, id, file))
            continue;
        news_free_own(&news->own[i]);
        news->own_count--;
        memmove(news->own + i, news->own + i + 1, (news->own_count - i) * sizeof *news->own);
        return true;
    }
    return false;
}

void news_expected(struct app *app, zchat_event_kind kind, const char *title, const zchat_id *id,
                   const char *file) {
    const struct forum_thread *thread = forum_find(&app->forum, title);
    if (!thread || !thread->followed)
        news_forget(app->news, kind, title, id, file);
}

void news_expect_not(struct app *app, zchat_event_kind kind, const char *title, const zchat_id *id,
                     const char *file) {
    news_forget(app->news, kind, title, id, file);
}

/* Whether the event only tells what the user did from here. */
static bool news_is_echo(struct app *app, const zchat_event *event) {
    const char *user = event->post     ? event->post->user
                       : event->upload ? event->upload->user
                                       : event->user;
    if (strcmp(user, zchat_user(app->z)) != 0)
        return false;
    return news_forget(app->news, event->kind, event->thread->title,
                       event->post ? &event->post->id : &event->id,
                       event->upload ? event->upload->file : NULL);
}

/* --- what was missed --- */

static uint64_t news_missed(const struct app *app) {
    uint64_t missed = 0;
    for (size_t i = 0; i < app->forum.count; i++) {
        const struct forum_thread *thread = app->forum.threads[i];
        if (thread->followed && thread->shown_seq < thread->missed_seq)
            missed += thread->missed_seq - thread->shown_seq;
    }
    return missed;
}

static void news_begin_missed(struct app *app, const struct forum_thread *thread, uint64_t seq) {
    if (app->news->in_missed || seq > thread->missed_seq)
        return;
    uint64_t missed = news_missed(app);
    app->news->in_missed = true;
    app_note(app, "— while you were away, in the threads that you follow: %" PRIu64 " change%s —",
             missed, missed == 1 ? "" : "s");
}

static void news_end_missed(struct app *app) {
    if (!app->news->in_missed || news_missed(app) > 0)
        return;
    app->news->in_missed = false;
    app_note(app, "— end of what you missed in threads —");
}

static void news_followed_listed(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (reply->code != ZCHAT_OK || !app->logged_in)
        return;
    for (size_t i = 0; i < reply->count; i++) {
        news_follow(app, &reply->followed[i]);
        forum_find(&app->forum, reply->followed[i].title)->missed_seq = reply->followed[i].head;
    }
    app->news->due_ms = clock_ms() + NEWS_PATIENCE_MS;
}

bool news_are_here(const struct app *app, int64_t now_ms) {
    return news_missed(app) == 0 || now_ms >= app->news->due_ms;
}

int64_t news_due_ms(const struct app *app) {
    return news_missed(app) == 0 ? -1 : app->news->due_ms;
}

void news_begin(struct app *app) {
    news_release(app->news);
    for (size_t i = 0; i < app->forum.count; i++) {
        app->forum.threads[i]->followed = false;
        app->forum.threads[i]->unread = 0;
    }
    struct call *call = call_new(app, news_followed_listed, "");
    call_begun(call, zchat_followed_list(app->z, call_answered, call));
}

/* --- following --- */

void news_follow(struct app *app, const zchat_followed *followed) {
    struct forum_thread *thread = forum_get_id(&app->forum, followed->title, &followed->id);
    bool more = thread->followed && thread->shown_seq > followed->cursor; /* events came first */
    thread->followed = true;
    thread->missed_seq = 0;
    thread->shown_seq = more ? thread->shown_seq : followed->cursor;
    thread->acked_seq = followed->cursor;
}

void news_unfollow(struct app *app, const char *title) {
    struct forum_thread *thread = forum_find(&app->forum, title);
    if (thread)
        thread->followed = false;
    news_seen(app, title);
    news_end_missed(app);
}

/* --- what is unread --- */

void news_seen(struct app *app, const char *title) {
    struct forum_thread *thread = forum_find(&app->forum, title);
    if (thread)
        thread->unread = 0;
    conversation_saw_thread(&app->conversation, title);
    app_update_prompt(app);
}

/* Only what others add is there to be read. */
static void news_count(struct app *app, const zchat_event *event, struct forum_thread *thread) {
    bool posted = event->kind == ZCHAT_EVENT_POSTED;
    if (!posted && event->kind != ZCHAT_EVENT_UPLOADED)
        return;
    if (strcmp(posted ? event->post->user : event->upload->user, zchat_user(app->z)) == 0)
        return;
    thread->unread++;
    conversation_heard_thread(&app->conversation, thread->title);
    app_update_prompt(app);
}

/* --- showing --- */

static void news_show_post(struct app *app, const zchat_event *event, struct forum_thread *thread) {
    const zchat_post *post = event->post;
    zchat_id known;
    if (post->number > 0 &&
        (event->kind == ZCHAT_EVENT_EDITED || !forum_resolve(thread, post->number, &known) ||
         memcmp(&known, &post->id, sizeof known) != 0))
        forum_show_post(thread, post->number, &post->id, post->text);
    if (event->kind == ZCHAT_EVENT_POSTED && post->number > 0)
        screen_putf(app->screen, SCREEN_BOLD, "%" PRIu64 " ", post->number);
    screen_put_name(app->screen, post->user);
    if (event->kind == ZCHAT_EVENT_EDITED && post->number > 0)
        screen_putf(app->screen, SCREEN_PLAIN, " edited %" PRIu64, post->number);
    else if (event->kind == ZCHAT_EVENT_EDITED)
        screen_put(app->screen, SCREEN_PLAIN, " edited a post");
    screen_put(app->screen, SCREEN_PLAIN, ": ");
    screen_put_text(app->screen, post->text);
    if (post->number == 0)
        screen_put(app->screen, SCREEN_DIM, " (deleted since)");
}

static void news_show_deed(struct app *app, const char *user, const char *deed, const char *what) {
    screen_put_name(app->screen, user);
    screen_putf(app->screen, SCREEN_PLAIN, " %s %s", deed, what);
}

static void news_show_upload(struct app *app, const zchat_upload *upload,
                             struct forum_thread *thread) {
    forum_show_file(thread, upload->file);
    news_show_deed(app, upload->user, "uploaded", upload->file);
}

/* Shows which post was deleted, as it was last shown here. */
static void news_show_deletion(struct app *app, const zchat_event *event,
                               const struct forum_thread *thread) {
    const struct forum_post *post = forum_post(thread, &event->id);
    news_show_deed(app, event->user, "deleted", "a post");
    if (post)
        screen_putf(app->screen, SCREEN_PLAIN, ": %" PRIu64 " %s", post->number, post->start);
}

static void news_show(struct app *app, const zchat_event *event, struct forum_thread *thread) {
    app_begin_line(app, event->time_us);
    screen_putf(app->screen, SCREEN_DIM, "[%s] ", thread->title);
    if (event->post)
        news_show_post(app, event, thread);
    else if (event->upload)
        news_show_upload(app, event->upload, thread);
    else if (event->kind == ZCHAT_EVENT_DELETED)
        news_show_deletion(app, event, thread);
    else if (event->kind == ZCHAT_EVENT_FILE_DELETED)
        news_show_deed(app, event->user, "deleted the file", event->text);
    else if (event->kind == ZCHAT_EVENT_DAMAGED)
        screen_putf(app->screen, SCREEN_DIM,
                    "entry %" PRIu64 " can't be read: damaged at the broker", event->seq);
    else
        news_show_deed(app, event->user, "removed", "the thread");
    screen_end_line(app->screen);
}

/* The thread that the event is about. If it is new here, another program followed it. */
static struct forum_thread *news_thread(struct app *app, const zchat_event *event) {
    struct forum_thread *thread = forum_find_id(&app->forum, &event->thread->id);
    if (!thread || !thread->followed) {
        thread = forum_get_id(&app->forum, event->thread->title, &event->thread->id);
        thread->followed = true;
        thread->missed_seq = 0;
        thread->shown_seq = event->seq - 1;
        thread->acked_seq = event->seq - 1;
    }
    return thread;
}

static void news_call(struct app *app, const zchat_event *event) {
    attention_heard(app, &(struct attention_cause){.kind = ATTENTION_POST,
                                                   .user = event->post->user,
                                                   .thread = event->thread->title,
                                                   .text = event->post->text,
                                                   .time_us = event->time_us,
                                                   .missed = event->missed});
}

void news_take(struct app *app, const zchat_event *event) {
    bool echo = news_is_echo(app, event);
    bool removed = event->kind == ZCHAT_EVENT_THREAD_REMOVED;
    struct forum_thread *thread = echo && removed ? NULL : news_thread(app, event);
    if (thread) {
        news_begin_missed(app, thread, event->seq);
        if (!echo)
            news_show(app, event, thread);
        if (!echo)
            news_count(app, event, thread);
        if (!echo && event->kind == ZCHAT_EVENT_POSTED)
            news_call(app, event);
        thread->shown_seq = event->seq;
        app->news->unacked = true;
    }
    if (removed) {
        news_seen(app, event->thread->title);
        forum_drop(&app->forum, event->thread->title);
    }
    news_end_missed(app);
}

/* An answer is asked for only so that the acknowledgement is sent before the logout. */
static void news_acknowledged(void *arg, const zchat_reply *reply) {
    (void)arg;
    (void)reply;
}

void news_acknowledge(struct app *app) {
    zchat_reply_fn *answered = app->leaving ? news_acknowledged : NULL;
    if (!app->news->unacked || !app->logged_in || !app->connected)
        return;
    app->news->unacked = false;
    for (size_t i = 0; i < app->forum.count; i++) {
        struct forum_thread *thread = app->forum.threads[i];
        if (!thread->followed || thread->shown_seq <= thread->acked_seq)
            continue;
        if (zchat_thread_ack(app->z, &thread->id, thread->shown_seq, answered, NULL) == ZCHAT_OK)
            thread->acked_seq = thread->shown_seq;
        else
            app->news->unacked = true;
    }
}
