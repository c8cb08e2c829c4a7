/* The commands as this library knows them: one row each. */
#ifndef COMMAND_H
#define COMMAND_H

#include "request.h"

/* Indexed by the schema's numbers, which have gaps. */
extern const struct command_row command_rows[];
extern const size_t command_row_count;

/* The command's row. One that has none gets one that expects nothing of it: it is not asked again,
 * and its answer changes nothing. */
const struct command_row *command_row_of(command_number number);

/* Answers a call that was taken out of the requests, and frees it. */
void command_answer(struct client_core *core, struct request *request,
                    const Zchat__V1__Reply *reply);

#endif
