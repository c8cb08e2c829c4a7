/* Rows of the log: what was written is read, and a damaged byte takes no other entry along. */
#include "sqlite/log_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FIRST   1000
#define ENTRIES 20

struct written {
    unsigned char ids[ENTRIES][ID_BYTES];
    char texts[ENTRIES][200];
    struct log_entry entries[ENTRIES];
    size_t at[ENTRIES + 1]; /* where each begins */
    unsigned char bytes[ENTRIES * 300];
};

/* Of each kind some, with numbers of all lengths. */
static struct log_entry entry_of(struct written *written, size_t i) {
    static const int kinds[] = {LOG_MESSAGE, LOG_POSTED, LOG_EDITED,    LOG_DELETED,  LOG_UPLOADED,
                                LOG_MARK,    LOG_GONE,   LOG_CORRECTED, LOG_RETRACTED};
    int kind = kinds[i % (sizeof kinds / sizeof kinds[0])];
    if (kind == LOG_MARK || kind == LOG_GONE)
        return (struct log_entry){.kind = kind, .text = ""};
    memset(written->ids[i], (int)i + 1, ID_BYTES);
    memset(written->texts[i], 'a' + (int)i, i * 10);
    return (struct log_entry){.kind = kind,
                              .delivered = i % 2 == 0,
                              .id = written->ids[i],
                              .time_us = INT64_C(1) << (3 * i),
                              .author = (int64_t)i + 1,
                              .stream = INT64_MAX - (int64_t)i,
                              .seq = UINT64_MAX - i,
                              .second = (uint64_t)i * i * i,
                              .original = INT64_C(1) << (2 * i),
                              .original_id =
                                  kind >= LOG_CORRECTED ? written->ids[i > 0 ? i - 1 : 0] : NULL,
                              .text = written->texts[i],
                              .text_bytes = i * 10};
}

static struct written *write_all(void) {
    struct written *written = calloc(1, sizeof *written);
    assert_non_null(written);
    for (size_t i = 0; i < ENTRIES; i++) {
        written->entries[i] = entry_of(written, i);
        size_t bytes = log_entry_write(written->bytes + written->at[i], FIRST + (int64_t)i,
                                       &written->entries[i]);
        assert_int_equal(bytes, log_entry_bytes(&written->entries[i]));
        written->at[i + 1] = written->at[i] + bytes;
    }
    return written;
}

static struct log_row row_of(const struct written *written) {
    return (struct log_row){
        .first = FIRST, .count = ENTRIES, .bytes = written->bytes, .length = written->at[ENTRIES]};
}

static bool is_same(const struct log_entry *a, const struct log_entry *b) {
    return a->kind == b->kind && a->delivered == b->delivered && a->time_us == b->time_us &&
           a->author == b->author && a->stream == b->stream && a->seq == b->seq &&
           a->second == b->second && (!a->original_id) == (!b->original_id) &&
           (!a->original_id || (a->original == b->original &&
                                memcmp(a->original_id, b->original_id, ID_BYTES) == 0)) &&
           (!a->id) == (!b->id) && (!a->id || memcmp(a->id, b->id, ID_BYTES) == 0);
}

static bool has_text_of(const struct log_entry *a, const struct log_entry *b) {
    return !a->text_damaged && a->text_bytes == b->text_bytes &&
           memcmp(a->text, b->text, a->text_bytes) == 0;
}

static void what_was_written_is_read(void **state) {
    (void)state;
    struct written *written = write_all();
    struct log_row row = row_of(written);
    for (size_t i = 0; i < ENTRIES; i++) {
        struct log_entry entry;
        log_row_read(&row, FIRST + (int64_t)i, &entry);
        assert_true(is_same(&entry, &written->entries[i]));
        assert_true(has_text_of(&entry, &written->entries[i]));
    }
    free(written);
}

/* Each entry is as it was, or the one that has the byte, and that one is known as damaged. */
static void expect_damaged_at(const struct written *written, size_t at) {
    struct log_row row = row_of(written);
    for (size_t i = 0; i < ENTRIES; i++) {
        struct log_entry entry;
        bool has_it = at >= written->at[i] && at < written->at[i + 1];
        log_row_read(&row, FIRST + (int64_t)i, &entry);
        if (!has_it) {
            assert_true(is_same(&entry, &written->entries[i]));
            assert_true(has_text_of(&entry, &written->entries[i]));
        } else if (entry.kind != LOG_LOST) {
            assert_true(is_same(&entry, &written->entries[i]));
            assert_true(entry.text_damaged && entry.text_bytes == 0);
        }
    }
}

static void a_damaged_byte_takes_no_other_entry_along(void **state) {
    (void)state;
    struct written *written = write_all();
    for (size_t at = 0; at < written->at[ENTRIES]; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            written->bytes[at] ^= (unsigned char)(1U << bit);
            expect_damaged_at(written, at);
            written->bytes[at] ^= (unsigned char)(1U << bit);
        }
    }
    free(written);
}

static void a_row_that_is_cut_is_read_up_to_there(void **state) {
    (void)state;
    struct written *written = write_all();
    for (size_t length = 0; length < written->at[ENTRIES]; length++) {
        struct log_row row = row_of(written);
        unsigned char *cut = malloc(length + 1); /* so that a sanitizer sees what is behind it */
        assert_non_null(cut);
        row.bytes = memcpy(cut, written->bytes, length);
        row.length = length;
        for (size_t i = 0; i < ENTRIES; i++) {
            struct log_entry entry;
            log_row_read(&row, FIRST + (int64_t)i, &entry);
            assert_true((entry.kind == LOG_LOST) == (written->at[i + 1] > length));
        }
        free(cut);
    }
    free(written);
}

/* As a page that holds another's row would. */
static void an_entry_is_known_by_its_position(void **state) {
    (void)state;
    struct written *written = write_all();
    struct log_row row = row_of(written);
    row.first += ENTRIES;
    for (int64_t i = 0; i < ENTRIES; i++) {
        struct log_entry entry;
        log_row_read(&row, row.first + i, &entry);
        assert_int_equal(entry.kind, LOG_LOST);
    }
    free(written);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(a_damaged_byte_takes_no_other_entry_along),
        cmocka_unit_test(a_row_that_is_cut_is_read_up_to_there),
        cmocka_unit_test(an_entry_is_known_by_its_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
