/* The broker's CURVE key pair, in DATA/server.key (0600): made at the first start, and never
 * changed. The file holds two lines, "public KEY" and "secret KEY", both in Z85. */
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

/* Loads it; if it is missing and `make` is set, makes it. false: `error` holds one sentence. */
bool identity_load(struct identity *identity, const char *folder, bool make, char *error,
                   size_t error_bytes);
/* Loads it; if there is none, and the store was never served or `may_change` is set, makes one.
 * Clients trust the key that they know, so the store notes which one it was served with, and
 * another one is refused unless `may_change` is set. false: `error` holds one sentence. */
bool identity_open(struct identity *identity, const char *folder, struct store *store,
                   bool may_change, char *error, size_t error_bytes);
void identity_wipe(struct identity *identity);

#endif
