/* Private chats as they are shown, and what a script waits for in them. Lines go straight to the
 * other one's program and are answered when it has them. Nothing that is on the screen changes: a
 * mark below a line says that it was delivered; a line that was not delivered, or of which that is
 * not known, is shown again. */
#ifndef PRIVATE_H
#define PRIVATE_H

#include "peers.h"
#include "zchat.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app;

enum private_awaited {
    PRIVATE_NOTHING,
    PRIVATE_ACCEPT, /* for an invitation, to accept it */
    PRIVATE_DECLINE,
    PRIVATE_TAKE, /* for an offered file, to take it */
    PRIVATE_REFUSE,
    PRIVATE_LINES
};

struct private_wait { /* of a script; all zeros: for nothing */
    enum private_awaited awaited;
    char user[NAME_BYTES];
    char *place; /* owned: where the file will go; NULL: not given */
    int64_t until_ms;
};

struct privates { /* all zero: nothing */
    struct peers peers;
    char asked[NAME_BYTES]; /* whom the last invitation is for; "": it was answered */
    size_t patient;         /* calls that wait for a person, not for the broker */
    struct private_wait wait;
};

void privates_release(struct privates *privates);

/* A PRIVATE_* event. */
void private_event(struct app *app, const zchat_event *event);

/* A bare y, yes, n or no, if somebody invites and no conversation is open: answers the only
 * invitation, or asks which. false: it is another line. */
bool private_answers(struct app *app, const char *line);
/* Accepts the open invitation from `user`. */
void private_accept(struct app *app, const char *user);
void private_decline(struct app *app, const char *user);

/* Sends a line to `user`. */
void private_say(struct app *app, const char *user, const char *text);

/* Ends all chats, and shows what was not delivered. */
void private_stop_all(struct app *app);

/* Makes a script's next line wait for something; `place` may be NULL. */
void private_await(struct app *app, enum private_awaited awaited, const char *user,
                   const char *place, uint64_t seconds);
/* If what the script waits for is there, does it; returns whether it waits no longer. */
bool private_step(struct app *app, int64_t now_ms);

/* In private_file.c: takes their oldest offer, which must exist. `place` NULL: into the current
 * folder. */
void private_take(struct app *app, const char *user, const char *place);
void private_refuse(struct app *app, const char *user);
/* They offer a file. */
void private_offered(struct app *app, const zchat_event *event);

#endif
