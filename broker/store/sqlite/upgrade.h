/* A store of schema version 1 to 6, in a file, becomes one of version 7: the log is packed, and all
 * else is written anew, into a database beside the old one (with STORE_NEW_SUFFIX) that takes the
 * old one's name once it was compared with it. The old one is kept (with STORE_BACKUP_SUFFIX).
 * Until then it is only read; an upgrade that was ended goes on with the next start. */
#ifndef SQLITE_UPGRADE_H
#define SQLITE_UPGRADE_H

#include "inside.h"

#define STORE_NEW_SUFFIX "-migrating"
#define VERSION_PACKED   7 /* the first whose log is packed */

/* Where the store's database, which is in a file, is an old one: does all of it, and the store has
 * no db in the end. Refuses it beside a broker. */
enum store_status sqlite_upgrade(struct store *store, const struct store_options *options);
/* Brings the new one to its name where an earlier start was ended just before that. */
void sqlite_upgrade_end(const char *path);

#endif
