/* What call's words say: the command, and its request as JSON. Faults have been told. */
#ifndef COMMAND_TEXT_H
#define COMMAND_TEXT_H

#include "call.h"

#include "json/from_json.h"
#include "json/schema.h"

/* The sentence for a name that no command has, with the nearest one. */
void command_text_complain(const char *name, char fault[JSON_FAULT_BYTES]);

enum status command_text_find(struct call *call, const char *name, struct schema_command *command);

/* The object in the word of that place, in the file that it names behind "@", or on stdin for "-";
 * without such a word an empty one. It is the caller's. */
enum status command_text_read(struct call *call, int place, json_t **json);

#endif
