/* One backup at a time: while one is made, removed pieces of files keep their bytes. */
#ifndef BACKUP_H
#define BACKUP_H

#include <stdbool.h>

struct core;

/* Somebody makes a backup from now on: false: another one is being made. */
bool core_backup_begin(struct core *core);
void core_backup_end(struct core *core);

#endif
