/* See words.h. The thread reads the log through a connection of its own, and writes words together
 * with how far it read, in one transaction: a crash loses both alike. Only what is on the disk is
 * indexed, so that no entry can come in place of an indexed one.
 *
 * Either thread may find the index damaged. The store's one then closes its reader, and only
 * afterwards the other removes the files and makes them anew: a connection that is closed later
 * would take the new index's write-ahead log for its own, and remove it. */
#include "words.h"

#include "disk/background.h"
#include "inside.h"
#include "log.h"
#include "word_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Rows of the log in one transaction: some 2,000 messages. */
#define ROWS_EACH 64
/* The thread rests for so long when it has all, so that few messages don't wake it one by one. */
#define REST_MS 250
/* After trouble, with a full disk for example, it tries again. */
#define AGAIN_MS 5000
/* Nothing of the process has less. */
#define NICE 19
/* Of an entry: "i" and an account, twice. */
#define OWNERS_BYTES 64

struct words {
    char *store_path; /* owned, as all of these */
    sqlite3 *log;     /* up to `text` the thread's */
    sqlite3_stmt *next_row;
    sqlite3 *writer;
    sqlite3_stmt *add;
    sqlite3_stmt *mark;
    char *text;
    sqlite3 *reader; /* the store's thread's */
    sqlite3_stmt *find;

    atomic_int_fast64_t durable;
    atomic_int_fast64_t indexed;
    bool started;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    atomic_bool waits; /* for work; set under the mutex */
    atomic_bool damaged;
    atomic_bool read; /* the reader is open; set under the mutex */
    atomic_bool ending;
};

/* ---- the database ---- */

/* Of the tables; of another one they are made anew. */
#define VERSION     1
#define TEXT_OF(x)  TEXT_OF_(x)
#define TEXT_OF_(x) #x

static const char tables[] =
    "BEGIN;"
    "CREATE VIRTUAL TABLE word USING fts5(text, owner, content = '', columnsize = 0,"
    " tokenize = \"unicode61 remove_diacritics 2 categories 'L* M* N* Co'\");"
    "CREATE TABLE reached (one INTEGER PRIMARY KEY, position INTEGER NOT NULL, id BLOB);"
    "INSERT INTO reached VALUES (1, 0, NULL);"
    "PRAGMA user_version = " TEXT_OF(VERSION) ";"
                                              "COMMIT";

static int execute(sqlite3 *db, const char *sql) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int prepare(sqlite3 *db, const char *sql, sqlite3_stmt **statement) {
    return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
}

static int run(sqlite3_stmt *statement) {
    int code = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int read_number(sqlite3 *db, const char *sql, int64_t *out) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        *out = sqlite3_column_int64(statement, 0);
        code = SQLITE_OK;
    }
    (void)sqlite3_finalize(statement);
    return code;
}

/* Made with its mode before SQLite does it, as the store itself; never opened where it exists. */
static int make_file(const char *path) {
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return errno == EEXIST ? SQLITE_OK : SQLITE_CANTOPEN;
    (void)close(file); /* it is empty */
    return SQLITE_OK;
}

static int connect_index(const struct words *words, sqlite3 **db) {
    char *path = sqlite3_mprintf("%s" WORDS_SUFFIX, words->store_path);
    int code = !path ? SQLITE_NOMEM : make_file(path);
    code = code == SQLITE_OK ? sqlite_connect(path, NULL, db) : code;
    sqlite3_free(path);
    return code == SQLITE_OK ? execute(*db, "PRAGMA journal_mode = WAL;"
                                            "PRAGMA synchronous = NORMAL;"
                                            "PRAGMA cache_size = -8192;"
                                            "PRAGMA temp_store = MEMORY")
                             : code;
}

void words_remove(const char *path) {
    static const char *const suffixes[] = {WORDS_SUFFIX, WORDS_SUFFIX "-wal", WORDS_SUFFIX "-shm"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char *name = sqlite3_mprintf("%s%s", path, suffixes[i]);
        if (name)
            (void)unlink(name); /* one that stays can't be opened, which is told then */
        sqlite3_free(name);
    }
}

