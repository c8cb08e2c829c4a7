/* What administrators do to other accounts; each command is an order, like those of `zchatd user`.
 * They can't do it to their own account, so that there is always an administrator who can undo
 * it. */
#include "command.h"
#include "field.h"
#include "memory.h"
#include "order.h"
#include "password_queue.h"

#include <stdio.h>
#include <string.h>

static bool is_anothers(struct call *call, char *user) {
    if (!field_name_fits(call, user))
        return false;
    if (!strcmp(user, call->session->member->name))
        call_fail(call, REASON(ONESELF),
                  "this is not done to one's own account: ask another administrator");
    return !call_failed(call);
}

static enum store_status give(struct call *call, struct order *order, const char *user) {
    enum store_status status;

    snprintf(order->name, sizeof order->name, "%s", user);
    status = call_store(call, core_order(call->core, order, call->session->member->name,
                                         call->now_us, &call->result.sessions_ended));
    memory_wipe(order->hash, sizeof order->hash);
    return status;
}

static const char *changed_user(struct call *call) {
    return call->command->change_account->user;
}

static const struct refusal change_account_refusals[] = {
    {STORE_NOT_FOUND, REASON(NO_SUCH_USER), "there is no user %s", changed_user},
    {0},
};

/* false: this broker does not know the change. */
static bool order_of(Zchat__V1__AccountChange change, enum order_verb *verb) {
    static const enum order_verb verbs[] = {
        [ZCHAT__V1__ACCOUNT_CHANGE__ACCOUNT_CHANGE_LOCK] = ORDER_LOCK,
        [ZCHAT__V1__ACCOUNT_CHANGE__ACCOUNT_CHANGE_UNLOCK] = ORDER_UNLOCK,
        [ZCHAT__V1__ACCOUNT_CHANGE__ACCOUNT_CHANGE_MAKE_ADMIN] = ORDER_MAKE_ADMIN,
        [ZCHAT__V1__ACCOUNT_CHANGE__ACCOUNT_CHANGE_MAKE_MEMBER] = ORDER_MAKE_MEMBER,
    };

    if ((int)change <= 0 || (size_t)change >= sizeof verbs / sizeof verbs[0])
        return false;
    *verb = verbs[change];
    return true;
}

static void change_account_check(struct call *call) {
    const Zchat__V1__ChangeAccountRequest *request = call->command->change_account;
    enum order_verb verb;

    if (is_anothers(call, request->user) && !order_of(request->change, &verb))
        call_fail(call, REASON(BAD_VALUE), "what is to become of the account %s? say the change",
                  request->user);
}

static enum store_status change_account_run(struct call *call) {
    const Zchat__V1__ChangeAccountRequest *request = call->command->change_account;
    struct order order = {0};

    order_of(request->change, &order.verb);
    return give(call, &order, request->user);
}

static void change_account_done(struct call *call) {
    Zchat__V1__ChangeAccountResponse *changed = call_response(call);

    changed->user = call->command->change_account->user;
    changed->sessions = call->result.sessions_ended;
    call_reply_response(call);
}

const struct command_row change_account_row = {
    .state = COMMAND_ADMIN,
    .cost = 10,
    .check = change_account_check,
    .run = change_account_run,
    .refusals = change_account_refusals,
    .done = change_account_done,
};

static const char *reset_user(struct call *call) {
    return call->command->reset_password->user;
}

static const struct refusal reset_password_refusals[] = {
    {STORE_NOT_FOUND, REASON(NO_SUCH_USER), "there is no user %s", reset_user},
    {0},
};

static void reset_password_check(struct call *call) {
    const Zchat__V1__ResetPasswordRequest *request = call->command->reset_password;

    if (is_anothers(call, request->user))
        field_new_password_fits(call, request->new_password);
}

/* Nothing is hashed if there is no such account. */
static bool reset_password_work(struct call *call) {
    const Zchat__V1__ResetPasswordRequest *request = call->command->reset_password;
    struct store_account account;

    if (!call_refused(
            call, reset_password_refusals,
            call_store(call, store_account_find(call->core->store, request->user, &account))))
        passwords_queue(call, NULL, NULL, NULL, request->new_password);
    return true;
}

static enum store_status reset_password_run(struct call *call) {
    struct order order = {.verb = ORDER_RESET};

    if (!passwords_hashed(call))
        return STORE_OK;
    snprintf(order.hash, sizeof order.hash, "%s", call->work->new_hash);
    return give(call, &order, call->command->reset_password->user);
}

static void reset_password_done(struct call *call) {
    Zchat__V1__ResetPasswordResponse *reset = call_response(call);

    reset->user = call->command->reset_password->user;
    reset->sessions = call->result.sessions_ended;
    call_reply_response(call);
}

const struct command_row reset_password_row = {
    .state = COMMAND_ADMIN,
    .cost = 10,
    .secret = true,
    .check = reset_password_check,
    .work = reset_password_work,
    .run = reset_password_run,
    .refusals = reset_password_refusals,
    .done = reset_password_done,
};
