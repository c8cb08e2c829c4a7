/* The event socket's upstream side: which connection, and which key over all its connections,
 * subscribes to what. XPUB applies a subscription before it is seen here, and gives it up only with
 * its connection. So a connection is cut if it takes its key beyond SUBSCRIPTIONS_MAX, or if it
 * names something that can't be a topic. It is also cut if its key has no session, at its first
 * frame or when the key's last session ends. Subscriptions are charged to the key's budget; a key
 * with an empty budget gets no new connection. Other messages are counted and thrown away. */
#ifndef SUBSCRIPTION_H
#define SUBSCRIPTION_H

#include "limits.h"
#include "link.h"
#include "pace.h"

#include <stdint.h>

struct core;
struct subscriptions;

struct subscriptions *subscriptions_new(struct core *core, struct links *links, struct pace *pace);
void subscriptions_free(struct subscriptions *subscriptions);

/* Reads a bounded number of the messages at the XPUB socket. */
void subscriptions_read(struct subscriptions *subscriptions, void *xpub);
/* The link of the event socket has ended: what is still read from it does not count. Called before
 * anything is read that the descriptor's next owner sent. */
void subscriptions_closed(struct subscriptions *subscriptions, struct link *link);
/* Cuts the connections of a key that has no session any more. */
void subscriptions_end(struct subscriptions *subscriptions, const unsigned char key[KEY_BYTES]);
/* How many subscriptions there are. */
uint64_t subscriptions_count(const struct subscriptions *subscriptions);

#endif
