/* Letting go of a pinned key: the one thing that libzchat does without a handle. */
#include "address.h"
#include "folder.h"
#include "known_brokers.h"
#include "known_peers.h"
#include "limits.h"

#include <stdio.h>
#include <string.h>

/* "host", or "user@host": the lines' names have the port as well. */
static bool line_name(const char *whose, char *name, size_t name_bytes, bool *peer) {
    struct address address;
    char endpoint[ENDPOINT_BYTES];
    const char *at = strrchr(whose, '@');
    *peer = at != NULL;
    if (!address_parse(at ? at + 1 : whose, ZCHAT_DEFAULT_PORT, &address)) {
        return false;
    }
    address_endpoint(&address, endpoint);
    int bytes = snprintf(name, name_bytes, "%.*s%s", at ? (int)(at + 1 - whose) : 0, whose,
                         endpoint + strlen("tcp://"));
    return bytes > 0 && (size_t)bytes < name_bytes;
}

static zchat_code forget(const char *whose, const char *config_dir, char *fingerprint,
                         struct fault *fault) {
    char folder[FOLDER_PATH_BYTES], name[NAME_BYTES_MAX + 1 + ENDPOINT_BYTES];
    bool peer;
    if (!whose || !line_name(whose, name, sizeof name, &peer)) {
        return fault_set(fault, ZCHAT_INVALID,
                         "\"%.100s\" can't be read: it is host, host:port, [ipv6]:port, or one of "
                         "these behind user@",
                         whose ? whose : "");
    }
    zchat_code code = folder_open(config_dir, folder, fault);
    if (code != ZCHAT_OK) {
        return code;
    }
    return peer ? known_peers_forget(folder, name, fingerprint, fault)
                : known_brokers_forget(folder, name, fingerprint, fault);
}

zchat_code zchat_forget(const char *whose, const char *config_dir,
                        char fingerprint[ZCHAT_FINGERPRINT_TEXT], char *error, size_t error_bytes) {
    struct fault fault = {0};
    fingerprint[0] = '\0';
    zchat_code code = forget(whose, config_dir, fingerprint, &fault);
    if (error) {
        snprintf(error, error_bytes, "%s", fault.text);
    }
    return code;
}
