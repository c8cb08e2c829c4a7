/* What the greeter is asked, and what it answers, which is only a hint until CURVE has proved the
 * key. */
#ifndef GREETING_H
#define GREETING_H

#include "address.h"
#include "channel.h"
#include "fault.h"
#include "wire.h"

struct greeting {
    unsigned char key[KEY_BYTES];
    char commands[ENDPOINT_BYTES];
    char events[ENDPOINT_BYTES];
    uint32_t schema; /* the number of its schema; 0: it does not tell */
};

/* Sends the GreetingRequest. False: no memory, or the connection is gone. */
bool greeting_ask(struct channel *channel, const char *client);

/* Reads the Greeting that came from `host`. ZCHAT_OK; ZCHAT_WRONG_PROTOCOL; or ZCHAT_UNREACHABLE if
 * it can't be read. */
zchat_code greeting_read(struct greeting *greeting, struct wire_arena *arena, const void *frame,
                         size_t frame_bytes, const char *host, struct fault *fault);

#endif
