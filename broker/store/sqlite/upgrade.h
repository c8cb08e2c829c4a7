/* Turns a store in a file, of schema version 1 to 6, into one of version 7. The log is packed and
 * all else is written anew into a database beside the old one (with STORE_NEW_SUFFIX). When that
 * database has been compared with the old one, it takes the old one's name. Until then the old one
 * is only read; then it is kept (with STORE_BACKUP_SUFFIX). An upgrade that was ended goes on with
 * the next start. */
#ifndef SQLITE_UPGRADE_H
#define SQLITE_UPGRADE_H

#include "inside.h"

#define STORE_NEW_SUFFIX "-migrating"
#define VERSION_PACKED   7 /* the first version whose log is packed */

/* If the store's database, which is in a file, is an old one, does the whole upgrade; then the
 * store has no db. Refused beside a broker. */
enum store_status sqlite_upgrade(struct store *store, const struct store_options *options);
/* Gives the new database its name if an earlier start was ended just before that. */
void sqlite_upgrade_end(const char *path);

#endif
