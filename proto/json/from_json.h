/* proto3's JSON to messages, as Google's parsers read it
 * (https://protobuf.dev/programming-guides/json): names in lowerCamelCase or as the schema has
 * them, 64-bit numbers as texts or numbers, bytes in base64, enums by name or number. Unknown
 * names, names that occur twice, and two members of a oneof are faults. Three things differ from
 * Google's for Python: - a UUID's text, 36 characters, is taken for the 16 bytes of an id of the
 * schema (UUIDv7); - a number above 2^63-1 must be a text, since the JSON library has no room for
 * it; - some things that Google's parser tolerates are refused: other characters in base64, a list
 * or a text where
 *    a message is wanted, a field in both spellings, a fraction or a truth value for an enum. */
#ifndef FROM_JSON_H
#define FROM_JSON_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_FAULT_BYTES 256
/* Longer than any frame's sensibly written JSON: base64 makes bytes a third longer. */
#define JSON_TEXT_BYTES_MAX (2 * 1024 * 1024)

/* Reads an object, which the caller owns. NULL: `fault` says in one sentence what is wrong. */
json_t *from_json_text(const char *text, size_t text_bytes, char fault[JSON_FAULT_BYTES]);

/* The packed message that the object means; the caller frees it. NULL: `fault` says what is wrong,
 * and where.
 */
uint8_t *from_json(const ProtobufCMessageDescriptor *type, const json_t *object, size_t *bytes,
                   char fault[JSON_FAULT_BYTES]);

#endif
