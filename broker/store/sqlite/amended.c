/* Which messages were corrected or taken back, and by which entry of the log. Nothing else has to
 * know: an inbox has each entry as it came. The row is written together with the entry. */
#include "log.h"

const struct statement_text amended_statements[] = {
    {STATEMENT_AMENDED_FIND, "SELECT last, gone FROM amended WHERE original = ?1"},
    {STATEMENT_AMENDED_NOTE,
     "INSERT OR REPLACE INTO amended (original, last, gone) VALUES (?1, ?2, ?3)"},
    {0},
};

enum store_status sqlite_amended_find(struct store *store, int64_t original, int64_t *last,
                                      bool *gone) {
    sqlite3_stmt *find = store->statements[STATEMENT_AMENDED_FIND];
    bind_number(find, 1, original);
    enum step step = sqlite_step(store, find);
    if (step == STEP_ROW) {
        *last = sqlite3_column_int64(find, 0);
        *gone = sqlite3_column_int(find, 1) != 0;
    }
    (void)sqlite3_reset(find);
    return step == STEP_FAILED ? STORE_FAILED : step == STEP_ROW ? STORE_OK : STORE_NOT_FOUND;
}

enum store_status sqlite_amended_note(struct store *store, int64_t original, bool gone) {
    sqlite3_stmt *note = store->statements[STATEMENT_AMENDED_NOTE];
    bind_number(note, 1, original);
    bind_number(note, 2, store->last_position);
    bind_number(note, 3, gone);
    return sqlite_run(store, note);
}
