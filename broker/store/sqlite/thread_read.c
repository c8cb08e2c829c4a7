/* Reading threads: as they are now, from the rows of post and file in the order of their sequence
 * numbers; and their streams, from the log. */
#include "thread.h"

#include "walk.h"

#include <string.h>

const struct statement_text thread_read_statements[] = {
    {STATEMENT_POST_READ, "SELECT seq, edited_us, pos, text_pos FROM post WHERE stream = ?1 AND "
                          "seq > ?2 ORDER BY seq"},
    {0},
};

/* ---- as it stands ---- */

struct page {
    size_t left;
    bool (*each)(void *arg, const struct store_post *, const struct store_file *);
    void *arg;
    bool ended;      /* by the limit, or by `each` */
    uint64_t number; /* of the last post that was handed out, or of the one before the first */
};

static void hand_out(struct page *page, const struct store_post *post,
                     const struct store_file *file) {
    page->ended = !page->each(page->arg, post, file) || --page->left == 0;
}

/* Reads the present text, which is at a position of its own. */
static enum store_status read_text(struct store *store, int64_t position, struct store_post *post) {
    struct log_entry entry;
    if (sqlite_log_read(store, position, &entry) != STORE_OK)
        return STORE_FAILED;
    post->text = entry.text ? entry.text : "";
    post->text_bytes = entry.text_bytes;
    post->damaged = post->damaged || !entry.id || entry.text_damaged;
    return STORE_OK;
}

static enum store_status hand_out_post(struct store *store, int64_t position, int64_t text_position,
                                       struct store_post *post, struct page *page) {
    struct log_entry entry;
    post->number = ++page->number;
    if (sqlite_log_read(store, position, &entry) != STORE_OK ||
        sqlite_post_entry(store, &entry, post) != STORE_OK ||
        read_text(store, text_position, post) != STORE_OK)
        return STORE_FAILED;
    hand_out(page, post, NULL);
    return STORE_OK;
}

/* Hands out a row: seq, edited_us, pos, text_pos. */
static enum store_status hand_out_row(struct store *store, sqlite3_stmt *row, struct page *page) {
    struct store_post post = {.seq = column_count(row, 0),
                              .edited_us = sqlite3_column_int64(row, 1)};
    return hand_out_post(store, sqlite3_column_int64(row, 2), sqlite3_column_int64(row, 3), &post,
                         page);
}

/* Posts that have no rows yet come behind all posts that have. */
static enum store_status read_fresh(struct store *store, int64_t stream, uint64_t after,
                                    struct page *page) {
    const struct fresh_thread *fresh = fresh_thread(store->fresh, stream);
    size_t count = fresh ? fresh->count : 0;
    enum store_status status = STORE_OK;
    for (size_t i = count > 0 ? fresh_up_to(fresh, after) : 0;
         i < count && status == STORE_OK && !page->ended; i++) {
        struct store_post post = {.seq = fresh_first_seq(fresh) + i};
        int64_t position = fresh->positions[i];
        status = hand_out_post(store, position, position, &post, page);
    }
    return status;
}

static enum store_status hand_out_file(struct store *store, sqlite3_stmt *row, struct page *page) {
    struct file file;
    enum store_status status = sqlite_file_row(store, row, &file);
    if (status == STORE_OK)
        hand_out(page, NULL, &file.file);
    return status;
}

/* Merges the two results: hands out the row that comes first. */
static enum store_status read_items(struct store *store, struct page *page) {
    sqlite3_stmt *posts = store->statements[STATEMENT_POST_READ];
    sqlite3_stmt *files = store->statements[STATEMENT_FILE_READ];
    enum step post = sqlite_step(store, posts);
    enum step file = sqlite_step(store, files);
    enum store_status status = STORE_OK;
    while (status == STORE_OK && !page->ended && (post == STEP_ROW || file == STEP_ROW)) {
        if (post == STEP_FAILED || file == STEP_FAILED)
            break;
        if (file != STEP_ROW ||
            (post == STEP_ROW && column_count(posts, 0) < column_count(files, FILE_SEQ_COLUMN))) {
            status = hand_out_row(store, posts, page);
            post = sqlite_step(store, posts);
        } else {
            status = hand_out_file(store, files, page);
            file = sqlite_step(store, files);
        }
    }
    return post == STEP_FAILED || file == STEP_FAILED ? STORE_FAILED : status;
}

enum store_status
store_thread_read(struct store *store, int64_t stream, uint64_t after_seq, size_t limit,
                  bool (*each)(void *arg, const struct store_post *, const struct store_file *),
                  void *arg) {
    struct store_thread thread;
    struct page page = {.left = limit, .each = each, .arg = arg, .ended = limit == 0};
    enum store_status status =
        store->failed ? STORE_FAILED : sqlite_thread_get(store, stream, &thread);
    if (status != STORE_OK)
        return status;
    uint64_t after = after_seq < thread.head ? after_seq : thread.head;
    status = sqlite_number_of(store, stream, after, &page.number);
    if (status != STORE_OK)
        return status;
    sqlite3_stmt *posts = store->statements[STATEMENT_POST_READ];
    sqlite3_stmt *files = store->statements[STATEMENT_FILE_READ];
    bind_number(posts, 1, stream);
    bind_number(posts, 2, (int64_t)after);
    bind_number(files, 1, stream);
    bind_number(files, 2, (int64_t)after);
    status = read_items(store, &page);
    (void)sqlite3_reset(posts);
    (void)sqlite3_reset(files);
    return status == STORE_OK ? read_fresh(store, stream, after, &page) : status;
}

