/* Mutual silence between two users. Nothing tells the blocked one. */
#include "command.h"
#include "field.h"
#include "gathered.h"
#include "private.h"

#include <string.h>

static void block_user_check(struct call *call) {
    field_name_fits(call, call->command->block_user->user);
}

/* Tells the two what they were still to be told of each other. */
static void catch_up(struct call *call, const char *user) {
    gathered_catch_up(call->core, call->session->member);
    gathered_catch_up(call->core, member_find_name(&call->core->sessions, user));
}

static enum store_status block_user_run(struct call *call) {
    const char *user = call->command->block_user->user;

    catch_up(call, user);
    return call_store(call, store_block_add(call->core->store, call->session->member->account, user,
                                            core_wall_us(call->core, call->now_us),
                                            &call->result.block.other));
}

static const char *blocked_user(struct call *call) {
    return call->command->block_user->user;
}

static const struct refusal block_user_refusals[] = {
    {STORE_NOT_FOUND, REASON(NO_SUCH_USER), "there is no user %s", blocked_user},
    {STORE_SELF, REASON(ONESELF), "one can't block oneself", NULL},
    {STORE_EXISTS, REASON(ALREADY_BLOCKED), "%s is blocked already", blocked_user},
    {STORE_TOO_MANY, REASON(QUOTA),
     TEXT_OF(BLOCKS_MAX) " users are blocked, the most that are allowed: unblock one first", NULL},
    {0},
};

static void block_user_done(struct call *call) {
    private_blocked(call->core, call->session->member->account, call->result.block.other);
    call_reply_response(call);
}

const struct command_row block_user_row = {
    .cost = 2,
    .check = block_user_check,
    .run = block_user_run,
    .refusals = block_user_refusals,
    .done = block_user_done,
};

static void unblock_user_check(struct call *call) {
    const char *user = call->command->unblock_user->user;

    if (field_name_fits(call, call->command->unblock_user->user) &&
        !strcmp(user, call->session->member->name))
        call_fail(call, REASON(ONESELF), "one can't unblock oneself");
}

static enum store_status unblock_user_run(struct call *call) {
    const char *user = call->command->unblock_user->user;

    catch_up(call, user);
    return call_store(call,
                      store_block_remove(call->core->store, call->session->member->account, user));
}

static const char *unblocked_user(struct call *call) {
    return call->command->unblock_user->user;
}

static const struct refusal unblock_user_refusals[] = {
    {STORE_NOT_FOUND, REASON(NO_SUCH_USER), "there is no user %s", unblocked_user},
    {STORE_NOT_BLOCKED, REASON(NOT_BLOCKED), "%s is not blocked", unblocked_user},
    {0},
};

const struct command_row unblock_user_row = {
    .cost = 2,
    .check = unblock_user_check,
    .run = unblock_user_run,
    .refusals = unblock_user_refusals,
    .done = call_reply_response,
};

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

static enum store_status list_blocked_run(struct call *call) {
    Zchat__V1__ListBlockedResponse *blocked = call_response(call);
    const Zchat__V1__ListBlockedRequest *wanted = call->command->list_blocked;
    bool all = wanted->limit == 0 || wanted->limit > BLOCKS_MAX;
    struct names names = {
        .call = call, .after = wanted->after, .limit = all ? BLOCKS_MAX : wanted->limit};
    enum store_status status;

    /* The names of BLOCKS_MAX users take less than half a MiB, so they fit into the reply's
     * memory. */
    names.list = call_need(call, names.limit * sizeof *names.list);
    if (!names.list)
        return STORE_OK;
    status = call_store(call, store_block_list(call->core->store, call->session->member->account,
                                               names_add, &names));
    blocked->users = names.list;
    blocked->n_users = names.count;
    blocked->more = names.more;
    return status;
}

const struct command_row list_blocked_row = {
    .cost = 2,
    .run = list_blocked_run,
    .done = call_reply_response,
};
