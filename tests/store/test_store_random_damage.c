#define _GNU_SOURCE /* vasprintf */
/* Random damages of each file of a store: what is read afterwards is what was stored, or it is said
 * that it can't be read: never anything else. The store is one that was closed, or one whose
 * process was killed. With an argument: so many damages, instead of a few dozen. */
#include "fixture.h"
#include "forum.h"
#include "store_check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DAMAGES = 80, PEOPLE = 4, MESSAGES = 400, POSTS = 60, PAGE = 4096 };

static const char *const suffixes[] = {"", "-wal", "-pieces", "-head"};
enum { FILES = sizeof suffixes / sizeof suffixes[0] };

/* splitmix64. Counts below `bound`. */
static uint64_t random_below(uint64_t *random, uint64_t bound) {
    uint64_t z = *random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % bound;
}

/* ---- what a store says ---- */

/* Lines: what is asked, a tab, the answer; "!" where it is damaged. In an order that is the same
 * for the same content. */
struct dump {
    char **lines; /* owned, and each of them */
    size_t count, max;
    bool failed; /* the rest was refused */
};

static void add(struct dump *dump, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct dump *dump, const char *format, ...) {
    va_list arguments;
    if (dump->count == dump->max) {
        dump->max = dump->max == 0 ? 1024 : 2 * dump->max;
        dump->lines = realloc(dump->lines, dump->max * sizeof *dump->lines);
        assert_non_null(dump->lines);
    }
    va_start(arguments, format);
    assert_true(vasprintf(&dump->lines[dump->count++], format, arguments) >= 0);
    va_end(arguments);
}

static void dump_release(struct dump *dump) {
    for (size_t i = 0; i < dump->count; i++)
        free(dump->lines[i]);
    free(dump->lines);
}

static bool went_on(struct dump *dump, enum store_status status) {
    dump->failed = dump->failed || status != STORE_OK;
    return !dump->failed;
}

static void add_account(void *arg, const struct store_account *account) {
    add(arg, "account\t%lld %s %d %d %lld", (long long)account->account, account->name,
        account->admin, account->locked, (long long)account->created_us);
}

static uint64_t sum(const void *bytes, size_t length) {
    const unsigned char *at = bytes;
    uint64_t out = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < length; i++)
        out = (out ^ at[i]) * UINT64_C(0x100000001b3);
    return out;
}

struct inbox {
    struct dump *dump;
    int64_t account;
};

static bool add_message(void *arg, const struct store_message *message) {
    struct inbox *inbox = arg;
    if (message->damaged) {
        add(inbox->dump, "inbox %lld %llu\t!", (long long)inbox->account,
            (unsigned long long)message->seq);
    } else {
        add(inbox->dump, "inbox %lld %llu\t%s %s %lld %02x%02x %zu %llx", (long long)inbox->account,
            (unsigned long long)message->seq, message->from, message->to,
            (long long)message->time_us, message->id[14], message->id[15], message->text_bytes,
            (unsigned long long)sum(message->text, message->text_bytes));
    }
    return true;
}

static void add_name(void *arg, const char *name) {
    add(arg, "blocked\t%s", name);
}

static void dump_person(struct dump *dump, struct store *store, int number) {
    char name[16];
    struct store_account account;
    uint64_t head = 0, cursor = 0;
    (void)snprintf(name, sizeof name, "user%d", number);
    struct inbox inbox = {.dump = dump, .account = number};
    if (!went_on(dump, store_account_find(store, name, &account)) ||
        !went_on(dump, store_inbox_state(store, number, &head, &cursor)))
        return;
    add(dump, "person %d\t%lld %llu %llu", number, (long long)account.account,
        (unsigned long long)head, (unsigned long long)cursor);
    if (went_on(dump, store_inbox_read(store, number, 0, SIZE_MAX, add_message, &inbox)))
        (void)went_on(dump, store_block_list(store, number, add_name, dump));
}

