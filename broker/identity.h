/* The broker's CURVE key pair, in DATA/server.key (0600): made at the first start, the same ever
 * after. The file holds two lines, "public KEY" and "secret KEY", both in Z85. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "key.h"

#include <stddef.h>

struct identity {
    char public_key[KEY_TEXT];
    char secret_key[KEY_TEXT]; /* wiped by identity_wipe */
};

/* false: `error` holds one sentence. */
bool identity_load(struct identity *identity, const char *folder, char *error, size_t error_bytes);
void identity_wipe(struct identity *identity);

#endif
