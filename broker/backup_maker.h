/* Makes the backups that administrators ask for in their sessions, in a thread of its own: one at a
 * time, as a file in the data folder, which is removed when it is dropped, at the end, and at the
 * next start. */
#ifndef BACKUP_MAKER_H
#define BACKUP_MAKER_H

#include "core/exchange.h"

struct backup_maker;

/* NULL: no memory, or no descriptor. */
struct backup_maker *backup_maker_new(const char *folder);
/* Ends the thread, and removes what is there. NULL is fine. */
void backup_maker_free(struct backup_maker *maker);

/* Begins to make one that bears this time, or an export. False: the thread or the file can't be
 * made. */
bool backup_maker_begin(struct backup_maker *maker, bool as_export, int64_t time_us);
/* Readable when one has ended. */
int backup_maker_fd(const struct backup_maker *maker);
/* Whether one has ended, and how. */
bool backup_maker_take(struct backup_maker *maker, struct core_backup *made);
/* Reads of the one that was made; *count is less than `length` only at its end. */
bool backup_maker_read(struct backup_maker *maker, uint64_t offset, unsigned char *bytes,
                       size_t length, size_t *count);
/* It is of no use any more. One that is being made ends soon, and is taken as any other. */
void backup_maker_drop(struct backup_maker *maker);
/* The same, and waits for that end. */
void backup_maker_stop(struct backup_maker *maker);

#endif
