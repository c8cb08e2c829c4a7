/* Two who may hold a private chat, against a real broker. */
#ifndef PAIR_H
#define PAIR_H

#include "live.h"

struct pair {
    struct live *live;    /* owned */
    struct client *alice; /* borrowed: live's */
    struct client *bob;   /* borrowed: live's */
};

int pair_setup(void **state);
int pair_teardown(void **state);
const struct heard *pair_last(const struct client *client, zchat_event_kind kind);
void pair_await(struct pair *pair, const struct client *client, zchat_event_kind kind,
                size_t count);
/* alice invites, bob accepts. */
void pair_open(struct pair *pair);
/* Cuts what does not lead to the broker: all links between peers. */
void pair_cut_links(const struct pair *pair);

#endif
