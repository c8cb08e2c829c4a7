/* Messages to proto3's JSON, as Google's printers write it: names in lowerCamelCase, 64-bit numbers
 * as texts, bytes in base64, enums by name, and nothing that has its default. */
#ifndef TO_JSON_H
#define TO_JSON_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

/* The packed message as an object, which the caller owns. Fields that the schema does not have are
 * left out. NULL: it is no message of that type, or there is no memory. */
json_t *to_json(const ProtobufCMessageDescriptor *type, const uint8_t *packed, size_t bytes);

#endif
