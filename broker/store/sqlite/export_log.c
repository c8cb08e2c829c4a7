/* The log's part of store_export. An entry that can't be read leaves a hole in the numbers of its
 * streams: RECORD_LOST stands there instead. */
#include "export.h"

#include <string.h>

/* ---- numbers ---- */

static bool is_standing_post(struct exporting *exporting, int64_t stream, uint64_t seq) {
    sqlite3_stmt *find = exporting->store->statements[STATEMENT_POST_AT];
    int64_t edited_us;
    bind_number(find, 1, stream);
    bind_number(find, 2, (int64_t)seq);
    return sqlite_number(exporting->store, find, &edited_us) == STORE_OK;
}

static enum store_status export_lost(struct exporting *exporting, int64_t stream, uint64_t seq) {
    struct store *store = exporting->store;
    struct record *record = export_record(exporting, RECORD_LOST);
    const struct person *person;
    struct store_thread thread;
    record->seq = seq;
    enum store_status status = sqlite_person(store, stream, &person);
    if (status == STORE_OK) {
        memcpy(record->user, person->name, sizeof record->user);
        return export_hand_out(exporting);
    }
    if (status == STORE_NOT_FOUND)
        status = sqlite_thread_get(store, stream, &thread);
    if (status != STORE_OK)
        return status == STORE_NOT_FOUND ? STORE_OK : status;
    memcpy(record->thread, thread.id, ID_BYTES);
    record->is_post = is_standing_post(exporting, stream, seq);
    return store->failed ? STORE_FAILED : export_hand_out(exporting);
}

/* Tells the numbers before `seq` that no entry had. */
static enum store_status fill_up(struct exporting *exporting, int64_t stream, uint64_t seq) {
    enum store_status status = STORE_OK;
    while (status == STORE_OK && exporting->shown[stream] + 1 < seq)
        status = export_lost(exporting, stream, ++exporting->shown[stream]);
    return status;
}

/* Whether the entry can have that number: only a store that was written to by others has wrong
 * ones. */
static bool is_next(const struct exporting *exporting, int64_t stream, uint64_t seq) {
    const struct stream *known =
        stream > exporting->streams ? NULL : view_find(exporting->store->view, stream);
    return known && seq > exporting->shown[stream] && seq <= known->head;
}

/* ---- files ---- */

/* Reads a piece, or as much of it as came. DAMAGED: it is zeros then. */
static enum store_status read_piece(struct exporting *exporting, const struct file *file,
                                    uint64_t offset, size_t *length) {
    uint64_t left = file->file.received - offset;
    size_t right;
    *length = left < RECORD_PIECE_BYTES ? (size_t)left : RECORD_PIECE_BYTES;
    enum store_status status = sqlite_piece_read(exporting->store, file->file.file, offset,
                                                 exporting->piece, *length, &right);
    if (status == STORE_DAMAGED)
        memset(exporting->piece, 0, *length);
    return status;
}