static bool add_item(void *arg, const struct store_post *post, const struct store_file *file) {
    if (file) {
        add(arg, "item %llu\t%s %s %llu %llu", (unsigned long long)file->seq, file->user,
            file->name, (unsigned long long)file->size,
            (unsigned long long)sum(file->hash, HASH_BYTES));
    } else if (post->damaged) {
        add(arg, "item %llu\t!", (unsigned long long)post->seq);
    } else {
        add(arg, "item %llu\t%llu %s %lld %lld %zu %llx", (unsigned long long)post->seq,
            (unsigned long long)post->number, post->user, (long long)post->time_us,
            (long long)post->edited_us, post->text_bytes,
            (unsigned long long)sum(post->text, post->text_bytes));
    }
    return true;
}

static bool add_entry(void *arg, const struct store_thread_entry *entry) {
    bool has_post = entry->kind == STORE_POSTED || entry->kind == STORE_EDITED;
    if (entry->kind == STORE_LOST || (has_post && entry->post.damaged)) {
        add(arg, "entry %llu\t!", (unsigned long long)entry->seq);
    } else {
        add(arg, "entry %llu\t%d %lld %llx", (unsigned long long)entry->seq, entry->kind,
            (long long)entry->time_us,
            has_post ? (unsigned long long)sum(entry->post.text, entry->post.text_bytes) : 0);
    }
    return true;
}

static void dump_file(struct dump *dump, struct store *store, const char *name) {
    static unsigned char bytes[100000];
    struct store_file file;
    size_t count;
    if (!went_on(dump, store_file_find(store, "T", name, &file)))
        return;
    for (uint64_t at = 0; at < file.size; at += count) {
        enum store_status status =
            store_file_read(store, file.file, at, bytes, sizeof bytes, &count);
        if (status == STORE_DAMAGED) {
            add(dump, "bytes of %s %llu\t!", name, (unsigned long long)at);
            count = sizeof bytes;
        } else if (!went_on(dump, status) || count == 0) {
            return;
        } else {
            add(dump, "bytes of %s %llu\t%llx", name, (unsigned long long)at,
                (unsigned long long)sum(bytes, count));
        }
    }
}

static bool add_title(void *arg, const struct store_thread *thread) {
    add(arg, "thread\t%s %s %llu %llu %llu", thread->title, thread->creator,
        (unsigned long long)thread->posts, (unsigned long long)thread->uploads,
        (unsigned long long)thread->head);
    return true;
}

static void dump_thread(struct dump *dump, struct store *store) {
    struct store_thread thread;
    if (went_on(dump, store_thread_list(store, "", 100, add_title, dump)) &&
        went_on(dump, store_thread_find(store, "T", &thread)) &&
        went_on(dump, store_thread_read(store, thread.stream, 0, SIZE_MAX, add_item, dump)) &&
        went_on(dump, store_thread_sync(store, thread.stream, 0, SIZE_MAX, add_entry, dump)))
        dump_file(dump, store, "large");
    if (!dump->failed)
        dump_file(dump, store, "small");
}

static void dump_all(struct dump *dump, struct store *store) {
    *dump = (struct dump){0};
    add(dump, "messages\t%llu", (unsigned long long)store_message_count(store));
    (void)went_on(dump, store_account_list(store, add_account, dump));
    for (int i = 1; i <= PEOPLE && !dump->failed; i++)
        dump_person(dump, store, i);
    if (!dump->failed)
        dump_thread(dump, store);
}

/* ---- the store as it was ---- */

struct image {
    unsigned char *bytes[FILES]; /* owned; NULL: there is none */
    size_t length[FILES];
};

/* That is kept behind the write-ahead log: a page may end with zeros, too. */
static void cut_room(const unsigned char *bytes, size_t *length) {
    enum { HEADER = 32, FRAME = 24 + PAGE };
    size_t kept = *length;
    while (kept > 0 && bytes[kept - 1] == 0)
        kept--;
    size_t frames = kept > HEADER ? (kept - HEADER + FRAME - 1) / FRAME : 0;
    *length = HEADER + frames * FRAME < *length ? HEADER + frames * FRAME : *length;
}

