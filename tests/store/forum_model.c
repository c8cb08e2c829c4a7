/* The model is a list of entries for each thread, and whether a post still stands. */
#include "forum_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    THREADS = 3,
    AUTHORS = 3,
    ENTRIES_MAX = 8000,
    TEXT_MAX = 400,
    PIECE_BYTES = 262144,
    REMOVED_MAX = 16
};

struct entry {
    enum store_entry_kind kind;
    size_t post; /* of an edit or a deletion: which entry came as a post */
    size_t author;
    size_t text;
    size_t present_text; /* of a post */
    bool stands;         /* of a post */
    bool is_deleted;     /* of a file */
    unsigned char id[ID_BYTES];
    struct forum_file file;
    int64_t file_number;
};

struct thread {
    char title[32];
    int64_t stream;
    size_t creator;
    struct entry *entries; /* owned; from 1 on */
    size_t count;
};

/* A thread that was removed: of the last ones some are kept. */
struct removed {
    int64_t stream; /* 0: none */
    unsigned char id[ID_BYTES];
    bool has_id;  /* of something in it, which may be used again */
    int64_t file; /* 0: it had none */
};

struct forum_model {
    struct fixture *fixture; /* borrowed: from the test */
    uint64_t random;
    int64_t accounts[AUTHORS];
    struct thread threads[THREADS];
    struct removed removed[REMOVED_MAX];
    size_t removals;
    size_t messages;
    char names[ENTRIES_MAX][16];
    size_t names_count;
    bool deletes_no_file;
};

static size_t below(struct forum_model *model, size_t end) {
    model->random ^= model->random << 13;
    model->random ^= model->random >> 7;
    model->random ^= model->random << 17;
    return (size_t)(model->random % end);
}

static void text_of(size_t number, char text[TEXT_MAX]) {
    int start = snprintf(text, TEXT_MAX, "text %zu ", number);
    size_t bytes = (size_t)start + number * 37 % (TEXT_MAX - 64);
    memset(text + start, 'x', bytes - (size_t)start);
    text[bytes] = '\0';
}

static void make_thread(struct forum_model *model, struct thread *thread) {
    thread->creator = below(model, AUTHORS);
    thread->count = 0;
    thread->stream = forum_thread(model->fixture, model->accounts[thread->creator], thread->title);
}

struct forum_model *forum_model_new(struct fixture *fixture, uint64_t seed) {
    struct forum_model *model = calloc(1, sizeof *model);
    assert_non_null(model);
    model->fixture = fixture;
    model->random = seed * 2 + 1;
    for (size_t i = 0; i < AUTHORS; i++) {
        char name[NAME_BYTES];
        (void)snprintf(name, sizeof name, "user%zu", i);
        model->accounts[i] = fixture_account(fixture, name);
    }
    for (size_t i = 0; i < THREADS; i++) {
        struct thread *thread = &model->threads[i];
        (void)snprintf(thread->title, sizeof thread->title, "thread %zu", i);
        thread->entries = calloc(ENTRIES_MAX, sizeof *thread->entries);
        assert_non_null(thread->entries);
        make_thread(model, thread);
    }
    return model;
}

void forum_model_free(struct forum_model *model) {
    for (size_t i = 0; i < THREADS; i++)
        free(model->threads[i].entries);
    free(model);
}

/* ---- numbers ---- */

static size_t number_of(const struct thread *thread, size_t seq) {
    size_t number = 0;
    if (!thread->entries[seq].stands)
        return 0;
    for (size_t i = 1; i <= seq; i++)
        number += thread->entries[i].stands;
    return number;
}

static size_t posts_of(const struct thread *thread) {
    size_t posts = 0;
    for (size_t i = 1; i <= thread->count; i++)
        posts += thread->entries[i].stands;
    return posts;
}

/* 0: there is none. */
static size_t find_number(const struct thread *thread, size_t number) {
    for (size_t i = 1; i <= thread->count; i++)
        if (thread->entries[i].stands && --number == 0)
            return i;
    return 0;
}

/* ---- operations ---- */

static struct entry *enter(struct thread *thread, const struct entry *entry) {
    assert_true(thread->count + 1 < ENTRIES_MAX);
    thread->entries[++thread->count] = *entry;
    return &thread->entries[thread->count];
}

/* Mostly a new one, or one that something in a removed thread had. */
static void choose_id(struct forum_model *model, unsigned char id[ID_BYTES]) {
    struct removed *removed = &model->removed[below(model, REMOVED_MAX)];
    fixture_id(model->fixture, id);
    if (removed->has_id && below(model, 3) == 0) {
        memcpy(id, removed->id, ID_BYTES);
        removed->has_id = false;
    }
}

