/* A login's options; the password in them never leaves locked memory but into a frame. */
#include "login.h"

#include <sodium.h>
#include <string.h>

struct login *login_new(const zchat_login_options *options, const char *user) {
    struct login *login = sodium_malloc(sizeof *login);
    if (!login)
        return NULL;
    memset(login, 0, sizeof *login);
    strcpy(login->user, user);
    login->password_set = options->password != NULL;
    if (login->password_set)
        strcpy(login->password, options->password);
    login->no_trust = options->no_trust;
    login->online = options->online;
    login->inbox = options->inbox;
    login->from_seq_set = options->from_seq_set;
    login->from_seq = options->from_seq;
    login->threads = options->threads;
    login->private_chats = options->private_chats;
    login->public_events = options->public_events;
    return login;
}

void login_free(struct login *login) {
    sodium_free(login);
}

void login_forget_password(struct login *login) {
    sodium_memzero(login->password, sizeof login->password);
    login->password_set = false;
}