static void take(struct image *image, const struct fixture *fixture) {
    for (int i = 0; i < FILES; i++) {
        char path[FIXTURE_PATH_BYTES + 8];
        struct stat status;
        (void)snprintf(path, sizeof path, "%s%s", fixture->path, suffixes[i]);
        int file = open(path, O_RDONLY);
        image->bytes[i] = NULL;
        image->length[i] = 0;
        if (file < 0)
            continue;
        assert_int_equal(fstat(file, &status), 0);
        image->length[i] = (size_t)status.st_size;
        image->bytes[i] = malloc(image->length[i] + 1);
        assert_non_null(image->bytes[i]);
        assert_int_equal(read(file, image->bytes[i], image->length[i]), status.st_size);
        assert_int_equal(close(file), 0);
        if (i == 1)
            cut_room(image->bytes[i], &image->length[i]);
    }
}

static void put(const struct image *image, const struct fixture *fixture) {
    static const char *const others[] = {"-shm", "-reserve", "-journal"};
    char path[FIXTURE_PATH_BYTES + 16];
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        (void)snprintf(path, sizeof path, "%s%s", fixture->path, others[i]);
        (void)unlink(path);
    }
    for (int i = 0; i < FILES; i++) {
        (void)snprintf(path, sizeof path, "%s%s", fixture->path, suffixes[i]);
        (void)unlink(path);
        if (image->bytes[i]) {
            int file = open(path, O_WRONLY | O_CREAT, 0600);
            assert_true(file >= 0);
            assert_int_equal(write(file, image->bytes[i], image->length[i]), image->length[i]);
            assert_int_equal(close(file), 0);
        }
    }
}

static void image_release(struct image *image) {
    for (int i = 0; i < FILES; i++)
        free(image->bytes[i]);
}

static void fill_texts(struct fixture *fixture, uint64_t *random) {
    char text[3000];
    for (int i = 0; i < MESSAGES; i++) {
        bool more;
        int from = 1 + (int)random_below(random, PEOPLE), to = 1 + from % PEOPLE;
        char name[16];
        size_t length = random_below(random, 20) == 0 ? random_below(random, sizeof text - 1)
                                                      : 20 + random_below(random, 100);
        for (size_t at = 0; at < length; at++)
            text[at] = (char)('a' + random_below(random, 26));
        text[length] = '\0';
        (void)snprintf(name, sizeof name, "user%d", to);
        fixture_begin(fixture);
        struct store_message_stored stored;
        assert_ok(fixture_send(fixture, NULL, from, name, text, &stored));
        assert_ok(store_maintain(fixture->store, &more));
        fixture_commit(fixture);
        assert_ok(store_maintain(fixture->store, &more));
        if (i % (MESSAGES / POSTS) == 0)
            forum_posted(fixture, from, "T", text);
    }
}

/* Leaves the store open. */
static void make_content(struct fixture *fixture) {
    uint64_t random = 7;
    struct store_post_changed changed;
    int64_t blocked;
    fixture->options.wal_pages = 60;
    fixture->options.view_entries = 100;
    fixture->options.slice_entries = 50;
    fixture_open(fixture);
    for (int i = 1; i <= PEOPLE; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "user%d", i);
        assert_int_equal(fixture_account(fixture, name), i);
    }
    forum_thread(fixture, 1, "T");
    struct forum_file large = {
        .title = "T", .name = "large", .account = 1, .size = 600000, .seed = 3};
    struct forum_file small = {
        .title = "T", .name = "small", .account = 2, .size = 50000, .seed = 4};
    fixture_id(fixture, large.id);
    fixture_id(fixture, small.id);
    forum_upload(fixture, &large, 262144);
    forum_upload(fixture, &small, 262144);
    forum_posted(fixture, 1, "T", "the first");
    fill_texts(fixture, &random);
    struct forum_change edit = {.title = "T", .account = 1, .number = 1, .text = "edited"};
    assert_ok(forum_edit(fixture, &edit, &changed));
    fixture_begin(fixture);
    assert_ok(store_block_add(fixture->store, 1, "user3", 1, &blocked));
    fixture_commit(fixture);
}

