/* Posts: appended, edited, deleted. Each is an entry of the log with an id of its own, so that a
 * retry is recognized before anything else is looked at. */
#include "thread.h"

#include <string.h>

const struct statement_text post_statements[] = {
    {STATEMENT_POST_AT, "SELECT edited_us FROM post WHERE stream = ?1 AND seq = ?2"},
    {STATEMENT_POST_EDITED,
     "UPDATE post SET text_pos = ?3, edited_us = ?4 WHERE stream = ?1 AND seq = ?2"},
    {STATEMENT_POST_REMOVE, "DELETE FROM post WHERE stream = ?1 AND seq = ?2"},
    {0},
};

/* ---- rows ---- */

/* Whether it stands. */
static enum store_status read_edited(struct store *store, const struct log_entry *entry,
                                     struct post *out) {
    const struct fresh_thread *fresh = fresh_thread(store->fresh, entry->stream);
    if (fresh && entry->seq >= fresh_first_seq(fresh)) {
        out->stands = true;
        return STORE_OK;
    }
    sqlite3_stmt *find = store->statements[STATEMENT_POST_AT];
    bind_number(find, 1, entry->stream);
    bind_number(find, 2, (int64_t)entry->seq);
    enum store_status status = sqlite_number(store, find, &out->post.edited_us);
    out->stands = status == STORE_OK;
    return status == STORE_FAILED ? STORE_FAILED : STORE_OK;
}

enum store_status sqlite_post_entry(struct store *store, const struct log_entry *entry,
                                    struct store_post *out) {
    const struct person *author;
    out->damaged = true;
    if (!entry->id) /* the post's entry is lost, or gone */
        return STORE_OK;
    enum store_status status = sqlite_person(store, entry->author, &author);
    if (status == STORE_OK)
        memcpy(out->user, author->name, sizeof out->user);
    memcpy(out->id, entry->id, ID_BYTES);
    out->time_us = entry->time_us;
    out->damaged = status != STORE_OK;
    return status == STORE_FAILED ? STORE_FAILED : STORE_OK;
}

enum store_status sqlite_post_at(struct store *store, int64_t position, struct post *out) {
    struct log_entry entry;
    *out = (struct post){.post.damaged = true};
    if (sqlite_log_read(store, position, &entry) != STORE_OK)
        return STORE_FAILED;
    if (entry.kind != LOG_POSTED)
        return STORE_OK;
    out->author = entry.author;
    out->post.seq = entry.seq;
    return sqlite_post_entry(store, &entry, &out->post) == STORE_OK
               ? read_edited(store, &entry, out)
               : STORE_FAILED;
}

/* ---- retries ---- */

/* What an id names in the log. */
struct known {
    int64_t position;
    int kind;
    int64_t author;
    int64_t stream;
    int64_t subject;
    uint64_t seq;
    int64_t time_us;
    bool same_text;
};

/* OK, NOT_FOUND. */
static enum store_status find_known(struct store *store, const unsigned char *id,
                                    const struct store_post_change *change, struct known *out) {
    struct log_entry entry;
    enum store_status status = sqlite_log_find(store, id, &out->position, &entry);
    if (status != STORE_OK)
        return status;
    out->kind = entry.kind;
    out->time_us = entry.time_us;
    out->author = entry.author;
    out->stream = entry.stream;
    out->seq = entry.seq;
    out->subject = (int64_t)entry.second;
    out->same_text =
        !entry.text_damaged && entry.text_bytes == change->text_bytes &&
        (entry.text_bytes == 0 || memcmp(entry.text, change->text, entry.text_bytes) == 0);
    return STORE_OK;
}

/* A change on its way. */
struct changing {
    int kind;
    const struct store_post_change *change; /* borrowed: from the caller */
    struct store_thread thread;
    int64_t position; /* of the post */
    struct post post;
};

/* Looks at what was stored under the change's id: OK if it is the same, ID_REUSED. */
static enum store_status answer_again(struct store *store, const struct changing *of,
                                      const struct known *known, struct store_post_changed *out) {
    const struct store_post_change *change = of->change;
    int64_t position = of->kind == LOG_POSTED ? known->position : known->subject;
    struct post post;
    if (known->kind != of->kind || known->author != change->account ||
        known->stream != of->thread.stream || (of->kind != LOG_DELETED && !known->same_text))
        return STORE_ID_REUSED;
    if (sqlite_post_at(store, position, &post) != STORE_OK)
        return STORE_FAILED;
    if (of->kind != LOG_POSTED && change->post && memcmp(change->post, post.post.id, ID_BYTES) != 0)
        return STORE_ID_REUSED;
    if (post.stands &&
        sqlite_number_of(store, of->thread.stream, post.post.seq, &post.post.number) != STORE_OK)
        return STORE_FAILED;
    *out = (struct store_post_changed){.again = true,
                                       .seq = known->seq,
                                       .time_us = known->time_us,
                                       .thread = of->thread,
                                       .post = post.post};
    return STORE_OK;
}

/* Finds the thread, and whether the change is new. OK (then out->again tells), NOT_FOUND (the
 * thread), ID_REUSED. */
static enum store_status begin(struct store *store, struct changing *of,
                               struct store_post_changed *out) {
    struct known known;
    out->again = false;
    enum store_status status = store_thread_find(store, of->change->title, &of->thread);
    if (status != STORE_OK)
        return status;
    status = find_known(store, of->change->id, of->change, &known);
    if (status == STORE_OK)
        return answer_again(store, of, &known, out);
    return status == STORE_NOT_FOUND ? sqlite_id_free_beside_log(store, of->change->id) : status;
}

/* ---- changing ---- */

/* Appends the entry to the log, and fills the answer. The post of `of` is as it is after the
 * change. */
