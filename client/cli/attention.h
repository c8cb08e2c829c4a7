/* Calls the person who is elsewhere: with the terminal's bell, and with a command of theirs. Called
 * for are messages to them, unless they are in the conversation with the sender, mentions of their
 * name, and invitations. What came in quick succession gets one bell, and what was missed no
 * command. */
#ifndef ATTENTION_H
#define ATTENTION_H

#include <stdbool.h>
#include <stdint.h>

struct app;
struct attention;

enum attention_kind {
    ATTENTION_MESSAGE,
    ATTENTION_PRIVATE, /* a line of a private chat */
    ATTENTION_INVITATION,
    ATTENTION_BROADCAST, /* it counts only if it mentions the user, as do the next ones */
    ATTENTION_POST
};

struct attention_cause {
    enum attention_kind kind;
    const char *user;   /* who did it */
    const char *thread; /* title; NULL: none */
    const char *text;
    int64_t time_us;
    bool missed; /* it happened before the login */
};

struct attention *attention_new(struct app *app);
void attention_free(struct attention *attention);

/* It was shown. */
void attention_heard(struct app *app, const struct attention_cause *cause);
/* The person has typed a line: what comes next gets its own bell. */
void attention_typed(struct app *app);

/* Whether the person does not want to be called at all. */
void attention_set_quiet(struct app *app, bool quiet);
bool attention_is_quiet(const struct app *app);

/* A child of this program has ended. */
void attention_reap(struct app *app);
/* When to call attention_tick(); -1: never. */
int64_t attention_due_ms(const struct app *app);
void attention_tick(struct app *app, int64_t now_ms);

#endif