static int open_index(struct words *words) {
    int64_t version = 0, position = 0;
    int code = connect_index(words, &words->writer);
    if (code == SQLITE_OK)
        code = read_number(words->writer, "PRAGMA user_version", &version);
    if (code == SQLITE_OK && version == 0)
        code = execute(words->writer, tables);
    else if (code == SQLITE_OK && version != VERSION)
        code = SQLITE_NOTADB;
    if (code == SQLITE_OK)
        code = read_number(words->writer, "SELECT position FROM reached", &position);
    words->indexed = position;
    if (code == SQLITE_OK)
        code = prepare(words->writer, "INSERT INTO word (rowid, text, owner) VALUES (?1, ?2, ?3)",
                       &words->add);
    return code == SQLITE_OK
               ? prepare(words->writer, "UPDATE reached SET position = ?1, id = ?2", &words->mark)
               : code;
}

static void close_index(struct words *words) {
    (void)sqlite3_finalize(words->add);
    (void)sqlite3_finalize(words->mark);
    (void)sqlite3_close(words->writer);
    words->add = words->mark = NULL;
    words->writer = NULL;
}

/* ---- reading the log ---- */

/* What may be otherwise the next time says nothing about the log. */
static bool is_passing(int code) {
    int primary = code & 0xFF;
    return primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_NOMEM ||
           primary == SQLITE_PROTOCOL || primary == SQLITE_CANTOPEN || primary == SQLITE_IOERR;
}

/* The row behind a position; those of damaged pages are passed over, in growing steps. What it
 * points to stays until the statement is reset. SQLITE_ROW; SQLITE_DONE: there is none up to
 * `last`; else why it can't be read now. */
static int row_behind(struct words *words, int64_t behind, int64_t last, struct log_row *row) {
    int code = SQLITE_ERROR;
    for (int64_t from = behind, step = 1;
         code != SQLITE_ROW && code != SQLITE_DONE && !is_passing(code) && from < last;
         from += step, step *= 2) {
        (void)sqlite3_reset(words->next_row);
        bind_number(words->next_row, 1, from);
        code = sqlite3_step(words->next_row);
        *row = code == SQLITE_ROW ? sqlite_log_row(words->next_row) : (struct log_row){0};
        if (code == SQLITE_ROW && (!row->bytes || row->first < 1))
            code = SQLITE_CORRUPT;
    }
    return code == SQLITE_ROW || is_passing(code) ? code : SQLITE_DONE;
}

static bool id_reached(struct words *words, unsigned char id[ID_BYTES]) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(words->writer, "SELECT id FROM reached", -1, &statement, NULL);
    bool is = code == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW &&
              column_blob(statement, 0, id, ID_BYTES);
    (void)sqlite3_finalize(statement);
    return is;
}

/* Whether the log has the entry where the index ends. Of one that went with its thread the id is
 * gone, too. */
static bool is_of_this_log(struct words *words, int64_t last) {
    unsigned char id[ID_BYTES];
    struct log_row row;
    struct log_entry entry = {0};
    int64_t position = words->indexed;
    if (position > last)
        return false;
    if (position > 0 && id_reached(words, id) &&
        row_behind(words, position - 1, position, &row) == SQLITE_ROW && row.first <= position)
        log_row_read(&row, position, &entry);
    bool is = !entry.id || memcmp(entry.id, id, ID_BYTES) == 0;
    (void)sqlite3_reset(words->next_row);
    return is;
}

/* ---- the thread: indexing ---- */

/* How far a transaction is, and what the last entry's id is; it has none where `identified` is
 * false. */
struct reached {
    int64_t position;
    bool identified;
    unsigned char id[ID_BYTES];
};

static bool has_words(const struct log_entry *entry) {
    return entry->id && !entry->text_damaged &&
           (log_is_message(entry->kind) || entry->kind == LOG_POSTED || entry->kind == LOG_EDITED);
}

/* Both sides find a message; everybody finds what is in a thread. */
static int add_entry(struct words *words, int64_t position, const struct log_entry *entry) {
    char owners[OWNERS_BYTES] = "t";
    size_t text_bytes = word_text_write(words->text, entry->text, entry->text_bytes);
    if (log_is_message(entry->kind))
        snprintf(owners, sizeof owners, "i%lld i%lld", (long long)entry->stream,
                 (long long)entry->author);
    bind_number(words->add, 1, position);
    bind_text_bytes(words->add, 2, words->text, text_bytes);
    bind_text(words->add, 3, owners);
    return run(words->add);
}

