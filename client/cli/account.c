/* Verbs about one's own account: logging in and out, password, devices; and what administrators do
 * to the accounts of others. */
#include "account.h"

#include "app.h"
#include "command.h"
#include "line.h"
#include "login.h"
#include "memory.h"
#include "paths.h"
#include "private.h"
#include "screen.h"
#include "session.h"
#include "words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- in and out --- */

static bool account_is_free(struct app *app) {
    if (app->logged_in)
        app_fail(app, ZCHAT_CONFLICT, "you are logged in as %s; log out first",
                 app->login->last_user);
    return !app->logged_in;
}

static void run_register(struct app *app, const struct command_words *words) {
    if (account_is_free(app))
        login_begin_register(app, words->word[0]);
}

static const struct command register_command = {
    .name = "register",
    .arguments = "NAME",
    .help = "a new account; the password is asked for",
    .example = "register alice",
    .words_min = 1,
    .words_max = 1,
    .flags = COMMAND_SECRET | COMMAND_LOGIN,
    .run = run_register,
};

static void run_login(struct app *app, const struct command_words *words) {
    const char *name = words->word[0];
    if (!name && app->script && app->options->user)
        name = app->options->user;
    if (account_is_free(app))
        login_begin(app, !name ? "" : name, false);
}

static const struct command login_command = {
    .name = "login",
    .arguments = "[NAME]",
    .help = "log in; the password is asked for if it is needed",
    .example = "login alice",
    .words_max = 1,
    .flags = COMMAND_SECRET | COMMAND_LOGIN,
    .run = run_login,
};

static void account_left(struct call *call, const zchat_reply *reply) {
    if (call_failed(call, reply, NULL))
        return;
    app_note(call->app, "%s is logged out", call->user);
    conversation_close(&call->app->conversation);
    session_end(call->app);
    privates_release(call->app->privates);
}

static void run_logout(struct app *app, const struct command_words *words) {
    (void)words;
    app_show(app);
    struct call *call = call_new(app, account_left, app->login->last_user);
    call_begun(call, zchat_logout(app->z, call_answered, call));
}

static const struct command logout_command = {
    .name = "logout",
    .classic = "XIT",
    .arguments = "",
    .help = "log out, and stay here to log in again",
    .run = run_logout,
};

/* --- password --- */

static void account_changed(struct call *call, const zchat_reply *reply) {
    if (!call_failed(call, reply, NULL))
        app_note(call->app, "the password is changed");
}

static void account_change(struct app *app, const char *old_password, const char *new_password) {
    struct call *call = call_new(app, account_changed, "");
    call_begun(call, zchat_passwd(app->z, old_password, new_password, call_answered, call));
}

/* Shows what was done to somebody else's account. */
static void account_tell_done(const struct call *call, const zchat_reply *reply, const char *done) {
    if (reply->sessions > 0)
        app_note(call->app, "%s %s; %u of its sessions ended", reply->user, done, reply->sessions);
    else
        app_note(call->app, "%s %s", reply->user, done);
}

static void account_was_reset(struct call *call, const zchat_reply *reply) {
    if (!call_failed(call, reply, "the password is not changed"))
        account_tell_done(call, reply, "has the new password and trusts no device");
}

static void account_reset(struct app *app, const char *user, const char *new_password) {
    struct call *call = call_new(app, account_was_reset, user);
    call_begun(call, zchat_reset_password(app->z, user, new_password, call_answered, call));
}

/* The dialogue of passwd and user reset, from its first question to its end. */
struct passwd_dialogue {
    char *user;         /* owned: whose password an administrator resets; NULL: it is one's own */
    char *old_password; /* owned, wiped */
    char *new_password; /* owned, wiped */
};

void passwd_dialogue_free(struct passwd_dialogue *passwd) {
    if (!passwd)
        return;
    memory_free_secret(passwd->old_password);
    memory_free_secret(passwd->new_password);
    free(passwd->user);
    free(passwd);
}

static void account_end_passwd(struct app *app) {
    passwd_dialogue_free(app->passwd);
    app->passwd = NULL;
    app_ready(app);
}

static void account_hear_again(void *arg, const char *answer) {
    struct app *app = arg;
    struct passwd_dialogue *passwd = app->passwd;
    bool same = answer && strcmp(answer, passwd->new_password) == 0;
    if (same && passwd->user)
        account_reset(app, passwd->user, passwd->new_password);
    else if (same)
        account_change(app, passwd->old_password, passwd->new_password);
    else if (answer)
        app_fail(app, ZCHAT_INVALID, "the two passwords differ; nothing is changed");
    account_end_passwd(app);
}

static void account_hear_new(void *arg, const char *answer) {
    struct app *app = arg;
    if (!answer || *answer == '\0') {
        account_end_passwd(app);
        return;
    }
    app->passwd->new_password = memory_text(answer);
    line_ask(app->line, "the new password again: ", false, account_hear_again, app);
}

static void account_hear_old(void *arg, const char *answer) {
    struct app *app = arg;
    if (!answer) {
        account_end_passwd(app);
        return;
    }
    app->passwd->old_password = memory_text(answer);
    line_ask(app->line, "new password: ", false, account_hear_new, app);
}

