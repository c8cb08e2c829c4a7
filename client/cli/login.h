/* The way into a session, as a dialogue: trusted device key, else password, else a new account.
 * It runs at the start and for the verbs login and register; one at a time. In a script it asks
 * nothing and fails where a person would be asked. */
#ifndef LOGIN_H
#define LOGIN_H

#include "name.h"

#include <stdbool.h>

struct app;

struct login { /* all zero: nobody is on the way in */
    bool running;
    bool at_start;    /* giving up ends the program */
    bool registering; /* the verb register: a new account is what is wanted */
    bool no_offer;    /* a new account was offered or asked for already */
    bool file_used;   /* the password file was tried in this dialogue */
    char user[NAME_BYTES];
    char last_user[NAME_BYTES]; /* of the session before */
    char *password;             /* owned, wiped; NULL: none */
};

void login_release(struct login *login);

/* `user` "": asked for. At the start of the program giving up ends it. */
void login_begin(struct app *app, const char *user, bool at_start);
/* A new account, then a session of it. */
void login_begin_register(struct app *app, const char *user);

/* Asks whether the broker with this fingerprint is to be trusted. */
void login_ask_trust(struct app *app, const char *fingerprint);

#endif
