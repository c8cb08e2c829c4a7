/* This device's identity: a CURVE key pair, kept in the config folder as `device.key` (0600), in
 * the layout of CZMQ's certificates. It is made once, also when two programs begin at a time. */
#ifndef DEVICE_H
#define DEVICE_H

#include "crypto.h"
#include "fault.h"

struct device {
    unsigned char public_key[KEY_BYTES];
    unsigned char secret_key[KEY_BYTES];
    char public_text[KEY_TEXT];
};

/* Loads the key pair, or makes it. *out is owned by the caller and lies in locked memory. */
zchat_code device_open(struct device **out, const char *folder, struct fault *fault);
void device_free(struct device *device);

#endif