static void account_passwd_script(struct app *app, const char *new_file) {
    const char *old_file = app->options->password_file;
    if (!old_file || !new_file) {
        app_fail(
            app, ZCHAT_INVALID,
            "a script's old password comes from --password-file, the new one from passwd FILE");
        return;
    }
    char error[APP_ERROR_BYTES];
    char *old_password = paths_read_password(old_file, error, sizeof error);
    char *new_password = NULL;
    if (old_password)
        new_password = paths_read_password(new_file, error, sizeof error);
    if (new_password)
        account_change(app, old_password, new_password);
    else
        app_fail(app, ZCHAT_IO, "%s", error);
    memory_free_secret(old_password);
    memory_free_secret(new_password);
}

static void run_passwd(struct app *app, const struct command_words *words) {
    if (!app->line) {
        account_passwd_script(app, words->word[0]);
        return;
    }
    if (words->word[0] || !app->logged_in) {
        app_fail(app, app->logged_in ? ZCHAT_INVALID : ZCHAT_AUTH, "%s",
                 app->logged_in ? "passwd takes nothing here; it asks" : "you are not logged in");
        return;
    }
    app->passwd = memory_take(sizeof *app->passwd);
    line_ask(app->line, "old password: ", false, account_hear_old, app);
}

static const struct command passwd_command = {
    .name = "passwd",
    .arguments = "[FILE]",
    .help = "change the password (a script's new one is in FILE)",
    .example = "passwd",
    .words_max = 1,
    .flags = COMMAND_SECRET | COMMAND_UNSAID,
    .run = run_passwd,
};

/* --- devices --- */

static void account_show_device(struct app *app, const zchat_device *device) {
    char trusted[CLOCK_TIME_BYTES];
    char used[CLOCK_TIME_BYTES];
    clock_moment(device->trusted_us, trusted);
    clock_moment(device->used_us, used);
    screen_putf(app->screen, SCREEN_BOLD, "%" PRIu64 "  %s", device->device, device->label);
    screen_putf(app->screen, SCREEN_PLAIN, "  %s", device->fingerprint);
    screen_putf(app->screen, SCREEN_DIM, "  trusted %s, used %s%s", trusted, used,
                device->current ? ", this one" : "");
    screen_end_line(app->screen);
}

static void account_devices_listed(struct call *call, const zchat_reply *reply) {
    if (call_failed(call, reply, NULL))
        return;
    for (size_t i = 0; i < reply->count; i++)
        account_show_device(call->app, &reply->devices[i]);
    if (reply->count == 0)
        app_note(call->app, "no device is trusted; each login needs the password");
}

static void run_devices(struct app *app, const struct command_words *words) {
    (void)words;
    struct call *call = call_new(app, account_devices_listed, "");
    call_begun(call, zchat_devices(app->z, call_answered, call));
}

static const struct command devices_command = {
    .name = "devices",
    .arguments = "",
    .help = "the devices that get in without a password",
    .run = run_devices,
};

static void account_revoked(struct call *call, const zchat_reply *reply) {
    if (call_failed(call, reply, NULL))
        return;
    app_note(call->app, "device %" PRIu64 " is no longer trusted; %u session%s ended", call->number,
             reply->sessions, reply->sessions == 1 ? "" : "s");
}

static void run_revoke(struct app *app, const struct command_words *words) {
    char *end;
    unsigned long long device = strtoull(words->word[0], &end, 10);
    if (words->word[0][0] < '0' || words->word[0][0] > '9' || *end != '\0' || device == 0) {
        app_fail(app, ZCHAT_INVALID, "\"%s\" is no device's number; devices shows them",
                 words->word[0]);
        return;
    }
    struct call *call = call_new(app, account_revoked, "");
    call->number = device;
    call_begun(call, zchat_revoke(app->z, device, call_answered, call));
}

static const struct command revoke_command = {
    .name = "revoke",
    .arguments = "DEVICE",
    .help = "stop trusting a device, by its number",
    .example = "revoke 2",
    .words_min = 1,
    .words_max = 1,
    .run = run_revoke,
};

/* --- accounts of others, by administrators --- */

static const char *account_done(uint64_t change) {
    switch ((zchat_account_change)change) {
    case ZCHAT_ACCOUNT_CHANGE_LOCK:
        return "is locked";
    case ZCHAT_ACCOUNT_CHANGE_UNLOCK:
        return "is unlocked";
    case ZCHAT_ACCOUNT_CHANGE_MAKE_ADMIN:
        return "is an administrator";
    case ZCHAT_ACCOUNT_CHANGE_MAKE_MEMBER:
        return "is no administrator";
    }
    return "";
}

static void account_was_changed(struct call *call, const zchat_reply *reply) {
    if (!call_failed(call, reply, NULL))
        account_tell_done(call, reply, account_done(call->number));
}