static int add_row(struct words *words, const struct log_row *row, struct reached *reached) {
    int code = SQLITE_OK;
    for (size_t i = 0; i < row->count && code == SQLITE_OK; i++) {
        struct log_entry entry;
        int64_t position = row->first + (int64_t)i;
        if (position <= reached->position)
            continue;
        log_row_read(row, position, &entry);
        code = has_words(&entry) ? add_entry(words, position, &entry) : SQLITE_OK;
        reached->position = position;
        reached->identified = entry.id != NULL;
        if (entry.id)
            memcpy(reached->id, entry.id, ID_BYTES);
    }
    return code;
}

static int add_rows(struct words *words, struct reached *reached, int64_t last) {
    int code = SQLITE_OK;
    struct log_row row;
    for (int i = 0; i < ROWS_EACH && code == SQLITE_OK && reached->position < last; i++)
        switch (code = row_behind(words, reached->position, last, &row)) {
        case SQLITE_ROW:
            code = add_row(words, &row, reached);
            break;
        case SQLITE_DONE: /* nothing that can be read is left */
            *reached = (struct reached){.position = last};
            code = SQLITE_OK;
            break;
        default:
            break;
        }
    (void)sqlite3_reset(words->next_row);
    return code;
}

static int mark(struct words *words, const struct reached *reached) {
    bind_number(words->mark, 1, reached->position);
    if (reached->identified)
        bind_blob(words->mark, 2, reached->id, ID_BYTES);
    else
        bind_null(words->mark, 2);
    return run(words->mark);
}

static int index_some(struct words *words, int64_t last) {
    struct reached reached = {.position = words->indexed};
    int code = execute(words->writer, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = add_rows(words, &reached, last);
    if (code == SQLITE_OK)
        code = mark(words, &reached);
    if (code == SQLITE_OK)
        code = execute(words->writer, "COMMIT");
    if (code == SQLITE_OK)
        words->indexed = reached.position;
    else if (!sqlite3_get_autocommit(words->writer))
        (void)execute(words->writer, "ROLLBACK"); /* the connection undoes it at the latest */
    return code;
}

/* ---- the thread: its course ---- */

static bool is_behind(const struct words *words) {
    return words->indexed < words->durable;
}

static void wake(struct words *words) {
    (void)pthread_mutex_lock(&words->mutex);
    (void)pthread_cond_signal(&words->changed);
    (void)pthread_mutex_unlock(&words->mutex);
}

static void note_damage(struct words *words, int code) {
    if ((code & 0xFF) != SQLITE_CORRUPT && (code & 0xFF) != SQLITE_NOTADB)
        return;
    words->damaged = true;
    wake(words);
}

/* Under the mutex. */
static void rest(struct words *words, int ms) {
    struct timespec until;
    int code = clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (!words->ending && code == 0)
        code = pthread_cond_timedwait(&words->changed, &words->mutex, &until);
}

/* Under the mutex. */
static bool has_work(const struct words *words) {
    return words->damaged ? !words->read : is_behind(words);
}

/* True: the index is to be made anew, and nobody reads it. */
static bool wait_for_work(struct words *words, int rest_ms) {
    (void)pthread_mutex_lock(&words->mutex);
    rest(words, rest_ms);
    words->waits = true;
    while (!words->ending && !has_work(words))
        (void)pthread_cond_wait(&words->changed, &words->mutex);
    words->waits = false;
    bool anew = words->damaged && !words->read && !words->ending;
    (void)pthread_mutex_unlock(&words->mutex);
    return anew;
}

static int make_anew(struct words *words) {
    close_index(words);
    words_remove(words->store_path);
    int code = open_index(words);
    if (code == SQLITE_OK)
        words->damaged = false;
    return code;
}

static void *index_log(void *arg) {
    struct words *words = arg;
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* on Linux of this thread alone */
    int code = SQLITE_OK;
    while (!words->ending) {
        bool anew = wait_for_work(words, code == SQLITE_OK ? REST_MS : AGAIN_MS);
        code = anew ? make_anew(words) : SQLITE_OK;
        while (code == SQLITE_OK && is_behind(words) && !words->ending && !words->damaged)
            code = index_some(words, words->durable);
        note_damage(words, code);
    }
    return NULL;
}

/* ---- the store's thread ---- */

static int open_reader(struct words *words) {
    int code = connect_index(words, &words->reader);
    return code == SQLITE_OK
               ? prepare(words->reader,
                         "SELECT rowid FROM word WHERE word MATCH ?1 AND rowid < ?2 AND "
                         "rowid >= ?3 ORDER BY rowid DESC LIMIT ?4",
                         &words->find)
               : code;
}

static void close_reader(struct words *words) {
    (void)sqlite3_finalize(words->find);
    (void)sqlite3_close(words->reader);
    words->find = NULL;
    words->reader = NULL;
}

static void leave_reader(struct words *words) {
    close_reader(words);
    words->read = false;
    wake(words);
}

static void leave_damage(struct words *words) {
    if (words->damaged && words->read)
        leave_reader(words);
}

static bool may_read(struct words *words) {
    (void)pthread_mutex_lock(&words->mutex);
    words->read = !words->damaged;
    (void)pthread_mutex_unlock(&words->mutex);
    return words->read;
}

/* After the index was made anew it is another one. */
static int have_reader(struct words *words) {
    leave_damage(words);
    if (words->read)
        return SQLITE_OK;
    int code = may_read(words) ? open_reader(words) : SQLITE_BUSY;
    if (words->read && code != SQLITE_OK)
        leave_reader(words);
    return code;
}

static int open_all(struct words *words, const char *vfs, int64_t last) {
    int code = sqlite_connect(words->store_path, vfs, &words->log);
    if (code == SQLITE_OK)
        code = prepare(words->log,
                       "SELECT last, count, entries FROM log WHERE last > ?1 ORDER BY last LIMIT 1",
                       &words->next_row);
    if (code == SQLITE_OK && (open_index(words) != SQLITE_OK || !is_of_this_log(words, last))) {
        close_index(words);
        words_remove(words->store_path);
        code = open_index(words);
    }
    return code == SQLITE_OK ? have_reader(words) : code;
}

static void make_lock(struct words *words) {
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&words->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&words->mutex, NULL);
}

