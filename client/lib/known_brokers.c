/* The brokers' part of the known keys. */
#include "known_brokers.h"

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
