/* Looks for unfinished uploads now and then, and frees what they reserved for too long. */
#ifndef FILE_H
#define FILE_H

#include "state.h"

void file_tick(struct core *core, int64_t now_us);
int64_t file_deadline(const struct core *core);

#endif
