/* The only place where frames become messages and messages become frames. wire_read_* checks all
 * that protobuf-c does not (UTF-8, NUL in strings, unknown fields, counts) before it decodes, into
 * a capped arena; what it returns lives until wire_arena_reset. The packing functions write into
 * memory of the caller. */
#ifndef WIRE_H
#define WIRE_H

#include "limits.h"
#include "zchat/v1/batch.pb-c.h"
#include "zchat/v1/greeter.pb-c.h"
#include "zchat/v1/peer.pb-c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory for decoded messages: one block, given out from its start, taken back all at once. */
struct wire_arena;

/* `bytes_max` caps what one reset may hand out. NULL: no memory. */
struct wire_arena *wire_arena_new(size_t bytes_max);
void wire_arena_free(struct wire_arena *arena);
void wire_arena_reset(struct wire_arena *arena);
/* The same, and overwrites what it held. */
void wire_arena_wipe(struct wire_arena *arena);
/* Memory that lives until the reset; NULL when the cap is reached. Aligned for any type. */
void *wire_arena_take(struct wire_arena *arena, size_t bytes);

enum wire_fault {
    WIRE_FINE = 0,
    WIRE_TOO_LARGE,     /* the frame, or what it would decode to */
    WIRE_TOO_MANY,      /* commands in a frame */
    WIRE_MALFORMED,     /* not protobuf */
    WIRE_BAD_TEXT,      /* a string that is not UTF-8, or holds a NUL */
    WIRE_UNKNOWN_FIELD, /* only from strict readers: for what clients send */
};
#define WIRE_FAULTS (WIRE_UNKNOWN_FIELD + 1)

/* One sentence for the peer: what is wrong and what to do. */
const char *wire_fault_text(enum wire_fault fault);
/* One word for counters and logs, "bad_text". */
const char *wire_fault_name(enum wire_fault fault);

/* A frame as the broker reads it: strict. A command with a field number that this schema does not
 * know is no fault: it comes out with the body not set. A command with any other unknown field, or
 * another fault of its own, comes out with that fault and only with its number, which is 0 if it
 * can't be read. The frame is faulty if it can't be split into commands, or has too many. */
enum wire_fault wire_read_each_command(struct wire_arena *arena, const void *frame,
                                       size_t frame_bytes, Zchat__V1__CommandBatch **batch,
                                       enum wire_fault faults[FRAME_COMMANDS_MAX]);
/* The same, but one faulty command makes the whole frame faulty. */
enum wire_fault wire_read_commands(struct wire_arena *arena, const void *frame, size_t frame_bytes,
                                   Zchat__V1__CommandBatch **batch);
/* How many bytes the first commands have, in a frame that was found to be fine: the first `count`
 * of them, or those that fit into `bytes`, but at least one. What is left is a frame as well. */
size_t wire_commands_bytes(const void *frame, size_t frame_bytes, size_t count, size_t bytes);

/* Frames as clients read them: unknown fields are passed over. */
enum wire_fault wire_read_server(struct wire_arena *arena, const void *frame, size_t frame_bytes,
                                 Zchat__V1__ServerBatch **batch);
enum wire_fault wire_read_publication(struct wire_arena *arena, const void *frame,
                                      size_t frame_bytes, Zchat__V1__Publication **publication);

/* The greeter's frames. wire_read_greeting_request is strict, except that it passes over unknown
 * fields: a newer client may ask. */
enum wire_fault wire_read_greeting_request(struct wire_arena *arena, const void *frame,
                                           size_t frame_bytes,
                                           Zchat__V1__GreetingRequest **request);
enum wire_fault wire_read_greeting(struct wire_arena *arena, const void *frame, size_t frame_bytes,
                                   Zchat__V1__Greeting **greeting);

/* What the other side of a private chat sends: unknown fields are passed over; a message with an
 * unknown number comes out with the body not set. */
enum wire_fault wire_read_peer(struct wire_arena *arena, const void *frame, size_t frame_bytes,
                               Zchat__V1__PeerBatch **batch);

/* Any message of the schema by its type, unknown fields passed over: what is no frame of its own.
 */
enum wire_fault wire_read_any(struct wire_arena *arena, const ProtobufCMessageDescriptor *type,
                              const void *packed, size_t bytes, ProtobufCMessage **message);

/* How many bytes a message needs, and packing it; both for any message of the schema. wire_pack
 * returns how many bytes it wrote; the caller must have room for wire_size. */
size_t wire_size(const ProtobufCMessage *message);
size_t wire_pack(const ProtobufCMessage *message, uint8_t *out);

/* Appends one element of a repeated message field, with key and length. In this way a batch grows
 * by one command, reply or event at a time, without holding all of them unpacked. */
size_t wire_element_size(const ProtobufCMessage *message);
size_t wire_element_pack(uint32_t field, const ProtobufCMessage *message, uint8_t *out);
/* The same if the caller knows the wire_element_size already. */
void wire_element_pack_sized(uint32_t field, const ProtobufCMessage *message, size_t element_bytes,
                             uint8_t *out);

/* The same for an element of PeerBatch.messages that is PeerLines: `head`, which has no text yet,
 * and its texts, which wire_text_pack packed one behind the other. */
size_t wire_lines_size(const Zchat__V1__PeerLines *head, size_t texts_bytes);
size_t wire_lines_pack(const Zchat__V1__PeerLines *head, const uint8_t *texts, size_t texts_bytes,
                       uint8_t *out);
/* Appends a text of PeerLines; and the most that it needs besides its bytes. */
#define WIRE_TEXT_ADDS 6
size_t wire_text_pack(const char *text, size_t text_bytes, uint8_t *out);

/* Field numbers of the batches, for wire_element_pack. All are below 16, so that a key is one
 * byte. */
#define WIRE_COMMANDS    1 /* CommandBatch.commands */
#define WIRE_REPLIES     1 /* ServerBatch.replies */
#define WIRE_EVENTS      2 /* ServerBatch.events, Publication.events */
#define WIRE_SYNC_EVENTS 2 /* SyncResponse.events */
#define WIRE_MESSAGES    1 /* PeerBatch.messages */
#define WIRE_LINES       9 /* PeerMessage.lines */
#define WIRE_LINE_TEXTS  4 /* PeerLines.text */

/* Writes the bytes of a Publication with only its topic set, which are the subscription. Returns
 * how many; `out` holds at least 2 + the topic's bytes, which are at most 127. */
size_t wire_subscription(const char *topic, uint8_t *out);

#endif
