/* An export as one of the backups that a broker makes of its own store. */
#ifndef TRANSFER_EXPORT_H
#define TRANSFER_EXPORT_H

#include "store_backup.h"

/* As store_backup, but the file becomes what zchatd export writes, and a damaged store is no
 * failure: what can't be read is left out or marked, logged, and counted in `pieces_damaged`. There
 * is no key in it, and `pages`, `pieces` and `position` stay as they are. */
enum store_status transfer_export(struct store_backup *backup);

#endif
