/* What a login said: kept while a later reconnect may have to say it again. Lies in locked memory,
 * since there may be a password in it. */
#ifndef LOGIN_H
#define LOGIN_H

#include "text.h"
#include "zchat.h"

struct login {
    char user[NAME_BYTES];
    bool password_set;
    char password[PASSWORD_BYTES_MAX + 1];
    bool no_trust;
    bool online;
    bool inbox;
    bool from_seq_set;
    uint64_t from_seq;
    bool threads;
    bool private_chats;
    zchat_public_events public_events;
};

/* Copies options that were checked. NULL: no memory. */
struct login *login_new(const zchat_login_options *options, const char *user);
/* Wipes it. */
void login_free(struct login *login);
/* The device key is enough from now on. */
void login_forget_password(struct login *login);

#endif