static void post(struct forum_model *model, struct thread *thread) {
    char text[TEXT_MAX];
    struct store_post_changed changed;
    struct entry entry = {.kind = STORE_POSTED,
                          .author = below(model, AUTHORS),
                          .text = below(model, 1000),
                          .stands = true};
    entry.present_text = entry.text;
    choose_id(model, entry.id);
    text_of(entry.text, text);
    struct forum_change change = {.id = entry.id,
                                  .title = thread->title,
                                  .account = model->accounts[entry.author],
                                  .text = text};
    assert_ok(forum_post(model->fixture, &change, &changed));
    enter(thread, &entry);
    assert_int_equal(changed.seq, thread->count);
    assert_int_equal(changed.post.number, posts_of(thread));
    assert_int_equal(changed.thread.posts, posts_of(thread));
    if (below(model, 10) == 0) {
        assert_ok(forum_post(model->fixture, &change, &changed));
        assert_true(changed.again);
        assert_int_equal(changed.post.number, posts_of(thread));
    }
}

static enum store_status expected(const struct thread *thread, size_t seq, size_t author) {
    if (seq == 0)
        return STORE_NOT_FOUND;
    if (!thread->entries[seq].stands)
        return STORE_POST_DELETED;
    return thread->entries[seq].author == author ? STORE_OK : STORE_NOT_OWNER;
}

/* An edit or a deletion, of a post by its number or its id. */
static void change_post(struct forum_model *model, struct thread *thread, bool deletes) {
    char text[TEXT_MAX];
    struct store_post_changed changed;
    struct entry entry = {.kind = deletes ? STORE_DELETED : STORE_EDITED,
                          .author = below(model, AUTHORS),
                          .text = below(model, 1000)};
    struct forum_change change = {.id = entry.id,
                                  .title = thread->title,
                                  .account = model->accounts[entry.author],
                                  .text = deletes ? NULL : text};
    fixture_id(model->fixture, entry.id);
    text_of(entry.text, text);
    if (below(model, 2) == 0) {
        change.number = below(model, posts_of(thread) + 2);
        entry.post = change.number == 0 ? 0 : find_number(thread, (size_t)change.number);
    } else {
        entry.post = thread->count == 0 ? 0 : 1 + below(model, thread->count);
        change.post = entry.post == 0 ? entry.id : thread->entries[entry.post].id;
        if (entry.post != 0 && thread->entries[entry.post].kind != STORE_POSTED)
            entry.post = 0;
    }
    enum store_status expects = expected(thread, entry.post, entry.author);
    enum store_status is = deletes ? forum_delete(model->fixture, &change, &changed)
                                   : forum_edit(model->fixture, &change, &changed);
    assert_int_equal(is, expects);
    if (is != STORE_OK)
        return;
    enter(thread, &entry);
    struct entry *of = &thread->entries[entry.post];
    of->stands = !deletes;
    of->present_text = entry.text;
    assert_int_equal(changed.seq, thread->count);
    assert_int_equal(changed.post.number, number_of(thread, entry.post));
    assert_int_equal(changed.thread.posts, posts_of(thread));
}

static void upload(struct forum_model *model, struct thread *thread) {
    struct entry entry = {.kind = STORE_UPLOADED, .author = below(model, AUTHORS)};
    char *name = model->names[model->names_count];
    bool in_pieces = below(model, 4) == 0;
    if (model->names_count == ENTRIES_MAX - 1)
        return;
    (void)snprintf(name, sizeof model->names[0], "file %zu", model->names_count++);
    entry.file = (struct forum_file){.title = thread->title,
                                     .name = name,
                                     .account = model->accounts[entry.author],
                                     .seed = below(model, 1000),
                                     .size = below(model, in_pieces ? 600000 : 20000),
                                     .told = (enum forum_hash)below(model, FORUM_HASH_NEVER)};
    choose_id(model, entry.file.id);
    struct store_file stored = forum_upload(model->fixture, &entry.file,
                                            in_pieces ? PIECE_BYTES : 1 + below(model, 30000));
    memcpy(entry.id, entry.file.id, ID_BYTES);
    entry.file_number = stored.file;
    enter(thread, &entry);
    assert_int_equal(stored.seq, thread->count);
}

/* The newest one that stands. 0: there is none. */
static size_t find_file(const struct thread *thread) {
    size_t seq = thread->count;
    while (seq > 0 &&
           (thread->entries[seq].kind != STORE_UPLOADED || thread->entries[seq].is_deleted))
        seq--;
    return seq;
}

