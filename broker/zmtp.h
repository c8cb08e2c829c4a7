/* ZMTP 3.0 (RFC 23) with the NULL mechanism, the server's side, as far as the greeter needs it: one
 * peer's bytes in, requests out. A request is one small part, with or without a REQ socket's empty
 * part before it. No sockets, no memory but the struct. */
#ifndef ZMTP_H
#define ZMTP_H

#include "limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest frame that is read, its header included, and some of what follows it. */
#define ZMTP_BUFFER_BYTES (2 * GREETING_BYTES_MAX)

enum zmtp_state { ZMTP_GREETING, ZMTP_HANDSHAKE, ZMTP_TRAFFIC, ZMTP_OVER };

struct zmtp {
    enum zmtp_state state;
    bool delimited; /* an empty part came before the next one */
    size_t used;    /* bytes in the buffer */
    size_t taken;   /* of those, the bytes dealt with */
    uint8_t bytes[ZMTP_BUFFER_BYTES];
};

enum zmtp_event {
    ZMTP_NOTHING, /* more bytes are needed */
    ZMTP_REQUEST, /* a whole request: bytes, delimited */
    ZMTP_PING,    /* bytes: what the PONG has to repeat */
    ZMTP_WRONG,   /* the greeter does not serve such a peer: close it */
};

struct zmtp_news {
    enum zmtp_event event;
    const uint8_t *bytes; /* borrowed until the next call */
    size_t length;
    bool delimited;
};

void zmtp_init(struct zmtp *zmtp);
/* Where to put the next bytes, and how many fit: never 0 while there is no news. */
uint8_t *zmtp_room(struct zmtp *zmtp, size_t *bytes);
void zmtp_add(struct zmtp *zmtp, size_t bytes);
struct zmtp_news zmtp_next(struct zmtp *zmtp);

/* What the server sends first: the greeting and READY. */
#define ZMTP_HELLO_BYTES 128
size_t zmtp_hello(uint8_t out[ZMTP_HELLO_BYTES]);
/* Writes a message of one part (with the delimiter before it), or a PONG; returns the number of
 * bytes, at most ZMTP_OVERHEAD_BYTES more than `length`. */
#define ZMTP_OVERHEAD_BYTES 16
size_t zmtp_message(uint8_t *out, const void *bytes, size_t length, bool delimited);
size_t zmtp_pong(uint8_t *out, const uint8_t *context, size_t length);

#endif
