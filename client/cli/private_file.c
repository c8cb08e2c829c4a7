/* Files in private chats. An offered file's name is not trusted: unless the user names a place, the
 * file goes into the current folder under exactly that name, or nowhere. */
#include "app.h"
#include "command.h"
#include "common/clock.h"
#include "load.h"
#include "memory.h"
#include "paths.h"
#include "private.h"
#include "screen.h"

#include <stdlib.h>
#include <string.h>

void private_offered(struct app *app, const zchat_event *event) {
    char size[LOAD_SIZE_BYTES];
    const char *slash = conversation_is_open(&app->conversation) ? "/" : "";
    peers_add_offer(&app->privates->peers, event->user, event->upload);
    load_size(event->upload->size, size);
    app_begin_line(app, clock_wall_us());
    screen_put_name(app->screen, event->user);
    screen_put(app->screen, SCREEN_OWN, "(private)");
    screen_putf(app->screen, SCREEN_PLAIN, " offers %s (%s)", event->upload->file, size);
    screen_end_line(app->screen);
    if (app->line)
        app_note(app, "%sprivate take %s [PATH] or %sprivate refuse %s answers", slash, event->user,
                 slash, event->user);
}

/* --- sending --- */

static void private_file_sent(struct call *call, const zchat_reply *reply) {
    char what[NAME_BYTES + 48];
    call->app->privates->patient--;
    snprintf(what, sizeof what,
             reply->code == ZCHAT_UNKNOWN ? "the file may or may not have reached %s"
                                          : "the file did not reach %s",
             call->user);
    if (load_done(call, reply, what))
        app_note(call->app, "%s has %s", call->user, call->name);
}

static void run_private_file(struct app *app, const struct command_words *words) {
    char *path = paths_expand(words->word[1]);
    const char *slash = strrchr(path, '/');
    struct call *call = call_new(app, private_file_sent, words->word[0]);
    call->name = memory_text(!slash ? path : slash + 1);
    app->privates->patient++;
    load_begin(app, call);
    call_begun(call, zchat_private_file(app->z, call->user, path, load_moved, call_answered, call));
    app_update_prompt(app);
    free(path);
}

static const struct command private_file_command = {
    .name = "private file",
    .arguments = "USER PATH",
    .help = "offer a file in a private chat",
    .example = "private file bob ~/plan.pdf",
    .words_min = 2,
    .words_max = 2,
    .flags = COMMAND_QUOTED | COMMAND_PRIVATE,
    .subject = COMMAND_PEER_PATH,
    .run = run_private_file,
};

/* --- taking --- */

static void private_file_taken(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    bool again = reply->code == ZCHAT_CONFLICT || reply->code == ZCHAT_IO;
    struct peer_offer *offer = peers_offer_of(&app->privates->peers, &call->id);
    app->privates->patient--;
    if (load_done(call, reply, "not taken"))
        app_note(app, "%s of %s is in %s", call->name, call->user, call->path);
    if (again && offer)
        offer->answered = false;
    else
        peers_drop_offer(&app->privates->peers, &call->id);
}

static void private_take_to(struct app *app, struct peer_offer *offer, const char *path) {
    struct call *call = call_new(app, private_file_taken, offer->user);
    call->name = memory_text(offer->file);
    call->path = memory_text(path);
    call->id = offer->id;
    offer->answered = true;
    app->privates->patient++;
    load_begin(app, call);
    call_begun(call, zchat_private_file_answer(app->z, call->user, &call->id, call->path, false,
                                               load_moved, call_answered, call));
    app_update_prompt(app);
}

/* The other one chose the name, so it is used only if it is a plain one. */
static char *private_path(const char *name, const char *place) {
    char *folder = !place ? NULL : paths_expand(place);
    bool named = folder && !paths_is_folder(folder);
    free(folder);
    return named || zchat_file_name_is_plain(name) ? load_path(name, place) : NULL;
}

void private_take(struct app *app, const char *user, const char *place) {
    struct peer_offer *offer = peers_offer(&app->privates->peers, user);
    char *path = private_path(offer->file, place);
    if (!path)
        app_fail(app, ZCHAT_INVALID,
                 "no file can be named \"%s\" here; say where: private take %s PATH", offer->file,
                 offer->user);
    else
        private_take_to(app, offer, path);
    free(path);
}

static void private_file_refused(struct call *call, const zchat_reply *reply) {
    if (!call_failed(call, reply, NULL))
        app_note(call->app, "%s is refused", call->name);
    peers_drop_offer(&call->app->privates->peers, &call->id);
}

void private_refuse(struct app *app, const char *user) {
    struct peer_offer *offer = peers_offer(&app->privates->peers, user);
    struct call *call = call_new(app, private_file_refused, offer->user);
    call->name = memory_text(offer->file);
    call->id = offer->id;
    offer->answered = true;
    call_begun(call, zchat_private_file_answer(app->z, call->user, &call->id, NULL, false, NULL,
                                               call_answered, call));
}

const struct command *const private_file_commands[] = {&private_file_command, NULL};
