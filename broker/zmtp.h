/* ZMTP 3.0 (RFC 23) with the NULL mechanism, the server's side, as far as the greeter needs it: one
 * peer's bytes in, requests out. A request is one small part, with a REQ socket's empty one before
 * it or without. No sockets, no memory but the struct. */
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
    bool delimited; /* an empty part came before the one that comes next */
    size_t used;    /* bytes in the buffer */
    size_t taken;   /* of those, bytes that are dealt with */
    uint8_t bytes[ZMTP_BUFFER_BYTES];
};

enum zmtp_event {
    ZMTP_NOTHING, /* it takes more bytes to say */
    ZMTP_REQUEST, /* a whole request: bytes, delimited */
    ZMTP_PING,    /* bytes: what the PONG has to repeat */
    ZMTP_WRONG,   /* this is no peer that the greeter serves: to be closed */
};

struct zmtp_news {
    enum zmtp_event event;
    const uint8_t *bytes; /* borrowed until the next call */
    size_t length;
    bool delimited;
};

void zmtp_init(struct zmtp *zmtp);
/* Where the next bytes are to be put, and how many fit: never 0 while there is no news. */
uint8_t *zmtp_room(struct zmtp *zmtp, size_t *bytes);
void zmtp_add(struct zmtp *zmtp, size_t bytes);
struct zmtp_news zmtp_next(struct zmtp *zmtp);

/* What the server says first: the greeting and READY. */
#define ZMTP_HELLO_BYTES 128
size_t zmtp_hello(uint8_t out[ZMTP_HELLO_BYTES]);
/* A message of one part (with the delimiter before it), or a PONG; returns its bytes, at most
 * ZMTP_OVERHEAD_BYTES more than `length`. */
#define ZMTP_OVERHEAD_BYTES 16
size_t zmtp_message(uint8_t *out, const void *bytes, size_t length, bool delimited);
size_t zmtp_pong(uint8_t *out, const uint8_t *context, size_t length);

#endif
