/* See upgrade.h. Until it is complete, the new database has a table `migrating` that says
 * from which file it is made; without that table, only the comparison decides. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "upgrade.h"

#include "disk/room.h"
#include "repack.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB         1048576
#define ROOM_BESIDE (16 * (uint64_t)MIB) /* for journals, and for what a new layout takes more */

static enum store_status fail(struct upgrade *upgrade, const char *reason) {
    return sqlite_fail_because(upgrade->store, "migrate", reason);
}

static enum store_status execute(struct upgrade *upgrade, const char *sql) {
    int code = sqlite3_exec(upgrade->store->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? STORE_OK : sqlite_fail(upgrade->store, "migrate");
}

/* ---- the old one ---- */

static bool is_journal(struct upgrade *upgrade, const char *mode) {
    sqlite3_stmt *query = NULL;
    bool is = sqlite3_prepare_v2(upgrade->store->db, "PRAGMA main.journal_mode", -1, &query,
                                 NULL) == SQLITE_OK &&
              sqlite3_step(query) == SQLITE_ROW && sqlite3_column_text(query, 0) &&
              strcmp((const char *)sqlite3_column_text(query, 0), mode) == 0;
    (void)sqlite3_finalize(query);
    return is;
}

/* Without a write-ahead log the database is one file, and SQLite removes the log only if nobody
 * else has the database open. After that no other process can open it, so none writes anything that
 * would be lost. */
static enum store_status lock_old(struct upgrade *upgrade) {
    static const char taken[] = "another process has it open: end that one first";
    sqlite3 *db = upgrade->store->db;
    int code = sqlite3_exec(db, "PRAGMA main.journal_mode = DELETE", NULL, NULL, NULL);
    if ((code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED)
        return fail(upgrade, taken);
    if (code != SQLITE_OK)
        return sqlite_fail(upgrade->store, "migrate");
    if (sqlite_migrate_to(upgrade->store, VERSION_PACKED - 1) != STORE_OK ||
        execute(upgrade, "PRAGMA main.locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT") !=
            STORE_OK)
        return STORE_FAILED;
    return is_journal(upgrade, "delete") ? STORE_OK : fail(upgrade, taken);
}

static bool is_same(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Checks that the names are free that the end will need, and that the old database has no other
 * name: a broker could serve it later by that name. */
static enum store_status check_names(struct upgrade *upgrade) {
    struct stat info, backup, *old = &info;
    bool has_backup = lstat(upgrade->backup, &backup) == 0;
    char reason[STORE_ERROR_BYTES / 2];
    if (stat(upgrade->old, old) != 0)
        return fail(upgrade, strerror(errno));
    if (has_backup && !is_same(&backup, old)) {
        (void)snprintf(reason, sizeof reason,
                       "the file with " STORE_BACKUP_SUFFIX " behind its name, which the backup is "
                       "to have, is there already: move it away");
        return fail(upgrade, reason);
    }
    return old->st_nlink <= (has_backup ? 2 : 1)
               ? STORE_OK
               : fail(upgrade, "it has another name, too (a hard link), by which it would stay as "
                               "it is: remove that one");
}

static uint64_t bytes_on_disk(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 ? (uint64_t)info.st_blocks * 512 : 0;
}

/* How much room is needed; the contents of the write-ahead log go into the old database, too. */
static uint64_t bytes_needed(const struct upgrade *upgrade) {
    char *log = sqlite3_mprintf("%s-wal", upgrade->old);
    uint64_t bytes = bytes_on_disk(upgrade->old) + (log ? bytes_on_disk(log) : 0);
    sqlite3_free(log);
    return bytes + ROOM_BESIDE;
}

static enum store_status check_room(struct upgrade *upgrade) {
    uint64_t free = disk_free_bytes(upgrade->old);
    uint64_t there = bytes_on_disk(upgrade->path);
    uint64_t needed = bytes_needed(upgrade);
    char reason[STORE_ERROR_BYTES / 2];
    if (free == UINT64_MAX || there + free >= needed)
        return STORE_OK;
    (void)snprintf(reason, sizeof reason,
                   "that needs %llu MiB beside it, and the disk has %llu MiB: free %llu MiB more "
                   "and start again; nothing was changed",
                   (unsigned long long)((needed - there) / MIB + 1),
                   (unsigned long long)(free / MIB),
                   (unsigned long long)((needed - there - free) / MIB + 1));
    return fail(upgrade, reason);
}

/* ---- the new one ---- */

static int64_t time_ns(const struct stat *file) {
    return (int64_t)file->st_mtim.tv_sec * 1000000000 + file->st_mtim.tv_nsec;
}

/* Runs a query for one number on a given connection. */
static bool query_number(sqlite3 *db, const char *sql, int64_t *out) {
    sqlite3_stmt *query = NULL;
    bool has = sqlite3_prepare_v2(db, sql, -1, &query, NULL) == SQLITE_OK &&
               sqlite3_step(query) == SQLITE_ROW;
    if (has)
        *out = sqlite3_column_int64(query, 0);
    (void)sqlite3_finalize(query);
    return has;
}

/* Whether the new database was begun from this very file, or is complete. */
static bool can_resume(struct upgrade *upgrade, const struct stat *old) {
    sqlite3 *db = NULL;
    int64_t version = 0, tables = 0, bytes = 0, time = 0;
    bool can =
        access(upgrade->path, F_OK) == 0 &&
        sqlite_connect_checked(upgrade->store, upgrade->path, &db) == SQLITE_OK &&
        query_number(db, "PRAGMA user_version", &version) && version == VERSION_PACKED &&
        query_number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'migrating'", &tables);
    if (can && tables > 0) {
        can = query_number(db, "SELECT bytes FROM migrating", &bytes) && bytes == old->st_size &&
              query_number(db, "SELECT time_ns FROM migrating", &time) && time == time_ns(old);
    }
    (void)sqlite3_close(db);
    return can;
}

static void remove_new(const struct upgrade *upgrade) {
    char *journal = sqlite3_mprintf("%s-journal", upgrade->path);
    if (journal)
        (void)unlink(journal);
    (void)unlink(upgrade->path);
    sqlite3_free(journal);
}

static enum store_status make_tables(struct upgrade *upgrade, const struct stat *old) {
    char sql[200];
    (void)snprintf(sql, sizeof sql,
                   "CREATE TABLE migrating (bytes INTEGER, time_ns INTEGER);"
                   "INSERT INTO migrating VALUES (%lld, %lld)",
                   (long long)old->st_size, (long long)time_ns(old));
    return sqlite_migrate_to(upgrade->store, VERSION_PACKED) == STORE_OK ? execute(upgrade, sql)
                                                                         : STORE_FAILED;
}

/* Makes the new database with a connection of its own, which takes the place of the store's
 * meanwhile. */
static enum store_status make_new(struct upgrade *upgrade, const struct stat *old) {
    struct store *store = upgrade->store;
    sqlite3 *db = store->db;
    remove_new(upgrade);
    int file = open(upgrade->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 || close(file) != 0)
        return fail(upgrade, strerror(errno));
    enum store_status status =
        sqlite_connect_checked(upgrade->store, upgrade->path, &store->db) == SQLITE_OK
            ? make_tables(upgrade, old)
            : sqlite_fail(store, "migrate");
    (void)sqlite3_close(store->db);
    store->db = db;
    return status;
}

static enum store_status attach(struct upgrade *upgrade) {
    static const char pragmas[] = "PRAGMA new.locking_mode = EXCLUSIVE;"
                                  "PRAGMA new.journal_mode = PERSIST;"
                                  "PRAGMA new.cache_size = -65536";
    char *sql = sqlite3_mprintf("ATTACH %Q AS new", upgrade->path);
    enum store_status status = sql ? execute(upgrade, sql) : sqlite_no_memory(upgrade->store);
    sqlite3_free(sql);
    return status == STORE_OK ? execute(upgrade, pragmas) : status;
}

static void detach(struct upgrade *upgrade) {
    (void)sqlite3_exec(upgrade->store->db, "ROLLBACK", NULL, NULL, NULL);
    (void)sqlite3_exec(upgrade->store->db, "DETACH new", NULL, NULL, NULL);
}

/* OK, MISMATCH. */
static enum store_status fill(struct upgrade *upgrade) {
    enum store_status status = attach(upgrade);
    if (status == STORE_OK)
        status = sqlite_repack_count(upgrade);
    if (status == STORE_OK)
        status = sqlite_repack(upgrade);
    if (status == STORE_OK)
        status = sqlite_repack_check(upgrade);
    if (status == STORE_OK)
        status = execute(upgrade, "DROP TABLE IF EXISTS new.migrating");
    detach(upgrade);
    return status;
}

/* What an earlier start left may be wrong in a way that nobody foresaw: then it is done again from
 * the beginning. */
static enum store_status fill_new(struct upgrade *upgrade, const struct stat *old) {
    enum store_status status = STORE_OK;
    upgrade->resumed = can_resume(upgrade, old);
    if (!upgrade->resumed)
        status = make_new(upgrade, old);
    if (status == STORE_OK)
        status = fill(upgrade);
    if (status == STORE_MISMATCH && upgrade->resumed) {
        status = make_new(upgrade, old);
        if (status == STORE_OK)
            status = fill(upgrade);
    }
    return status == STORE_MISMATCH ? fail(upgrade, "the new file is not what was written to it")
                                    : status;
}

/* ---- their names ---- */

static bool sync_folder(const char *path) {
    char *copy = strdup(path);
    int folder = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool synced = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0)
        (void)close(folder);
    free(copy);
    return synced;
}

/* There is always a database under the old name, except on disks without hard links:
 * sqlite_upgrade_end is for these. */
static bool name_backup(const struct upgrade *upgrade) {
    const char *path = upgrade->old;
    if (link(path, upgrade->backup) == 0 || errno == EEXIST)
        return true;
    bool has_none = errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK;
    return has_none && rename(path, upgrade->backup) == 0;
}

static enum store_status swap_names(struct upgrade *upgrade) {
    const char *path = upgrade->old;
    char *journal = sqlite3_mprintf("%s-journal", upgrade->path);
    bool swapped = journal && name_backup(upgrade) && sync_folder(path) &&
                   rename(upgrade->path, path) == 0 && sync_folder(path);
    enum store_status status = swapped ? STORE_OK : fail(upgrade, strerror(errno));
    if (swapped)
        (void)unlink(journal);
    sqlite3_free(journal);
    return status;
}

static bool is_missing(const char *path) {
    struct stat info;
    return stat(path, &info) != 0 || info.st_size == 0;
}

void sqlite_upgrade_end(const char *path) {
    char *new = sqlite3_mprintf("%s" STORE_NEW_SUFFIX, path);
    char *backup = sqlite3_mprintf("%s" STORE_BACKUP_SUFFIX, path);
    if (new &&backup && is_missing(path) && !is_missing(new) && !is_missing(backup) &&
        rename(new, path) == 0)
        (void)sync_folder(path);
    sqlite3_free(new);
    sqlite3_free(backup);
}

/* ---- the whole ---- */

/* Adds to the error what is true after each failure from here on. */
static void say_what_holds(struct store *store) {
    size_t length = strlen(store->error);
    if (length > 0) {
        (void)snprintf(store->error + length, sizeof store->error - length,
                       "; nothing is lost, and the next start goes on from there");
    }
}

static enum store_status replace(struct upgrade *upgrade) {
    struct stat old;
    if (check_names(upgrade) != STORE_OK || check_room(upgrade) != STORE_OK ||
        lock_old(upgrade) != STORE_OK)
        return STORE_FAILED;
    if (stat(upgrade->old, &old) != 0)
        return fail(upgrade, strerror(errno));
    if (fill_new(upgrade, &old) != STORE_OK) {
        say_what_holds(upgrade->store);
        return STORE_FAILED;
    }
    int code = sqlite3_close(upgrade->store->db);
    upgrade->store->db = NULL;
    return code == SQLITE_OK ? swap_names(upgrade) : fail(upgrade, sqlite3_errstr(code));
}

enum store_status sqlite_upgrade(struct store *store, const struct store_options *options) {
    struct upgrade upgrade = {.store = store, .options = options};
    int version;
    enum store_status status = sqlite_version(store, &version);
    if (status != STORE_OK || version == 0 || version >= VERSION_PACKED)
        return status;
    if (options->beside) {
        return fail(&upgrade, "an earlier zchat made it: start zchatd, which brings it up to date, "
                              "and then do this again");
    }
    upgrade.old = realpath(store->path, NULL);
    if (!upgrade.old)
        return fail(&upgrade, strerror(errno));
    upgrade.path = sqlite3_mprintf("%s" STORE_NEW_SUFFIX, upgrade.old);
    upgrade.backup = sqlite3_mprintf("%s" STORE_BACKUP_SUFFIX, upgrade.old);
    status = upgrade.path && upgrade.backup ? replace(&upgrade) : sqlite_no_memory(store);
    free(upgrade.old);
    sqlite3_free(upgrade.path);
    sqlite3_free(upgrade.backup);
    return status;
}