/* ---- the stream ---- */

struct sync {
    int64_t stream;
    size_t left;
    bool (*each)(void *arg, const struct store_thread_entry *);
    void *arg;
    bool ended;      /* by the limit, or by `each` */
    uint64_t number; /* of the last post handed out that is not deleted; 0: none yet */
};

/* For posts that follow each other only the number of the first is looked up: there is none between
 * them. */
static enum store_status number_of(struct store *store, const struct post *post, bool came,
                                   struct sync *sync, uint64_t *number) {
    *number = 0;
    if (!post->stands)
        return STORE_OK;
    if (came && sync->number > 0) {
        *number = ++sync->number;
        return STORE_OK;
    }
    enum store_status status = sqlite_number_of(store, sync->stream, post->post.seq, number);
    sync->number = came ? *number : sync->number;
    return status;
}

/* Reading another entry invalidates what `entry` points to, so the text is read last. */
static enum store_status read_post_entry(struct store *store, const struct log_entry *entry,
                                         int64_t position, struct sync *sync,
                                         struct store_thread_entry *out) {
    struct post post;
    bool came = out->kind == STORE_POSTED;
    uint64_t number;
    if (sqlite_post_at(store, came ? position : (int64_t)entry->second, &post) != STORE_OK ||
        number_of(store, &post, came, sync, &number) != STORE_OK)
        return STORE_FAILED;
    out->post = post.post;
    out->post.number = number;
    out->post.edited_us = out->kind == STORE_EDITED ? out->time_us : 0;
    return read_text(store, position, &out->post);
}

static enum store_status read_file_entry(struct store *store, const struct log_entry *entry,
                                         struct store_thread_entry *out) {
    struct file file;
    enum store_status status = sqlite_file_numbered(store, (int64_t)entry->second, &file);
    if (status == STORE_OK)
        out->file = file.file;
    return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* Reading where it was uploaded invalidates what `entry` points to, so that is read last. */
static enum store_status read_file_deleted(struct store *store, const struct log_entry *entry,
                                           struct store_thread_entry *out) {
    const struct person *person;
    struct log_entry uploaded;
    int64_t position = (int64_t)entry->second;
    enum store_status status = sqlite_person(store, entry->author, &person);
    if (status == STORE_OK && entry->text_bytes < sizeof out->file.name) {
        memcpy(out->file.user, person->name, sizeof out->file.user);
        memcpy(out->file.name, entry->text, entry->text_bytes);
    }
    if (status == STORE_FAILED || sqlite_log_read(store, position, &uploaded) != STORE_OK)
        return STORE_FAILED;
    if (status == STORE_OK && out->file.name[0] != '\0' && uploaded.kind == LOG_UPLOADED)
        memcpy(out->file.id, uploaded.id, ID_BYTES);
    else
        out->kind = STORE_LOST;
    return STORE_OK;
}

static enum store_status read_entry(struct store *store, int64_t position, struct sync *sync,
                                    struct store_thread_entry *out) {
    static const enum store_entry_kind kinds[] = {
        [LOG_POSTED] = STORE_POSTED,
        [LOG_EDITED] = STORE_EDITED,
        [LOG_DELETED] = STORE_DELETED,
        [LOG_UPLOADED] = STORE_UPLOADED,
        [LOG_FILE_DELETED] = STORE_FILE_DELETED,
    };
    struct log_entry entry;
    if (sqlite_log_read(store, position, &entry) != STORE_OK)
        return STORE_FAILED;
    bool known = entry.kind > 0 && entry.kind < (int)(sizeof kinds / sizeof kinds[0]) &&
                 kinds[entry.kind] != 0;
    out->kind = known ? kinds[entry.kind] : STORE_LOST;
    out->time_us = known ? entry.time_us : 0;
    switch (out->kind) {
    case STORE_LOST:
        return STORE_OK;
    case STORE_UPLOADED:
        return read_file_entry(store, &entry, out);
    case STORE_FILE_DELETED:
        return read_file_deleted(store, &entry, out);
    case STORE_POSTED:
    case STORE_EDITED:
    case STORE_DELETED:
        break;
    }
    return read_post_entry(store, &entry, position, sync, out);
}

static enum store_status hand_out_entry(struct store *store, int64_t position, uint64_t seq,
                                        struct sync *sync) {
    struct store_thread_entry entry = {.seq = seq};
    enum store_status status = read_entry(store, position, sync, &entry);
    if (status == STORE_OK)
        sync->ended = !sync->each(sync->arg, &entry) || --sync->left == 0;
    return status;
}

enum store_status store_thread_sync(struct store *store, int64_t stream_id, uint64_t after_seq,
                                    size_t limit,
                                    bool (*each)(void *arg, const struct store_thread_entry *),
                                    void *arg) {
    struct sync sync = {
        .stream = stream_id, .left = limit, .each = each, .arg = arg, .ended = limit == 0};
    struct store_thread thread;
    struct stream *stream;
    struct walk walk;
    int64_t position = 0;
    enum store_status status =
        store->failed ? STORE_FAILED : sqlite_thread_get(store, stream_id, &thread);
    if (status == STORE_OK)
        status = sqlite_stream(store, stream_id, &stream);
    if (status != STORE_OK)
        return status;
    status = walk_begin(store, &walk, stream, after_seq, stream->head);
    while (status == STORE_OK && !sync.ended &&
           (status = walk_next(store, &walk, &position)) == STORE_OK)
        status = hand_out_entry(store, position, walk.seq, &sync);
    return walk_end(store, &walk, status);
}
