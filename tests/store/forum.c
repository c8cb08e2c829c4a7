/* See forum.h. */
#include "forum.h"

#include "sqlite/inside.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- threads ---- */

int64_t forum_thread(struct fixture *fixture, int64_t creator, const char *title) {
    struct store_thread thread;
    unsigned char id[ID_BYTES];
    fixture_id(fixture, id);
    fixture_begin(fixture);
    assert_ok(store_thread_create(fixture->store, id, title, creator, ++fixture->now_us, &thread));
    fixture_commit(fixture);
    assert_string_equal(thread.title, title);
    return thread.stream;
}

struct store_thread forum_find(struct fixture *fixture, const char *title) {
    struct store_thread thread;
    assert_ok(store_thread_find(fixture->store, title, &thread));
    return thread;
}

void forum_same_thread(const struct store_thread *a, const struct store_thread *b) {
    assert_int_equal(a->stream, b->stream);
    assert_memory_equal(a->id, b->id, ID_BYTES);
    assert_string_equal(a->title, b->title);
    assert_string_equal(a->creator, b->creator);
    assert_int_equal(a->posts, b->posts);
    assert_int_equal(a->uploads, b->uploads);
    assert_int_equal(a->created_us, b->created_us);
    assert_int_equal(a->last_us, b->last_us);
    assert_int_equal(a->head, b->head);
}

/* ---- posts ---- */

void forum_same_change(const struct store_post_changed *a, const struct store_post_changed *b) {
    forum_same_thread(&a->thread, &b->thread);
    assert_int_equal(a->seq, b->seq);
    assert_int_equal(a->time_us, b->time_us);
    assert_memory_equal(a->post.id, b->post.id, ID_BYTES);
    assert_int_equal(a->post.number, b->post.number);
    assert_int_equal(a->post.seq, b->post.seq);
    assert_string_equal(a->post.user, b->post.user);
    assert_int_equal(a->post.time_us, b->post.time_us);
    assert_int_equal(a->post.edited_us, b->post.edited_us);
}

static struct store_post_change change_of(struct fixture *fixture,
                                          const struct forum_change *change,
                                          unsigned char made[ID_BYTES]) {
    if (!change->id)
        fixture_id(fixture, made);
    else
        memcpy(made, change->id, ID_BYTES);
    return (struct store_post_change){
        .id = made,
        .title = change->title,
        .account = change->account,
        .post = change->post,
        .number = change->number,
        .text = change->text,
        .text_bytes = !change->text ? 0 : strlen(change->text),
        .now_us = ++fixture->now_us,
    };
}

enum store_status forum_post(struct fixture *fixture, const struct forum_change *change,
                             struct store_post_changed *out) {
    unsigned char id[ID_BYTES];
    struct store_post_change is = change_of(fixture, change, id);
    fixture_begin(fixture);
    enum store_status status = store_post_add(fixture->store, &is, out);
    fixture_commit(fixture);
    return status;
}

enum store_status forum_edit(struct fixture *fixture, const struct forum_change *change,
                             struct store_post_changed *out) {
    unsigned char id[ID_BYTES];
    struct store_post_change is = change_of(fixture, change, id);
    fixture_begin(fixture);
    enum store_status status = store_post_edit(fixture->store, &is, out);
    fixture_commit(fixture);
    return status;
}

enum store_status forum_delete(struct fixture *fixture, const struct forum_change *change,
                               struct store_post_changed *out) {
    unsigned char id[ID_BYTES];
    struct store_post_change is = change_of(fixture, change, id);
    fixture_begin(fixture);
    enum store_status status = store_post_delete(fixture->store, &is, out);
    fixture_commit(fixture);
    return status;
}

struct store_post_changed forum_posted(struct fixture *fixture, int64_t account, const char *title,
                                       const char *text) {
    struct store_post_changed changed;
    struct forum_change change = {.title = title, .account = account, .text = text};
    assert_ok(forum_post(fixture, &change, &changed));
    assert_false(changed.again);
    return changed;
}

void forum_write_rows(struct fixture *fixture) {
    fixture_begin(fixture);
    assert_ok(sqlite_write(fixture->store));
    assert_ok(sqlite_fresh_write(fixture->store));
    fixture_commit(fixture);
}

/* ---- pages ---- */

struct lines {
    char *text; /* owned */
    size_t bytes;
    size_t count;
    uint64_t seq;
};

