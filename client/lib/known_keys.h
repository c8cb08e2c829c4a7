/* Which key each name showed at first contact: a file in the config folder, lines of "name key",
 * the key as Z85. As with ssh, a pinned key is never overwritten by a changed one. */
#ifndef KNOWN_KEYS_H
#define KNOWN_KEYS_H

#include "crypto.h"
#include "fault.h"
#include "limits.h"

#include <stdbool.h>

struct known_keys {
    const char *folder; /* borrowed, like the next: the config folder */
    const char *file;   /* its name in there, at most 32 bytes */
};

/* Looks up the key of `name`. */
zchat_code known_keys_find(struct known_keys known, const char *name, bool *found,
                           unsigned char key[KEY_BYTES], struct fault *fault);

/* Adds a line. ZCHAT_WRONG_KEY: another key was pinned meanwhile. */
zchat_code known_keys_pin(struct known_keys known, const char *name,
                          const unsigned char key[KEY_BYTES], struct fault *fault);

/* Removes the line of `name`, and gives the fingerprint of its key ("": it holds none).
 * ZCHAT_NOT_FOUND: there is no such line. */
zchat_code known_keys_forget(struct known_keys known, const char *name,
                             char fingerprint[FINGERPRINT_TEXT], struct fault *fault);

/* Writes how somebody who knows that a key was changed on purpose can forget the old one: the
 * command, and the file that it changes. */
#define KNOWN_KEYS_HOW_BYTES 320
void known_keys_how_to_forget(struct known_keys known, const char *name,
                              char how[KNOWN_KEYS_HOW_BYTES]);

#endif
