/* See follow.h. Each thread that an account follows has a cursor of its own. */
#include "follow.h"

#include "command.h"
#include "field.h"
#include "thread_topic.h"

#include <string.h>

struct loading {
    struct sessions *sessions; /* borrowed */
    struct member *member;     /* borrowed */
};

static void load_one(void *arg, const struct store_followed *followed) {
    const struct loading *loading = arg;

    member_follow(loading->sessions, loading->member, followed->stream);
}

void follow_load(struct core *core, struct member *member) {
    struct loading loading = {&core->sessions, member};

    if (member->followed_loaded)
        return;
    member->followed_loaded = true;
    core_store(core, store_followed_list(core->store, member->account, load_one, &loading));
}

static void followed_fill(Zchat__V1__FollowedThread *out, struct store_followed *followed) {
    zchat__v1__followed_thread__init(out);
    out->id.data = followed->id;
    out->id.len = ID_BYTES;
    out->title = followed->title;
    out->head = followed->head;
    out->cursor = followed->cursor;
}

static void follow_thread_check(struct call *call) {
    title_form(call, &call->command->follow_thread->thread);
}

static enum store_status follow_thread_run(struct call *call) {
    return call_store(call,
                      store_follow(call->core->store, call->session->member->account,
                                   call->command->follow_thread->thread, &call->result.followed));
}

static const char *followed_title(struct call *call) {
    return call_about_title(call, call->command->follow_thread->thread);
}

static const struct refusal follow_thread_refusals[] = {
    TITLE_NO_THREAD(followed_title),
    {STORE_EXISTS, REASON(ALREADY_FOLLOWED), "you follow this thread already", NULL},
    {STORE_TOO_MANY, REASON(QUOTA),
     "you follow " TEXT_OF(FOLLOWED_MAX) " threads, the most that are allowed: unfollow one first",
     NULL},
    {0},
};

static void follow_thread_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__FollowThreadResponse follow = ZCHAT__V1__FOLLOW_THREAD_RESPONSE__INIT;
    Zchat__V1__FollowedThread followed;

    thread_topic_tell(call->core, call->result.followed.id); /* not for the new follower */
    member_follow(&call->core->sessions, call->session->member, call->result.followed.stream);
    followed_fill(&followed, &call->result.followed);
    follow.followed = &followed;
    reply.body_case = ZCHAT__V1__REPLY__BODY_FOLLOW_THREAD;
    reply.follow_thread = &follow;
    call_reply(call, &reply);
}

const struct command_row follow_thread_row = {
    .cost = 2,
    .check = follow_thread_check,
    .run = follow_thread_run,
    .refusals = follow_thread_refusals,
    .done = follow_thread_done,
};

static void unfollow_thread_check(struct call *call) {
    title_form(call, &call->command->unfollow_thread->thread);
}

static enum store_status unfollow_thread_run(struct call *call) {
    return call_store(call, store_unfollow(call->core->store, call->session->member->account,
                                           call->command->unfollow_thread->thread,
                                           &call->result.followed));
}

static const char *unfollowed_title(struct call *call) {
    return call_about_title(call, call->command->unfollow_thread->thread);
}

static const struct refusal unfollow_thread_refusals[] = {
    TITLE_NO_THREAD(unfollowed_title),
    {STORE_NOT_FOLLOWED, REASON(NOT_FOLLOWING), "you do not follow this thread", NULL},
    {0},
};

static void unfollow_thread_done(struct call *call) {
    thread_topic_tell(call->core, call->result.followed.id); /* no event after the answer */
    member_unfollow(&call->core->sessions, call->session->member, call->result.followed.stream);
    call_reply_response(call);
}

const struct command_row unfollow_thread_row = {
    .cost = 2,
    .check = unfollow_thread_check,
    .run = unfollow_thread_run,
    .refusals = unfollow_thread_refusals,
    .done = unfollow_thread_done,
};

struct followed_list {
    struct call *call;                   /* borrowed */
    const char *after;                   /* borrowed */
    Zchat__V1__FollowedThread **threads; /* `limit` of them at most */
    size_t limit;
    size_t count;
    bool more;
};

struct followed_copy {
    Zchat__V1__FollowedThread followed;
    struct store_followed stored;
};

static void list_add(void *arg, const struct store_followed *stored) {
    struct followed_list *list = arg;
    struct followed_copy *copy = NULL;

    call_read(list->call, 1);
    member_follow(&list->call->core->sessions, list->call->session->member, stored->stream);
    if (list->more || strcmp(stored->title, list->after) <= 0)
        return;
    if (list->count < list->limit)
        copy = call_memory(list->call, sizeof *copy); /* FOLLOWED_MAX of them fit */
    list->more = !copy;
    if (!copy)
        return;
    copy->stored = *stored;
    followed_fill(&copy->followed, &copy->stored);
    list->threads[list->count++] = &copy->followed;
}

static enum store_status list_followed_run(struct call *call) {
    Zchat__V1__ListFollowedResponse *followed = call_response(call);
    const Zchat__V1__ListFollowedRequest *wanted = call->command->list_followed;
    bool all = wanted->limit == 0 || wanted->limit > FOLLOWED_MAX;
    struct followed_list list = {
        .call = call, .after = wanted->after, .limit = all ? FOLLOWED_MAX : wanted->limit};
    enum store_status status;

    list.threads = call_need(call, list.limit * sizeof *list.threads);
    if (!list.threads)
        return STORE_OK;
    status = call_store(call, store_followed_list(call->core->store, call->session->member->account,
                                                  list_add, &list));
    followed->threads = list.threads;
    followed->n_threads = list.count;
    followed->more = list.more;
    return status;
}

const struct command_row list_followed_row = {
    .cost = 2,
    .passive = true,
    .run = list_followed_run,
    .done = call_reply_response,
};
