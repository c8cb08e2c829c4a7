/* Messages that correct an earlier one or take it back: what is refused, what is kept, and what a
 * search finds. The random runs of the model have them, too. */
#include "forum.h"
#include "store_check.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define WAIT_S 60

enum { HAN = 1, LEIA, LUKE };

static int setup(void **state) {
    struct fixture *fixture = fixture_in_folder();
    fixture->options.searched = true;
    fixture_open(fixture);
    assert_int_equal(fixture_account(fixture, "han"), HAN);
    assert_int_equal(fixture_account(fixture, "leia"), LEIA);
    assert_int_equal(fixture_account(fixture, "luke"), LUKE);
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

/* ---- sending ---- */

struct id {
    unsigned char bytes[ID_BYTES];
};

static struct id new_id(struct fixture *fixture) {
    struct id id;
    fixture_id(fixture, id.bytes);
    return id;
}

/* In a transaction of its own. */
static enum store_status send_as(struct fixture *fixture, const struct id *id, int64_t from,
                                 const char *to, enum store_about about, const struct id *original,
                                 const char *text) {
    struct store_message_stored stored;
    struct store_message_new new = {.id = id->bytes,
                                    .author = from,
                                    .to = to,
                                    .text = text,
                                    .text_bytes = strlen(text),
                                    .time_us = ++fixture->now_us,
                                    .about = about,
                                    .original = original ? original->bytes : NULL};
    fixture_begin(fixture);
    enum store_status status = store_message_append(fixture->store, &new, &stored);
    fixture_commit(fixture);
    return status;
}

static struct id sent(struct fixture *fixture, int64_t from, const char *to, const char *text) {
    struct id id = new_id(fixture);
    assert_ok(send_as(fixture, &id, from, to, STORE_ABOUT_NONE, NULL, text));
    return id;
}

static enum store_status correct(struct fixture *fixture, int64_t from, const char *to,
                                 const struct id *original, const char *text) {
    struct id id = new_id(fixture);
    return send_as(fixture, &id, from, to, STORE_CORRECTS, original, text);
}

static enum store_status retract(struct fixture *fixture, int64_t from, const char *to,
                                 const struct id *original) {
    struct id id = new_id(fixture);
    return send_as(fixture, &id, from, to, STORE_RETRACTS, original, "");
}

/* ---- an inbox, as text: "han: hello|han corrects: hallo|han retracts: |" ---- */

struct inbox {
    char text[1024];
    struct id about[16];
    size_t count;
};

static bool add(void *arg, const struct store_message *message) {
    static const char *const verbs[] = {
        [STORE_ABOUT_NONE] = "", [STORE_CORRECTS] = " corrects", [STORE_RETRACTS] = " retracts"};
    struct inbox *inbox = arg;
    size_t at = strlen(inbox->text);
    (void)snprintf(inbox->text + at, sizeof inbox->text - at, "%s%s: %.*s|", message->from,
                   verbs[message->about], (int)message->text_bytes, message->text);
    memcpy(inbox->about[inbox->count++].bytes, message->original, ID_BYTES);
    return true;
}

static struct inbox read_inbox(struct fixture *fixture, int64_t account) {
    struct inbox inbox = {0};
    assert_ok(store_inbox_read(fixture->store, account, 0, 16, add, &inbox));
    return inbox;
}

static void both_inboxes_have_what_was_said_and_of_which(void **state) {
    struct fixture *fixture = *state;
    struct id first = sent(fixture, HAN, "leia", "hello");
    (void)sent(fixture, LEIA, "han", "hi");
    assert_ok(correct(fixture, HAN, "leia", &first, "hallo"));
    assert_ok(correct(fixture, HAN, "leia", &first, "good day"));
    assert_ok(retract(fixture, HAN, "leia", &first));
    for (int round = 0; round < 3; round++) {
        for (int64_t account = HAN; account <= LEIA; account++) {
            struct inbox inbox = read_inbox(fixture, account);
            assert_string_equal(inbox.text, "han: hello|leia: hi|han corrects: hallo|"
                                            "han corrects: good day|han retracts: |");
            for (size_t i = 2; i < 5; i++)
                assert_memory_equal(&inbox.about[i], &first, sizeof first);
        }
        if (round == 0)
            fixture_merge_all(fixture);
        fixture_reopen(fixture);
    }
}

static void only_ones_own_original_to_the_same_person_is_changed(void **state) {
    struct fixture *fixture = *state;
    struct id first = sent(fixture, HAN, "leia", "hello"), none = new_id(fixture);
    struct id second = new_id(fixture);
    assert_int_equal(correct(fixture, HAN, "leia", &none, "x"), STORE_NO_MESSAGE);
    assert_int_equal(correct(fixture, LUKE, "leia", &first, "x"), STORE_NO_MESSAGE);
    assert_int_equal(correct(fixture, LEIA, "han", &first, "x"), STORE_NOT_OWNER);
    assert_int_equal(retract(fixture, HAN, "luke", &first), STORE_OTHER_PERSON);
    assert_ok(send_as(fixture, &second, HAN, "leia", STORE_CORRECTS, &first, "hallo"));
    assert_int_equal(correct(fixture, HAN, "leia", &second, "x"), STORE_NO_ORIGINAL);
    assert_int_equal(retract(fixture, HAN, "leia", &second), STORE_NO_ORIGINAL);
    assert_ok(retract(fixture, HAN, "leia", &first));
    fixture_reopen(fixture);
    assert_int_equal(retract(fixture, HAN, "leia", &first), STORE_RETRACTED);
    assert_int_equal(correct(fixture, HAN, "leia", &first, "x"), STORE_RETRACTED);
    fixture_expect_state(fixture, LEIA, 3, 0);
}

static void a_post_is_no_message(void **state) {
    struct fixture *fixture = *state;
    struct id post = new_id(fixture);
    struct store_post_changed posted;
    (void)forum_thread(fixture, HAN, "ships");
    assert_ok(forum_post(
        fixture,
        &(struct forum_change){.id = post.bytes, .title = "ships", .account = HAN, .text = "x"},
        &posted));
    assert_int_equal(correct(fixture, HAN, "leia", &post, "y"), STORE_NO_MESSAGE);
}

static void a_retry_is_the_same_and_other_facts_are_another_message(void **state) {
    struct fixture *fixture = *state;
    struct id first = sent(fixture, HAN, "leia", "hello"), other = sent(fixture, HAN, "leia", "x");
    struct id change = new_id(fixture), end = new_id(fixture);
    assert_ok(send_as(fixture, &change, HAN, "leia", STORE_CORRECTS, &first, "hallo"));
    assert_ok(send_as(fixture, &end, HAN, "leia", STORE_RETRACTS, &first, ""));
    assert_ok(send_as(fixture, &change, HAN, "leia", STORE_CORRECTS, &first, "hallo"));
    assert_ok(send_as(fixture, &end, HAN, "leia", STORE_RETRACTS, &first, ""));
    fixture_expect_state(fixture, LEIA, 4, 0);
    assert_int_equal(send_as(fixture, &change, HAN, "leia", STORE_CORRECTS, &other, "hallo"),
                     STORE_ID_REUSED);
    assert_int_equal(send_as(fixture, &change, HAN, "leia", STORE_ABOUT_NONE, NULL, "hallo"),
                     STORE_ID_REUSED);
    assert_int_equal(send_as(fixture, &first, HAN, "leia", STORE_CORRECTS, &other, "hello"),
                     STORE_ID_REUSED);
    assert_int_equal(send_as(fixture, &end, HAN, "leia", STORE_RETRACTS, &other, ""),
                     STORE_ID_REUSED);
    fixture_expect_state(fixture, LEIA, 4, 0);
}

static void a_block_keeps_the_past_as_it_is(void **state) {
    struct fixture *fixture = *state;
    struct id first = sent(fixture, HAN, "leia", "hello");
    int64_t blocked;
    fixture_begin(fixture);
    assert_ok(store_block_add(fixture->store, LEIA, "han", 1, &blocked));
    fixture_commit(fixture);
    assert_int_equal(correct(fixture, HAN, "leia", &first, "x"), STORE_BLOCKED_BY);
    assert_int_equal(retract(fixture, HAN, "leia", &first), STORE_BLOCKED_BY);
    fixture_expect_state(fixture, LEIA, 1, 0);
}

/* ---- searching ---- */

static bool add_found(void *arg, const struct store_found *found) {
    return add(arg, &found->message);
}

static struct inbox search(struct fixture *fixture, int64_t account, const char *words) {
    struct store_search what = {.account = account, .words = words, .limit = 16};
    const struct timespec moment = {.tv_nsec = 5000000}; /* the index is made behind our back */
    struct store_searched searched = {.behind = 1};
    struct inbox found = {0};
    for (time_t begun = time(NULL); searched.behind > 0; nanosleep(&moment, NULL)) {
        assert_true(time(NULL) - begun < WAIT_S);
        found = (struct inbox){0};
        assert_ok(store_search(fixture->store, &what, add_found, &found, &searched));
    }
    return found;
}

#define expect_found(fixture, account, words, lines)                                               \
    assert_string_equal(search(fixture, account, words).text, lines)

static void a_search_finds_the_text_that_stands(void **state) {
    struct fixture *fixture = *state;
    struct id first = sent(fixture, HAN, "leia", "meet at noon");
    (void)sent(fixture, HAN, "leia", "or at noon tomorrow");
    expect_found(fixture, LEIA, "noon", "han: or at noon tomorrow|han: meet at noon|");
    assert_ok(correct(fixture, HAN, "leia", &first, "meet at dusk"));
    for (int64_t account = HAN; account <= LEIA; account++) {
        expect_found(fixture, account, "noon", "han: or at noon tomorrow|");
        struct inbox found = search(fixture, account, "dusk");
        assert_string_equal(found.text, "han corrects: meet at dusk|");
        assert_memory_equal(&found.about[0], &first, sizeof first);
    }
    assert_ok(correct(fixture, HAN, "leia", &first, "meet at dawn"));
    expect_found(fixture, LEIA, "dusk", "");
    expect_found(fixture, LEIA, "meet", "han corrects: meet at dawn|");
    expect_found(fixture, LUKE, "meet", "");
    assert_ok(retract(fixture, HAN, "leia", &first));
    expect_found(fixture, LEIA, "meet", "");
    expect_found(fixture, HAN, "at", "han: or at noon tomorrow|");
}

/* ---- the check, and earlier versions ---- */

static void ignore_damage(void *arg, const char *sentence) {
    (void)arg;
    print_message("%s\n", sentence);
}

static void ignore_progress(void *arg, const char *what, uint64_t done, uint64_t all) {
    (void)arg, (void)what, (void)done, (void)all;
}

static uint64_t damages(const struct fixture *fixture) {
    struct store_check check = {
        .path = fixture->path, .damage = ignore_damage, .progress = ignore_progress};
    (void)store_check(&check);
    return check.damages;
}

/* The accounts have left a mark each in the log: the messages are its entries 4, 5 and 6. */
static void a_note_that_is_wrong_is_damage(void **state) {
    static const char *const wrong[] = {
        "DELETE FROM amended WHERE original = 4",
        "UPDATE amended SET gone = 1 - gone",
        "UPDATE amended SET last = 5",
        "UPDATE amended SET original = 5 WHERE original = 4",
        "INSERT INTO amended VALUES (5, 6, 0)",
        "INSERT INTO amended VALUES (900, 901, 0)",
    };
    struct fixture *fixture = *state;
    struct id first = sent(fixture, HAN, "leia", "one");
    (void)sent(fixture, HAN, "leia", "two");
    assert_ok(correct(fixture, HAN, "leia", &first, "eins"));
    fixture_close(fixture);
    assert_int_equal(forum_query(fixture, "SELECT original FROM amended"), 4);
    assert_int_equal(damages(fixture), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        fixture_execute(fixture, wrong[i]);
        assert_true(damages(fixture) > 0);
        fixture_execute(fixture, "DELETE FROM amended; INSERT INTO amended VALUES (4, 6, 0)");
        assert_int_equal(damages(fixture), 0);
    }
    fixture_open(fixture);
}

static void a_store_of_the_fourteenth_version_goes_on(void **state) {
    struct fixture *fixture = *state;
    struct id first = sent(fixture, HAN, "leia", "hello");
    fixture_close(fixture);
    fixture_execute(fixture, "DROP TABLE amended; PRAGMA user_version = 14");
    assert_int_equal(damages(fixture), 0);
    fixture_open(fixture);
    assert_ok(correct(fixture, HAN, "leia", &first, "hallo"));
    expect_found(fixture, LEIA, "hello", "");
    expect_found(fixture, LEIA, "hallo", "han corrects: hallo|");
    assert_int_equal(damages(fixture), 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(both_inboxes_have_what_was_said_and_of_which),
        TEST(only_ones_own_original_to_the_same_person_is_changed),
        TEST(a_post_is_no_message),
        TEST(a_retry_is_the_same_and_other_facts_are_another_message),
        TEST(a_block_keeps_the_past_as_it_is),
        TEST(a_search_finds_the_text_that_stands),
        TEST(a_note_that_is_wrong_is_damage),
        TEST(a_store_of_the_fourteenth_version_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
