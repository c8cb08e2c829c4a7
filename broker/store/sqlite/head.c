/* What the store does with its head (head.h): compares it with the files before SQLite changes
 * anything in them, refuses a store that has lost acknowledged data, and notes how far the store is
 * durable. A process beside a broker (see store_options) compares and notes nothing.
 *
 * A head that is behind is never taken for a loss. In the same log, which has the same salts, there
 * may be more frames, never fewer. A log that began anew has a higher first salt: nothing follows
 * from who copied the old log into the database, or from whether the head was written since. */
#include "inside.h"

#include <stdio.h>
#include <string.h>

/* How often the log is looked at: another process may begin it anew while it is read. */
#define LOOKS_MAX 10

static enum store_status fail(struct store *store, const char *doing, int code) {
    return sqlite_fail_code(store, doing, code, sqlite3_errstr(code));
}

static void remark(struct store *store, const char *text) {
    if (store->remark[0] == '\0')
        (void)snprintf(store->remark, sizeof store->remark, "%s", text);
}

/* ---- before SQLite opens ---- */

static bool is_later(const struct wal_scan *log, const struct head_mark *mark) {
    return (int32_t)(log->salts[0] - mark->salts[0]) > 0;
}

static bool is_same(const struct wal_scan *log, const struct head_mark *mark) {
    return memcmp(log->salts, mark->salts, sizeof log->salts) == 0;
}

/* Sets log_lacks; "": the log has all that was synced. */
static void judge_log(struct store *store) {
    const struct head_mark *mark = &store->mark;
    const struct wal_scan *log = &store->log_found;
    char *out = store->log_lacks;
    size_t bytes = sizeof store->log_lacks;
    out[0] = '\0';
    if (mark->frames == 0 || (log->header == WAL_VALID && is_later(log, mark)))
        return;
    if (log->header != WAL_VALID) {
        (void)snprintf(out, bytes, "the write-ahead log, of which %u frames were synced, %s",
                       (unsigned)mark->frames,
                       log->header == WAL_MISSING ? "is missing" : "has a damaged header");
    } else if (!is_same(log, mark)) {
        (void)snprintf(out, bytes, "the write-ahead log is of an earlier time");
    } else if (log->frames < mark->frames) {
        (void)snprintf(out, bytes, "of the write-ahead log's %u synced frames %u are whole",
                       (unsigned)mark->frames, (unsigned)log->frames);
    }
}

static int look(struct store *store) {
    const char *vfs = page_check_name(store->pages);
    int code = head_open(&store->head, vfs, store->path, &store->head_found, &store->mark);
    if (code == SQLITE_OK)
        code = wal_scan(vfs, store->path, &store->log_found, NULL, NULL);
    if (code == SQLITE_OK)
        judge_log(store);
    return code;
}

static bool same_mark(const struct head_mark *a, const struct head_mark *b) {
    return a->position == b->position && a->salts[0] == b->salts[0] && a->salts[1] == b->salts[1] &&
           a->frames == b->frames && a->checked == b->checked;
}

enum store_status sqlite_head_look(struct store *store) {
    struct head_mark before;
    int code = SQLITE_OK;
    for (int i = 0; i < LOOKS_MAX; i++) {
        before = store->mark;
        head_close(store->head);
        store->head = NULL;
        code = look(store);
        if (code != SQLITE_OK || store->log_lacks[0] == '\0' ||
            (i > 0 && same_mark(&before, &store->mark)))
            break;
    }
    return code == SQLITE_OK ? STORE_OK : fail(store, "read the head of", code);
}

/* ---- before anything is written ---- */