static void add(struct lines *lines, const char *line, size_t bytes) {
    lines->text = realloc(lines->text, lines->bytes + bytes + 1);
    assert_non_null(lines->text);
    memcpy(lines->text + lines->bytes, line, bytes);
    lines->bytes += bytes;
    lines->text[lines->bytes] = '\0';
}

static void add_line(struct lines *lines, const char *head, const char *text, size_t bytes) {
    add(lines, head, strlen(head));
    add(lines, text, bytes);
    add(lines, "\n", 1);
    lines->count++;
}

static bool add_item(void *arg, const struct store_post *post, const struct store_file *file) {
    struct lines *lines = arg;
    char head[128];
    assert_true((!post) != (!file));
    uint64_t seq = !post ? file->seq : post->seq;
    assert_true(seq > lines->seq);
    lines->seq = seq;
    if (post) {
        (void)snprintf(head, sizeof head, "%d %s: ", (int)post->number, post->user);
        add_line(lines, head, post->text, post->text_bytes);
    } else {
        assert_int_equal(file->received, file->size);
        (void)snprintf(head, sizeof head, "%s uploaded ", file->user);
        add_line(lines, head, file->name, strlen(file->name));
    }
    return true;
}

char *forum_read(struct fixture *fixture, int64_t stream, uint64_t after_seq, size_t limit) {
    struct lines lines = {.seq = after_seq};
    add(&lines, "", 0);
    assert_ok(store_thread_read(fixture->store, stream, after_seq, limit, add_item, &lines));
    assert_true(lines.count <= limit);
    return lines.text;
}

void forum_expect(struct fixture *fixture, int64_t stream, const char *lines) {
    char *is = forum_read(fixture, stream, 0, 1000000);
    assert_string_equal(is, lines);
    free(is);
}

static bool add_entry(void *arg, const struct store_thread_entry *entry) {
    static const char *const kinds[] = {[STORE_POSTED] = "posted",
                                        [STORE_EDITED] = "edited",
                                        [STORE_DELETED] = "deleted",
                                        [STORE_UPLOADED] = "uploaded",
                                        [STORE_FILE_DELETED] = "file deleted"};
    struct lines *lines = arg;
    char head[128];
    const struct store_post *post = &entry->post;
    assert_int_equal(entry->seq, ++lines->seq);
    if (entry->kind == STORE_UPLOADED && entry->file.file == 0) {
        (void)snprintf(head, sizeof head, "%d uploaded, deleted since", (int)entry->seq);
        add_line(lines, head, "", 0);
    } else if (entry->kind == STORE_FILE_DELETED) {
        (void)snprintf(head, sizeof head, "%d file deleted %s: ", (int)entry->seq,
                       entry->file.user);
        add_line(lines, head, entry->file.name, strlen(entry->file.name));
    } else if (entry->kind == STORE_UPLOADED) {
        assert_int_equal(entry->file.seq, entry->seq);
        (void)snprintf(head, sizeof head, "%d uploaded %s: ", (int)entry->seq, entry->file.user);
        add_line(lines, head, entry->file.name, strlen(entry->file.name));
    } else {
        (void)snprintf(head, sizeof head, "%d %s %d %s: ", (int)entry->seq, kinds[entry->kind],
                       (int)post->number, post->user);
        add_line(lines, head, post->text, post->text_bytes);
    }
    return true;
}

char *forum_sync(struct fixture *fixture, int64_t stream, uint64_t after_seq, size_t limit) {
    struct lines lines = {.seq = after_seq};
    add(&lines, "", 0);
    assert_ok(store_thread_sync(fixture->store, stream, after_seq, limit, add_entry, &lines));
    assert_true(lines.count <= limit);
    return lines.text;
}

void forum_expect_entries(struct fixture *fixture, int64_t stream, const char *lines) {
    char *is = forum_sync(fixture, stream, 0, 1000000);
    assert_string_equal(is, lines);
    free(is);
}

/* ---- files ---- */

enum store_status forum_delete_file(struct fixture *fixture, const struct store_file_change *given,
                                    struct store_file_deleted *out) {
    struct store_file_change change = *given;
    unsigned char id[ID_BYTES];
    fixture_id(fixture, id);
    change.id = change.id ? change.id : id;
    change.now_us = ++fixture->now_us;
    fixture_begin(fixture);
    enum store_status status = store_file_delete(fixture->store, &change, out);
    fixture_commit(fixture);
    return status;
}

