/* Which key each broker showed at first contact: the file `known_brokers` in the config folder,
 * lines of "host:port key", the key as Z85. As ssh does it: a key that changed is never
 * overwritten. */
#ifndef KNOWN_BROKERS_H
#define KNOWN_BROKERS_H

#include "fault.h"
#include "known_keys.h"
#include "limits.h"

#include <stdbool.h>

#define KNOWN_BROKERS_FILE "known_brokers"

/* Looks up the key of the broker `name` ("host:port"). */
zchat_code known_brokers_find(const char *folder, const char *name, bool *known,
                              unsigned char key[KEY_BYTES], struct fault *fault);

/* Adds a line. Where another key was pinned meanwhile: ZCHAT_WRONG_KEY. */
zchat_code known_brokers_pin(const char *folder, const char *name,
                             const unsigned char key[KEY_BYTES], struct fault *fault);

/* See known_keys.h. */
zchat_code known_brokers_forget(const char *folder, const char *name,
                                char fingerprint[FINGERPRINT_TEXT], struct fault *fault);
void known_brokers_how_to_forget(const char *folder, const char *name,
                                 char how[KNOWN_KEYS_HOW_BYTES]);

#endif
