/* Unfinished uploads: now and then they are looked for, and give back what they reserved too long.
 */
#ifndef FILE_H
#define FILE_H

#include "state.h"

void file_tick(struct core *core, int64_t now_us);
int64_t file_deadline(const struct core *core);

#endif
