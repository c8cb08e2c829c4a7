/* duet: plays worlds, each decided by its seed. Where something is wrong, it says why, with the
 * seed, and the exit code is 1. */
#include "duet.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS       200
#define ARENA_BYTES (16 * 1024 * 1024)
#define BEGIN_US    (INT64_C(1700000000) * 1000000)
/* So long may it take until all are up to date, once nothing breaks any more: a keep-alive repairs
 * what was lost last. */
#define CALM_US   (200 * INT64_C(1000000))
#define WHY_BYTES 128

_Noreturn void duet_fail(const struct duet *duet, const char *format, ...) {
    va_list args;

    fprintf(stderr, "duet --seed %s, at %" PRId64 " us: ", duet->seed_text,
            duet->now_us - BEGIN_US);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

bool duet_chance(struct duet *duet, unsigned per_mille) {
    return duet->rough && random_chance(&duet->random, per_mille);
}

static unsigned up_to(struct duet *duet, unsigned most) {
    return random_chance(&duet->random, 300) ? 0 : (unsigned)random_below(&duet->random, most + 1);
}

static void make(struct duet *duet, uint64_t seed) {
    const struct disk_options disk = {.view_entries = 10 + random_below(&duet->random, 200),
                                      .slice_entries = 1 + random_below(&duet->random, 40),
                                      .wal_pages = 10 + (int)random_below(&duet->random, 300)};

    duet->breaks = up_to(duet, 100);
    duet->losses = up_to(duet, 300);
    duet->power = up_to(duet, 4);
    duet->delay_us = random_between(&duet->random, 100, 60000);
    duet->options =
        (struct core_options){.sessions_per_user = 64, .password_workers = 1, .software = "duet"};
    duet->options.quotas =
        (struct store_quotas){.post_bytes = 1 << 24, .threads = 10, .file_bytes = 1 << 20};
    duet->disk = disk_new(seed, &disk);
    duet->account_count = 2 + (int)random_below(&duet->random, ACCOUNTS_MAX - 1);
    duet->player_count = duet->account_count + (int)random_below(&duet->random, 3);
    for (int i = 0; i < duet->player_count; i++)
        player_init(duet, i);
    broker_start(duet);
    broker_add_accounts(duet);
}

static void step(struct duet *duet) {
    struct player *next = NULL;
    int64_t due_us = broker_due(duet);

    for (int i = 0; i < duet->player_count; i++) {
        if (player_due(&duet->players[i]) < due_us) {
            next = &duet->players[i];
            due_us = player_due(next);
        }
    }
    if (due_us > duet->now_us)
        duet->now_us = due_us;
    if (next)
        player_run(next);
    else
        broker_run(duet);
}

static bool is_settled(struct duet *duet, char *why) {
    snprintf(why, WHY_BYTES, "the broker is down");
    for (int i = 0; i < duet->player_count && duet->core; i++)
        if (!player_is_settled(&duet->players[i], why, WHY_BYTES))
            return false;
    return duet->core != NULL;
}

/* What an answer named is there, and nothing is there twice. */
static void check_ledgers(struct duet *duet) {
    for (int account = 0; account < duet->account_count; account++) {
        const struct ledger *ledger = &duet->ledgers[account];
        uint64_t head = broker_head(duet, account);

        if (ledger->promised > head)
            duet_fail(duet, "u%d was promised entry %llu, but has %llu", account,
                      (unsigned long long)ledger->promised, (unsigned long long)head);
        for (uint64_t i = 1; i < head; i++) {
            static const unsigned char none[ID_BYTES];

            for (uint64_t k = 0; k < i; k++) {
                if (memcmp(ledger->ids[i], ledger->ids[k], ID_BYTES) == 0 &&
                    memcmp(ledger->ids[i], none, ID_BYTES) != 0)
                    duet_fail(duet, "u%d has a message twice, as %llu and %llu", account,
                              (unsigned long long)(k + 1), (unsigned long long)(i + 1));
            }
        }
    }
}

static void play(uint64_t seed, struct wire_arena *arena, uint64_t totals[4]) {
    struct duet *duet = calloc(1, sizeof *duet);
    char seed_text[24], why[WHY_BYTES];
    int64_t calm_us;

    if (!duet)
        abort();
    snprintf(seed_text, sizeof seed_text, "%" PRIu64, seed);
    duet->seed_text = seed_text;
    duet->arena = arena;
    duet->now_us = BEGIN_US;
    duet->rough = true;
    random_seed(&duet->random, seed);
    make(duet, seed);
    while (duet->steps < STEPS)
        step(duet);
    duet->rough = false;
    calm_us = duet->now_us;
    while (!is_settled(duet, why)) {
        step(duet);
        if (duet->now_us - calm_us > CALM_US)
            duet_fail(duet, "%lld s without faults: %s", (long long)(CALM_US / 1000000), why);
    }
    check_ledgers(duet);
    totals[0] += duet->sent;
    totals[1] += duet->answered;
    totals[2] += duet->handed_out;
    totals[3] += duet->crashes;
    for (int i = 0; i < duet->player_count; i++)
        player_release(&duet->players[i]);
    broker_end(duet);
    disk_free(duet->disk);
    free(duet);
}

int main(int argc, char **argv) {
    uint64_t first = 1, last = 100, totals[4] = {0};
    struct wire_arena *arena = wire_arena_new(ARENA_BYTES);

    if (argc == 3 && strcmp(argv[1], "--seed") == 0 && sscanf(argv[2], "%" SCNu64, &first) == 1)
        last = first;
    else if (argc != 3 || strcmp(argv[1], "--seeds") != 0 ||
             sscanf(argv[2], "%" SCNu64 "..%" SCNu64, &first, &last) != 2) {
        fputs("usage: duet [--seeds A..B | --seed N]\n", stderr);
        return 2;
    }
    if (!arena || sodium_init() < 0)
        abort();
    for (uint64_t seed = first; seed <= last; seed++)
        play(seed, arena, totals);
    wire_arena_free(arena);
    printf("seeds %" PRIu64 "..%" PRIu64 ": %" PRIu64 " messages, %" PRIu64 " answered, %" PRIu64
           " handed out, %" PRIu64 " power failures\n",
           first, last, totals[0], totals[1], totals[2], totals[3]);
    return 0;
}