/* ---- damages ---- */

static size_t pick(uint64_t *random, size_t count) {
    return count == 0 ? 0 : (size_t)random_below(random, count);
}

static void flip_bits(uint64_t *random, unsigned char *bytes, size_t length, uint64_t count) {
    for (uint64_t i = 0; i < count; i++)
        bytes[pick(random, length)] ^= (unsigned char)(1 << random_below(random, 8));
}

static void swap_pages(uint64_t *random, unsigned char *bytes, size_t length) {
    unsigned char page[PAGE];
    size_t pages = length / PAGE, a = pick(random, pages) * PAGE, b = pick(random, pages) * PAGE;
    if (pages > 0) {
        memcpy(page, bytes + a, PAGE);
        memcpy(bytes + a, bytes + b, PAGE);
        memcpy(bytes + b, page, PAGE);
    }
}

static const char *damage(uint64_t *random, unsigned char *bytes, size_t *length) {
    size_t at = pick(random, *length), left = *length - at;
    size_t sector = at / 512 * 512, sector_left = *length - sector < 512 ? *length - sector : 512;
    size_t range = 1 + pick(random, left < 8192 ? left : 8192);
    switch (random_below(random, 7)) {
    case 0:
        flip_bits(random, bytes, *length, 1);
        return "a flipped bit";
    case 1:
        flip_bits(random, bytes, *length, 1 + random_below(random, 20));
        return "flipped bits";
    case 2:
        memset(bytes + at, 0, range < left ? range : left);
        return "zeros";
    case 3:
        *length = at;
        return "a truncation";
    case 4:
        for (size_t i = 0; i < sector_left; i++)
            bytes[sector + i] = (unsigned char)random_below(random, 256);
        return "an overwritten sector";
    case 5:
        swap_pages(random, bytes, *length);
        return "swapped pages";
    default:
        memmove(bytes + at, bytes + pick(random, *length - range + 1), range < left ? range : left);
        return "bytes of another place";
    }
}

/* ---- comparing ---- */

static bool same_line(const char *was, const char *is) {
    const char *tab = strchr(was, '\t');
    return !strcmp(was, is) ||
           (!strncmp(was, is, (size_t)(tab - was) + 1) && !strcmp(is + (tab - was) + 1, "!"));
}

/* Whether it is all as it was; nothing may be other. */
static bool compare(const struct dump *was, const struct dump *is, const char *what) {
    bool all = !is->failed && was->count == is->count;
    for (size_t i = 0; i < is->count; i++) {
        if (i >= was->count || !same_line(was->lines[i], is->lines[i])) {
            fail_msg("%s: \"%s\" is \"%s\"", what, i < was->count ? was->lines[i] : "nothing",
                     is->lines[i]);
        }
        all = all && !strcmp(was->lines[i], is->lines[i]);
    }
    if (!is->failed && is->count < was->count)
        fail_msg("%s: \"%s\" is missing", what, was->lines[is->count]);
    return all;
}

struct counts {
    size_t right, refused, told;
};

/* false: it is refused. */
static bool open_and_compare(struct fixture *fixture, const struct dump *was, const char *what,
                             bool *right) {
    struct dump is;
    if (store_open(&fixture->store, &fixture->options) != STORE_OK) {
        assert_true(strlen(store_error(fixture->store)) > 20);
        fixture_close(fixture);
        return false;
    }
    bool remarked = store_remark(fixture->store) != NULL;
    dump_all(&is, fixture->store);
    *right = compare(was, &is, what) && !remarked;
    dump_release(&is);
    fixture_close(fixture);
    return true;
}

