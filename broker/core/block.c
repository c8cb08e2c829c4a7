/* Mutual silence between two users. Nothing tells the blocked one. */
#include "handlers.h"
#include "private.h"

#include <string.h>

void block_user_check(struct call *call) {
    message_name_fits(call, call->command->block_user->user);
}

/* What the two were to be told of each other until now. */
static void catch_up(struct call *call, const char *user) {
    gathered_catch_up(call->core, call->session->member);
    gathered_catch_up(call->core, member_find_name(&call->core->sessions, user));
}

void block_user_run(struct call *call) {
    const char *user = call->command->block_user->user;

    catch_up(call, user);
    enum store_status status = call_store(
        call, store_block_add(call->core->store, call->session->member->account, user,
                              core_wall_us(call->core, call->now_us), &call->result.block.other));

    if (status == STORE_NOT_FOUND)
        call_fail(call, REASON(NO_SUCH_USER), "there is no user %s", user);
    else if (status == STORE_SELF)
        call_fail(call, REASON(SELF), "one can't block oneself");
    else if (status == STORE_EXISTS)
        call_fail(call, REASON(ALREADY_BLOCKED), "%s is blocked already", user);
    else if (status == STORE_QUOTA_SENDER)
        call_fail(call, REASON(QUOTA),
                  "%d users are blocked, the most that are allowed: unblock one first", BLOCKS_MAX);
    call_status_told(call, status);
}

void block_user_done(struct call *call) {
    private_blocked(call->core, call->session->member->account, call->result.block.other);
    call_reply_empty(call);
}

void unblock_user_check(struct call *call) {
    const char *user = call->command->unblock_user->user;

    if (message_name_fits(call, call->command->unblock_user->user) &&
        !strcmp(user, call->session->member->name))
        call_fail(call, REASON(SELF), "one can't unblock oneself");
}

void unblock_user_run(struct call *call) {
    const char *user = call->command->unblock_user->user;

    catch_up(call, user);
    enum store_status status = call_store(
        call, store_block_remove(call->core->store, call->session->member->account, user));

    if (status == STORE_NOT_FOUND)
        call_fail(call, REASON(NO_SUCH_USER), "there is no user %s", user);
    else if (status == STORE_EXISTS)
        call_fail(call, REASON(NOT_BLOCKED), "%s is not blocked", user);
    call_status_told(call, status);
}

struct names {
    struct call *call; /* borrowed */
    const char *after; /* borrowed */
    char **list;       /* `limit` of them at most */
    size_t limit;
    size_t count;
    bool more;
};

static void names_add(void *arg, const char *name) {
    struct names *names = arg;
    size_t bytes = strlen(name) + 1;
    char *copy = NULL;

    call_read(names->call, 1);
    if (names->more || strcmp(name, names->after) <= 0)
        return;
    if (names->count < names->limit)
        copy = call_memory(names->call, bytes);
    names->more = !copy;
    if (copy)
        names->list[names->count++] = memcpy(copy, name, bytes);
}

void list_blocked_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__ListBlockedResponse blocked = ZCHAT__V1__LIST_BLOCKED_RESPONSE__INIT;
    const Zchat__V1__ListBlockedRequest *wanted = call->command->list_blocked;
    bool all = wanted->limit == 0 || wanted->limit > BLOCKS_MAX;
    struct names names = {
        .call = call, .after = wanted->after, .limit = all ? BLOCKS_MAX : wanted->limit};

    /* Names of BLOCKS_MAX users are less than half a MiB: they fit into the reply's memory. */
    names.list = call_memory(call, names.limit * sizeof *names.list);
    if (!names.list ||
        call_store(call, store_block_list(call->core->store, call->session->member->account,
                                          names_add, &names)))
        return;
    blocked.users = names.list;
    blocked.n_users = names.count;
    blocked.more = names.more;
    reply.body_case = ZCHAT__V1__REPLY__BODY_LIST_BLOCKED;
    reply.list_blocked = &blocked;
    call_reply(call, &reply);
}
