/* Stores as earlier versions made them, for tests. */
#ifndef OLD_H
#define OLD_H

#include "forum.h"

/* The closed store, which is in a folder, becomes what version 6 would have made of the same
 * commands: a database without checksums, whose log has a row for each entry. */
void old_make(struct fixture *fixture);

/* SQL that leads from there to earlier ones. Of version 3 and before, the pieces in slots are to be
 * in the table piece. */
#define OLD_5                                                                                      \
    "ALTER TABLE account DROP COLUMN post_bytes; ALTER TABLE account DROP COLUMN threads; "        \
    "ALTER TABLE account DROP COLUMN file_bytes; PRAGMA user_version = 5; "
#define OLD_4                                                                                      \
    OLD_5 "DROP INDEX thread_look; DROP INDEX file_look; "                                         \
          "ALTER TABLE thread DROP COLUMN look; ALTER TABLE thread DROP COLUMN folded; "           \
          "ALTER TABLE file DROP COLUMN look; ALTER TABLE file DROP COLUMN folded; "               \
          "PRAGMA user_version = 4; "
#define OLD_3 OLD_4 "DROP TABLE piece_slot; PRAGMA user_version = 3; "
#define OLD_2 OLD_3 "ALTER TABLE file DROP COLUMN hashed; PRAGMA user_version = 2; "

/* SQL that takes from today's store what came with version 14 and later. */
#define BEFORE_14 "DROP TABLE amended; ALTER TABLE account DROP COLUMN receipts; "

#endif
