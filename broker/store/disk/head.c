/* See head.h. The file has one record, which is shorter than a sector, so that a disk writes it as
 * a whole:
 *     8  magic            4, 4  salts       1  flags
 *     8  position            4  frames      7  zero     ... and in the last 8 of 64 bytes XXH3 of
 * all before Numbers have the highest byte first. */
#include "head.h"

#include "beside.h"
#include "reserve.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define SUFFIX "-head"

#define RECORD_BYTES 64
#define SUM_AT       56
#define POSITION_AT  8
#define SALTS_AT     16
#define FRAMES_AT    24
#define FLAGS_AT     28
#define FLAG_CHECKED 1

static const unsigned char magic[8] = "zchathd1"; /* without a NUL */

struct head {
    sqlite3_file *file; /* owned; NULL: there is none yet */
    char *vfs;          /* owned; NULL: SQLite's default */
    char *database;     /* owned */
};

static void put(unsigned char *out, uint64_t number, size_t bytes) {
    for (size_t i = bytes; i-- > 0; number >>= 8)
        out[i] = (unsigned char)(number & 0xff);
}

static uint64_t get(const unsigned char *bytes, size_t count) {
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++)
        number = number << 8 | bytes[i];
    return number;
}

static void pack(unsigned char record[RECORD_BYTES], const struct head_mark *mark) {
    memset(record, 0, RECORD_BYTES);
    memcpy(record, magic, sizeof magic);
    put(record + POSITION_AT, (uint64_t)mark->position, 8);
    put(record + SALTS_AT, mark->salts[0], 4);
    put(record + SALTS_AT + 4, mark->salts[1], 4);
    put(record + FRAMES_AT, mark->frames, 4);
    record[FLAGS_AT] = mark->checked ? FLAG_CHECKED : 0;
    put(record + SUM_AT, XXH3_64bits(record, SUM_AT), 8);
}

static bool unpack(const unsigned char record[RECORD_BYTES], struct head_mark *mark) {
    if (memcmp(record, magic, sizeof magic) != 0 ||
        get(record + SUM_AT, 8) != XXH3_64bits(record, SUM_AT))
        return false;
    mark->position = (int64_t)get(record + POSITION_AT, 8);
    mark->salts[0] = (uint32_t)get(record + SALTS_AT, 4);
    mark->salts[1] = (uint32_t)get(record + SALTS_AT + 4, 4);
    mark->frames = (uint32_t)get(record + FRAMES_AT, 4);
    mark->checked = record[FLAGS_AT] & FLAG_CHECKED;
    return true;
}

static int read_mark(const struct head *head, enum head_state *state, struct head_mark *mark) {
    unsigned char record[RECORD_BYTES];
    int code = head->file->pMethods->xRead(head->file, record, RECORD_BYTES, 0);
    *state = code == SQLITE_OK && unpack(record, mark) ? HEAD_KNOWN : HEAD_DAMAGED;
    return code == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : code;
}

int head_open(struct head **out, const char *vfs, const char *database, enum head_state *state,
              struct head_mark *mark) {
    struct head *head = *out = calloc(1, sizeof *head);
    *state = HEAD_MISSING;
    *mark = (struct head_mark){0};
    if (!head)
        return SQLITE_NOMEM;
    head->vfs = !vfs ? NULL : strdup(vfs);
    head->database = strdup(database);
    if (!head->database || (vfs && !head->vfs))
        return SQLITE_NOMEM;
    int code = beside_open(&head->file, vfs, database, SUFFIX, false);
    return code == SQLITE_OK && head->file ? read_mark(head, state, mark) : code;
}

void head_close(struct head *head) {
    if (!head)
        return;
    beside_close(head->file);
    free(head->vfs);
    free(head->database);
    free(head);
}

int head_write(struct head *head, const struct head_mark *mark) {
    unsigned char record[RECORD_BYTES];
    int code =
        head->file ? SQLITE_OK : beside_open(&head->file, head->vfs, head->database, SUFFIX, true);
    if (code != SQLITE_OK)
        return code;
    pack(record, mark);
    code = head->file->pMethods->xWrite(head->file, record, RECORD_BYTES, 0);
    return code != SQLITE_OK && reserve_is_full_error(head->file, code) ? SQLITE_FULL : code;
}

int head_sync(struct head *head) {
    return !head->file ? SQLITE_OK : head->file->pMethods->xSync(head->file, SQLITE_SYNC_NORMAL);
}
