/* Measures threads and files of the store alone, on the disk of the folder it is given; prints one
 * JSON line. Not a test. usage: forum_bench FOLDER [FILES [CHUNKS_PER_TURN [POSTS]]] */
#include "threads.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FILE_BYTES = 64 * 1024 * 1024, BATCH = 16, PAGE = 500, PAGES = 20, TURNS_MAX = 65536 };

struct bench {
    struct store *store; /* owned */
    int64_t account;
    uint64_t ids;
    unsigned char *file; /* owned */
    unsigned char hash[HASH_BYTES];
    int64_t took_us[TURNS_MAX]; /* of each turn since turns was 0 */
    size_t turns;
};

static int64_t now_us(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void need(struct bench *bench, enum store_status status) {
    if (status != STORE_OK) {
        (void)fprintf(stderr, "status %d: %s\n", (int)status, store_error(bench->store));
        exit(1);
    }
}

static void new_id(struct bench *bench, unsigned char id[ID_BYTES]) {
    unsigned char random[10] = {0};
    bench->ids++;
    memcpy(random, &bench->ids, sizeof bench->ids);
    id_make(id, 1700000000000 + bench->ids / 8, random);
}

static void begin(struct bench *bench) {
    need(bench, store_begin(bench->store));
}

static void end(struct bench *bench, int64_t began) {
    bool more;
    need(bench, store_maintain(bench->store, &more));
    need(bench, store_commit(bench->store));
    need(bench, store_maintain(bench->store, &more));
    if (bench->turns < TURNS_MAX)
        bench->took_us[bench->turns++] = now_us() - began;
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void print_turns(struct bench *bench) {
    int64_t *took_us = bench->took_us;
    qsort(took_us, bench->turns, sizeof *took_us, ascending);
    (void)printf(",\"upload_turn_p50_us\":%" PRId64 ",\"upload_turn_p99_us\":%" PRId64
                 ",\"upload_turn_max_us\":%" PRId64,
                 took_us[bench->turns / 2], took_us[bench->turns * 99 / 100],
                 took_us[bench->turns - 1]);
}

static void make_thread(struct bench *bench, const char *title) {
    struct store_thread thread;
    unsigned char id[ID_BYTES];
    new_id(bench, id);
    begin(bench);
    need(bench, store_thread_create(bench->store, id, title, bench->account, 1, &thread));
    end(bench, now_us());
}

static double mib_per_s(size_t files, int64_t us) {
    return (double)files * FILE_BYTES / 1048576 * 1e6 / (double)us;
}

static void upload(struct bench *bench, size_t number, size_t chunks_per_turn) {
    char name[32];
    unsigned char id[ID_BYTES];
    struct store_file file;
    struct store_thread thread;
    bool done = false;
    new_id(bench, id);
    (void)snprintf(name, sizeof name, "file %zu", number);
    struct store_upload new = {.id = id,
                               .title = "files",
                               .name = name,
                               .account = bench->account,
                               .size = FILE_BYTES,
                               .hash = bench->hash,
                               .now_us = 1};
    begin(bench);
    need(bench, store_upload_begin(bench->store, &new, &file));
    end(bench, now_us());
    for (size_t at = 0; at < FILE_BYTES;) {
        int64_t began = now_us();
        begin(bench);
        for (size_t i = 0; i < chunks_per_turn && at < FILE_BYTES; i++, at += CHUNK_BYTES_MAX)
            need(bench, store_upload_chunk(bench->store, id, bench->account, at, bench->file + at,
                                           CHUNK_BYTES_MAX, NULL, 1, &file, &done, &thread));
        end(bench, began);
    }
    need(bench, done ? STORE_OK : STORE_FAILED);
}

static void measure_files(struct bench *bench, size_t files, size_t chunks_per_turn) {
    static unsigned char chunk[CHUNK_BYTES_MAX];
    struct store_thread thread;
    struct store_file file;
    size_t count;
    make_thread(bench, "files");
    bench->turns = 0;
    int64_t start = now_us();
    for (size_t i = 0; i < files; i++)
        upload(bench, i, chunks_per_turn);
    int64_t took = now_us() - start;
    (void)printf("\"upload_mib_per_s\":%.0f", mib_per_s(files, took));
    print_turns(bench);
    start = now_us();
    for (size_t i = 0; i < files; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "file %zu", i);
        need(bench, store_file_find(bench->store, "files", name, &file));
        for (uint64_t at = 0; at < FILE_BYTES; at += count)
            need(bench, store_file_read(bench->store, file.file, at, chunk, sizeof chunk, &count));
    }
    (void)printf(",\"download_mib_per_s\":%.0f", mib_per_s(files, now_us() - start));
    bench->turns = 0;
    start = now_us();
    begin(bench);
    need(bench, store_thread_remove(bench->store, "files", bench->account, false, &thread));
    end(bench, start);
    (void)printf(",\"remove_ms\":%.1f", (double)(now_us() - start) / 1000);
}

static bool count_item(void *arg, const struct store_post *post, const struct store_file *file) {
    *(size_t *)arg += post || file;
    return true;
}

static bool count_entry(void *arg, const struct store_thread_entry *entry) {
    *(size_t *)arg += entry->seq > 0;
    return true;
}

static void post(struct bench *bench) {
    static const char text[] =
        "So that about a hundred bytes are stored for each post, as for each message.";
    struct store_post_changed changed;
    unsigned char id[ID_BYTES];
    new_id(bench, id);
    struct store_post_change change = {.id = id,
                                       .title = "posts",
                                       .account = bench->account,
                                       .text = text,
                                       .text_bytes = sizeof text,
                                       .now_us = 1};
    need(bench, store_post_add(bench->store, &change, &changed));
}

static void change_middle(struct bench *bench, uint64_t number, bool deletes) {
    struct store_post_changed changed;
    unsigned char id[ID_BYTES];
    new_id(bench, id);
    struct store_post_change change = {.id = id,
                                       .title = "posts",
                                       .account = bench->account,
                                       .number = number,
                                       .text = "edited",
                                       .text_bytes = 6,
                                       .now_us = 2};
    need(bench, deletes ? store_post_delete(bench->store, &change, &changed)
                        : store_post_edit(bench->store, &change, &changed));
}

static void measure_posts(struct bench *bench, size_t posts) {
    struct store_thread thread;
    size_t rows = 0;
    make_thread(bench, "posts");
    int64_t start = now_us();
    for (size_t i = 0; i < posts; i += BATCH) {
        begin(bench);
        for (size_t j = 0; j < BATCH; j++)
            post(bench);
        end(bench, now_us());
    }
    (void)printf(",\"posts_per_s\":%.0f", (double)posts * 1e6 / (double)(now_us() - start));
    start = now_us();
    begin(bench);
    for (size_t i = 0; i < PAGE; i++)
        change_middle(bench, posts - 1 - i, false);
    (void)printf(",\"edit_us\":%.1f", (double)(now_us() - start) / PAGE);
    start = now_us();
    for (size_t i = 0; i < PAGE; i++)
        change_middle(bench, posts / 2 - i / 2, true);
    (void)printf(",\"delete_us\":%.1f", (double)(now_us() - start) / PAGE);
    end(bench, now_us());
    need(bench, store_thread_find(bench->store, "posts", &thread));
    start = now_us();
    for (size_t i = 0; i < PAGES; i++)
        need(bench, store_thread_read(bench->store, thread.stream, i * posts / PAGES / 2, PAGE,
                                      count_item, &rows));
    (void)printf(",\"read_page_us\":%.0f", (double)(now_us() - start) / PAGES);
    start = now_us();
    for (size_t i = 0; i < PAGES; i++)
        need(bench, store_thread_sync(bench->store, thread.stream, i * posts / PAGES / 2, PAGE,
                                      count_entry, &rows));
    (void)printf(",\"sync_page_us\":%.0f", (double)(now_us() - start) / PAGES);
    start = now_us();
    for (size_t i = 0; i < PAGES; i++)
        need(bench,
             store_thread_sync(bench->store, thread.stream, posts, PAGE, count_entry, &rows));
    (void)printf(",\"sync_page_of_edits_us\":%.0f", (double)(now_us() - start) / PAGES);
    start = now_us();
    begin(bench);
    need(bench, store_thread_remove(bench->store, "posts", bench->account, false, &thread));
    end(bench, start);
    (void)printf(",\"remove_posts_ms\":%.1f", (double)(now_us() - start) / 1000);
    need(bench, rows == 3 * (size_t)PAGE * PAGES ? STORE_OK : STORE_FAILED);
}

static void fill(struct bench *bench) {
    bench->file = malloc(FILE_BYTES);
    if (!bench->file)
        exit(1);
    uint64_t random = 88172645463325252;
    for (size_t i = 0; i < FILE_BYTES; i += sizeof random) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        memcpy(bench->file + i, &random, sizeof random);
    }
    struct hash hash;
    hash_begin(&hash);
    hash_add(&hash, bench->file, FILE_BYTES);
    hash_end(&hash, bench->hash);
}

