/* The dialogue's steps, each a function that asks one thing and names the next step. A wrong name
 * and a wrong password get the same answer. A new account is offered once, and only where nobody
 * has logged in before: others may have mistyped, and are told that an empty password asks for
 * one. Only the broker counts tries. The password is kept until the session is open or the dialogue
 * ends, and then wiped. */
#include "login.h"

#include "app.h"
#include "history.h"
#include "line.h"
#include "memory.h"
#include "paths.h"
#include "screen.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOGIN_NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

static void login_ask_password(struct app *app);
static void login_try_password(struct app *app);

void login_release(struct login *login) {
    memory_free_secret(login->password);
    login->password = NULL;
    login->running = false;
}

/* --- ends --- */

static void login_end(struct app *app) {
    bool at_start = app->login->at_start;
    login_release(app->login);
    if (app->script && at_start)
        app_leave(app, 1);
    else
        app_ready(app);
}

static void login_give_up(struct app *app) {
    bool at_start = app->login->at_start;
    login_release(app->login);
    if (at_start)
        app_leave(app, 130);
    else
        app_ready(app);
}

static void login_done(struct app *app, const zchat_reply *reply) {
    login_release(app->login);
    app->program->logged_in(app, reply);
    app_ready(app);
}

static void login_ask(struct app *app, const char *question, bool echo, line_answer_fn *next) {
    line_ask(app->line, question, echo, next, app);
}

/* yes, y: 1; no, n, nothing: 0; else -1; in either case of letters */
static int login_yes_or_no(const char *answer) {
    if (strcasecmp(answer, "yes") == 0 || strcasecmp(answer, "y") == 0)
        return 1;
    return *answer == '\0' || strcasecmp(answer, "no") == 0 || strcasecmp(answer, "n") == 0 ? 0
                                                                                            : -1;
}

/* --- new account --- */

static void login_registered(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (reply->code == ZCHAT_CONFLICT && app->login->offered) {
        app_fail(app, reply->code, "%s", reply->text);
        app->login->registering = false;
        login_ask_password(app);
    } else if (call_failed(call, reply, NULL)) {
        login_end(app);
    } else {
        app_note(app, "%s is registered", reply->user);
        login_try_password(app);
    }
}

static void login_register(struct app *app) {
    struct call *call = call_new(app, login_registered, app->login->user);
    call_begun(call, zchat_register(app->z, app->login->user, app->login->password,
                                    app->options->no_trust, call_answered, call));
}

static void login_hear_again(void *arg, const char *answer) {
    struct app *app = arg;
    if (!answer) {
        login_give_up(app);
    } else if (strcmp(answer, app->login->password) != 0) {
        app_fail(app, ZCHAT_INVALID, "the two passwords differ");
        app->login->registering = true;
        login_ask_password(app);
    } else {
        login_register(app);
    }
}

static void login_ask_again(struct app *app) {
    login_ask(app, "the same password again: ", false, login_hear_again);
}

/* The new account's password is the one that was tried, if there is one. */
static void login_choose_password(struct app *app) {
    if (app->login->password) {
        login_ask_again(app);
        return;
    }
    app->login->registering = true;
    login_ask_password(app);
}

static void login_hear_offer(void *arg, const char *answer) {
    struct app *app = arg;
    if (!answer)
        login_give_up(app);
    else if (login_yes_or_no(answer) == 1)
        login_choose_password(app);
    else if (login_yes_or_no(answer) == 0)
        login_ask_password(app);
    else
        login_ask(app, "please type yes or no: ", true, login_hear_offer);
}

static void login_offer(struct app *app) {
    char question[NAME_BYTES + 64];
    app->login->offered = true;
    snprintf(question, sizeof question, "register %s as a new account? (yes/no) ",
             app->login->user);
    login_ask(app, question, true, login_hear_offer);
}

/* --- password --- */

/* Says how a new account is made, in case that no password was mistyped. */
static void login_try_again(struct app *app) {
    if (!app->login->registering && !app->login->hinted)
        app_note(app, "if you are new here: an empty password makes %s a new account",
                 app->login->user);
    app->login->hinted = true;
    login_ask_password(app);
}

static void login_password_tried(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (reply->code == ZCHAT_OK) {
        login_done(app, reply);
        return;
    }
    call_failed(call, reply, NULL);
    if (reply->code != ZCHAT_AUTH || reply->retry_after_s > 0 || !app->line)
        login_end(app);
    else if (!app->login->offered && !history_knows(zchat_fingerprint(app->z)))
        login_offer(app);
    else
        login_try_again(app);
}

/* password NULL: the device key */
static void login_try(struct app *app, const char *password, call_done_fn *done) {
    zchat_login_options options = {
        .user = app->login->user,
        .password = password,
        .no_trust = app->options->no_trust,
        .online = true,
        .inbox = true,
        .private_chats = true,
        .threads = true,
        .public_events = ZCHAT_PUBLIC_SUB,
    };
    struct call *call = call_new(app, done, app->login->user);
    call_begun(call, zchat_login(app->z, &options, call_answered, call));
}

static void login_try_password(struct app *app) {
    login_try(app, app->login->password, login_password_tried);
}

