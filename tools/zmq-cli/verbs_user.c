/* The verbs user lock, unlock, admin, reset: what administrators do to accounts of others. */

#include "verb.h"

#include <inttypes.h>

static const struct password_source new_password = {
    OPTION_NEW_PASSWORD_FILE, OPTION_NEW_PASSWORD_CMD, "New password: ", true};

static enum status print_done(struct call *call, const zchat_reply *reply, const char *done) {
    if (call->output->json)
        return output_object(call->output, json_pack("{s:s, s:I}", "user", reply->user, "sessions",
                                                     (json_int_t)reply->sessions));
    output_format(call->output, "%s %s", reply->user, done);
    if (reply->sessions > 0)
        output_format(call->output, "; %" PRIu32 " of its sessions ended", reply->sessions);
    output_text(call->output, "\n");
    return STATUS_DONE;
}

static enum status change(struct call *call, zchat_account_change change, call_print_fn *print) {
    enum status status = call_start(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(
        call, zchat_change_account(call->z, call->words[0], change, call_replied, call), print);
}

static enum status print_locked(struct call *call, const zchat_reply *reply) {
    return print_done(call, reply, "is locked");
}

static enum status run_lock(struct call *call) {
    return change(call, ZCHAT_ACCOUNT_CHANGE_LOCK, print_locked);
}

static const struct verb user_lock_verb = {
    .name = "user lock",
    .words = "NAME",
    .words_min = 1,
    .words_max = 1,
    .run = run_lock,
    .examples = VERB_EXAMPLES("zmq-cli --user keeper user lock mallory"),
    .help = "let nobody enter the account, keep all it has; its sessions end; for administrators",
};

static enum status print_unlocked(struct call *call, const zchat_reply *reply) {
    return print_done(call, reply, "is unlocked");
}

static enum status run_unlock(struct call *call) {
    return change(call, ZCHAT_ACCOUNT_CHANGE_UNLOCK, print_unlocked);
}

static const struct verb user_unlock_verb = {
    .name = "user unlock",
    .words = "NAME",
    .words_min = 1,
    .words_max = 1,
    .run = run_unlock,
    .examples = VERB_EXAMPLES("zmq-cli --user keeper user unlock mallory"),
    .help = "undo user lock, and a lock by wrong passwords; for administrators",
};

static enum status print_admin(struct call *call, const zchat_reply *reply) {
    bool revoke = option_flag(call->options, OPTION_REVOKE);
    return print_done(call, reply, revoke ? "is no administrator" : "is an administrator");
}

static enum status run_admin(struct call *call) {
    bool revoke = option_flag(call->options, OPTION_REVOKE);
    return change(call, revoke ? ZCHAT_ACCOUNT_CHANGE_MAKE_MEMBER : ZCHAT_ACCOUNT_CHANGE_MAKE_ADMIN,
                  print_admin);
}

static const struct verb user_admin_verb = {
    .name = "user admin",
    .words = "NAME",
    .words_min = 1,
    .words_max = 1,
    .options = VERB_OPTIONS(OPTION_REVOKE),
    .run = run_admin,
    .examples = VERB_EXAMPLES("zmq-cli --user keeper user admin alice",
                              "zmq-cli --user keeper user admin alice --revoke"),
    .help = "make an administrator of the account; for administrators",
};

static enum status print_reset(struct call *call, const zchat_reply *reply) {
    return print_done(call, reply, "has the new password and trusts no device");
}

/* Reads the password before it asks the broker anything. */
static enum status run_reset(struct call *call) {
    struct password fresh = {0};
    enum status status = call_read_password(call, &new_password, &fresh);
    if (status == STATUS_DONE)
        status = call_start(call);
    if (status == STATUS_DONE)
        status = call_answer(
            call, zchat_reset_password(call->z, call->words[0], fresh.text, call_replied, call),
            print_reset);
    password_release(&fresh);
    return status;
}

static const struct verb user_reset_verb = {
    .name = "user reset",
    .words = "NAME",
    .words_min = 1,
    .words_max = 1,
    .options = VERB_OPTIONS(OPTION_NEW_PASSWORD_FILE, OPTION_NEW_PASSWORD_CMD),
    .run = run_reset,
    .examples =
        VERB_EXAMPLES("zmq-cli --user keeper user reset mallory --new-password-file new.password"),
    .help = "give the account a new password; its sessions and its trust in all devices end; for "
            "administrators",
};

const struct verb *const user_verbs[] = {
    &user_lock_verb, &user_unlock_verb, &user_reset_verb, &user_admin_verb, NULL,
};
