/* The device's key file. Only the secret key in it counts; the public key is made from it. The file
 * is put into place with link(), which fails if another program was faster: then that one's key is
 * taken. */
#include "device.h"

#include "folder.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME  "device.key"
#define FILE_BYTES 4096
#define SECRET     "secret-key = \""
#define LAYOUT                                                                                     \
    "# The key of this device: whoever has it can log in as its user.\n"                           \
    "curve\n    public-key = \"%s\"\n    " SECRET "%s\"\n"

static void complete(struct device *device) {
    int failed = crypto_scalarmult_base(device->public_key, device->secret_key);
    assert(!failed);
    key_format(device->public_key, device->public_text);
}

static bool parse(struct device *device, const char *text) {
    const char *at = strstr(text, SECRET);
    if (!at || strlen(at) < strlen(SECRET) + KEY_TEXT_BYTES)
        return false;
    char secret[KEY_TEXT];
    memcpy(secret, at + strlen(SECRET), KEY_TEXT_BYTES);
    secret[KEY_TEXT_BYTES] = '\0';
    bool parsed = key_parse(secret, device->secret_key);
    sodium_memzero(secret, sizeof secret);
    if (parsed)
        complete(device);
    return parsed;
}

static zchat_code load(struct device *device, const char *file, bool *found, struct fault *fault) {
    char text[FILE_BYTES];
    zchat_code code = folder_read(file, text, sizeof text, true, found, fault);
    if (code == ZCHAT_OK && *found && !parse(device, text)) {
        code = fault_set(fault, ZCHAT_IO,
                         "the file %s holds no device key; restore it, or remove it to get a new "
                         "one (then log in with the password)",
                         file);
    }
    sodium_memzero(text, sizeof text);
    return code;
}

static zchat_code make(struct device *device, const char *file, struct fault *fault) {
    char secret[KEY_TEXT];
    char text[FILE_BYTES];
    char temporary[FOLDER_PATH_BYTES];
    randombytes_buf(device->secret_key, KEY_BYTES);
    complete(device);
    key_format(device->secret_key, secret);
    int bytes = snprintf(text, sizeof text, LAYOUT, device->public_text, secret);
    zchat_code code = folder_write(file, text, (size_t)bytes, temporary, fault);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(text, sizeof text);
    if (code != ZCHAT_OK)
        return code;
    if (link(temporary, file) != 0 && errno != EEXIST)
        code = fault_set(fault, ZCHAT_IO, "making %s failed: %s", file, strerror(errno));
    unlink(temporary);
    return code;
}

zchat_code device_open(struct device **out, const char *folder, struct fault *fault) {
    char file[FOLDER_PATH_BYTES];
    bool found = false;
    *out = NULL;
    struct device *device = sodium_malloc(sizeof *device);
    if (!device)
        return fault_set(fault, ZCHAT_NO_MEMORY, "no memory for the device key");
    zchat_code code = ZCHAT_OK;
    if (!folder_file(folder, FILE_NAME, file))
        code = fault_set(fault, ZCHAT_IO, "the path of the config folder is too long");
    if (code == ZCHAT_OK)
        code = load(device, file, &found, fault);
    if (code == ZCHAT_OK && !found) {
        code = make(device, file, fault);
        if (code == ZCHAT_OK)
            code = load(device, file, &found, fault);
    }
    if (code == ZCHAT_OK && !found)
        code = fault_set(fault, ZCHAT_IO, "the file %s vanished while it was made", file);
    if (code != ZCHAT_OK) {
        device_free(device);
        return code;
    }
    *out = device;
    return ZCHAT_OK;
}

void device_free(struct device *device) {
    sodium_free(device);
}