static enum store_status append(struct store *store, struct changing *of, int64_t subject,
                                struct store_post_changed *out) {
    const struct store_post_change *change = of->change;
    bool has_text = of->kind != LOG_DELETED;
    struct log_entry entry = {.id = change->id,
                              .kind = of->kind,
                              .author = change->account,
                              .second = (uint64_t)subject,
                              .text = has_text ? change->text : "",
                              .text_bytes = has_text ? change->text_bytes : 0,
                              .time_us = change->now_us};
    if (sqlite_thread_append(store, &of->thread, &entry) != STORE_OK)
        return STORE_FAILED;
    *out = (struct store_post_changed){.seq = of->thread.head,
                                       .time_us = change->now_us,
                                       .thread = of->thread,
                                       .post = of->post.post};
    return STORE_OK;
}

/* This has to be the last check, because nothing undoes what it counts. OK, FULL, QUOTA_ACCOUNT. */
static enum store_status begin_adding(struct store *store, const struct store_post_change *change) {
    enum store_status status = sqlite_add(store);
    return status == STORE_OK ? sqlite_fresh_use(store, change->account, change->text_bytes)
                              : status;
}

enum store_status store_post_add(struct store *store, const struct store_post_change *change,
                                 struct store_post_changed *out) {
    struct changing of = {.kind = LOG_POSTED, .change = change};
    const struct person *author;
    enum store_status status = begin(store, &of, out);
    if (status != STORE_OK || out->again)
        return status;
    status = sqlite_person(store, change->account, &author);
    if (status != STORE_OK)
        return status;
    status = begin_adding(store, change);
    if (status != STORE_OK)
        return status;
    of.thread.posts++;
    of.post.post = (struct store_post){
        .number = of.thread.posts, .seq = of.thread.head + 1, .time_us = change->now_us};
    memcpy(of.post.post.id, change->id, ID_BYTES);
    memcpy(of.post.post.user, author->name, sizeof of.post.post.user);
    return append(store, &of, 0, out);
}

/* ---- edits and deletions ---- */

/* Finds the position in the log of the post that the change names. OK, NOT_FOUND. */
static enum store_status find_position(struct store *store, struct changing *of) {
    const struct store_post_change *change = of->change;
    struct known known;
    if (!change->post)
        return sqlite_number_find(store, of->thread.stream, change->number, &of->position);
    enum store_status status = find_known(store, change->post, change, &known);
    if (status == STORE_OK && (known.kind != LOG_POSTED || known.stream != of->thread.stream))
        status = STORE_NOT_FOUND;
    of->position = status == STORE_OK ? known.position : 0;
    return status;
}

/* Makes all checks. OK (then out->again tells), or what store_post_edit returns. */
static enum store_status begin_change(struct store *store, struct changing *of,
                                      struct store_post_changed *out) {
    enum store_status status = begin(store, of, out);
    if (status != STORE_OK || out->again)
        return status;
    status = find_position(store, of);
    if (status == STORE_OK)
        status = sqlite_post_at(store, of->position, &of->post);
    if (status != STORE_OK)
        return status;
    if (!of->post.stands)
        return STORE_POST_DELETED;
    return of->post.author == of->change->account ? STORE_OK : STORE_NOT_OWNER;
}

/* As begin_adding. */
static enum store_status begin_editing(struct store *store,
                                       const struct store_post_change *change) {
    enum store_status status = sqlite_add(store);
    if (status == STORE_OK)
        status = sqlite_fresh_write(store);
    return status == STORE_OK ? sqlite_use_log(store, change->account, change->text_bytes) : status;
}

static enum store_status update_post(struct store *store, const struct changing *of) {
    sqlite3_stmt *edited = store->statements[STATEMENT_POST_EDITED];
    bind_number(edited, 1, of->thread.stream);
    bind_number(edited, 2, (int64_t)of->post.post.seq);
    bind_number(edited, 3, store->last_position);
    bind_number(edited, 4, of->change->now_us);
    return sqlite_run(store, edited);
}

enum store_status store_post_edit(struct store *store, const struct store_post_change *change,
                                  struct store_post_changed *out) {
    struct changing of = {.kind = LOG_EDITED, .change = change};
    enum store_status status = begin_change(store, &of, out);
    if (status != STORE_OK || out->again)
        return status;
    of.post.post.edited_us = change->now_us;
    if (sqlite_number_of(store, of.thread.stream, of.post.post.seq, &of.post.post.number) !=
        STORE_OK)
        return STORE_FAILED;
    status = begin_editing(store, change);
    if (status != STORE_OK)
        return status;
    if (append(store, &of, of.position, out) != STORE_OK)
        return STORE_FAILED;
    return update_post(store, &of);
}

static enum store_status delete_post(struct store *store, const struct changing *of) {
    sqlite3_stmt *remove = store->statements[STATEMENT_POST_REMOVE];
    bind_number(remove, 1, of->thread.stream);
    bind_number(remove, 2, (int64_t)of->post.post.seq);
    return sqlite_run(store, remove) == STORE_OK
               ? sqlite_number_went(store, of->thread.stream, of->post.post.seq)
               : STORE_FAILED;
}

enum store_status store_post_delete(struct store *store, const struct store_post_change *change,
                                    struct store_post_changed *out) {
    struct changing of = {.kind = LOG_DELETED, .change = change};
    enum store_status status = begin_change(store, &of, out);
    if (status != STORE_OK || out->again)
        return status;
    status = sqlite_write_pages(store, sqlite_fresh_pages(store));
    if (status == STORE_OK)
        status = sqlite_use_log_always(store, change->account);
    if (status != STORE_OK)
        return status;
    of.thread.posts--;
    if (append(store, &of, of.position, out) != STORE_OK)
        return STORE_FAILED;
    return delete_post(store, &of);
}
