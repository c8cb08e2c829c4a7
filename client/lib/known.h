/* Which key each broker showed at first contact, and each user in their first private chat: the
 * files `known_brokers` (lines of "host:port key") and `known_peers` ("user@host:port key") in the
 * config folder. As with ssh, another key is refused until the line is removed. */
#ifndef KNOWN_H
#define KNOWN_H

#include "fault.h"
#include "known_keys.h"
#include "limits.h"

#include <stdbool.h>

#define KNOWN_BROKERS_FILE "known_brokers"
#define KNOWN_PEERS_FILE   "known_peers"

/* ---- brokers ---- */

/* Looks up the key of the broker `name` ("host:port"). */
zchat_code known_brokers_find(const char *folder, const char *name, bool *known,
                              unsigned char key[KEY_BYTES], struct fault *fault);

/* Adds a line. ZCHAT_WRONG_KEY: another key was pinned meanwhile. */
zchat_code known_brokers_pin(const char *folder, const char *name,
                             const unsigned char key[KEY_BYTES], struct fault *fault);

/* See known_keys.h. */
zchat_code known_brokers_forget(const char *folder, const char *name,
                                char fingerprint[FINGERPRINT_TEXT], struct fault *fault);
void known_brokers_how_to_forget(const char *folder, const char *name,
                                 char how[KNOWN_KEYS_HOW_BYTES]);

/* ---- peers ---- */

/* ZCHAT_OK: this key is pinned or, if *known is false, none is. ZCHAT_WRONG_KEY: another one is
 * pinned. */
zchat_code known_peers_check(const char *folder, const char *user, const char *broker,
                             const unsigned char key[KEY_BYTES], bool *known, struct fault *fault);
/* Pins it. */
zchat_code known_peers_pin(const char *folder, const char *user, const char *broker,
                           const unsigned char key[KEY_BYTES], struct fault *fault);

/* Removes the line "user@host:port". ZCHAT_NOT_FOUND: there is none. */
zchat_code known_peers_forget(const char *folder, const char *name,
                              char fingerprint[FINGERPRINT_TEXT], struct fault *fault);

#endif
