/* The event socket's upstream side: which connection, and which key over all its connections,
 * subscribes to how much. XPUB has applied a subscription before it is seen here and takes back
 * none but with its connection: so the connection that takes a key beyond SUBSCRIPTIONS_MAX is cut.
 * What is no subscription is counted and thrown away. */
#ifndef SUBSCRIPTION_H
#define SUBSCRIPTION_H

#include "limits.h"

#include <stdint.h>

struct subscriptions;

struct subscriptions *subscriptions_new(void);
void subscriptions_free(struct subscriptions *subscriptions);

/* Reads what is there at the XPUB socket. `refused` grows by what was too much or was none. */
void subscriptions_read(struct subscriptions *subscriptions, void *xpub, uint64_t *refused);
/* A connection was accepted, or closed: what else is still read of a closed one does not count.
 * Told before what the connection sent is read. */
void subscriptions_opened(struct subscriptions *subscriptions, int fd);
void subscriptions_closed(struct subscriptions *subscriptions, int fd);
/* How many there are. */
uint64_t subscriptions_count(const struct subscriptions *subscriptions);

#endif
