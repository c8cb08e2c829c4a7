/* Verbs about threads and their posts. A typed number becomes the id of the post that was shown
 * with it (forum.h); it goes to the broker as a number only if nothing of the thread was read. */
#include "thread.h"
#include "app.h"
#include "command.h"
#include "memory.h"
#include "news.h"
#include "screen.h"
#include "words.h"

#include <inttypes.h>
#include <string.h>

static const zchat_id thread_no_id;

/* --- list, create, remove --- */

static void thread_show_row(struct app *app, const zchat_thread *thread) {
    char last[CLOCK_TIME_BYTES];
    clock_moment(thread->last_us, last);
    forum_get_id(&app->forum, thread->title, &thread->id);
    screen_put(app->screen, SCREEN_BOLD, thread->title);
    screen_put(app->screen, SCREEN_PLAIN, "  ");
    screen_put_name(app->screen, thread->creator);
    screen_putf(app->screen, SCREEN_PLAIN, "  %" PRIu64 " post%s", thread->posts,
                thread->posts == 1 ? "" : "s");
    screen_putf(app->screen, SCREEN_DIM, "  %s", last);
    screen_end_line(app->screen);
}

static void thread_listed(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (call_failed(call, reply, NULL))
        return;
    for (size_t i = 0; i < reply->count; i++)
        thread_show_row(app, &reply->threads[i]);
    if (reply->count == 0 && !call->title)
        app_note(app, "no threads to list");
    if (reply->count == 0 || !reply->more)
        return;
    const char *last = reply->threads[reply->count - 1].title;
    struct call *next = call_new_in(app, thread_listed, last, NULL);
    call_begun(next, zchat_thread_list(app->z, next->title, 0, call_answered, next));
}

static void run_thread_list(struct app *app, const struct command_words *words) {
    (void)words;
    struct call *call = call_new(app, thread_listed, "");
    call_begun(call, zchat_thread_list(app->z, NULL, 0, call_answered, call));
}

static const struct command thread_list_command = {
    .name = "thread list",
    .classic = "LST",
    .arguments = "",
    .help = "all threads",
    .run = run_thread_list,
};

static void thread_created(struct call *call, const zchat_reply *reply) {
    if (call_failed(call, reply, NULL))
        return;
    forum_get_id(&call->app->forum, reply->thread->title, &reply->thread->id);
    app_note(call->app, "thread %s created", reply->thread->title);
}

static void run_thread_create(struct app *app, const struct command_words *words) {
    struct call *call = call_new_in(app, thread_created, words->word[0], NULL);
    call_begun(call, zchat_thread_create(app->z, call->title, NULL, call_answered, call));
}

static const struct command thread_create_command = {
    .name = "thread create",
    .classic = "CRT",
    .arguments = "T",
    .help = "a new thread; a title with blanks needs quotes",
    .example = "thread create \"spring harvest\"",
    .words_min = 1,
    .words_max = 1,
    .flags = COMMAND_QUOTED,
    .run = run_thread_create,
};

static void thread_removed(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (call_failed(call, reply, NULL)) {
        news_expect_not(app, ZCHAT_EVENT_THREAD_REMOVED, call->title, &thread_no_id, NULL);
        return;
    }
    news_expected(app, ZCHAT_EVENT_THREAD_REMOVED, call->title, &thread_no_id, NULL);
    news_unfollow(app, call->title);
    forum_drop(&app->forum, call->title);
    app_note(app, "thread %s removed", call->title);
}

static void run_thread_remove(struct app *app, const struct command_words *words) {
    struct call *call = call_new_in(app, thread_removed, words->word[0], NULL);
    news_expect(app, ZCHAT_EVENT_THREAD_REMOVED, call->title, &thread_no_id, NULL);
    call_begun(call, zchat_thread_remove(app->z, call->title, call_answered, call));
}

