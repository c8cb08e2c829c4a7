/* The host of a handle's private chats: its sockets, its pinned keys, its clock. */
#ifndef PRIVATE_HOST_H
#define PRIVATE_HOST_H

#include "chat_host.h"
#include "context.h"
#include "device.h"
#include "settings.h"
#include "wake.h"

struct chat_host { /* all borrowed */
    struct context *context;
    struct wake *wake;
    const struct device *device;
    const struct settings *settings;
    const char *broker_host; /* the broker's address in digits */
};

#endif
