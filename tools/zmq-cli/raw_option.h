/* The options of a ZeroMQ socket by name, as zmq_setsockopt(3) has them: in any case, with or
 * without ZMQ_. Numbers are decimal, switches are yes or no, keys are Z85 or hex, and other values
 * are texts, or bytes as 0x and hex digits. A value @FILE is the first line of FILE, so that a
 * secret need not stand in a command line, where everybody on the machine can read it. */
#ifndef RAW_OPTION_H
#define RAW_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#define RAW_FAULT_BYTES 512

/* What was set, as far as something must be done about it. */
struct raw_settings {
    bool subscribed; /* or unsubscribed from something */
    bool linger;
    bool server_key;
    bool own_key; /* both halves of it */
};

/* Sets what "NAME=VALUE" says. `type` is the socket's type in the sentences. False: `fault` is one
 * sentence. */
bool raw_option_set(void *socket, const char *type, const char *setting,
                    struct raw_settings *settings, char fault[RAW_FAULT_BYTES]);

/* A client of a CURVE server needs a key of its own: gives it a new one if it has none. False:
 * there is no randomness, or no CURVE in this libzmq. */
bool raw_option_complete(void *socket, const struct raw_settings *settings);

#endif
