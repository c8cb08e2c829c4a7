/* The event socket's upstream side: which key subscribes to how much. XPUB has applied a
 * subscription before it is seen here, and can't take it back, so a key beyond SUBSCRIPTIONS_MAX is
 * reported, and the server ends its sessions. What is no subscription is counted and thrown away.
 */
#ifndef SUBSCRIPTION_H
#define SUBSCRIPTION_H

#include "limits.h"

#include <stdbool.h>
#include <stdint.h>

struct subscriptions;

struct subscriptions *subscriptions_new(void);
void subscriptions_free(struct subscriptions *subscriptions);

/* Reads what is there at the XPUB socket. `total` is how many subscriptions there are, `refused`
 * grows by what was too much or was none. Calls `flooded` for a key each time it subscribes beyond
 * the limit. */
void subscriptions_read(struct subscriptions *subscriptions, void *xpub, uint64_t *total,
                        uint64_t *refused,
                        void (*flooded)(void *arg, const unsigned char key[KEY_BYTES]), void *arg);

#endif
