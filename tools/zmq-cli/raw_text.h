/* Messages of ZeroMQ as lines. A line is a message, its parts separated by a TAB if it has several.
 * The first part of what a ROUTER or STREAM has is the peer: as it is if that is readable, else as
 * 0x and hex digits. As JSON a message is {"parts":["…"]}, with {"peer":"…"} before it for those
 * two; if a part is no UTF-8, "parts_b64" has all of them in base64. */
#ifndef RAW_TEXT_H
#define RAW_TEXT_H

#include "output.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAW_PEER_BYTES_MAX 255

/* Reads bytes as people write them: 0x and hex digits, or else the text itself. *count is the room
 * in `bytes`, then how many there are. False: there is no room for them. */
bool raw_bytes_read(const char *text, size_t text_bytes, uint8_t *bytes, size_t *count);

struct raw_part {
    const uint8_t *bytes; /* borrowed: from the line, or from the message */
    size_t count;
};

struct raw_message {        /* all zero: none */
    struct raw_part *parts; /* owned */
    size_t count;
    uint8_t *bytes; /* owned: what was in base64; NULL: nothing */
    json_t *object; /* owned: the line; NULL: it is no JSON */
    uint8_t peer[RAW_PEER_BYTES_MAX];
};

struct raw_form {
    bool json;
    bool peer;  /* the first part is one */
    bool split; /* a TAB separates parts in a line that is read */
};

/* Reads a line. False: `*fault` says what is wrong with it, in words that follow "line 3". */
bool raw_message_read(struct raw_message *message, const struct raw_form *form, const char *line,
                      size_t bytes, const char **fault);
/* A message of one part without a byte. False: there is no memory. */
bool raw_message_empty(struct raw_message *message);
void raw_message_release(struct raw_message *message);

/* What of a message was printed. */
struct raw_printer {
    struct output *output; /* borrowed: from the call */
    struct raw_form form;
    char delimiter; /* after a message */
    bool terminal;  /* nothing of a part may reach it but text */
    size_t part;    /* the number of the next one */
    json_t *object; /* owned: the present message */
};

/* Prints the next part; `more`: of its message. */
enum status raw_print(struct raw_printer *printer, const void *bytes, size_t count, bool more);
void raw_printer_release(struct raw_printer *printer);

#endif