void forum_same_file(const struct store_file *a, const struct store_file *b) {
    assert_int_equal(a->file, b->file);
    assert_memory_equal(a->id, b->id, ID_BYTES);
    assert_int_equal(a->seq, b->seq);
    assert_string_equal(a->user, b->user);
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->size, b->size);
    assert_int_equal(a->received, b->received);
    assert_memory_equal(a->hash, b->hash, HASH_BYTES);
    assert_int_equal(a->time_us, b->time_us);
}

void forum_fill(const struct forum_file *file, size_t offset, unsigned char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        uint64_t mixed = (offset + i + 1 + (file->seed << 40)) * UINT64_C(0x9e3779b97f4a7c15);
        bytes[i] = (unsigned char)(mixed >> 56 ^ mixed >> 29);
    }
}

static unsigned char *bytes_of(const struct forum_file *file, size_t offset, size_t length) {
    unsigned char *bytes = malloc(length + 1);
    assert_non_null(bytes);
    forum_fill(file, offset, bytes, length);
    return bytes;
}

void forum_file_hash(const struct forum_file *file, unsigned char hash[HASH_BYTES]) {
    struct hash state;
    unsigned char *bytes = bytes_of(file, 0, file->size);
    hash_begin(&state);
    hash_add(&state, bytes, file->size);
    hash_end(&state, hash);
    free(bytes);
    hash[7] ^= file->wrong_hash;
}

enum store_status forum_begin(struct fixture *fixture, const struct forum_file *file,
                              struct store_file *out) {
    unsigned char hash[HASH_BYTES];
    bool tells = file->told == FORUM_HASH_FIRST || file->told == FORUM_HASH_TWICE;
    forum_file_hash(file, hash);
    struct store_upload upload = {.id = file->id,
                                  .title = file->title,
                                  .name = file->name,
                                  .account = file->account,
                                  .size = file->size,
                                  .hash = tells ? hash : NULL,
                                  .quota_bytes = file->quota_bytes,
                                  .now_us = ++fixture->now_us};
    fixture_begin(fixture);
    enum store_status status = store_upload_begin(fixture->store, &upload, out);
    fixture_commit(fixture);
    return status;
}

enum store_status forum_chunk(struct fixture *fixture, const struct forum_file *file, size_t offset,
                              size_t length, struct store_file *out, bool *done) {
    struct store_thread thread;
    unsigned char hash[HASH_BYTES];
    bool tells = file->told == FORUM_HASH_LAST || file->told == FORUM_HASH_TWICE;
    tells = tells && offset + length == file->size;
    if (tells)
        forum_file_hash(file, hash);
    unsigned char *bytes = bytes_of(file, offset, length);
    fixture_begin(fixture);
    enum store_status status =
        store_upload_chunk(fixture->store, file->id, file->account, offset, bytes, length,
                           tells ? hash : NULL, ++fixture->now_us, out, done, &thread);
    fixture_commit(fixture);
    free(bytes);
    if (*done) {
        assert_string_equal(thread.title, file->title);
        assert_true(thread.head >= out->seq);
    }
    return status;
}

struct store_file forum_upload(struct fixture *fixture, const struct forum_file *file,
                               size_t chunk_bytes) {
    struct store_file stored;
    bool done;
    assert_ok(forum_begin(fixture, file, &stored));
    while (stored.seq == 0) {
        size_t at = (size_t)stored.received;
        size_t left = file->size - at;
        assert_ok(forum_chunk(fixture, file, at, left < chunk_bytes ? left : chunk_bytes, &stored,
                              &done));
        assert_true(stored.seq != 0 || stored.received > at);
    }
    assert_int_equal(stored.received, file->size);
    return stored;
}

void forum_expect_bytes(struct fixture *fixture, const struct forum_file *file, int64_t number,
                        size_t received) {
    unsigned char *is = malloc(received + 1);
    size_t count;
    assert_non_null(is);
    unsigned char *expected = bytes_of(file, 0, received);
    assert_ok(store_file_read(fixture->store, number, 0, is, received + 1, &count));
    assert_int_equal(count, received);
    assert_memory_equal(is, expected, received);
    free(expected);
    free(is);
}

int64_t forum_query(const struct fixture *fixture, const char *sql) {
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open_v2(fixture->path, &db, SQLITE_OPEN_READWRITE,
                                     fixture->vfs[0] == '\0' ? NULL : fixture->vfs),
                     SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL),
                     SQLITE_OK); /* a disk in memory has no shared memory */
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return value;
}
