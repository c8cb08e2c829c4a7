/* The broker's CURVE key pair, in DATA/server.key (0600): made at the first start, the same ever
 * after. The file holds two lines, "public KEY" and "secret KEY", both in Z85. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "key.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct identity {
    char public_key[KEY_TEXT];
    char secret_key[KEY_TEXT]; /* wiped by identity_wipe */
};

/* Loads it; where it is missing and `make`, makes it. false: `error` holds one sentence. */
bool identity_load(struct identity *identity, const char *folder, bool make, char *error,
                   size_t error_bytes);
/* What the store notes of it; never 0. */
int64_t identity_mark(const struct identity *identity);
void identity_wipe(struct identity *identity);

#endif
