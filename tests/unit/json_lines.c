/* json_lines: proto3's JSON as json/ has it, line by line, for test_json.py. A line is "to TYPE
 * HEX" or "from TYPE JSON"; the answer is a line as well: the JSON, the bytes as hex, or "!" and
 * the fault. */
#include "json/from_json.h"
#include "json/schema.h"
#include "json/to_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_BYTES 128

static void answer_json(const ProtobufCMessageDescriptor *type, const char *hex) {
    size_t bytes = strlen(hex) / 2;
    uint8_t *packed = calloc(1, bytes + 1);
    unsigned byte = 0;
    for (size_t i = 0; packed && i < bytes && sscanf(hex + 2 * i, "%2x", &byte) == 1; i++)
        packed[i] = (uint8_t)byte;
    json_t *json = packed ? to_json(type, packed, bytes) : NULL;
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    puts(text ? text : "!");
    free(text);
    json_decref(json);
    free(packed);
}

static void answer_bytes(const ProtobufCMessageDescriptor *type, const char *text, size_t count) {
    char fault[JSON_FAULT_BYTES] = "";
    size_t bytes = 0;
    json_t *json = from_json_text(text, count, fault);
    uint8_t *packed = json ? from_json(type, json, &bytes, fault) : NULL;
    if (!packed)
        printf("! %s", fault);
    for (size_t i = 0; packed && i < bytes; i++)
        printf("%02x", packed[i]);
    putchar('\n');
    free(packed);
    json_decref(json);
}

/* `line` has no newline any more. */
static int answer(const char *line, size_t bytes) {
    char verb[8], name[TYPE_BYTES];
    int at = 0;
    struct schema_type type;
    if (sscanf(line, "%7s %127s %n", verb, name, &at) != 2 || !schema_type_find(name, &type) ||
        !type.message)
        return -1;
    if (strcmp(verb, "to") == 0)
        answer_json(type.message, line + at);
    else
        answer_bytes(type.message, line + at, bytes - (size_t)at);
    return fflush(stdout);
}

int main(void) {
    char *line = NULL;
    size_t room = 0;
    ssize_t bytes;
    int status = 0;
    while (status == 0 && (bytes = getline(&line, &room, stdin)) > 0) {
        bytes -= line[bytes - 1] == '\n';
        line[bytes] = '\0';
        status = answer(line, (size_t)bytes);
    }
    free(line);
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