struct words *words_new(const char *path, const char *vfs, int64_t last, const char **reason) {
    *reason = "out of memory";
    struct words *words = calloc(1, sizeof *words);
    if (!words)
        return NULL;
    make_lock(words);
    words->store_path = strdup(path);
    words->text = malloc(WORD_TEXT_BYTES(TEXT_BYTES_MAX));
    int code = words->store_path && words->text ? open_all(words, vfs, last) : SQLITE_NOMEM;
    if (code != SQLITE_OK) {
        *reason = sqlite3_errstr(code);
    } else {
        words->durable = last;
        code = background_start(&words->thread, index_log, words);
        words->started = code == 0;
        *reason = strerror(code);
    }
    if (words->started)
        return words;
    words_free(words);
    return NULL;
}

void words_free(struct words *words) {
    if (!words)
        return;
    words->ending = true;
    wake(words);
    if (words->started)
        (void)pthread_join(words->thread, NULL);
    close_reader(words);
    close_index(words);
    (void)sqlite3_finalize(words->next_row);
    (void)sqlite3_close(words->log);
    (void)pthread_cond_destroy(&words->changed);
    (void)pthread_mutex_destroy(&words->mutex);
    free(words->text);
    free(words->store_path);
    free(words);
}

void words_note(struct words *words, int64_t position) {
    words->durable = position;
    leave_damage(words);
    if (words->waits)
        wake(words);
}

int64_t words_indexed(const struct words *words) {
    return words->indexed;
}

bool words_find(struct words *words, const struct words_query *query, int64_t *positions,
                size_t limit, size_t *count) {
    char *match = sqlite3_mprintf("{text} : (%s) AND {owner} : (i%lld OR t)", query->expression,
                                  (long long)query->account);
    int code = match ? have_reader(words) : SQLITE_NOMEM;
    *count = 0;
    if (code == SQLITE_OK) {
        bind_text(words->find, 1, match);
        bind_number(words->find, 2, query->before);
        bind_number(words->find, 3, query->from);
        bind_number(words->find, 4, (int64_t)limit);
        while (*count < limit && (code = sqlite3_step(words->find)) == SQLITE_ROW)
            positions[(*count)++] = sqlite3_column_int64(words->find, 0);
        (void)sqlite3_reset(words->find);
    }
    sqlite3_free(match);
    note_damage(words, code);
    return code == SQLITE_ROW || code == SQLITE_DONE || (code == SQLITE_OK && limit == 0);
}
