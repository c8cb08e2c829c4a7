/* Posts: appended, edited, deleted. A client names a post by its id, so that a race never hits
 * another post; by its number only if it has read nothing yet. */
#include "command.h"
#include "field.h"
#include "thread.h"
#include "thread_topic.h"

#include <string.h>

/* The thread's title: all three commands have one. */
static const char *thread_title(struct call *call) {
    const Zchat__V1__Command *command = call->command;

    if (command->body_case == ZCHAT__V1__COMMAND__BODY_POST_TO_THREAD)
        return call_about_title(call, command->post_to_thread->thread);
    if (command->body_case == ZCHAT__V1__COMMAND__BODY_EDIT_POST)
        return call_about_title(call, command->edit_post->thread);
    return call_about_title(call, command->delete_post->thread);
}

static const char *most_mib(struct call *call) {
    return call_about_number(call, call->core->options.quotas.post_bytes >> 20);
}

static const struct refusal post_refusals[] = {
    TITLE_NO_THREAD(thread_title),
    {STORE_NOT_FOUND, REASON(NO_SUCH_POST), "there is no such post", NULL},
    {STORE_POST_DELETED, REASON(POST_DELETED),
     "the post was deleted meanwhile: read the thread again", NULL},
    {STORE_NOT_OWNER, REASON(NOT_AUTHOR), "only its author may change a post", NULL},
    {STORE_ID_REUSED, REASON(ID_USED), "this id names something else: take a new one", NULL},
    {STORE_QUOTA_ACCOUNT, REASON(QUOTA),
     "with it your posts would have more than the %s MiB that one account may have: "
     "remove a thread of yours, or ask an administrator",
     most_mib},
    {0},
};

static void event_begin(struct call *call, Zchat__V1__ServerEvent *event,
                        Zchat__V1__ThreadEvent *about) {
    struct store_post_changed *changed = &call->result.changed;

    zchat__v1__server_event__init(event);
    zchat__v1__thread_event__init(about);
    about->thread.data = changed->thread.id;
    about->thread.len = ID_BYTES;
    about->title = changed->thread.title;
    event->seq = changed->seq;
    event->time_us = changed->time_us;
    event->body_case = ZCHAT__V1__SERVER_EVENT__BODY_THREAD;
    event->thread = about;
}

static void post_to_thread_check(struct call *call) {
    Zchat__V1__PostToThreadRequest *post = call->command->post_to_thread;

    title_form(call, &post->thread);
    if (field_id_fits(call, &post->id))
        field_text_fits(call, post->text);
}

static enum store_status post_to_thread_run(struct call *call) {
    const Zchat__V1__PostToThreadRequest *post = call->command->post_to_thread;
    struct store_post_change change = {
        .id = post->id.data,
        .title = post->thread,
        .account = call->session->member->account,
        .text = post->text,
        .text_bytes = strlen(post->text),
        .now_us = core_wall_us(call->core, call->now_us),
    };

    return call_store(call, store_post_add(call->core->store, &change, &call->result.changed));
}

static void post_to_thread_done(struct call *call) {
    struct store_post_changed *changed = &call->result.changed;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__PostToThreadResponse posted = ZCHAT__V1__POST_TO_THREAD_RESPONSE__INIT;
    Zchat__V1__ThreadEvent about;
    Zchat__V1__ServerEvent event;
    Zchat__V1__Post post;

    if (!changed->again) {
        event_begin(call, &event, &about);
        post_fill(&post, &changed->post);
        post.text = call->command->post_to_thread->text;
        about.body_case = ZCHAT__V1__THREAD_EVENT__BODY_POSTED;
        about.posted = &post;
        thread_topic_add(call->core, &changed->thread, &event);
    }
    posted.id = call->command->post_to_thread->id;
    posted.number = changed->post.number;
    posted.seq = changed->seq;
    posted.time_us = changed->time_us;
    reply.body_case = ZCHAT__V1__REPLY__BODY_POST_TO_THREAD;
    reply.post_to_thread = &posted;
    call_reply(call, &reply);
}

const struct command_row post_to_thread_row = {
    .cost = 1,
    .check = post_to_thread_check,
    .run = post_to_thread_run,
    .refusals = post_refusals,
    .done = post_to_thread_done,
};

/* Which post an edit or a deletion is about: its id, or NULL and its number. */
struct target {
    const ProtobufCBinaryData *post;
    uint64_t number;
    bool shown; /* `number` is the one that the post was shown with */
};

static struct target edit_target(const Zchat__V1__EditPostRequest *edit) {
    if (edit->target_case == ZCHAT__V1__EDIT_POST_REQUEST__TARGET_POST)
        return (struct target){&edit->post, edit->shown_number, edit->shown_number > 0};
    if (edit->target_case == ZCHAT__V1__EDIT_POST_REQUEST__TARGET_NUMBER)
        return (struct target){NULL, edit->number, false};
    return (struct target){NULL, 0, false};
}

