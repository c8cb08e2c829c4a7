/* Private chats as they are shown, and what a script waits for in them. Lines go straight to the
 * other one's program and are answered when that has them; one that was not delivered is shown
 * again, marked. */
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
    PRIVATE_ACCEPT, /* an invitation, to accept it */
    PRIVATE_DECLINE,
    PRIVATE_TAKE, /* an offered file, to take it */
    PRIVATE_REFUSE,
    PRIVATE_LINES
};

struct private_wait { /* of a script; all zero: for nothing */
    enum private_awaited awaited;
    char user[NAME_BYTES];
    char *place; /* owned: where the file is to go; NULL: not said */
    int64_t until_ms;
};

struct privates { /* all zero: nothing */
    struct peers peers;
    char asked[NAME_BYTES]; /* whom the last invitation is for; "": it is answered */
    size_t patient;         /* calls that wait for a person, not for the broker */
    struct private_wait wait;
};

void privates_release(struct privates *privates);

/* A PRIVATE_* event. */
void private_event(struct app *app, const zchat_event *event);

/* A bare y, yes, n or no, if somebody invites and no conversation is open: answers the only
 * invitation, or asks which. false: it is another line. */
bool private_answers(struct app *app, const char *line);
/* The other one's invitation, which is open. */
void private_accept(struct app *app, const char *user);
void private_decline(struct app *app, const char *user);

/* A line to `user`. */
void private_say(struct app *app, const char *user, const char *text);

/* Ends all chats: what was not delivered is shown. */
void private_stop_all(struct app *app);

/* A script's next line waits for something; `place` may be NULL. */
void private_await(struct app *app, enum private_awaited awaited, const char *user,
                   const char *place, uint64_t seconds);
/* Returns whether nothing is waited for any more; does what was waited for. */
bool private_step(struct app *app, int64_t now_ms);

/* private_file.c: his oldest offer, which is there. `place` NULL: the current folder. */
void private_take(struct app *app, const char *user, const char *place);
void private_refuse(struct app *app, const char *user);
/* He offers a file. */
void private_offered(struct app *app, const zchat_event *event);

#endif
