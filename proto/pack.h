/* Packing in one pass. A message is written from its last byte to its first, so each length is
 * known when it is due: protobuf-c measures first, and measures a nested message once more for each
 * level around it. The bytes are the same. */
#ifndef PACK_H
#define PACK_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

/* Writes the message so that it ends at `end`, and nothing before `begin`. Returns its first byte;
 * NULL: there is no room for it. */
uint8_t *pack_before(const ProtobufCMessage *message, const uint8_t *begin, uint8_t *end);
/* The same for an element of the repeated field `number`, with key and length. */
uint8_t *pack_element_before(uint32_t number, const ProtobufCMessage *message, const uint8_t *begin,
                             uint8_t *end);

#endif
