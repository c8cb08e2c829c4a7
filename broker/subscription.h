/* The event socket's upstream side: which connection, and which key over all its connections,
 * subscribes to what. XPUB has applied a subscription before it is seen here and takes back none
 * but with its connection: so the connection that takes a key beyond SUBSCRIPTIONS_MAX, or that
 * names what can be no topic, is cut. So is one whose key has no session, at its first frame or
 * when the last session ends. What it asks for is taken out of the key's budget, without which no
 * connection is admitted. What is no subscription is counted and thrown away. */
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

/* Reads what is there at the XPUB socket, a bounded number. */
void subscriptions_read(struct subscriptions *subscriptions, void *xpub);
/* The link of the event socket has ended: what else is still read of it does not count. Told before
 * what its descriptor's next owner sent is read. */
void subscriptions_closed(struct subscriptions *subscriptions, struct link *link);
/* Cuts the connections of a key that has no session any more. */
void subscriptions_end(struct subscriptions *subscriptions, const unsigned char key[KEY_BYTES]);
/* How many there are. */
uint64_t subscriptions_count(const struct subscriptions *subscriptions);

#endif
