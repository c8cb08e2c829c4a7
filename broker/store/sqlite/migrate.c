/* The schema's versions. PRAGMA user_version tells which one a file has. Each migration leads from
 * the version before to its own, and all that a file lacks are done in one transaction. A migration
 * that was released never changes. A store with data in it gets from version 6 to 7 in another file
 * (upgrade.h): only a new store goes through all migrations. */
#include "thread.h"
#include "upgrade.h"

#include <stdio.h>

extern const char schema_0001[];
extern const char schema_0002[];
extern const char schema_0003[];
extern const char schema_0004[];
extern const char schema_0005[];
extern const char schema_0006[];
extern const char schema_0007[];
extern const char schema_0008[];
extern const char schema_0009[];
extern const char schema_0010[];
extern const char schema_0011[];
extern const char schema_0012[];
extern const char schema_0013[];
extern const char schema_0014[];
extern const char schema_0015[];
extern const char schema_0016[];

static const char *const migrations[] = {schema_0001, schema_0002, schema_0003, schema_0004,
                                         schema_0005, schema_0006, schema_0007, schema_0008,
                                         schema_0009, schema_0010, schema_0011, schema_0012,
                                         schema_0013, schema_0014, schema_0015, schema_0016};

#define VERSION        ((int)(sizeof migrations / sizeof migrations[0]))
#define APPLICATION_ID 0x7a636874 /* "zcht", so that no other database is taken for a store */

/* ---- what migrations call ---- */

static void result(sqlite3_context *context, const char *text) {
    sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

static const char *argument(sqlite3_value **values) {
    const char *text = (const char *)sqlite3_value_text(values[0]);
    return text ? text : "";
}

/* Titles from older versions may be nothing but blanks. */
static void form(sqlite3_context *context, int count, sqlite3_value **values) {
    char out[4 * TITLE_BYTES];
    bool fits = unicode_title(argument(values), out, sizeof out);
    (void)count;
    result(context, !fits ? argument(values) : *out == '\0' ? "_" : out);
}

static void look(sqlite3_context *context, int count, sqlite3_value **values) {
    struct title title;
    (void)count;
    title_look(argument(values), &title);
    result(context, title.look);
}

static void fold(sqlite3_context *context, int count, sqlite3_value **values) {
    struct title title;
    (void)count;
    title_look(argument(values), &title);
    result(context, title.folded);
}

bool title_functions(sqlite3 *db) {
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
    return sqlite3_create_function(db, "title_form", 1, flags, NULL, form, NULL, NULL) ==
               SQLITE_OK &&
           sqlite3_create_function(db, "title_look", 1, flags, NULL, look, NULL, NULL) ==
               SQLITE_OK &&
           sqlite3_create_function(db, "title_fold", 1, flags, NULL, fold, NULL, NULL) == SQLITE_OK;
}

/* ---- versions ---- */

static enum store_status pragma(struct store *store, const char *sql, int *out) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        (void)sqlite_fail(store, "read the version of");
        (void)sqlite3_finalize(statement);
        return STORE_FAILED;
    }
    *out = sqlite3_column_int(statement, 0);
    (void)sqlite3_finalize(statement);
    return STORE_OK;
}

static enum store_status refuse_newer(struct store *store, int version) {
    char reason[128];
    (void)snprintf(reason, sizeof reason,
                   "a newer zchat made it (schema %d, this program knows up to %d)", version,
                   VERSION);
    return sqlite_fail_because(store, "open", reason);
}

enum store_status sqlite_version(struct store *store, int *version) {
    int application = 0;
    int tables = 0;
    if (pragma(store, "PRAGMA user_version", version) != STORE_OK ||
        pragma(store, "PRAGMA application_id", &application) != STORE_OK ||
        pragma(store, "SELECT count(*) FROM sqlite_schema", &tables) != STORE_OK)
        return STORE_FAILED;
    bool empty = *version == 0 && application == 0 && tables == 0;
    if (!empty && application != APPLICATION_ID)
        return sqlite_fail_because(store, "open", "it is no store of zchat");
    return *version > VERSION ? refuse_newer(store, *version) : STORE_OK;
}

int sqlite_newest_version(void) {
    return VERSION;
}

static enum store_status apply(struct store *store, int version) {
    char mark[96];
    (void)snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %d",
                   APPLICATION_ID, version);
    if (sqlite3_exec(store->db, migrations[version - 1], NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(store->db, mark, NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_fail(store, "migrate");
    return STORE_OK;
}

/* Checks the version again: another process may have done it while this one waited. */
static enum store_status apply_all(struct store *store, int last) {
    int version = 0;
    enum store_status status = sqlite_version(store, &version);
    if (status == STORE_OK && version > 0 && version < VERSION_PACKED && last >= VERSION_PACKED)
        return sqlite_fail_because(store, "migrate", "an earlier zchat made it");
    while (status == STORE_OK && version < last)
        status = apply(store, ++version);
    return status;
}

enum store_status sqlite_migrate_to(struct store *store, int last) {
    int version = 0;
    enum store_status status = sqlite_version(store, &version);
    if (status != STORE_OK || version >= last)
        return status;
    if (!title_functions(store->db))
        return sqlite_no_memory(store);
    if (sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_fail(store, "migrate");
    if (apply_all(store, last) != STORE_OK) {
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
        return STORE_FAILED;
    }
    return sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK
               ? STORE_OK
               : sqlite_fail(store, "migrate");
}

enum store_status sqlite_migrate(struct store *store) {
    return sqlite_migrate_to(store, VERSION);
}
