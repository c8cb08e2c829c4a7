/* register, login, logout, passwd, devices, revoke. */
#include "common/time_text.h"
#include "verb.h"

#include <inttypes.h>

static const struct password_source new_account = {OPTION_PASSWORD_FILE, OPTION_PASSWORD_CMD,
                                                   "New password: ", true};
static const struct password_source new_password = {
    OPTION_NEW_PASSWORD_FILE, OPTION_NEW_PASSWORD_CMD, "New password: ", true};

/* The account: the verb's word, or else --user. */
static const char *named_user(const struct call *call) {
    return call->word_count > 0 ? call->words[0] : option_text(call->options, OPTION_USER);
}

static enum status print_registered(struct call *call, const zchat_reply *reply) {
    if (call->output->json)
        return output_object(call->output, json_pack("{s:s}", "user", reply->user));
    output_format(call->output, "registered %s\n", reply->user);
    return STATUS_DONE;
}

static enum status run_register(struct call *call) {
    const char *user = named_user(call);
    bool no_trust = option_flag(call->options, OPTION_NO_TRUST);
    if (!user)
        return output_error(call->output, ZCHAT_INVALID, 0, "no name to register: give a NAME");
    enum status status = call_read_password(call, &new_account, &call->password);
    if (status == STATUS_DONE)
        status = call_open(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(
        call, zchat_register(call->z, user, call->password.text, no_trust, call_replied, call),
        print_registered);
}

static const struct verb register_verb = {
    .name = "register",
    .words = "[NAME]",
    .words_max = 1,
    .options = VERB_OPTIONS(OPTION_NO_TRUST),
    .run = run_register,
    .examples = VERB_EXAMPLES("zmq-cli --trust-new --password-file bot.password register bot"),
    .help = "make an account; NAME, or else --user",
    .exits = "6 registration is closed, 7 the name is taken",
};

static enum status print_login(struct call *call, const zchat_reply *reply) {
    if (call->output->json)
        return output_object(call->output,
                             json_pack("{s:s, s:b, s:b, s:o, s:o, s:o, s:I}", "user", reply->user,
                                       "trusted", reply->trusted, "admin", reply->admin, "head",
                                       value_big(reply->head), "cursor", value_big(reply->cursor),
                                       "time", value_time(reply->time_us), "idle_timeout",
                                       (json_int_t)reply->idle_timeout_s));
    output_format(call->output, "logged in as %s%s\n", reply->user,
                  reply->trusted ? "" : "; this device is not trusted");
    return STATUS_DONE;
}

static enum status run_login(struct call *call) {
    const struct call_login how = {
        .user = named_user(call),
        .by_password = true,
        .no_trust = option_flag(call->options, OPTION_NO_TRUST),
        .print = print_login,
    };
    return call_login(call, &how);
}

static const struct verb login_verb = {
    .name = "login",
    .words = "[NAME]",
    .words_max = 1,
    .options = VERB_OPTIONS(OPTION_NO_TRUST),
    .run = run_login,
    .examples = VERB_EXAMPLES("zmq-cli login", "zmq-cli --password-file bot.password login bot"),
    .help = "check that you can log in, with the password if one is given; the account then trusts "
            "this device",
    .exits = "4 the password is wrong, or the account is locked",
};

static enum status print_logout(struct call *call, const zchat_reply *reply) {
    (void)reply;
    if (call->output->json)
        return output_object(call->output, json_pack("{}"));
    output_text(call->output, "logged out\n");
    return STATUS_DONE;
}

static enum status run_logout(struct call *call) {
    enum status status = call_start(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call, zchat_logout(call->z, call_replied, call), print_logout);
}

static const struct verb logout_verb = {
    .name = "logout",
    .classic = "XIT",
    .words = "",
    .run = run_logout,
    .examples = VERB_EXAMPLES("zmq-cli logout"),
    .help = "log in and out again; use revoke to end the trust in a device",
};

static enum status print_passwd(struct call *call, const zchat_reply *reply) {
    (void)reply;
    if (call->output->json)
        return output_object(call->output, json_pack("{s:s}", "user", zchat_user(call->z)));
    output_format(call->output, "changed the password of %s\n", zchat_user(call->z));
    return STATUS_DONE;
}

/* Both passwords are read before the broker is asked anything. */
static enum status run_passwd(struct call *call) {
    struct password fresh = {0};
    enum status status = call_password(call);
    if (status == STATUS_DONE)
        status = call_read_password(call, &new_password, &fresh);
    if (status == STATUS_DONE)
        status = call_start(call);
    if (status == STATUS_DONE)
        status = call_answer(
            call, zchat_passwd(call->z, call->password.text, fresh.text, call_replied, call),
            print_passwd);
    password_release(&fresh);
    return status;
}

static const struct verb passwd_verb = {
    .name = "passwd",
    .words = "",
    .options = VERB_OPTIONS(OPTION_NEW_PASSWORD_FILE, OPTION_NEW_PASSWORD_CMD),
    .run = run_passwd,
    .examples = VERB_EXAMPLES(
        "zmq-cli --password-file old.password passwd --new-password-file new.password"),
    .help = "change the password; for an account without one give an empty --password-file",
};

static enum status print_device(struct output *output, const zchat_device *device) {
    char trusted[TIME_TEXT], used[TIME_TEXT];
    if (output->json)
        return output_object(
            output, json_pack("{s:o, s:s, s:s, s:o, s:o, s:b}", "device", value_big(device->device),
                              "label", device->label, "fingerprint", device->fingerprint, "trusted",
                              value_time(device->trusted_us), "used", value_time(device->used_us),
                              "current", device->current));
    output_format(output, "%4" PRIu64 "  %s  trusted %s  used %-20s  %s%s\n", device->device,
                  device->fingerprint, time_short(device->trusted_us, trusted),
                  device->used_us ? time_short(device->used_us, used) : "never", device->label,
                  device->current ? "  (this device)" : "");
    return STATUS_DONE;
}

static enum status print_devices(struct call *call, const zchat_reply *reply) {
    enum status status = STATUS_DONE;
    for (size_t i = 0; i < reply->count && status == STATUS_DONE; i++)
        status = print_device(call->output, &reply->devices[i]);
    return status;
}

static enum status run_devices(struct call *call) {
    enum status status = call_start(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call, zchat_devices(call->z, call_replied, call), print_devices);
}

static const struct verb devices_verb = {
    .name = "devices",
    .words = "",
    .run = run_devices,
    .examples = VERB_EXAMPLES("zmq-cli devices"),
    .help = "list the devices that the account trusts",
};

static enum status print_revoked(struct call *call, const zchat_reply *reply) {
    if (call->output->json)
        return output_object(call->output, json_pack("{s:s, s:I}", "device", call->words[0],
                                                     "sessions", (json_int_t)reply->sessions));
    output_format(call->output, "revoked device %s; %" PRIu32 " of its sessions ended\n",
                  call->words[0], reply->sessions);
    return STATUS_DONE;
}

static enum status run_revoke(struct call *call) {
    uint64_t device;
    if (!option_parse_number(call->words[0], &device))
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "a device is a whole number from 1 on, not \"%s\"; see zmq-cli devices",
                            call->words[0]);
    enum status status = call_start(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call, zchat_revoke(call->z, device, call_replied, call), print_revoked);
}

static const struct verb revoke_verb = {
    .name = "revoke",
    .words = "DEVICE",
    .words_min = 1,
    .words_max = 1,
    .run = run_revoke,
    .examples = VERB_EXAMPLES("zmq-cli revoke 2"),
    .help = "end the trust in the device of this number, and its sessions",
    .exits = "5 there is no such device",
};

const struct verb *const account_verbs[] = {
    &register_verb, &login_verb, &logout_verb, &passwd_verb, &devices_verb, &revoke_verb, NULL,
};
