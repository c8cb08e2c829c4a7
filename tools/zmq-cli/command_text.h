/* What the words of the verb `call` mean: the command, and its request as JSON. The functions
 * report faults themselves. */
#ifndef COMMAND_TEXT_H
#define COMMAND_TEXT_H

#include "call.h"

#include "json/from_json.h"
#include "json/schema.h"

/* The error for a name that no command has; it names the nearest command. */
void command_text_complain(const char *name, char fault[JSON_FAULT_BYTES]);

enum status command_text_find(struct call *call, const char *name, struct schema_command *command);

/* The object in the word at that place, in the file that the word names after "@", or on stdin if
 * the word is "-"; an empty object if there is no such word. The caller owns it. */
enum status command_text_read(struct call *call, int place, json_t **json);

#endif
