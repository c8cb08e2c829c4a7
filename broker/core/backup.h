/* Backups of the store, one at a time: `zchatd backup` makes one itself, and tells when it begins
 * and ends; StartBackup has one made by the process around the core. While one is made, removed
 * pieces of files keep their bytes. */
#ifndef BACKUP_H
#define BACKUP_H

#include "state.h"

/* `zchatd backup` makes a backup from now on: false: another one is being made, or read. */
bool core_backup_begin(struct core *core);
void core_backup_end(struct core *core);

/* For the commands: removed pieces keep their bytes from now on. False: another backup is there. */
bool backup_hold(struct core *core, enum backup_stage stage);
/* That ends; from now on it is at this stage. */
void backup_leave(struct core *core, enum backup_stage stage);
/* Whether the session has a backup, or waits for it. */
bool backup_is_of(const struct core *core, const struct session *session);
/* It is of no use any more. One that is being made is gone when that has ended. */
void backup_drop(struct core *core);
/* It has ended: tells the session that waits. */
void backup_made(struct core *core, const struct core_backup *made, int64_t now_us);

/* The session's backup is of no use any more. */
void backup_session_ends(struct core *core, const struct session *session);
/* Whether the session waits for its backup: it is not idle. */
bool backup_is_awaited(const struct core *core, const struct session *session);

#endif