static const struct command thread_remove_command = {
    .name = "thread remove",
    .classic = "RMV",
    .arguments = "T",
    .help = "remove your thread with all that is in it",
    .example = "thread remove harvest",
    .words_min = 1,
    .words_max = 1,
    .flags = COMMAND_QUOTED,
    .subject = COMMAND_THREAD,
    .run = run_thread_remove,
};

/* --- read --- */

void thread_show_post(struct app *app, struct forum_thread *thread, const zchat_post *post) {
    app_begin_line(app, post->time_us);
    screen_putf(app->screen, SCREEN_BOLD, "%" PRIu64 " ", post->number);
    screen_put_name(app->screen, post->user);
    screen_put(app->screen, SCREEN_PLAIN, ": ");
    screen_put_text(app->screen, post->text);
    if (post->edited_us != 0)
        screen_put(app->screen, SCREEN_DIM, " (edited)");
    screen_end_line(app->screen);
    forum_show_post(thread, post->number, &post->id, post->text);
}

void thread_show_upload(struct app *app, struct forum_thread *thread, const zchat_upload *upload) {
    forum_show_file(thread, upload->file);
    app_begin_line(app, upload->time_us);
    screen_put_name(app->screen, upload->user);
    screen_putf(app->screen, SCREEN_PLAIN, " uploaded %s", upload->file);
    screen_end_line(app->screen);
}

void thread_show_damaged(struct app *app, uint64_t seq) {
    app_note(app, "entry %" PRIu64 " can't be read: damaged at the broker", seq);
}

static void thread_show_items(struct app *app, struct forum_thread *thread,
                              const zchat_reply *reply) {
    for (size_t i = 0; i < reply->count; i++) {
        const zchat_item *item = &reply->items[i];
        if (item->post)
            thread_show_post(app, thread, item->post);
        else if (item->upload)
            thread_show_upload(app, thread, item->upload);
        else if (item->damaged)
            thread_show_damaged(app, item->seq);
    }
}

static void thread_ask_page(struct app *app, const char *title, uint64_t after_seq);

/* call->number is the seq after which the page begins. */
static void thread_page_came(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (call_failed(call, reply, NULL))
        return;
    struct forum_thread *thread = forum_get_id(&app->forum, call->title, &reply->thread->id);
    if (call->number == 0) {
        forum_begin_reading(thread);
        news_seen(app, call->title);
    }
    thread_show_items(app, thread, reply);
    if (reply->count == 0 && call->number == 0)
        app_note(app, "%s is empty", call->title);
    if (reply->count > 0 && reply->more)
        thread_ask_page(app, call->title, reply->items[reply->count - 1].seq);
}

static void thread_ask_page(struct app *app, const char *title, uint64_t after_seq) {
    struct call *call = call_new_in(app, thread_page_came, title, NULL);
    call->number = after_seq;
    call_begun(call, zchat_thread_read(app->z, call->title, after_seq, 0, call_answered, call));
}

static void run_thread_read(struct app *app, const struct command_words *words) {
    thread_ask_page(app, words->word[0], 0);
}

static const struct command thread_read_command = {
    .name = "thread read",
    .classic = "RDT",
    .arguments = "T",
    .help = "the posts and files of a thread",
    .example = "thread read \"spring harvest\"",
    .words_min = 1,
    .words_max = 1,
    .flags = COMMAND_QUOTED,
    .subject = COMMAND_THREAD,
    .run = run_thread_read,
};

/* --- post --- */

static void thread_posted(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (call_failed(call, reply, "not posted")) {
        news_expect_not(app, ZCHAT_EVENT_POSTED, call->title, &call->id, NULL);
        return;
    }
    news_expected(app, ZCHAT_EVENT_POSTED, call->title, &call->id, NULL);
    news_seen(app, call->title);
    if (reply->number == 0) {
        app_note(app, "posted, and deleted since");
        return;
    }
    forum_show_post(forum_get(&app->forum, call->title), reply->number, &call->id, call->text);
    app_note(app, "posted as %" PRIu64, reply->number);
}