int main(int argc, char **argv) {
    size_t files = argc > 2 ? strtoul(argv[2], NULL, 10) : 4;
    size_t chunks_per_turn = argc > 3 ? strtoul(argv[3], NULL, 10) : 4;
    size_t posts = argc > 4 ? strtoul(argv[4], NULL, 10) : 10000;
    static struct bench bench;
    char path[4096];
    if (argc < 2 || chunks_per_turn == 0 || posts < (size_t)2 * PAGE) {
        (void)fprintf(stderr, "usage: forum_bench FOLDER [FILES [CHUNKS_PER_TURN [POSTS]]]\n");
        return 2;
    }
    (void)snprintf(path, sizeof path, "%s/bench.sqlite", argv[1]);
    fill(&bench);
    (void)remove(path);
    need(&bench, store_open(&bench.store, &(struct store_options){.path = path}));
    begin(&bench);
    need(&bench, store_account_add(bench.store, "han", "", false, NULL, NULL, 1, &bench.account));
    end(&bench, now_us());
    (void)printf("{\"files\":%zu,\"chunks_per_turn\":%zu,\"posts\":%zu,", files, chunks_per_turn,
                 posts);
    measure_files(&bench, files, chunks_per_turn);
    measure_posts(&bench, posts);
    int64_t start = now_us();
    need(&bench, store_wipe(bench.store));
    (void)printf(",\"wipe_ms\":%.1f}\n", (double)(now_us() - start) / 1000);
    store_close(bench.store);
    free(bench.file);
    return 0;
}