/* Reads one number; 0 if there is no such table. */
static int number(const struct store *store, const char *sql, int64_t *out) {
    sqlite3_stmt *statement = NULL;
    *out = 0;
    int code = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
    if ((code & 0xff) == SQLITE_ERROR)
        return SQLITE_OK;
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        *out = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    }
    (void)sqlite3_finalize(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static bool tells_loss(const struct store *store, int64_t position) {
    return store->log_lacks[0] != '\0' || position < store->mark.position;
}

/* Says what is lost, as a part of a sentence. */
static void tell_loss(const struct store *store, int64_t position, char *out, size_t out_bytes) {
    int bytes = 0;
    if (position < store->mark.position) {
        bytes = snprintf(out, out_bytes,
                         "%lld entries that were acknowledged are missing: its log ends at %lld, "
                         "and %lld was recorded%s",
                         (long long)(store->mark.position - position), (long long)position,
                         (long long)store->mark.position, store->log_lacks[0] == '\0' ? "" : "; ");
    }
    if (bytes >= 0 && (size_t)bytes < out_bytes)
        (void)snprintf(out + bytes, out_bytes - (size_t)bytes, "%s", store->log_lacks);
}

static int keep_first(void *first, int columns, char **values, char **names) {
    char *out = first;
    (void)names;
    if (out[0] == '\0' && columns > 0 && values[0])
        (void)snprintf(out, STORE_ERROR_BYTES / 4, "%s", values[0]);
    return 0;
}

/* "ok", or the first thing that is wrong with the database. */
static void check_database(struct store *store, char first[STORE_ERROR_BYTES / 4]) {
    first[0] = '\0';
    if (sqlite3_exec(store->db, "PRAGMA quick_check(1)", keep_first, first, NULL) != SQLITE_OK)
        (void)snprintf(first, STORE_ERROR_BYTES / 4, "%s", sqlite3_errmsg(store->db));
}

static enum store_status accept(struct store *store, const char *loss) {
    char first[STORE_ERROR_BYTES / 4], text[STORE_ERROR_BYTES];
    check_database(store, first);
    if (strcmp(first, "ok") != 0) {
        (void)snprintf(text, sizeof text,
                       "%s; and what is left is damaged (%s): bring it back from a backup", loss,
                       first);
        return sqlite_fail_because(store, "open", text);
    }
    (void)snprintf(text, sizeof text, "the loss is accepted: %s", loss);
    remark(store, text);
    return STORE_OK;
}

static enum store_status refuse(struct store *store, const char *loss) {
    char text[STORE_ERROR_BYTES];
    (void)snprintf(text, sizeof text,
                   "%s; bring it back from a backup, or start zchatd once with --accept-loss to go "
                   "on without",
                   loss);
    return sqlite_fail_because(store, "open", text);
}

/* Checks this because a damaged header could say that there are no checksums. */
static enum store_status check_pages(struct store *store, int64_t position) {
    return store->mark.checked && position > 0 && !page_check_is_on(store->pages)
               ? sqlite_fail_because(store, "open",
                                     "its header is damaged; bring it back from a backup")
               : STORE_OK;
}

static enum store_status check_state(struct store *store, bool has_content) {
    if (store->head_found != HEAD_KNOWN && has_content) {
        remark(store, store->head_found == HEAD_MISSING
                          ? "the file with -head behind the store's name is missing: whether the "
                            "log's end is there can't be told; it is made anew"
                          : "the file with -head behind the store's name is damaged: whether the "
                            "log's end is there can't be told; it is made anew");
    }
    return STORE_OK;
}

static int read_position(const struct store *store, int64_t *position) {
    return number(store, "SELECT max(last) FROM log", position);
}

bool sqlite_head_lost(const struct store *store, char *out, size_t out_bytes) {
    int64_t position = 0;
    if (read_position(store, &position) != SQLITE_OK || !tells_loss(store, position))
        return false;
    tell_loss(store, position, out, out_bytes);
    return true;
}

const char *store_remark(const struct store *store) {
    return store->remark[0] == '\0' ? NULL : store->remark;
}

enum store_status sqlite_head_check(struct store *store, bool accept_loss) {
    char loss[STORE_ERROR_BYTES / 2];
    int64_t position = 0, version = 0;
    int code = read_position(store, &position);
    if (code == SQLITE_OK)
        code = number(store, "PRAGMA user_version", &version);
    if (code != SQLITE_OK)
        return sqlite_fail(store, "read");
    store->head_new = store->head_new || version == 0;
    if (!tells_loss(store, position)) {
        return check_pages(store, position) == STORE_OK
                   ? check_state(store, version >= SQLITE_VERSION_WITH_HEAD && !store->head_new)
                   : STORE_FAILED;
    }
    tell_loss(store, position, loss, sizeof loss);
    return accept_loss ? accept(store, loss) : refuse(store, loss);
}

/* ---- noting ---- */

static bool is_noted(const struct store *store) {
    return store->head_begun && !store->failed;
}

/* A full disk leaves the head as it is, which is behind. */
static int write_mark(struct store *store, bool sync) {
    int code = head_write(store->head, &store->mark);
    if (code == SQLITE_OK && sync) {
        code = head_sync(store->head);
        store->head_due = store->head_due && code != SQLITE_OK;
    }
    return code;
}

static enum store_status note(struct store *store, bool sync) {
    int code = write_mark(store, sync);
    return code == SQLITE_OK || code == SQLITE_FULL ? STORE_OK
                                                    : fail(store, "write the head of", code);
}

/* Reads the salts of the log as it is now. */
static int read_salts(struct store *store, uint32_t salts[2]) {
    sqlite3_file *log = NULL;
    int code = sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (code != SQLITE_OK || !log || !log->pMethods)
        return code == SQLITE_OK ? SQLITE_ERROR : code;
    return wal_read_salts(log, salts);
}

enum store_status sqlite_head_begin(struct store *store) {
    if (store->beside && !store->head_new)
        return STORE_OK;
    int code = read_salts(store, store->mark.salts);
    if (code != SQLITE_OK)
        return fail(store, "read the log of", code);
    store->mark.position = store->last_position;
    store->mark.frames = is_same(&store->log_found, &store->mark) ? store->log_found.frames : 0;
    store->mark.checked = page_check_is_on(store->pages);
    store->head_begun = !store->beside;
    return note(store, true);
}

enum store_status sqlite_head_committed(struct store *store) {
    if (!is_noted(store))
        return STORE_OK;
    int code = read_salts(store, store->mark_next.salts);
    store->mark_next.position = store->last_position;
    store->mark_next.frames = (uint32_t)store->wal_pages;
    store->mark_next.checked = page_check_is_on(store->pages);
    store->mark_waits = true;
    return code == SQLITE_OK ? STORE_OK : fail(store, "read the log of", code);
}

enum store_status sqlite_head_synced(struct store *store) {
    if (!is_noted(store) || !store->mark_waits)
        return STORE_OK;
    store->mark_waits = false;
    store->mark = store->mark_next;
    return note(store, store->head_due);
}

enum store_status sqlite_head_copied(struct store *store) {
    if (!is_noted(store))
        return STORE_OK;
    store->mark.frames = 0;
    return note(store, true);
}

enum store_status sqlite_head_wipe(struct store *store) {
    if (!is_noted(store))
        return STORE_OK;
    store->mark.frames = 0;
    store->mark.position = 0;
    int code = write_mark(store, true);
    return code == SQLITE_OK ? STORE_OK : fail(store, "write the head of", code);
}

/* Whether the log is a broker's: one that runs beside this process, or one that was killed. Such a
 * log must stay. */
static bool is_another_log(struct store *store) {
    struct head *head = NULL;
    struct head_mark mark;
    enum head_state state;
    int code = head_open(&head, page_check_name(store->pages), store->path, &state, &mark);
    head_close(head);
    return code != SQLITE_OK || mark.frames > 0;
}

static bool may_remove_log(struct store *store) {
    if (store->beside)
        return !is_another_log(store);
    if (!store->head_begun)
        return false;
    store->mark.frames = 0;
    return write_mark(store, true) == SQLITE_OK;
}

/* If the store failed, it is unknown what the disk holds: the next start finds out. */
void sqlite_head_end(struct store *store) {
    if (store->db && (store->failed || !may_remove_log(store)))
        (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    head_close(store->head);
    store->head = NULL;
}