/* By its uploader, the thread's creator, an administrator, or somebody who must not. */
static void delete_file(struct forum_model *model, struct thread *thread) {
    struct store_file_deleted deleted;
    unsigned char id[ID_BYTES];
    size_t seq = find_file(thread), who = below(model, AUTHORS);
    bool admin = below(model, 4) == 0;
    if (seq == 0 || model->deletes_no_file)
        return;
    struct entry *of = &thread->entries[seq];
    choose_id(model, id);
    struct store_file_change change = {.id = id,
                                       .title = thread->title,
                                       .name = of->file.name,
                                       .account = model->accounts[who],
                                       .admin = admin};
    enum store_status status = forum_delete_file(model->fixture, &change, &deleted);
    bool may = admin || who == of->author || who == thread->creator;
    assert_int_equal(status, may ? STORE_OK : STORE_NOT_OWNER);
    if (!may)
        return;
    of->is_deleted = true;
    assert_memory_equal(deleted.id, of->id, ID_BYTES);
    struct entry entry = {.kind = STORE_FILE_DELETED, .author = who, .post = seq};
    memcpy(entry.id, id, ID_BYTES);
    enter(thread, &entry);
    assert_int_equal(deleted.seq, thread->count);
    assert_int_equal(forum_delete_file(model->fixture, &change, &deleted), STORE_OK);
    assert_true(deleted.again);
    assert_int_equal(deleted.seq, thread->count);
}

static void keep_removed(struct forum_model *model, const struct thread *thread) {
    struct removed *removed = &model->removed[model->removals++ % REMOVED_MAX];
    *removed = (struct removed){.stream = thread->stream, .has_id = thread->count > 0};
    if (removed->has_id)
        memcpy(removed->id, thread->entries[1 + below(model, thread->count)].id, ID_BYTES);
    for (size_t i = 1; i <= thread->count && removed->file == 0; i++)
        removed->file = thread->entries[i].file_number;
}

static void remove_and_make(struct forum_model *model, struct thread *thread) {
    struct store_thread removed;
    keep_removed(model, thread);
    fixture_begin(model->fixture);
    assert_ok(store_thread_remove(model->fixture->store, thread->title,
                                  model->accounts[thread->creator], false, &removed));
    fixture_commit(model->fixture);
    assert_int_equal(removed.head, thread->count);
    make_thread(model, thread);
}

static void maintain(struct forum_model *model) {
    bool more;
    fixture_begin(model->fixture);
    assert_ok(store_maintain(model->fixture->store, &more));
    fixture_commit(model->fixture);
}

static void operate(struct forum_model *model, size_t removal_odds) {
    struct thread *thread = &model->threads[below(model, THREADS)];
    size_t what = below(model, 100);
    if (what < 45) {
        post(model, thread);
    } else if (what < 60) {
        change_post(model, thread, false);
    } else if (what < 80) {
        change_post(model, thread, true);
    } else if (what < 83) {
        upload(model, thread);
    } else if (what < 84) {
        delete_file(model, thread);
    } else if (what < 90) {
        fixture_sent(model->fixture, model->accounts[0], "user1", "between");
        model->messages++;
    } else {
        maintain(model);
    }
    if (below(model, removal_odds) == 0)
        remove_and_make(model, &model->threads[below(model, THREADS)]);
}

void forum_model_delete_no_file(struct forum_model *model) {
    model->deletes_no_file = true;
}

void forum_model_run(struct forum_model *model, size_t operations, size_t removal_odds) {
    for (size_t i = 0; i < operations; i++) {
        operate(model, removal_odds);
        if (below(model, 200) == 0)
            fixture_reopen(model->fixture);
    }
}

/* Of whole pieces, which go where others were before. */
static void begin_upload(struct forum_model *model, const struct thread *thread) {
    unsigned char id[ID_BYTES];
    static const unsigned char bytes[2 * PIECE_BYTES];
    struct store_upload upload = {.id = id,
                                  .title = thread->title,
                                  .name = "lost",
                                  .account = model->accounts[0],
                                  .size = 3 * PIECE_BYTES,
                                  .now_us = 1};
    struct store_file stored;
    struct store_thread in;
    bool done;
    fixture_id(model->fixture, id);
    assert_ok(store_upload_begin(model->fixture->store, &upload, &stored));
    assert_ok(store_upload_chunk(model->fixture->store, id, upload.account, 0, bytes, sizeof bytes,
                                 NULL, 1, &stored, &done, &in));
}

