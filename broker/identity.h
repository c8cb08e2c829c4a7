/* The broker's CURVE key pair, in DATA/server.key (0600): made at the first start, the same ever
 * after. The file holds two lines, "public KEY" and "secret KEY", both in Z85. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "crypto.h"

#include <stdbool.h>
#include <stddef.h>

struct store;

struct identity {
    char public_key[KEY_TEXT];
    char secret_key[KEY_TEXT]; /* wiped by identity_wipe */
};

/* Loads it, or where it is missing and `make`, makes it. false: `error` holds one sentence. */
bool identity_load(struct identity *identity, const char *folder, bool make, char *error,
                   size_t error_bytes);
/* Loads it; where there is none and the store was never served, or `may_change`, makes one. Clients
 * trust a key: the store notes which one it was served with, and another one is refused, unless
 * `may_change`. false: `error` holds one sentence. */
bool identity_open(struct identity *identity, const char *folder, struct store *store,
                   bool may_change, char *error, size_t error_bytes);
void identity_wipe(struct identity *identity);

#endif
