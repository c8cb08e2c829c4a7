/* Reading an inbox back: whatever is asked, in pages of any size, it is what a plain look at all of
 * it finds. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEOPLE   4
#define MESSAGES 700
#define ROWS_MAX 60

static const char *const names[PEOPLE + 1] = {NULL, "han", "leia", "luke", "rey"};

/* What han's inbox has, by number. */
struct entry {
    int64_t other;
    int64_t time_us;
    char text[24];
};

struct test {
    struct fixture *fixture;
    struct entry entries[MESSAGES + 1];
    uint64_t head;
    uint64_t random;
};

static uint64_t below(struct test *test, uint64_t end) {
    test->random ^= test->random << 13;
    test->random ^= test->random >> 7;
    test->random ^= test->random << 17;
    return test->random % end;
}

/* Times are those of turns: some entries have the same one. */
static void add(struct test *test) {
    int64_t other = 2 + (int64_t)below(test, PEOPLE - 1);
    bool sent = below(test, 2) == 0;
    struct entry *entry = &test->entries[++test->head];
    (void)snprintf(entry->text, sizeof entry->text, "%d", (int)test->head);
    struct store_message_stored stored;
    test->fixture->now_us -= (int64_t)below(test, 2); /* as the one before, or later */
    assert_ok(fixture_send(test->fixture, NULL, sent ? 1 : other, sent ? names[other] : "han",
                           entry->text, &stored));
    entry->other = other;
    entry->time_us = stored.time_us;
    assert_int_equal(sent ? stored.author_seq : stored.recipient_seq, test->head);
}

static int setup(void **state) {
    struct test *test = calloc(1, sizeof *test);
    assert_non_null(test);
    test->random = 1;
    test->fixture = fixture_in_memory(7);
    test->fixture->options.view_entries = 200; /* some are merged, some are not */
    fixture_open(test->fixture);
    for (int i = 1; i <= PEOPLE; i++)
        assert_int_equal(fixture_account(test->fixture, names[i]), i);
    *state = test;
    return 0;
}

static int teardown(void **state) {
    struct test *test = *state;
    fixture_free(test->fixture);
    free(test);
    return 0;
}

static void fill(struct test *test) {
    bool more;
    while (test->head < MESSAGES) {
        fixture_begin(test->fixture);
        for (int i = 0; i < 7 && test->head < MESSAGES; i++)
            add(test);
        assert_ok(store_maintain(test->fixture->store, &more));
        fixture_commit(test->fixture);
    }
}

/* One page as it comes, the newest first. */
struct page {
    const struct test *test;
    uint64_t seqs[MESSAGES];
    size_t count;
    size_t room; /* beyond it nothing is taken */
};

static bool take(void *arg, const struct store_message *message) {
    struct page *page = arg;
    const struct entry *entry = &page->test->entries[message->seq];
    if (page->count == page->room)
        return false;
    assert_false(message->damaged);
    assert_int_equal(message->time_us, entry->time_us);
    assert_int_equal(message->text_bytes, strlen(entry->text));
    assert_memory_equal(message->text, entry->text, message->text_bytes);
    page->seqs[page->count++] = message->seq;
    return true;
}

static bool is_wanted(const struct test *test, const struct store_history *history, uint64_t seq) {
    const struct entry *entry = &test->entries[seq];
    return (!history->with || strcmp(names[entry->other], history->with) == 0) &&
           entry->time_us >= history->since_us &&
           (history->until_us == 0 || entry->time_us < history->until_us);
}

/* All pages from there on are all that is wanted, each once, the newest first. */
static void expect(struct test *test, struct store_history history) {
    uint64_t seq = history.before_seq ? history.before_seq : test->head + 1;
    uint64_t before_seq = history.before_seq;
    struct page *page = malloc(sizeof *page);
    assert_non_null(page);
    do {
        size_t rows;
        *page = (struct page){.test = test, .room = 1 + below(test, 90)};
        history.before_seq = before_seq;
        assert_ok(
            store_inbox_read_back(test->fixture->store, &history, take, page, &before_seq, &rows));
        assert_in_range(rows, 0, ROWS_MAX + 20);
        assert_in_range(page->count, 0, history.limit);
        for (size_t i = 0; i < page->count; i++) {
            while (seq > 1 && !is_wanted(test, &history, seq - 1))
                seq--;
            assert_int_equal(page->seqs[i], --seq);
        }
        assert_true(before_seq == 0 || before_seq <= seq);
    } while (before_seq > 0);
    while (seq > 1)
        assert_false(is_wanted(test, &history, --seq));
    free(page);
}

static void it_is_what_a_look_at_all_of_it_finds(void **state) {
    struct test *test = *state;
    fill(test);
    int64_t first_us = test->entries[1].time_us, last_us = test->entries[MESSAGES].time_us;
    uint64_t span_us = (uint64_t)(last_us - first_us) + 3;
    for (int i = 0; i < 400; i++) {
        struct store_history history = {
            .account = 1, .limit = 1 + below(test, 50), .rows_max = ROWS_MAX};
        if (below(test, 4) > 0)
            history.with = names[2 + below(test, PEOPLE - 1)];
        if (below(test, 3) == 0)
            history.before_seq = 1 + below(test, MESSAGES + 10);
        if (history.before_seq > MESSAGES + 1)
            history.before_seq = MESSAGES + 1;
        if (below(test, 2) == 0)
            history.since_us = first_us - 1 + (int64_t)below(test, span_us);
        if (below(test, 2) == 0)
            history.until_us = first_us - 1 + (int64_t)below(test, span_us);
        expect(test, history);
    }
    fixture_merge_all(test->fixture);
    fixture_reopen(test->fixture);
    expect(test,
           (struct store_history){.account = 1, .with = "luke", .limit = 9, .rows_max = ROWS_MAX});
}

static enum store_status ask(struct test *test, int64_t account, const char *with, size_t *count) {
    struct page page = {.test = test, .room = MESSAGES};
    const struct store_history history = {
        .account = account, .with = with, .limit = MESSAGES, .rows_max = MESSAGES};
    uint64_t before_seq;
    size_t rows;
    enum store_status status =
        store_inbox_read_back(test->fixture->store, &history, take, &page, &before_seq, &rows);
    *count = page.count;
    return status;
}

static void an_empty_inbox_has_nothing(void **state) {
    size_t count;
    assert_ok(ask(*state, 1, NULL, &count));
    assert_int_equal(count, 0);
    assert_ok(ask(*state, 1, "leia", &count));
    assert_int_equal(count, 0);
}

static void whom_it_can_not_be_with_is_refused(void **state) {
    size_t count;
    assert_int_equal(ask(*state, 1, "nobody", &count), STORE_NOT_FOUND);
    assert_int_equal(ask(*state, 1, "han", &count), STORE_SELF);
}

/* Also what the transaction has appended, and not committed, is there. */
static void what_this_turn_appended_is_read(void **state) {
    struct test *test = *state;
    size_t count;
    fixture_begin(test->fixture);
    for (int i = 0; i < 5; i++)
        add(test);
    assert_ok(ask(test, 1, NULL, &count));
    assert_int_equal(count, 5);
    fixture_commit(test->fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_what_a_look_at_all_of_it_finds, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_inbox_has_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(whom_it_can_not_be_with_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_this_turn_appended_is_read, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