static void run_thread_post(struct app *app, const struct command_words *words) {
    struct call *call = call_new_in(app, thread_posted, words->word[0], NULL);
    zchat_id_new(&call->id);
    call->text = memory_text(words->rest);
    news_expect(app, ZCHAT_EVENT_POSTED, call->title, &call->id, NULL);
    call_begun(call,
               zchat_thread_post(app->z, call->title, words->rest, &call->id, call_answered, call));
}

static const struct command thread_post_command = {
    .name = "thread post",
    .classic = "MSG",
    .arguments = "T TEXT...",
    .help = "a post",
    .example = "thread post harvest who brings the ladders?",
    .words_min = 1,
    .words_max = 1,
    .flags = COMMAND_QUOTED | COMMAND_REST | COMMAND_SAYS,
    .subject = COMMAND_THREAD,
    .run = run_thread_post,
};

/* --- edit, delete --- */

/* Makes a call about the post with that number; NULL: it has said why there is none. */
static struct call *thread_call_about(struct app *app, call_done_fn *done,
                                      const struct command_words *words) {
    const struct forum_thread *thread = forum_find(&app->forum, words->word[0]);
    uint64_t number = words_number(words->word[1], UINT64_MAX);
    zchat_id id = thread_no_id;
    if (number == 0) {
        app_fail(app, ZCHAT_INVALID, "\"%s\" is no post's number; thread read shows them",
                 words->word[1]);
        return NULL;
    }
    if (thread && !forum_resolve(thread, number, &id) && thread->read) {
        app_fail(app, ZCHAT_NOT_FOUND,
                 "there was no post %" PRIu64 " when you read %s; read it again", number,
                 words->word[0]);
        return NULL;
    }
    struct call *call = call_new_in(app, done, words->word[0], NULL);
    call->number = number;
    call->id = id;
    return call;
}

static const zchat_id *thread_known_id(const struct call *call) {
    return memcmp(&call->id, &thread_no_id, sizeof call->id) == 0 ? NULL : &call->id;
}

static void thread_edited(struct call *call, const zchat_reply *reply) {
    char what[48];
    snprintf(what, sizeof what, "post %" PRIu64 " not edited", call->number);
    if (call_failed(call, reply, what))
        news_expect_not(call->app, ZCHAT_EVENT_EDITED, call->title, &call->id, NULL);
    else {
        news_expected(call->app, ZCHAT_EVENT_EDITED, call->title, &call->id, NULL);
        app_note(call->app, "post %" PRIu64 " edited", call->number);
    }
}

static void run_thread_edit(struct app *app, const struct command_words *words) {
    struct call *call = thread_call_about(app, thread_edited, words);
    if (!call)
        return;
    news_expect(app, ZCHAT_EVENT_EDITED, call->title, &call->id, NULL);
    call_begun(call, zchat_thread_edit(app->z, call->title, thread_known_id(call), call->number,
                                       words->rest, call_answered, call));
}

static const struct command thread_edit_command = {
    .name = "thread edit",
    .classic = "EDT",
    .arguments = "T N TEXT...",
    .help = "a new text for your post number N",
    .example = "thread edit harvest 2 who brings the long ladders?",
    .words_min = 2,
    .words_max = 2,
    .flags = COMMAND_QUOTED | COMMAND_REST,
    .subject = COMMAND_THREAD,
    .run = run_thread_edit,
};

static void thread_deleted(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    char what[48];
    snprintf(what, sizeof what, "post %" PRIu64 " not deleted", call->number);
    if (call_failed(call, reply, what)) {
        news_expect_not(app, ZCHAT_EVENT_DELETED, call->title, &call->id, NULL);
        return;
    }
    news_expected(app, ZCHAT_EVENT_DELETED, call->title, &call->id, NULL);
    app_note(app, "post %" PRIu64 " deleted", call->number);
}

