/* What needs no handle: names of codes, ids, the cleaning of texts, passwords from files, and
 * forgetting a pinned key. */
#include "address.h"
#include "common/clock.h"
#include "folder.h"
#include "id.h"
#include "known.h"
#include "limits.h"
#include "password_file.h"
#include "text.h"
#include "wire.h"
#include "zchat.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static_assert(ZCHAT_PASSWORD_BYTES == PASSWORD_BYTES, "a password fits exactly");
static_assert(ZCHAT_PASSWORD_SOURCE_BYTES == PASSWORD_SOURCE_BYTES, "and what is around it");

const char *zchat_password_take(const char *bytes, size_t byte_count,
                                char password[ZCHAT_PASSWORD_BYTES]) {
    return password_take(bytes, byte_count, password);
}

bool zchat_password_read(const char *path, char password[ZCHAT_PASSWORD_BYTES], char *error,
                         size_t error_bytes) {
    return password_read_file(path, password, error, error_bytes);
}

int zchat_exit_status(zchat_code code) {
    switch (code) {
    case ZCHAT_OK:
        return 0;
    case ZCHAT_INVALID:
        return 2;
    case ZCHAT_UNREACHABLE:
    case ZCHAT_WRONG_KEY:
    case ZCHAT_UNKNOWN_KEY:
    case ZCHAT_WRONG_PROTOCOL:
    case ZCHAT_IO:
    case ZCHAT_NO_MEMORY: /* nearly always of descriptors: this machine's fault, like IO */
        return 3;
    case ZCHAT_AUTH:
        return 4;
    case ZCHAT_NOT_FOUND:
        return 5;
    case ZCHAT_FORBIDDEN:
        return 6;
    case ZCHAT_CONFLICT:
        return 7;
    case ZCHAT_BUSY:
        return 8;
    case ZCHAT_EXPIRED:
        return 124;
    case ZCHAT_UNIMPLEMENTED:
    case ZCHAT_CANCELLED:
    case ZCHAT_UNKNOWN:
        break;
    }
    return 1;
}

const char *zchat_code_name(zchat_code code) {
    switch (code) {
    case ZCHAT_OK:
        return "OK";
    case ZCHAT_INVALID:
        return "INVALID";
    case ZCHAT_UNIMPLEMENTED:
        return "UNIMPLEMENTED";
    case ZCHAT_AUTH:
        return "AUTH";
    case ZCHAT_NOT_FOUND:
        return "NOT_FOUND";
    case ZCHAT_FORBIDDEN:
        return "FORBIDDEN";
    case ZCHAT_CONFLICT:
        return "CONFLICT";
    case ZCHAT_BUSY:
        return "BUSY";
    case ZCHAT_EXPIRED:
        return "EXPIRED";
    case ZCHAT_UNREACHABLE:
        return "UNREACHABLE";
    case ZCHAT_WRONG_KEY:
        return "WRONG_KEY";
    case ZCHAT_UNKNOWN_KEY:
        return "UNKNOWN_KEY";
    case ZCHAT_WRONG_PROTOCOL:
        return "WRONG_PROTOCOL";
    case ZCHAT_IO:
        return "IO";
    case ZCHAT_NO_MEMORY:
        return "NO_MEMORY";
    case ZCHAT_CANCELLED:
        return "CANCELLED";
    case ZCHAT_UNKNOWN:
        break;
    }
    return "UNKNOWN";
}

const char *zchat_reason_name(zchat_reason reason) {
    const ProtobufCEnumValue *value =
        reason == ZCHAT_REASON_NONE
            ? NULL
            : protobuf_c_enum_descriptor_get_value(&zchat__v1__reason__descriptor, (int)reason);
    return value ? value->name + strlen("REASON_") : "";
}

void zchat_id_new(zchat_id *id) {
    unsigned char random[10];
    randombytes_buf(random, sizeof random);
    id_make(id->bytes, (uint64_t)clock_wall_us() / 1000, random);
}

void zchat_id_format(const zchat_id *id, char text[ZCHAT_ID_TEXT]) {
    id_format(id->bytes, text);
}

bool zchat_id_parse(const char *text, zchat_id *id) {
    return id_parse(text, id->bytes);
}

void zchat_text_clean(char *text) {
    text_clean(text, strlen(text));
}

char *zchat_config_folder(const char *config_dir) {
    char path[FOLDER_PATH_BYTES];
    return folder_find(config_dir, path) ? strdup(path) : NULL;
}

/* ---- letting go of a pinned key ---- */

/* Makes a line's name from "host" or "user@host": lines also have the port. */
static bool line_name(const char *whose, char *name, size_t name_bytes, bool *peer) {
    struct address address;
    char endpoint[ENDPOINT_BYTES];
    const char *at = strrchr(whose, '@');
    *peer = at != NULL;
    if (!address_parse(at ? at + 1 : whose, ZCHAT_DEFAULT_PORT, &address))
        return false;
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
    if (code != ZCHAT_OK)
        return code;
    return peer ? known_peers_forget(folder, name, fingerprint, fault)
                : known_brokers_forget(folder, name, fingerprint, fault);
}

zchat_code zchat_forget(const char *whose, const char *config_dir,
                        char fingerprint[ZCHAT_FINGERPRINT_TEXT], char *error, size_t error_bytes) {
    struct fault fault = {0};
    fingerprint[0] = '\0';
    zchat_code code = forget(whose, config_dir, fingerprint, &fault);
    if (error)
        snprintf(error, error_bytes, "%s", fault.text);
    return code;
}
