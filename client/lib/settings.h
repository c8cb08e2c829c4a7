/* A handle's options, checked and copied: what does not change while it lives. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "address.h"
#include "crypto.h"
#include "fault.h"
#include "folder.h"

struct settings {
    struct address address;
    char endpoint[ENDPOINT_BYTES]; /* "tcp://host:port" */
    const char *name;              /* borrowed: "host:port" in endpoint */
    bool key_given;
    char fingerprint[FINGERPRINT_TEXT]; /* if given instead of the key; "": not given */
    unsigned char key[KEY_BYTES];
    char folder[FOLDER_PATH_BYTES];
    bool trust_new;
    bool no_reconnect;
    char client[CLIENT_BYTES_MAX + 1];
    char device[LABEL_BYTES_MAX + 1];
    char private_address[HOST_BYTES]; /* "": the address that the broker sees */
};

/* ZCHAT_OK, or what is wrong. Makes the config folder. */
zchat_code settings_init(struct settings *settings, const zchat_options *options,
                         struct fault *fault);

#endif