static void account_change_other(struct app *app, const char *user, zchat_account_change change) {
    struct call *call = call_new(app, account_was_changed, user);
    call->number = change;
    call_begun(call, zchat_change_account(app->z, user, change, call_answered, call));
}

static void run_user_lock(struct app *app, const struct command_words *words) {
    account_change_other(app, words->word[0], ZCHAT_ACCOUNT_CHANGE_LOCK);
}

static const struct command user_lock_command = {
    .name = "user lock",
    .arguments = "USER",
    .help = "let nobody enter USER's account (administrators)",
    .example = "user lock mallory",
    .words_min = 1,
    .words_max = 1,
    .subject = COMMAND_USER,
    .run = run_user_lock,
};

static void run_user_unlock(struct app *app, const struct command_words *words) {
    account_change_other(app, words->word[0], ZCHAT_ACCOUNT_CHANGE_UNLOCK);
}

static const struct command user_unlock_command = {
    .name = "user unlock",
    .arguments = "USER",
    .help = "undo user lock, and a lock by wrong passwords",
    .example = "user unlock alice",
    .words_min = 1,
    .words_max = 1,
    .subject = COMMAND_USER,
    .run = run_user_unlock,
};

static void account_reset_by_file(struct app *app, const char *user, const char *path) {
    char error[APP_ERROR_BYTES];
    char *password = paths_read_password(path, error, sizeof error);
    if (password)
        account_reset(app, user, password);
    else
        app_fail(app, ZCHAT_IO, "%s", error);
    memory_free_secret(password);
}

static void account_ask_reset(struct app *app, const char *user) {
    char question[64 + NAME_BYTES];
    snprintf(question, sizeof question, "new password of %.*s: ", NAME_BYTES, user);
    app->passwd = memory_take(sizeof *app->passwd);
    app->passwd->user = memory_text(user);
    line_ask(app->line, question, false, account_hear_new, app);
}

static void run_user_reset(struct app *app, const struct command_words *words) {
    if (words->word[1])
        account_reset_by_file(app, words->word[0], words->word[1]);
    else if (!app->line)
        app_fail(app, ZCHAT_INVALID, "a script's new password comes from user reset USER FILE");
    else if (!app->logged_in)
        app_fail(app, ZCHAT_AUTH, "you are not logged in");
    else
        account_ask_reset(app, words->word[0]);
}

static const struct command user_reset_command = {
    .name = "user reset",
    .arguments = "USER [FILE]",
    .help = "a new password for USER, asked for or in FILE; nobody stays in",
    .example = "user reset alice",
    .words_min = 1,
    .words_max = 2,
    .flags = COMMAND_SECRET | COMMAND_UNSAID,
    .subject = COMMAND_USER,
    .run = run_user_reset,
};

static void run_user_admin(struct app *app, const struct command_words *words) {
    const char *option = words->word[1];
    if (option && strcmp(option, "--revoke") != 0)
        app_fail(app, ZCHAT_INVALID, "user admin takes --revoke, not \"%s\"", option);
    else
        account_change_other(app, words->word[0],
                             option ? ZCHAT_ACCOUNT_CHANGE_MAKE_MEMBER
                                    : ZCHAT_ACCOUNT_CHANGE_MAKE_ADMIN);
}

static const struct command user_admin_command = {
    .name = "user admin",
    .arguments = "USER [--revoke]",
    .help = "make an administrator of USER; --revoke: a member",
    .example = "user admin alice",
    .words_min = 1,
    .words_max = 2,
    .subject = COMMAND_USER,
    .run = run_user_admin,
};

/* --- what others learn --- */

static void account_receipts_chosen(struct call *call, const zchat_reply *reply) {
    if (call_failed(call, reply, NULL))
        return;
    if (reply->receipts)
        app_note(call->app, "receipts are on: who writes to you may learn that you have read it");
    else
        app_note(call->app, "receipts are off: nobody learns what you have read");
}

static void run_receipts(struct app *app, const struct command_words *words) {
    const char *word = words->word[0];
    zchat_choice choice = ZCHAT_CHOICE_KEEP;
    if (word && strcmp(word, "on") == 0)
        choice = ZCHAT_CHOICE_ON;
    else if (word && strcmp(word, "off") == 0)
        choice = ZCHAT_CHOICE_OFF;
    if (word && choice == ZCHAT_CHOICE_KEEP) {
        app_fail(app, ZCHAT_INVALID, "receipts are on or off, not \"%s\"", word);
        return;
    }
    struct call *call = call_new(app, account_receipts_chosen, "");
    call_begun(call, zchat_settings(app->z, choice, call_answered, call));
}

static const struct command receipts_command = {
    .name = "receipts",
    .arguments = "[on|off]",
    .help = "whether others learn that you have read what they wrote",
    .example = "receipts off",
    .words_max = 1,
    .run = run_receipts,
};

const struct command *const account_commands[] = {
    &register_command, &login_command,  &logout_command,   &passwd_command,
    &devices_command,  &revoke_command, &receipts_command, NULL,
};

const struct command *const user_commands[] = {
    &user_lock_command, &user_unlock_command, &user_reset_command, &user_admin_command, NULL,
};