static struct target delete_target(const Zchat__V1__DeletePostRequest *delete) {
    if (delete->target_case == ZCHAT__V1__DELETE_POST_REQUEST__TARGET_POST)
        return (struct target){&delete->post, delete->shown_number, delete->shown_number > 0};
    if (delete->target_case == ZCHAT__V1__DELETE_POST_REQUEST__TARGET_NUMBER)
        return (struct target){NULL, delete->number, false};
    return (struct target){NULL, 0, false};
}

static bool target_fits(struct call *call, struct target target) {
    bool fits = target.post ? target.post->len == ID_BYTES : target.number > 0;

    if (!fits)
        call_fail(call, REASON(BAD_VALUE), "which post? give its id, or its number");
    return fits;
}

/* If a post is not there but was shown with a number, it was there before: the call fails with
 * that. Returns the status. */
static enum store_status check_shown(struct call *call, struct target target,
                                     enum store_status status) {
    if (status == STORE_NOT_FOUND && target.shown)
        call_fail(call, REASON(STALE_NUMBER), "the thread was made anew meanwhile: read it again");
    return status;
}

static void edit_post_check(struct call *call) {
    Zchat__V1__EditPostRequest *edit = call->command->edit_post;

    title_form(call, &edit->thread);
    if (field_id_fits(call, &edit->id) && target_fits(call, edit_target(edit)))
        field_text_fits(call, edit->text);
}

static enum store_status edit_post_run(struct call *call) {
    const Zchat__V1__EditPostRequest *edit = call->command->edit_post;
    struct target target = edit_target(edit);
    struct store_post_change change = {
        .id = edit->id.data,
        .title = edit->thread,
        .account = call->session->member->account,
        .post = target.post ? target.post->data : NULL,
        .number = target.number,
        .text = edit->text,
        .text_bytes = strlen(edit->text),
        .now_us = core_wall_us(call->core, call->now_us),
    };
    enum store_status status =
        call_store(call, store_post_edit(call->core->store, &change, &call->result.changed));

    return check_shown(call, target, status);
}

static void edit_post_done(struct call *call) {
    struct store_post_changed *changed = &call->result.changed;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__EditPostResponse edited = ZCHAT__V1__EDIT_POST_RESPONSE__INIT;
    Zchat__V1__ThreadEvent about;
    Zchat__V1__ServerEvent event;
    Zchat__V1__Post post;

    post_fill(&post, &changed->post);
    post.text = call->command->edit_post->text;
    if (!changed->again) {
        event_begin(call, &event, &about);
        about.body_case = ZCHAT__V1__THREAD_EVENT__BODY_EDITED;
        about.edited = &post;
        thread_topic_add(call->core, &changed->thread, &event);
    }
    edited.post = &post;
    edited.seq = changed->seq;
    reply.body_case = ZCHAT__V1__REPLY__BODY_EDIT_POST;
    reply.edit_post = &edited;
    call_reply(call, &reply);
}

const struct command_row edit_post_row = {
    .cost = 2,
    .check = edit_post_check,
    .run = edit_post_run,
    .refusals = post_refusals,
    .done = edit_post_done,
};

static void delete_post_check(struct call *call) {
    Zchat__V1__DeletePostRequest *delete = call->command->delete_post;

    title_form(call, &delete->thread);
    if (field_id_fits(call, &delete->id))
        target_fits(call, delete_target(delete));
}

static enum store_status delete_post_run(struct call *call) {
    const Zchat__V1__DeletePostRequest *delete = call->command->delete_post;
    struct target target = delete_target(delete);
    struct store_post_change change = {
        .id = delete->id.data,
        .title = delete->thread,
        .account = call->session->member->account,
        .post = target.post ? target.post->data : NULL,
        .number = target.number,
        .now_us = core_wall_us(call->core, call->now_us),
    };
    enum store_status status =
        call_store(call, store_post_delete(call->core->store, &change, &call->result.changed));

    return check_shown(call, target, status);
}

static void delete_post_done(struct call *call) {
    struct store_post_changed *changed = &call->result.changed;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__DeletePostResponse gone = ZCHAT__V1__DELETE_POST_RESPONSE__INIT;
    Zchat__V1__PostDeleted deleted = ZCHAT__V1__POST_DELETED__INIT;
    Zchat__V1__ThreadEvent about;
    Zchat__V1__ServerEvent event;

    if (!changed->again) {
        event_begin(call, &event, &about);
        deleted.id.data = changed->post.id;
        deleted.id.len = ID_BYTES;
        deleted.user = changed->post.user;
        about.body_case = ZCHAT__V1__THREAD_EVENT__BODY_DELETED;
        about.deleted = &deleted;
        thread_topic_add(call->core, &changed->thread, &event);
    }
    gone.seq = changed->seq;
    reply.body_case = ZCHAT__V1__REPLY__BODY_DELETE_POST;
    reply.delete_post = &gone;
    call_reply(call, &reply);
}

const struct command_row delete_post_row = {
    .cost = 2,
    .check = delete_post_check,
    .run = delete_post_run,
    .refusals = post_refusals,
    .done = delete_post_done,
};
