/* Measures the store alone, on the disk of the folder it is given; prints one JSON line. Not a
 * test. usage: store_bench FOLDER [MESSAGES [BATCH [ACCOUNTS]]] */
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SENDERS = 8, PAGE = 50, PAGES = 2000, STORED = 100000, TEXT_BYTES = 100 };

struct bench {
    struct store *store; /* owned */
    int64_t *accounts;   /* owned */
    size_t accounts_count;
    uint64_t ids;
    uint64_t random;
};

static int64_t now_us(clockid_t clock) {
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void need(struct bench *bench, enum store_status status) {
    if (status != STORE_OK) {
        (void)fprintf(stderr, "status %d: %s\n", (int)status, store_error(bench->store));
        exit(1);
    }
}

static uint64_t random_next(struct bench *bench) {
    bench->random ^= bench->random << 13;
    bench->random ^= bench->random >> 7;
    return bench->random ^= bench->random << 17;
}

static void name_of(size_t i, char name[NAME_BYTES]) {
    (void)snprintf(name, NAME_BYTES, "user%zu", i);
}

static void open_store(struct bench *bench, const char *path) {
    need(bench, store_open(&bench->store, &(struct store_options){.path = path}));
}

static void add_accounts(struct bench *bench) {
    need(bench, store_begin(bench->store));
    for (size_t i = 0; i < bench->accounts_count; i++) {
        char name[NAME_BYTES];
        name_of(i, name);
        need(bench,
             store_account_add(bench->store, name, "", false, NULL, NULL, 1, &bench->accounts[i]));
    }
    need(bench, store_commit(bench->store));
}

static void send(struct bench *bench, size_t from, size_t to) {
    static const char text[TEXT_BYTES] = "So that a hundred bytes are stored for each message.";
    struct store_message_stored stored;
    unsigned char id[ID_BYTES];
    unsigned char random[10] = {0};
    char name[NAME_BYTES];
    uint64_t noise = random_next(bench);
    memcpy(random, &noise, sizeof noise);
    id_make(id, 1700000000000 + bench->ids++ / 100, random);
    name_of(to, name);
    struct store_message_new message = {.id = id,
                                        .author = bench->accounts[from],
                                        .to = name,
                                        .text = text,
                                        .text_bytes = sizeof text,
                                        .time_us = now_us(CLOCK_REALTIME)};
    enum store_status status = store_message_append(bench->store, &message, &stored);
    need(bench, status == STORE_SELF ? STORE_OK : status);
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void send_all(struct bench *bench, size_t messages, size_t batch) {
    size_t turns = (messages + batch - 1) / batch;
    int64_t *took = malloc(turns * sizeof *took);
    if (!took)
        exit(1);
    int64_t start = now_us(CLOCK_MONOTONIC);
    int64_t cpu = now_us(CLOCK_THREAD_CPUTIME_ID);
    for (size_t turn = 0; turn < turns; turn++) {
        int64_t began = now_us(CLOCK_MONOTONIC);
        bool more;
        need(bench, store_begin(bench->store));
        for (size_t i = 0; i < batch; i++)
            send(bench, i % SENDERS, random_next(bench) % bench->accounts_count);
        need(bench, store_maintain(bench->store, &more));
        need(bench, store_commit(bench->store));
        need(bench, store_maintain(bench->store, &more));
        took[turn] = now_us(CLOCK_MONOTONIC) - began;
    }
    int64_t us = now_us(CLOCK_MONOTONIC) - start;
    cpu = now_us(CLOCK_THREAD_CPUTIME_ID) - cpu;
    qsort(took, turns, sizeof *took, ascending);
    (void)printf(
        "\"messages_per_s\":%.0f,\"cpu_us_per_message\":%.2f,\"turn_p50_us\":%" PRId64
        ",\"turn_p99_us\":%" PRId64 ",\"turn_p999_us\":%" PRId64 ",\"turn_max_us\":%" PRId64,
        (double)(turns * batch) * 1e6 / (double)us, (double)cpu / (double)(turns * batch),
        took[turns / 2], took[turns * 99 / 100], took[turns * 999 / 1000], took[turns - 1]);
    free(took);
}

static bool count_one(void *arg, const struct store_message *message) {
    *(size_t *)arg += message->text_bytes > 0;
    return true;
}

static double read_pages(struct bench *bench, int64_t account) {
    uint64_t head = 0;
    uint64_t cursor = 0;
    size_t rows = 0;
    need(bench, store_inbox_state(bench->store, account, &head, &cursor));
    int64_t start = now_us(CLOCK_MONOTONIC);
    for (size_t i = 0; i < PAGES; i++) {
        uint64_t after = random_next(bench) % (head - PAGE);
        need(bench, store_inbox_read(bench->store, account, after, PAGE, count_one, &rows));
    }
    if (rows != (size_t)PAGES * PAGE) {
        (void)fprintf(stderr, "%zu entries read\n", rows);
        exit(1);
    }
    return (double)(now_us(CLOCK_MONOTONIC) - start) / PAGES;
}

/* One inbox with many entries: the last account's. */
static void fill_one(struct bench *bench) {
    for (size_t i = 0; i < STORED; i += 1000) {
        bool more;
        need(bench, store_begin(bench->store));
        for (size_t j = 0; j < 1000; j++)
            send(bench, j % SENDERS, bench->accounts_count - 1);
        need(bench, store_maintain(bench->store, &more));
        need(bench, store_commit(bench->store));
    }
}

int main(int argc, char **argv) {
    size_t messages = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000;
    size_t batch = argc > 3 ? strtoul(argv[3], NULL, 10) : 256;
    struct bench bench = {.accounts_count = argc > 4 ? strtoul(argv[4], NULL, 10) : 10000,
                          .random = 88172645463325252};
    char path[4096];
    if (argc < 2 || batch == 0 || bench.accounts_count <= SENDERS) {
        (void)fprintf(stderr, "usage: store_bench FOLDER [MESSAGES [BATCH [ACCOUNTS]]]\n");
        return 2;
    }
    (void)snprintf(path, sizeof path, "%s/bench.sqlite", argv[1]);
    bench.accounts = calloc(bench.accounts_count, sizeof *bench.accounts);
    if (!bench.accounts)
        return 1;
    (void)remove(path);
    open_store(&bench, path);
    add_accounts(&bench);
    (void)printf("{\"accounts\":%zu,\"batch\":%zu,\"messages\":%zu,", bench.accounts_count, batch,
                 messages);
    send_all(&bench, messages, batch);
    fill_one(&bench);
    (void)printf(",\"page_us\":%.1f", read_pages(&bench, bench.accounts[bench.accounts_count - 1]));
    int64_t start = now_us(CLOCK_MONOTONIC);
    store_close(bench.store);
    int64_t closed = now_us(CLOCK_MONOTONIC);
    open_store(&bench, path);
    (void)printf(",\"close_ms\":%.1f,\"open_ms\":%.1f", (double)(closed - start) / 1000,
                 (double)(now_us(CLOCK_MONOTONIC) - closed) / 1000);
    (void)printf(",\"page_cold_us\":%.1f}\n",
                 read_pages(&bench, bench.accounts[bench.accounts_count - 1]));
    store_close(bench.store);
    free(bench.accounts);
    return 0;
}
