/* Searching: the index says where words are, the log and the tables what stands there now. */
#include "thread.h"
#include "word_text.h"
#include "words.h"

#include <string.h>

const struct statement_text search_statements[] = {
    {STATEMENT_POST_TEXT, "SELECT text_pos FROM post WHERE stream = ?1 AND seq = ?2"},
    {0},
};

/* Positions that one look goes through, divided by the words: some milliseconds if each entry has
 * all of them. */
#define LOOK_POSITIONS 65536
/* A search ends after this long, or so many looks where no clock tells, and goes on with the next
 * page. */
#define SEARCH_US    5000
#define SEARCH_LOOKS 16
/* Hits that one look asks for: not all may still stand. */
#define HITS 64

struct search {
    const struct store_search *search; /* borrowed */
    int64_t look;                      /* positions that one look goes through */
    bool (*each)(void *arg, const struct store_found *);
    void *arg;
    size_t left;
    bool ended;   /* by the limit, or by `each` */
    bool refused; /* by `each`: the last one was not taken */
};

/* ---- what was found ---- */

/* Whether the text of the message at `position` is the one that counts. OK, NOT_FOUND. */
static enum store_status still_stands(struct store *store, int64_t position,
                                      const struct log_entry *entry) {
    int64_t last;
    bool gone;
    enum store_status status =
        sqlite_amended_find(store, entry->original_id ? entry->original : position, &last, &gone);
    if (status == STORE_NOT_FOUND)
        return entry->original_id ? STORE_NOT_FOUND : STORE_OK;
    return status == STORE_OK && (gone || last != position) ? STORE_NOT_FOUND : status;
}

static enum store_status found_message(struct store *store, int64_t position,
                                       const struct log_entry *entry, const struct search *search,
                                       struct store_found *found) {
    const struct person *from, *to;
    int64_t account = search->search->account;
    if (entry->author != account && entry->stream != account)
        return STORE_NOT_FOUND;
    enum store_status status = still_stands(store, position, entry);
    if (status == STORE_OK)
        status = sqlite_person(store, entry->author, &from);
    if (status == STORE_OK)
        status = sqlite_person(store, entry->stream, &to);
    if (status != STORE_OK)
        return status;
    found->message = (struct store_message){
        .seq = entry->stream == account ? entry->seq : entry->second,
        .time_us = entry->time_us,
        .from = from->name,
        .to = to->name,
        .text = entry->text,
        .text_bytes = entry->text_bytes,
    };
    memcpy(found->message.id, entry->id, ID_BYTES);
    sqlite_original_of(entry, &found->message);
    return STORE_OK;
}

/* Where the text is that stands: of a post that has no row yet, its own entry. */
static enum store_status text_position(struct store *store, int64_t stream, const struct post *post,
                                       int64_t position, int64_t *out) {
    sqlite3_stmt *find = store->statements[STATEMENT_POST_TEXT];
    bind_number(find, 1, stream);
    bind_number(find, 2, (int64_t)post->post.seq);
    enum store_status status = sqlite_number(store, find, out);
    if (status == STORE_NOT_FOUND)
        *out = position;
    return status == STORE_FAILED ? STORE_FAILED : STORE_OK;
}

/* The post whose text the entry at `position` is; NOT_FOUND where that text does not stand. */
static enum store_status found_post(struct store *store, int64_t position,
                                    const struct log_entry *entry, struct store_found *found) {
    struct post post;
    int64_t of = entry->kind == LOG_POSTED ? position : (int64_t)entry->second;
    int64_t stands = 0, stream = entry->stream;
    enum store_status status = sqlite_thread_get(store, stream, &found->thread);
    if (status == STORE_OK)
        status = sqlite_post_at(store, of, &post);
    if (status == STORE_OK)
        status = post.stands ? text_position(store, stream, &post, of, &stands) : STORE_NOT_FOUND;
    if (status == STORE_OK && stands != position)
        status = STORE_NOT_FOUND;
    if (status == STORE_OK)
        status = sqlite_number_of(store, stream, post.post.seq, &post.post.number);
    found->is_post = true;
    found->post = post.post;
    return status;
}

static enum store_status look_at(struct store *store, int64_t position, struct search *search) {
    struct log_entry entry;
    struct store_found found = {0};
    if (sqlite_log_read(store, position, &entry) != STORE_OK)
        return STORE_FAILED;
    enum store_status status = STORE_NOT_FOUND;
    if (log_is_message(entry.kind) && !entry.text_damaged)
        status = found_message(store, position, &entry, search, &found);
    else if (entry.kind == LOG_POSTED || entry.kind == LOG_EDITED)
        status = found_post(store, position, &entry, &found);
    if (status == STORE_OK && found.is_post) { /* others were read meanwhile */
        status = sqlite_log_read(store, position, &entry);
        found.post.text = entry.text ? entry.text : "";
        found.post.text_bytes = entry.text_bytes;
    }
    if (status == STORE_OK) {
        search->refused = !search->each(search->arg, &found);
        search->ended = search->refused || --search->left == 0;
    }
    return status == STORE_FAILED ? STORE_FAILED : STORE_OK;
}

/* ---- looks ---- */

/* *before: moves to where the next look begins. NO_INDEX. */
static enum store_status look(struct store *store, const char *expression, struct search *search,
                              int64_t *before) {
    int64_t positions[HITS];
    size_t count = 0;
    struct words_query query = {
        .expression = expression,
        .account = search->search->account,
        .before = *before,
        .from = *before > search->look ? *before - search->look : 1,
    };
    if (!words_find(store->words, &query, positions, HITS, &count))
        return STORE_NO_INDEX;
    *before = query.from;
    enum store_status status = STORE_OK;
    for (size_t i = 0; i < count && status == STORE_OK && !search->ended; i++) {
        status = look_at(store, positions[i], search);
        if (search->ended || count == HITS)
            *before = positions[i] + search->refused;
    }
    return status;
}

static bool is_over(const struct store *store, int64_t begun_us, int looks) {
    return !store->clock_us ? looks >= SEARCH_LOOKS : store->clock_us() - begun_us >= SEARCH_US;
}

enum store_status store_search(struct store *store, const struct store_search *search,
                               bool (*each)(void *arg, const struct store_found *), void *arg,
                               struct store_searched *out) {
    char expression[WORD_QUERY_BYTES(SEARCH_BYTES_MAX)];
    struct search course = {.search = search, .each = each, .arg = arg, .left = search->limit};
    int64_t begun_us = store->clock_us ? store->clock_us() : 0;
    *out = (struct store_searched){0};
    if (store->failed)
        return STORE_FAILED;
    if (!store->words)
        return STORE_NO_INDEX;
    size_t words = word_query(expression, search->words);
    if (words == 0 || words > SEARCH_WORDS_MAX)
        return STORE_NO_WORD;
    course.look = LOOK_POSITIONS / (int64_t)words;
    int64_t indexed = words_indexed(store->words);
    int64_t before = search->before > 0 && search->before <= indexed ? search->before : indexed + 1;
    enum store_status status = STORE_OK;
    for (int looks = 0; status == STORE_OK && !course.ended && before > 1; looks++) {
        if (looks > 0 && is_over(store, begun_us, looks))
            break;
        status = look(store, expression, &course, &before);
    }
    out->before = before;
    out->more = before > 1;
    out->behind = (uint64_t)(store->last_position - indexed);
    return status;
}