void forum_model_begin_one(struct forum_model *model) {
    struct thread *thread = &model->threads[below(model, THREADS)];
    struct store_thread removed;
    struct store_post_changed changed;
    unsigned char id[ID_BYTES];
    fixture_id(model->fixture, id);
    struct store_post_change change = {.id = id,
                                       .title = thread->title,
                                       .account = model->accounts[0],
                                       .text = "lost",
                                       .text_bytes = 4,
                                       .now_us = 1};
    fixture_begin(model->fixture);
    assert_ok(store_post_add(model->fixture->store, &change, &changed));
    if (below(model, 2) == 0)
        assert_ok(store_thread_remove(model->fixture->store, thread->title,
                                      model->accounts[thread->creator], false, &removed));
    begin_upload(model, &model->threads[(size_t)(thread - model->threads + 1) % THREADS]);
}

/* ---- checking ---- */

struct text {
    char *text; /* owned */
    size_t bytes;
    size_t max;
};

static void add_line(struct text *to, const char *head, const char *text) {
    size_t bytes = strlen(head) + strlen(text) + 2;
    if (to->bytes + bytes > to->max) {
        to->max = 2 * to->max + bytes;
        to->text = realloc(to->text, to->max);
        assert_non_null(to->text);
    }
    to->bytes += (size_t)snprintf(to->text + to->bytes, bytes, "%s%s\n", head, text);
}

/* As forum_read has it. */
static char *present(const struct thread *thread) {
    struct text lines = {.text = calloc(1, 1), .max = 1};
    size_t number = 0;
    for (size_t i = 1; i <= thread->count; i++) {
        const struct entry *entry = &thread->entries[i];
        char head[64];
        char text[TEXT_MAX];
        if (entry->kind == STORE_FILE_DELETED || entry->is_deleted)
            continue;
        if (entry->kind == STORE_UPLOADED) {
            (void)snprintf(head, sizeof head, "user%zu uploaded ", entry->author);
            add_line(&lines, head, entry->file.name);
        } else if (entry->stands) {
            (void)snprintf(head, sizeof head, "%zu user%zu: ", ++number, entry->author);
            text_of(entry->present_text, text);
            add_line(&lines, head, text);
        }
    }
    return lines.text;
}

/* As forum_sync has it. */
static char *past(const struct thread *thread) {
    static const char *const kinds[] = {
        [STORE_POSTED] = "posted", [STORE_EDITED] = "edited", [STORE_DELETED] = "deleted"};
    struct text lines = {.text = calloc(1, 1), .max = 1};
    for (size_t i = 1; i <= thread->count; i++) {
        const struct entry *entry = &thread->entries[i];
        char head[64];
        char text[TEXT_MAX] = "";
        if (entry->is_deleted) {
            (void)snprintf(head, sizeof head, "%zu uploaded, deleted since", i);
            add_line(&lines, head, "");
            continue;
        }
        if (entry->kind == STORE_FILE_DELETED) {
            (void)snprintf(head, sizeof head, "%zu file deleted user%zu: ", i, entry->author);
            add_line(&lines, head, thread->entries[entry->post].file.name);
            continue;
        }
        if (entry->kind == STORE_UPLOADED) {
            (void)snprintf(head, sizeof head, "%zu uploaded user%zu: ", i, entry->author);
            add_line(&lines, head, entry->file.name);
            continue;
        }
        size_t of = entry->kind == STORE_POSTED ? i : entry->post;
        (void)snprintf(head, sizeof head, "%zu %s %zu user%zu: ", i, kinds[entry->kind],
                       number_of(thread, of), entry->author);
        if (entry->kind != STORE_DELETED)
            text_of(entry->text, text);
        add_line(&lines, head, text);
    }
    return lines.text;
}

/* Pages of random sizes of either kind, one after the other; each must be where it is in `whole`.
 */
static void check_pages(struct forum_model *model, const struct thread *thread, const char *whole) {
    const char *at = whole;
    size_t seq = 0;
    while (seq < thread->count) {
        size_t limit = 1 + below(model, 300);
        char *page = forum_sync(model->fixture, thread->stream, seq, limit);
        assert_int_equal(strncmp(at, page, strlen(page)), 0);
        at += strlen(page);
        seq = seq + limit < thread->count ? seq + limit : thread->count;
        free(page);
    }
    assert_string_equal(at, "");
}

static void check_tail(struct forum_model *model, const struct thread *thread, const char *whole) {
    char *tail =
        forum_read(model->fixture, thread->stream, below(model, thread->count + 1), 100000);
    size_t bytes = strlen(whole);
    assert_true(strlen(tail) <= bytes);
    assert_string_equal(whole + bytes - strlen(tail), tail);
    free(tail);
}

