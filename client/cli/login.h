/* The dialogue that leads to a session: with the trusted device key, or else a password, or else a
 * new account. It runs at the start and for the verbs login and register; one at a time. In a
 * script it asks nothing, and fails where it would ask a person. */
#ifndef LOGIN_H
#define LOGIN_H

#include "name.h"

#include <stdbool.h>

struct app;

struct login { /* all zeros: no dialogue is going on */
    bool running;
    bool at_start;    /* giving up ends the program */
    bool registering; /* the password that is asked for is that of a new account */
    bool offered;     /* a new account was offered */
    bool hinted;      /* it was said how a new account is made */
    bool file_used;   /* the password file was tried in this dialogue */
    char user[NAME_BYTES];
    char last_user[NAME_BYTES]; /* of the session before */
    char *password;             /* owned, wiped; NULL: none */
};

void login_release(struct login *login);

/* `user` "": asks for the name. If `at_start`, giving up ends the program. */
void login_begin(struct app *app, const char *user, bool at_start);
/* Makes a new account, then logs in to it. */
void login_begin_register(struct app *app, const char *user);

/* Asks whether to trust the broker with this fingerprint. */
void login_ask_trust(struct app *app, const char *fingerprint);

#endif