static void login_use_password(struct app *app, const char *password) {
    memory_free_secret(app->login->password);
    app->login->password = memory_text(password);
    if (!app->login->registering)
        login_try_password(app);
    else if (!app->line)
        login_register(app);
    else
        login_ask_again(app);
}

/* An empty password asks for a new account; what was tried before is not its password. */
static void login_offer_without(struct app *app) {
    memory_free_secret(app->login->password);
    app->login->password = NULL;
    login_offer(app);
}

static void login_hear_password(void *arg, const char *answer) {
    struct app *app = arg;
    if (!answer)
        login_give_up(app);
    else if (*answer != '\0')
        login_use_password(app, answer);
    else if (app->login->registering)
        login_ask_password(app);
    else
        login_offer_without(app);
}

static void login_read_password(struct app *app) {
    const char *path = app->options->password_file;
    char error[APP_ERROR_BYTES];
    char *password = paths_read_password(path, error, sizeof error);
    app->login->file_used = true;
    if (!password) {
        app_fail(app, ZCHAT_IO, "%s", error);
        login_end(app);
        return;
    }
    login_use_password(app, password);
    memory_free_secret(password);
}

static void login_ask_password(struct app *app) {
    char question[NAME_BYTES + 32];
    if (app->options->password_file && !app->login->file_used) {
        login_read_password(app);
    } else if (!app->line) {
        app_fail(app, ZCHAT_AUTH, "%s: a password is needed; give --password-file",
                 app->login->user);
        login_end(app);
    } else {
        snprintf(question, sizeof question, "%s's %spassword: ", app->login->user,
                 app->login->registering ? "new " : "");
        login_ask(app, question, false, login_hear_password);
    }
}

/* --- beginning --- */

static void login_key_tried(struct call *call, const zchat_reply *reply) {
    if (reply->code == ZCHAT_OK)
        login_done(call->app, reply);
    else if (reply->code == ZCHAT_AUTH)
        login_ask_password(call->app);
    else if (call_failed(call, reply, NULL))
        login_end(call->app);
}

static void login_hear_name(void *arg, const char *answer);

/* Who it is if no name is typed: whoever was here before, or the machine's user; "": nobody. */
static const char *login_usual_name(const struct app *app) {
    const char *user = getenv("USER");
    if (app->login->last_user[0] != '\0')
        return app->login->last_user;
    return user && strlen(user) < NAME_BYTES && user[strspn(user, LOGIN_NAME_BYTES)] == '\0' ? user
                                                                                             : "";
}

static void login_ask_name(struct app *app) {
    char question[NAME_BYTES + 32] = "name: ";
    const char *usual = login_usual_name(app);
    if (*usual != '\0')
        snprintf(question, sizeof question, "name [%s]: ", usual);
    login_ask(app, question, true, login_hear_name);
}

static void login_with_name(struct app *app) {
    if (app->login->registering)
        login_ask_password(app);
    else
        login_try(app, NULL, login_key_tried);
}

static void login_hear_name(void *arg, const char *answer) {
    struct app *app = arg;
    if (!answer) {
        login_give_up(app);
        return;
    }
    char word[NAME_BYTES] = "";
    sscanf(answer, "%63s", word);
    name_copy(app->login->user, word[0] != '\0' ? word : login_usual_name(app));
    if (app->login->user[0] == '\0')
        login_ask_name(app);
    else
        login_with_name(app);
}

static void login_start(struct app *app, const char *user, bool at_start, bool registering) {
    struct login *login = app->login;
    login->running = true;
    login->at_start = at_start;
    login->registering = registering;
    login->offered = false;
    login->hinted = false;
    login->file_used = false;
    name_copy(login->user, user);
    if (login->user[0] != '\0') {
        login_with_name(app);
    } else if (app->line) {
        login_ask_name(app);
    } else {
        app_fail(app, ZCHAT_INVALID, "no user to log in as; give --user");
        login_end(app);
    }
}

void login_begin(struct app *app, const char *user, bool at_start) {
    login_start(app, user, at_start, false);
}

void login_begin_register(struct app *app, const char *user) {
    login_start(app, user, false, true);
}

/* --- the broker's key --- */

static void login_hear_trust(void *arg, const char *answer) {
    struct app *app = arg;
    if (!answer || strcmp(answer, "no") == 0) {
        app_fail(app, ZCHAT_UNKNOWN_KEY, "the broker's key is not trusted");
        app_leave(app, !answer ? 130 : 3);
    } else if (strcmp(answer, "yes") != 0) {
        login_ask(app, "please type yes or no: ", true, login_hear_trust);
    } else if (zchat_trust(app->z) != ZCHAT_OK) {
        app_fail(app, ZCHAT_IO, "%s", zchat_error(app->z));
        app_leave(app, 3);
    }
}

void login_ask_trust(struct app *app, const char *fingerprint) {
    if (!app->line) {
        app_fail(app, ZCHAT_UNKNOWN_KEY,
                 "%s is an unknown broker with the key %s; give --server-key or --trust-new",
                 zchat_server(app->z), fingerprint);
        app_leave(app, 3);
        return;
    }
    app_note(app, "%s is an unknown broker; its key's fingerprint is", zchat_server(app->z));
    screen_putf(app->screen, SCREEN_BOLD, "    %s", fingerprint);
    screen_end_line(app->screen);
    login_ask(app, "is that the broker you mean? (yes/no) ", true, login_hear_trust);
}
