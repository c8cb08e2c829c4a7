/* What a zchat is made of: the client core, and the sockets, the clock and the device that it
 * needs. Only the files that implement zchat.h include this; the parts below don't know the
 * whole. */
#ifndef HANDLE_H
#define HANDLE_H

#include "chat.h"
#include "client_core.h"
#include "connection.h"
#include "device.h"
#include "fault.h"
#include "private_host.h"
#include "settings.h"
#include "subscriber.h"
#include "wake.h"

struct zchat {
    struct settings settings;
    struct wake *wake;        /* owned */
    struct wire_arena *arena; /* owned: what is decoded, reset for each frame */
    struct device *device;    /* owned */
    struct connection connection;
    struct subscriber subscriber;
    struct chat_host chat_host;
    struct chats chats;
    struct client_core core;
    struct fault fault;   /* of the last function that failed */
    int64_t wall_seen_us; /* when the clock on the wall was looked at */
};

/* Tells the core what time it is: at the beginning of a turn, and where a call needs it outside of
 * one. */
void handle_look_at_clock(zchat *z);

#endif