static void run_thread_delete(struct app *app, const struct command_words *words) {
    struct call *call = thread_call_about(app, thread_deleted, words);
    if (!call)
        return;
    news_expect(app, ZCHAT_EVENT_DELETED, call->title, &call->id, NULL);
    call_begun(call, zchat_thread_delete(app->z, call->title, thread_known_id(call), call->number,
                                         call_answered, call));
}

static const struct command thread_delete_command = {
    .name = "thread delete",
    .classic = "DLT",
    .arguments = "T N",
    .help = "delete your post number N",
    .example = "thread delete harvest 2",
    .words_min = 2,
    .words_max = 2,
    .flags = COMMAND_QUOTED,
    .subject = COMMAND_THREAD,
    .run = run_thread_delete,
};

/* --- follow --- */

static void thread_follow_done(struct call *call, const zchat_reply *reply) {
    if (call_failed(call, reply, NULL))
        return;
    news_follow(call->app, reply->followed);
    app_note(call->app, "you follow %s from now on", call->title);
}

static void run_thread_follow(struct app *app, const struct command_words *words) {
    struct call *call = call_new_in(app, thread_follow_done, words->word[0], NULL);
    call_begun(call, zchat_thread_follow(app->z, call->title, call_answered, call));
}

static const struct command thread_follow_command = {
    .name = "thread follow",
    .arguments = "T",
    .help = "be told what happens in a thread",
    .example = "thread follow harvest",
    .words_min = 1,
    .words_max = 1,
    .flags = COMMAND_QUOTED,
    .subject = COMMAND_THREAD,
    .run = run_thread_follow,
};

static void thread_unfollow_done(struct call *call, const zchat_reply *reply) {
    if (call_failed(call, reply, NULL))
        return;
    news_unfollow(call->app, call->title);
    app_note(call->app, "you no longer follow %s", call->title);
}

static void run_thread_unfollow(struct app *app, const struct command_words *words) {
    struct call *call = call_new_in(app, thread_unfollow_done, words->word[0], NULL);
    call_begun(call, zchat_thread_unfollow(app->z, call->title, call_answered, call));
}

static const struct command thread_unfollow_command = {
    .name = "thread unfollow",
    .arguments = "T",
    .help = "stop being told what happens in a thread",
    .example = "thread unfollow harvest",
    .words_min = 1,
    .words_max = 1,
    .flags = COMMAND_QUOTED,
    .subject = COMMAND_THREAD,
    .run = run_thread_unfollow,
};

static void thread_show_followed(struct app *app, const zchat_followed *followed) {
    const struct forum_thread *thread = forum_find(&app->forum, followed->title);
    uint64_t unread = followed->head > followed->cursor ? followed->head - followed->cursor : 0;
    if (thread && thread->followed) /* otherwise another device has just followed it */
        unread = thread->unread;
    screen_put(app->screen, SCREEN_BOLD, followed->title);
    if (unread > 0)
        screen_putf(app->screen, SCREEN_PLAIN, "  %" PRIu64 " unread", unread);
    screen_end_line(app->screen);
}

static void thread_followed_listed(struct call *call, const zchat_reply *reply) {
    if (call_failed(call, reply, NULL))
        return;
    for (size_t i = 0; i < reply->count; i++)
        thread_show_followed(call->app, &reply->followed[i]);
    if (reply->count == 0)
        app_note(call->app, "you follow no thread");
}

static void run_thread_followed(struct app *app, const struct command_words *words) {
    (void)words;
    struct call *call = call_new(app, thread_followed_listed, "");
    call_begun(call, zchat_followed_list(app->z, call_answered, call));
}

static const struct command thread_followed_command = {
    .name = "thread followed",
    .arguments = "",
    .help = "the threads that you follow, and how much is new since you last read them",
    .run = run_thread_followed,
};

const struct command *const thread_commands[] = {
    &thread_list_command,
    &thread_create_command,
    &thread_read_command,
    &thread_post_command,
    &thread_edit_command,
    &thread_delete_command,
    &thread_remove_command,
    &thread_follow_command,
    &thread_unfollow_command,
    &thread_followed_command,
    NULL,
};