static void ignore_damage(void *arg, const char *sentence) {
    (void)arg;
    assert_true(strlen(sentence) > 10);
}

static void ignore_progress(void *arg, const char *what, uint64_t done, uint64_t all) {
    (void)arg;
    (void)what;
    (void)done;
    (void)all;
}

static bool is_found_whole(const struct fixture *fixture) {
    struct store_check check = {
        .path = fixture->path, .damage = ignore_damage, .progress = ignore_progress};
    enum store_status status = store_check(&check);
    assert_int_equal(status == STORE_OK, check.damages == 0);
    return status == STORE_OK;
}

static void try(struct fixture *fixture, const struct image *image, const struct dump *was,
                uint64_t seed, struct counts *counts) {
    uint64_t random = seed;
    struct image damaged = {0};
    char what[128];
    int hit;
    do {
        hit = (int)random_below(&random, FILES);
    } while (!image->bytes[hit] || image->length[hit] == 0);
    for (int i = 0; i < FILES; i++) {
        damaged.length[i] = image->length[i];
        damaged.bytes[i] = !image->bytes[i] ? NULL : malloc(image->length[i] + 1);
        if (damaged.bytes[i])
            memcpy(damaged.bytes[i], image->bytes[i], image->length[i]);
    }
    const char *kind = damage(&random, damaged.bytes[hit], &damaged.length[hit]);
    (void)snprintf(what, sizeof what, "damage %llu, %s in store%s", (unsigned long long)seed, kind,
                   suffixes[hit]);
    put(&damaged, fixture);
    bool whole = is_found_whole(fixture), right = false, again = false;
    put(&damaged, fixture);
    if (!open_and_compare(fixture, was, what, &right)) {
        counts->refused++;
    } else {
        counts->right += right;
        counts->told += !right;
        (void)open_and_compare(fixture, was, what, &again); /* nothing was made worse, or right */
    }
    if (whole && !right)
        fail_msg("%s: the store was found whole", what);
    image_release(&damaged);
}

static void run(uint64_t damages, bool killed) {
    struct fixture *fixture = fixture_in_folder();
    struct image image;
    struct dump was;
    struct counts counts = {0};
    bool right = false;
    make_content(fixture);
    dump_all(&was, fixture->store);
    assert_false(was.failed);
    if (killed) {
        take(&image, fixture);
        fixture_close(fixture);
    } else {
        fixture_close(fixture);
        take(&image, fixture);
    }
    put(&image, fixture);
    assert_true(is_found_whole(fixture));
    fixture_open(fixture); /* says why not */
    fixture_close(fixture);
    put(&image, fixture);
    assert_true(open_and_compare(fixture, &was, "undamaged", &right));
    assert_true(right);
    for (uint64_t i = 1; i <= damages / 2; i++)
        try(fixture, &image, &was, 2 * i + killed, &counts);
    print_message("%s: %zu damages left all right, %zu were refused, %zu told\n",
                  killed ? "killed" : "closed", counts.right, counts.refused, counts.told);
    assert_true(counts.refused + counts.told > 0);
    dump_release(&was);
    image_release(&image);
    fixture_free(fixture);
}

static void nothing_wrong_is_read_of_a_store_that_was_closed(void **state) {
    run(*(uint64_t *)*state, false);
}

static void nothing_wrong_is_read_of_a_store_whose_process_was_killed(void **state) {
    run(*(uint64_t *)*state, true);
}

int main(int argc, char **argv) {
    static uint64_t damages = DAMAGES;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(nothing_wrong_is_read_of_a_store_that_was_closed, &damages),
        cmocka_unit_test_prestate(nothing_wrong_is_read_of_a_store_whose_process_was_killed,
                                  &damages),
    };
    if (argc > 1)
        damages = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