static bool no_item(void *arg, const struct store_post *post, const struct store_file *file) {
    (void)arg, (void)post, (void)file;
    fail();
    return false;
}

static bool no_entry(void *arg, const struct store_thread_entry *entry) {
    (void)arg, (void)entry;
    fail();
    return false;
}

static void check_removed(const struct forum_model *model) {
    struct store *store = model->fixture->store;
    for (size_t i = 0; i < REMOVED_MAX; i++) {
        const struct removed *removed = &model->removed[i];
        unsigned char byte;
        size_t count;
        assert_int_equal(store_thread_read(store, removed->stream, 0, 9, no_item, NULL),
                         STORE_NOT_FOUND);
        assert_int_equal(store_thread_sync(store, removed->stream, 0, 9, no_entry, NULL),
                         STORE_NOT_FOUND);
        assert_int_equal(store_file_read(store, removed->file, 0, &byte, 1, &count),
                         STORE_NOT_FOUND);
    }
}

/* What stands counts so much in the author's quotas. */
static void count_used(const struct forum_model *model, size_t author, uint64_t *post_bytes,
                       uint64_t *file_bytes) {
    char text[TEXT_MAX];
    *post_bytes = *file_bytes = 0;
    for (size_t i = 0; i < THREADS; i++) {
        const struct thread *thread = &model->threads[i];
        for (size_t seq = 1; seq <= thread->count; seq++) {
            const struct entry *entry = &thread->entries[seq];
            text_of(entry->text, text);
            if (entry->author != author || entry->is_deleted)
                continue;
            if (entry->kind == STORE_UPLOADED)
                *file_bytes += entry->file.size + FILE_ROW_BYTES;
            else
                *post_bytes += LOG_ROW_BYTES +
                               (entry->kind == STORE_DELETED || entry->kind == STORE_FILE_DELETED
                                    ? 0
                                    : strlen(text));
        }
    }
}

static void expect_used(const struct forum_model *model, size_t author, const char *what,
                        uint64_t expected) {
    char sql[128];
    (void)snprintf(sql, sizeof sql, "SELECT %s FROM account WHERE id = %d", what,
                   (int)model->accounts[author]);
    assert_int_equal(forum_query(model->fixture, sql), expected);
}

static void check_swept(const struct forum_model *model) {
    static const char *const empty[] = {
        "SELECT count(*) FROM rubbish_thread",
        "SELECT count(*) FROM rubbish_file",
        "SELECT count(*) FROM post WHERE stream NOT IN (SELECT stream FROM thread)",
        "SELECT count(*) FROM post_block WHERE stream NOT IN (SELECT stream FROM thread)",
        "SELECT count(*) FROM file WHERE stream NOT IN (SELECT stream FROM thread)",
        "SELECT count(*) FROM entry WHERE stream NOT IN (SELECT id FROM stream)",
        "SELECT count(*) FROM piece WHERE place >> 20 NOT IN (SELECT file FROM file)",
        "SELECT count(*) FROM piece_slot WHERE place >> 20 NOT IN (SELECT file FROM file)",
    };
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++)
        assert_int_equal(forum_query(model->fixture, empty[i]), 0);
    for (size_t i = 0; i < AUTHORS; i++) {
        uint64_t post_bytes, file_bytes;
        count_used(model, i, &post_bytes, &file_bytes);
        expect_used(model, i, "post_bytes", post_bytes);
        expect_used(model, i, "file_bytes", file_bytes);
    }
}

void forum_model_sweep(struct forum_model *model) {
    fixture_merge_all(model->fixture);
    forum_write_rows(model->fixture);
    fixture_close(model->fixture);
    check_swept(model);
    fixture_open(model->fixture);
}

void forum_model_check(struct forum_model *model) {
    check_removed(model);
    for (size_t i = 0; i < THREADS; i++) {
        const struct thread *thread = &model->threads[i];
        struct store_thread is = forum_find(model->fixture, thread->title);
        assert_int_equal(is.head, thread->count);
        assert_int_equal(is.posts, posts_of(thread));
        char *now = present(thread);
        char *then = past(thread);
        forum_expect(model->fixture, thread->stream, now);
        check_tail(model, thread, now);
        check_pages(model, thread, then);
        free(now);
        free(then);
        for (size_t seq = 1; seq <= thread->count; seq++) {
            const struct entry *entry = &thread->entries[seq];
            if (entry->kind == STORE_UPLOADED && !entry->is_deleted)
                forum_expect_bytes(model->fixture, &entry->file, entry->file_number,
                                   entry->file.size);
        }
    }
    assert_int_equal(store_message_count(model->fixture->store), model->messages);
}
