/* One connection of the bench: a libzchat handle in the loop. */
#ifndef CLIENT_H
#define CLIENT_H

#include "bench.h"
#include "zchat.h"

struct client {
    struct bench *bench; /* borrowed: from the verb */
    zchat *z;            /* owned */
    struct loop_source source;
    bool logged_in;
    uint64_t lost_connections;
    uint64_t cursor;                                             /* of its inbox, at the login */
    void (*on_message)(void *arg, const zchat_message *message); /* NULL: not wanted */
    void (*on_private)(void *arg, const zchat_event *event);     /* NULL: not wanted */
    void *arg;                                                   /* borrowed: of both */
};

/* Opens it with the device key of that group and begins to connect. false: bench_fail() was called;
 * client_close() must follow anyway. */
bool client_open(struct client *client, struct bench *bench, uint64_t group);
void client_close(struct client *client);

/* Logs in with the device key; client->logged_in tells when it is done; a refusal fails the bench.
 * `options` must not have user and password. */
void client_login(struct client *client, const char *user, const zchat_login_options *options);

/* How many of these are logged in. */
uint64_t clients_logged_in(const struct client *clients, size_t stride, uint64_t count);

/* Fails the bench if the call was refused. */
bool client_accepts(struct client *client, zchat_code code, const char *what);
bool client_answered(struct client *client, const zchat_reply *reply, const char *what);

#endif
