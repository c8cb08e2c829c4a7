/* The two files of known keys. The name in a peer's line is made so that no name can contain
 * another one: users' names have no "@". */
#include "known.h"

#include "address.h"
#include "crypto.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

#define LINE_NAME_BYTES (NAME_BYTES + 1 + ENDPOINT_BYTES)

/* ---- brokers ---- */

zchat_code known_brokers_find(const char *folder, const char *name, bool *known,
                              unsigned char key[KEY_BYTES], struct fault *fault) {
    return known_keys_find((struct known_keys){folder, KNOWN_BROKERS_FILE}, name, known, key,
                           fault);
}

zchat_code known_brokers_pin(const char *folder, const char *name,
                             const unsigned char key[KEY_BYTES], struct fault *fault) {
    return known_keys_pin((struct known_keys){folder, KNOWN_BROKERS_FILE}, name, key, fault);
}

zchat_code known_brokers_forget(const char *folder, const char *name,
                                char fingerprint[FINGERPRINT_TEXT], struct fault *fault) {
    return known_keys_forget((struct known_keys){folder, KNOWN_BROKERS_FILE}, name, fingerprint,
                             fault);
}

void known_brokers_how_to_forget(const char *folder, const char *name,
                                 char how[KNOWN_KEYS_HOW_BYTES]) {
    known_keys_how_to_forget((struct known_keys){folder, KNOWN_BROKERS_FILE}, name, how);
}

/* ---- peers ---- */

static void line_name(const char *user, const char *broker, char name[LINE_NAME_BYTES]) {
    snprintf(name, LINE_NAME_BYTES, "%s@%s", user, broker);
}

static zchat_code wrong(const char *folder, const char *name, const char *user,
                        const unsigned char *shown, const unsigned char *pinned,
                        struct fault *fault) {
    char shown_text[FINGERPRINT_TEXT];
    char pinned_text[FINGERPRINT_TEXT];
    key_fingerprint(shown, shown_text);
    key_fingerprint(pinned, pinned_text);
    char how[KNOWN_KEYS_HOW_BYTES];
    known_keys_how_to_forget((struct known_keys){folder, KNOWN_PEERS_FILE}, name, how);
    return fault_set(fault, ZCHAT_WRONG_KEY,
                     "%s shows the key %s, but %s was pinned; if that is another device of %s's, "
                     "or its key was changed on purpose, %s",
                     user, shown_text, pinned_text, user, how);
}

zchat_code known_peers_check(const char *folder, const char *user, const char *broker,
                             const unsigned char key[KEY_BYTES], bool *known, struct fault *fault) {
    char name[LINE_NAME_BYTES];
    unsigned char pinned[KEY_BYTES];
    line_name(user, broker, name);
    zchat_code code =
        known_keys_find((struct known_keys){folder, KNOWN_PEERS_FILE}, name, known, pinned, fault);
    if (code == ZCHAT_OK && *known && memcmp(pinned, key, KEY_BYTES) != 0)
        return wrong(folder, name, user, key, pinned, fault);
    return code;
}

zchat_code known_peers_pin(const char *folder, const char *user, const char *broker,
                           const unsigned char key[KEY_BYTES], struct fault *fault) {
    char name[LINE_NAME_BYTES];
    line_name(user, broker, name);
    return known_keys_pin((struct known_keys){folder, KNOWN_PEERS_FILE}, name, key, fault);
}

zchat_code known_peers_forget(const char *folder, const char *name,
                              char fingerprint[FINGERPRINT_TEXT], struct fault *fault) {
    return known_keys_forget((struct known_keys){folder, KNOWN_PEERS_FILE}, name, fingerprint,
                             fault);
}
