/* Posts: appended, edited, deleted. A client names a post by its id, so that a race never hits
 * another one; by its number only where it has read nothing yet. */
#include "handlers.h"

#include <string.h>

/* `shown`: the post was named by its id, and shown with a number before: it was there. */
static void post_refuse(struct call *call, enum store_status status, const char *title,
                        bool no_thread, bool shown) {
    switch (status) {
    case STORE_NOT_FOUND:
        if (no_thread)
            thread_not_found(call, title);
        else if (shown)
            call_fail(call, REASON(STALE_NUMBER),
                      "the thread was made anew meanwhile: read it again");
        else
            call_fail(call, REASON(NO_SUCH_POST), "there is no such post");
        break;
    case STORE_EXISTS:
        call_fail(call, REASON(POST_DELETED),
                  "the post was deleted meanwhile: read the thread again");
        break;
    case STORE_BLOCKED:
        call_fail(call, REASON(NOT_AUTHOR), "only its author may change a post");
        break;
    case STORE_ID_REUSED:
        call_fail(call, REASON(ID_USED), "this id names something else: take a new one");
        break;
    case STORE_QUOTA_ACCOUNT:
        call_fail(call, REASON(QUOTA),
                  "with it your posts would have more than the %llu MiB that one account may have: "
                  "remove a thread of yours, or ask an administrator",
                  (unsigned long long)(call->core->options.quotas.post_bytes >> 20));
        break;
    default:
        call_status_told(call, status);
        break;
    }
}

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

void post_to_thread_check(struct call *call) {
    Zchat__V1__PostToThreadRequest *post = call->command->post_to_thread;

    if (message_id_fits(call, &post->id))
        message_text_fits(call, post->text);
}

void post_to_thread_run(struct call *call) {
    const Zchat__V1__PostToThreadRequest *post = call->command->post_to_thread;
    struct store_post_change change = {
        .id = post->id.data,
        .title = post->thread,
        .account = call->session->member->account,
        .text = post->text,
        .text_bytes = strlen(post->text),
        .now_us = core_wall_us(call->core, call->now_us),
    };
    enum store_status status =
        call_store(call, store_post_add(call->core->store, &change, &call->result.changed));

    post_refuse(call, status, post->thread, true, false);
}

void post_to_thread_done(struct call *call) {
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
        thread_tell(call->core, &changed->thread, &event);
    }
    posted.id = call->command->post_to_thread->id;
    posted.number = changed->post.number;
    posted.seq = changed->seq;
    posted.time_us = changed->time_us;
    reply.body_case = ZCHAT__V1__REPLY__BODY_POST_TO_THREAD;
    reply.post_to_thread = &posted;
    call_reply(call, &reply);
}

/* Which post an edit or a deletion is about: its id, or NULL and its number. */
struct target {
    const ProtobufCBinaryData *post;
    uint64_t number;
    bool shown; /* the number is what the post was shown with */
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

void edit_post_check(struct call *call) {
    Zchat__V1__EditPostRequest *edit = call->command->edit_post;

    if (message_id_fits(call, &edit->id) && target_fits(call, edit_target(edit)))
        message_text_fits(call, edit->text);
}

void edit_post_run(struct call *call) {
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
    bool no_thread = false;
    enum store_status status = call_store(
        call, store_post_edit(call->core->store, &change, &call->result.changed, &no_thread));

    post_refuse(call, status, edit->thread, no_thread, target.shown);
}

void edit_post_done(struct call *call) {
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
        thread_tell(call->core, &changed->thread, &event);
    }
    edited.post = &post;
    edited.seq = changed->seq;
    reply.body_case = ZCHAT__V1__REPLY__BODY_EDIT_POST;
    reply.edit_post = &edited;
    call_reply(call, &reply);
}

void delete_post_check(struct call *call) {
    const Zchat__V1__DeletePostRequest *delete = call->command->delete_post;

    if (message_id_fits(call, &delete->id))
        target_fits(call, delete_target(delete));
}

void delete_post_run(struct call *call) {
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
    bool no_thread = false;
    enum store_status status = call_store(
        call, store_post_delete(call->core->store, &change, &call->result.changed, &no_thread));

    post_refuse(call, status, delete->thread, no_thread, target.shown);
}

void delete_post_done(struct call *call) {
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
        thread_tell(call->core, &changed->thread, &event);
    }
    gone.seq = changed->seq;
    reply.body_case = ZCHAT__V1__REPLY__BODY_DELETE_POST;
    reply.delete_post = &gone;
    call_reply(call, &reply);
}
