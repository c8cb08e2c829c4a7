/* This device's identity: a CURVE key pair, kept in the config folder as `device.key` (0600), in
 * the layout of CZMQ's certificates. It is made only once, even if two programs begin at the same
 * time. */
#ifndef DEVICE_H
#define DEVICE_H

#include "crypto.h"
#include "fault.h"

struct device {
    unsigned char public_key[KEY_BYTES];
    unsigned char secret_key[KEY_BYTES];
    char public_text[KEY_TEXT];
};

/* Loads the key pair, or makes it. The caller owns *out, which is in locked memory. */
zchat_code device_open(struct device **out, const char *folder, struct fault *fault);
void device_free(struct device *device);

#endif