/* Beside a broker, bytes that are not those of this moment may only have been removed since. */
static enum store_status check_removed(struct exporting *exporting, const struct file *file) {
    struct store *store = exporting->store;
    sqlite3 *now = NULL;
    sqlite3_stmt *find = NULL;
    bool there = true;
    if (sqlite_connect(store->path, page_check_name(store->pages), &now) == SQLITE_OK &&
        sqlite3_prepare_v2(now, "SELECT seq FROM file WHERE file = ?1", -1, &find, NULL) ==
            SQLITE_OK) {
        (void)sqlite3_bind_int64(find, 1, file->file.file);
        there = sqlite3_step(find) == SQLITE_ROW &&
                (uint64_t)sqlite3_column_int64(find, 0) == file->file.seq;
    }
    (void)sqlite3_finalize(find);
    if (store->log_found.header != WAL_MISSING)
        (void)sqlite3_db_config(now, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_close(now);
    return there ? STORE_OK
                 : sqlite_fail_because(store, "export",
                                       "a file of it was removed meanwhile: export it once more");
}

/* Reads all bytes once, so that the file's record tells whether they are right. */
static enum store_status verify(struct exporting *exporting, const struct file *file, bool *right) {
    struct hash hash;
    unsigned char is[HASH_BYTES];
    enum store_status status = STORE_OK;
    hash_begin(&hash);
    *right = true;
    for (uint64_t offset = 0; status == STORE_OK && *right && offset < file->file.received;) {
        size_t length;
        status = read_piece(exporting, file, offset, &length);
        *right = status != STORE_DAMAGED;
        status = status == STORE_DAMAGED ? STORE_OK : status;
        hash_add(&hash, exporting->piece, length);
        offset += length;
    }
    hash_end(&hash, is);
    if (file->file.seq > 0 && memcmp(is, file->file.hash, HASH_BYTES) != 0)
        *right = false;
    return status == STORE_OK && !*right ? check_removed(exporting, file) : status;
}

/* What does not match the verified hash was removed since. */
static enum store_status export_pieces(struct exporting *exporting, const struct file *file,
                                       bool right) {
    struct hash hash;
    unsigned char is[HASH_BYTES];
    enum store_status status = STORE_OK;
    hash_begin(&hash);
    for (uint64_t offset = 0; status == STORE_OK && offset < file->file.received;) {
        size_t length;
        status = read_piece(exporting, file, offset, &length);
        if (status == STORE_DAMAGED)
            status = right ? sqlite_fail_because(exporting->store, "export",
                                                 "a file's bytes changed while they were read: "
                                                 "export it once more")
                           : STORE_OK;
        if (status != STORE_OK)
            break;
        hash_add(&hash, exporting->piece, length);
        struct record *record = export_record(exporting, RECORD_PIECE);
        memcpy(record->id, file->file.id, ID_BYTES);
        record->number = offset;
        record->text = (const char *)exporting->piece;
        record->text_bytes = length;
        status = export_hand_out(exporting);
        offset += length;
    }
    hash_end(&hash, is);
    if (status == STORE_OK && right && file->file.seq > 0 &&
        memcmp(is, file->file.hash, HASH_BYTES) != 0)
        return sqlite_fail_because(exporting->store, "export",
                                   "a file's bytes changed while they were read: export it once "
                                   "more");
    return status;
}

/* A file that has not the bytes of its hash keeps a mark that no bytes fit, as after a damage that
 * was found when files were hashed anew (rehash.c). */
static void mark_damaged(struct record *record) {
    memset(record->hash + HASH_OLD_BYTES, 0, HASH_BYTES - HASH_OLD_BYTES);
    record->damaged = true;
}

static enum store_status export_file(struct exporting *exporting, const struct file *file,
                                     enum record_kind kind, int64_t chunk_us) {
    struct store_thread thread;
    bool right;
    enum store_status status = sqlite_thread_get(exporting->store, file->stream, &thread);
    if (status == STORE_OK)
        status = verify(exporting, file, &right);
    if (status != STORE_OK)
        return status;
    struct record *record = export_record(exporting, kind);
    memcpy(record->id, file->file.id, ID_BYTES);
    memcpy(record->thread, thread.id, ID_BYTES);
    memcpy(record->user, file->file.user, sizeof record->user);
    memcpy(record->name, file->file.name, sizeof file->file.name);
    memcpy(record->hash, file->file.hash, HASH_BYTES);
    record->seq = file->file.seq;
    record->size = file->file.size;
    record->received = file->file.received;
    record->time_us = file->file.time_us;
    record->later_us = chunk_us;
    if (!right) {
        export_damage(exporting,
                      "the file %s of the thread %s has not the bytes that were uploaded",
                      file->file.name, thread.title);
        if (kind == RECORD_FILE)
            mark_damaged(record);
    }
    status = export_hand_out(exporting);
    return status == STORE_OK ? export_pieces(exporting, file, right) : status;
}

enum store_status export_uploads(struct exporting *exporting) {
    static const char sql[] = "SELECT f.file, f.chunk_us FROM file f CROSS JOIN thread t ON "
                              "t.stream = f.stream WHERE f.seq = 0 ORDER BY f.file";
    struct store *store = exporting->store;
    sqlite3_stmt *all = NULL;
    enum store_status status = STORE_OK;
    enum step step = STEP_DONE;
    if (sqlite3_prepare_v2(store->db, sql, -1, &all, NULL) != SQLITE_OK)
        return sqlite_fail(store, "read");
    while (status == STORE_OK && (step = sqlite_step(store, all)) == STEP_ROW) {
        struct file file;
        status = sqlite_file_numbered(store, sqlite3_column_int64(all, 0), &file);
        if (status == STORE_OK)
            status = export_file(exporting, &file, RECORD_UPLOAD, sqlite3_column_int64(all, 1));
    }
    (void)sqlite3_finalize(all);
    return step == STEP_FAILED ? STORE_FAILED : status;
}

/* ---- entries: each function takes one of its kinds. NOT_FOUND: something of it can't be read ----
 */

/* A correction of what can't be read any more is exported as a message, and a retraction of it not
 * at all. */
static enum store_status find_kind(struct exporting *exporting, const struct log_entry *entry,
                                   enum record_kind *kind) {
    struct log_entry original;
    bool corrects = entry->kind == LOG_CORRECTED;
    *kind = RECORD_MESSAGE;
    if (!entry->original_id)
        return STORE_OK;
    if (sqlite_log_read(exporting->store, entry->original, &original) != STORE_OK)
        return STORE_FAILED;
    if (original.kind != LOG_MESSAGE || original.text_damaged)
        return corrects ? STORE_OK : STORE_NOT_FOUND;
    *kind = corrects ? RECORD_CORRECTION : RECORD_RETRACTION;
    return STORE_OK;
}

static enum store_status export_message(struct exporting *exporting, int64_t position,
                                        struct log_entry *entry) {
    struct store *store = exporting->store;
    const struct person *from, *to;
    enum record_kind kind;
    enum store_status status = find_kind(exporting, entry, &kind);
    if (status == STORE_OK)
        status = sqlite_person(store, entry->author, &from);
    if (status == STORE_OK)
        status = sqlite_person(store, entry->stream, &to);
    if (status == STORE_OK && (!is_next(exporting, entry->stream, entry->seq) ||
                               !is_next(exporting, entry->author, entry->second)))
        status = STORE_NOT_FOUND;
    if (status == STORE_OK)
        status = fill_up(exporting, entry->stream, entry->seq);
    if (status == STORE_OK)
        status = fill_up(exporting, entry->author, entry->second);
    if (status == STORE_OK)
        status = sqlite_log_read(store, position, entry);
    if (status != STORE_OK)
        return status;
    exporting->shown[entry->stream] = entry->seq;
    exporting->shown[entry->author] = entry->second;
    struct record *record = export_record(exporting, kind);
    memcpy(record->id, entry->id, ID_BYTES);
    if (kind != RECORD_MESSAGE)
        memcpy(record->post, entry->original_id, ID_BYTES);
    memcpy(record->user, from->name, sizeof record->user);
    memcpy(record->other, to->name, sizeof record->other);
    record->seq = entry->seq;
    record->own_seq = entry->second;
    record->time_us = entry->time_us;
    record->delivered = entry->delivered;
    record->text = entry->text;
    record->text_bytes = entry->text_bytes;
    return export_hand_out(exporting);
}

/* Begins the record of an entry in a thread. Reads the entry again: what it points to may be gone.
 */
static enum store_status begin_entry(struct exporting *exporting, enum record_kind kind,
                                     int64_t position, struct log_entry *entry) {
    struct store *store = exporting->store;
    struct store_thread thread;
    const struct person *author;
    enum store_status status = sqlite_thread_get(store, entry->stream, &thread);
    if (status == STORE_OK)
        status = sqlite_person(store, entry->author, &author);
    if (status == STORE_OK)
        status = fill_up(exporting, entry->stream, entry->seq);
    if (status == STORE_OK)
        status = sqlite_log_read(store, position, entry);
    if (status != STORE_OK)
        return status;
    exporting->shown[entry->stream] = entry->seq;
    struct record *record = export_record(exporting, kind);
    memcpy(record->id, entry->id, ID_BYTES);
    memcpy(record->thread, thread.id, ID_BYTES);
    memcpy(record->user, author->name, sizeof record->user);
    record->seq = entry->seq;
    record->time_us = entry->time_us;
    record->text = entry->text;
    record->text_bytes = entry->text_bytes;
    return STORE_OK;
}

static enum store_status export_post(struct exporting *exporting, int64_t position,
                                     struct log_entry *entry) {
    enum store_status status = begin_entry(exporting, RECORD_POST, position, entry);
    return status == STORE_OK ? export_hand_out(exporting) : status;
}

/* An edit or a deletion. */
static enum store_status export_change(struct exporting *exporting, int64_t position,
                                       struct log_entry *entry) {
    struct log_entry post;
    unsigned char id[ID_BYTES];
    bool edits = entry->kind == LOG_EDITED;
    if (sqlite_log_read(exporting->store, (int64_t)entry->second, &post) != STORE_OK)
        return STORE_FAILED;
    if (post.kind != LOG_POSTED || post.text_damaged)
        return STORE_NOT_FOUND;
    memcpy(id, post.id, ID_BYTES);
    enum store_status status =
        begin_entry(exporting, edits ? RECORD_EDIT : RECORD_DELETION, position, entry);
    if (status != STORE_OK)
        return status;
    memcpy(exporting->record.post, id, ID_BYTES);
    return export_hand_out(exporting);
}

static enum store_status export_file_deletion(struct exporting *exporting, int64_t position,
                                              struct log_entry *entry) {
    struct log_entry uploaded;
    unsigned char id[ID_BYTES];
    if (sqlite_log_read(exporting->store, (int64_t)entry->second, &uploaded) != STORE_OK)
        return STORE_FAILED;
    if (uploaded.kind != LOG_UPLOADED)
        return STORE_NOT_FOUND;
    memcpy(id, uploaded.id, ID_BYTES);
    enum store_status status = begin_entry(exporting, RECORD_FILE_DELETION, position, entry);
    struct record *record = &exporting->record;
    if (status == STORE_OK && record->text_bytes >= sizeof record->name)
        status = STORE_NOT_FOUND;
    if (status != STORE_OK)
        return status;
    memcpy(record->name, record->text, record->text_bytes);
    record->text = NULL;
    record->text_bytes = 0;
    memcpy(record->post, id, ID_BYTES);
    return export_hand_out(exporting);
}

static enum store_status export_gone_file(struct exporting *exporting, int64_t position,
                                          struct log_entry *entry) {
    enum store_status status = begin_entry(exporting, RECORD_FILE_GONE, position, entry);
    return status == STORE_OK ? export_hand_out(exporting) : status;
}

static enum store_status export_uploaded(struct exporting *exporting, int64_t position,
                                         struct log_entry *entry) {
    struct file file;
    enum store_status status =
        sqlite_file_numbered(exporting->store, (int64_t)entry->second, &file);
    if (status == STORE_NOT_FOUND)
        return export_gone_file(exporting, position, entry);
    if (status == STORE_OK && file.file.seq != entry->seq)
        status = STORE_NOT_FOUND;
    if (status == STORE_OK)
        status = fill_up(exporting, entry->stream, entry->seq);
    if (status != STORE_OK)
        return status;
    exporting->shown[entry->stream] = entry->seq;
    return export_file(exporting, &file, RECORD_FILE, 0);
}

static enum store_status (*const by_kind[])(struct exporting *, int64_t, struct log_entry *) = {
    [LOG_MESSAGE] = export_message,   [LOG_POSTED] = export_post,
    [LOG_EDITED] = export_change,     [LOG_DELETED] = export_change,
    [LOG_UPLOADED] = export_uploaded, [LOG_CORRECTED] = export_message,
    [LOG_RETRACTED] = export_message, [LOG_FILE_DELETED] = export_file_deletion,
};
#define KINDS ((int)(sizeof by_kind / sizeof by_kind[0]))

/* ---- the log ---- */

/* Whether it is of a thread that was removed, of which slices have not removed everything yet. */
static bool is_rubbish(const struct exporting *exporting, const struct log_entry *entry) {
    const struct stream *stream = view_find(exporting->store->view, entry->stream);
    return !log_is_message(entry->kind) && (!stream || stream->is_removed);
}

static enum store_status export_entry(struct exporting *exporting, int64_t position) {
    struct log_entry entry;
    if (sqlite_log_read(exporting->store, position, &entry) != STORE_OK)
        return STORE_FAILED;
    if (entry.kind == LOG_GONE || entry.kind == LOG_MARK ||
        (entry.id && is_rubbish(exporting, &entry)))
        return STORE_OK;
    bool known = entry.kind > 0 && entry.kind < KINDS && by_kind[entry.kind] && entry.id;
    enum store_status status =
        known && !entry.text_damaged && is_next(exporting, entry.stream, entry.seq)
            ? by_kind[entry.kind](exporting, position, &entry)
            : STORE_NOT_FOUND;
    if (status != STORE_NOT_FOUND)
        return status;
    export_damage(exporting, "entry %lld of the log is damaged", (long long)position);
    return STORE_OK;
}

/* Numbers behind the last entry of a stream that can be read. */
static enum store_status export_ends(struct exporting *exporting) {
    enum store_status status = STORE_OK;
    for (int64_t id = 1; status == STORE_OK && id <= exporting->streams; id++) {
        const struct stream *stream = view_find(exporting->store->view, id);
        if (stream && !stream->is_removed)
            status = fill_up(exporting, id, stream->head + 1);
    }
    return status;
}

enum store_status export_log(struct exporting *exporting) {
    const struct store_export *export = exporting->export;
    int64_t last = exporting->store->last_position;
    enum store_status status = STORE_OK;
    for (int64_t position = 1; status == STORE_OK && position <= last; position++) {
        status = export_entry(exporting, position);
        export->progress(export->arg, "entries of the log", (uint64_t)position, (uint64_t)last);
    }
    return status == STORE_OK ? export_ends(exporting) : status;
}
