/* Which device key each user showed in his first private chat: the file `known_peers` in the config
 * folder, lines of "user@host:port key". One key for each user of a broker: another one is refused
 * until its line is removed. */
#ifndef KNOWN_PEERS_H
#define KNOWN_PEERS_H

#include "fault.h"
#include "key.h"
#include "limits.h"

#include <stdbool.h>

#define KNOWN_PEERS_FILE "known_peers"

/* ZCHAT_OK: it is the pinned key, or (*known false) none is pinned. ZCHAT_WRONG_KEY: another one
 * is. */
zchat_code known_peers_check(const char *folder, const char *user, const char *broker,
                             const unsigned char key[KEY_BYTES], bool *known, struct fault *fault);
/* Pins it. */
zchat_code known_peers_pin(const char *folder, const char *user, const char *broker,
                           const unsigned char key[KEY_BYTES], struct fault *fault);

/* Removes the line "user@host:port". ZCHAT_NOT_FOUND: there is none. */
zchat_code known_peers_forget(const char *folder, const char *name,
                              char fingerprint[FINGERPRINT_TEXT], struct fault *fault);

#endif
