/* The public calls about threads: as in call.c each checks what it is given and queues its command.
 * Edits and deletions get ids of their own here, so that one that is sent again after a lost
 * connection is done once. */
#include "call.h"
#include "handle.h"

static const char TITLE[] = "the thread's title";

/* ---- threads ---- */

zchat_code zchat_thread_create(zchat *z, const char *title, const zchat_id *id, zchat_reply_fn *fn,
                               void *arg) {
    zchat_id own;
    if (!call_check_new_title(z, "a title", title) || !call_check_new_id(z, "an id", &id, &own))
        return z->fault.code;
    Zchat__V1__CreateThreadRequest body = ZCHAT__V1__CREATE_THREAD_REQUEST__INIT;
    body.id = call_bytes(id);
    body.title = (char *)title;
    return call_send_id(z, COMMAND(CREATE_THREAD), &body.base, id, fn, arg);
}

zchat_code zchat_thread_list(zchat *z, const char *after_title, uint32_t limit, zchat_reply_fn *fn,
                             void *arg) {
    bool first = !after_title || after_title[0] == '\0';
    if ((!first && !call_check_title(z, TITLE, after_title)) || !call_check_limit(z, limit))
        return z->fault.code;
    Zchat__V1__ListThreadsRequest body = ZCHAT__V1__LIST_THREADS_REQUEST__INIT;
    body.after = first ? (char *)"" : (char *)after_title;
    body.limit = limit;
    return call_send(z, COMMAND(LIST_THREADS), &body.base, fn, arg);
}

zchat_code zchat_thread_read(zchat *z, const char *title, uint64_t after_seq, uint32_t limit,
                             zchat_reply_fn *fn, void *arg) {
    if (!call_check_title(z, TITLE, title) || !call_check_limit(z, limit))
        return z->fault.code;
    Zchat__V1__ReadThreadRequest body = ZCHAT__V1__READ_THREAD_REQUEST__INIT;
    body.thread = (char *)title;
    body.after_seq = after_seq;
    body.limit = limit;
    return call_send(z, COMMAND(READ_THREAD), &body.base, fn, arg);
}

zchat_code zchat_thread_remove(zchat *z, const char *title, zchat_reply_fn *fn, void *arg) {
    Zchat__V1__RemoveThreadRequest body = ZCHAT__V1__REMOVE_THREAD_REQUEST__INIT;
    body.thread = (char *)title;
    return call_check_title(z, TITLE, title)
               ? call_send(z, COMMAND(REMOVE_THREAD), &body.base, fn, arg)
               : z->fault.code;
}

/* ---- posts ---- */

zchat_code zchat_thread_post(zchat *z, const char *title, const char *text, const zchat_id *id,
                             zchat_reply_fn *fn, void *arg) {
    zchat_id own;
    if (!call_check_title(z, TITLE, title) || !call_check_text(z, text) ||
        !call_check_new_id(z, "an id", &id, &own))
        return z->fault.code;
    Zchat__V1__PostToThreadRequest body = ZCHAT__V1__POST_TO_THREAD_REQUEST__INIT;
    body.id = call_bytes(id);
    body.thread = (char *)title;
    body.text = (char *)text;
    return call_send_id(z, COMMAND(POST_TO_THREAD), &body.base, id, fn, arg);
}

static bool check_post(zchat *z, const zchat_id *post, uint64_t number) {
    if (post)
        return call_check_id(z, "a post's id", post);
    if (number == 0)
        fault_set(&z->fault, ZCHAT_INVALID, "posts are numbered from 1");
    return number > 0;
}

zchat_code zchat_thread_edit(zchat *z, const char *title, const zchat_id *post, uint64_t number,
                             const char *text, zchat_reply_fn *fn, void *arg) {
    zchat_id id;
    if (!call_check_title(z, TITLE, title) || !check_post(z, post, number) ||
        !call_check_text(z, text))
        return z->fault.code;
    zchat_id_new(&id);
    Zchat__V1__EditPostRequest body = ZCHAT__V1__EDIT_POST_REQUEST__INIT;
    body.id = call_bytes(&id);
    body.thread = (char *)title;
    if (post) {
        body.target_case = ZCHAT__V1__EDIT_POST_REQUEST__TARGET_POST;
        body.post = call_bytes(post);
        body.shown_number = number;
    } else {
        body.target_case = ZCHAT__V1__EDIT_POST_REQUEST__TARGET_NUMBER;
        body.number = number;
    }
    body.text = (char *)text;
    return call_send(z, COMMAND(EDIT_POST), &body.base, fn, arg);
}

zchat_code zchat_thread_delete(zchat *z, const char *title, const zchat_id *post, uint64_t number,
                               zchat_reply_fn *fn, void *arg) {
    zchat_id id;
    if (!call_check_title(z, TITLE, title) || !check_post(z, post, number))
        return z->fault.code;
    zchat_id_new(&id);
    Zchat__V1__DeletePostRequest body = ZCHAT__V1__DELETE_POST_REQUEST__INIT;
    body.id = call_bytes(&id);
    body.thread = (char *)title;
    if (post) {
        body.target_case = ZCHAT__V1__DELETE_POST_REQUEST__TARGET_POST;
        body.post = call_bytes(post);
        body.shown_number = number;
    } else {
        body.target_case = ZCHAT__V1__DELETE_POST_REQUEST__TARGET_NUMBER;
        body.number = number;
    }
    return call_send(z, COMMAND(DELETE_POST), &body.base, fn, arg);
}

/* ---- followed ones ---- */

zchat_code zchat_thread_follow(zchat *z, const char *title, zchat_reply_fn *fn, void *arg) {
    Zchat__V1__FollowThreadRequest body = ZCHAT__V1__FOLLOW_THREAD_REQUEST__INIT;
    body.thread = (char *)title;
    return call_check_title(z, TITLE, title)
               ? call_send(z, COMMAND(FOLLOW_THREAD), &body.base, fn, arg)
               : z->fault.code;
}

zchat_code zchat_thread_unfollow(zchat *z, const char *title, zchat_reply_fn *fn, void *arg) {
    Zchat__V1__UnfollowThreadRequest body = ZCHAT__V1__UNFOLLOW_THREAD_REQUEST__INIT;
    body.thread = (char *)title;
    return call_check_title(z, TITLE, title)
               ? call_send_about(z, COMMAND(UNFOLLOW_THREAD), &body.base, title, fn, arg)
               : z->fault.code;
}

zchat_code zchat_followed_list(zchat *z, zchat_reply_fn *fn, void *arg) {
    Zchat__V1__ListFollowedRequest body = ZCHAT__V1__LIST_FOLLOWED_REQUEST__INIT;
    return call_send(z, COMMAND(LIST_FOLLOWED), &body.base, fn, arg);
}

zchat_code zchat_thread_ack(zchat *z, const zchat_id *thread, uint64_t seq, zchat_reply_fn *fn,
                            void *arg) {
    if (!call_check_id(z, "a thread's id", thread))
        return z->fault.code;
    if (seq == 0)
        return fault_set(&z->fault, ZCHAT_INVALID, "entries are numbered from 1");
    if (!call_check_login(z))
        return z->fault.code;
    if (!fn && followed_want_read(&z->core.followed, thread->bytes, seq))
        return ZCHAT_OK;
    char stream[FOLLOWED_STREAM_BYTES];
    Zchat__V1__AckRequest body = ZCHAT__V1__ACK_REQUEST__INIT;
    followed_stream(thread->bytes, stream);
    body.stream = stream;
    body.read = seq;
    return call_send_id(z, COMMAND(ACK), &body.base, thread, fn, arg);
}
