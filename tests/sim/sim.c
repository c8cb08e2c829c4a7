/* sim: plays worlds, one after the other, each decided by its seed. Where something is wrong, the
 * world's last events and its seed are printed and the exit code is 1. */
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEPS       200
#define ARENA_BYTES (16 * 1024 * 1024)

struct arguments {
    uint64_t first, last;
    unsigned steps;
    bool verbose;
};

static int usage(void) {
    fputs("usage: sim [--seeds A..B | --seed N] [--steps N] [--verbose]\n"
          "  --seeds A..B  play these worlds (1..100)\n"
          "  --seed N      play this one\n"
          "  --steps N     what clients do in a world before it grows calm (200)\n"
          "  --verbose     print everything that happens\n",
          stderr);
    return 2;
}

static bool read_value(struct arguments *arguments, const char *option, const char *value) {
    if (!strcmp(option, "--seeds"))
        return sscanf(value, "%" SCNu64 "..%" SCNu64, &arguments->first, &arguments->last) == 2 &&
               arguments->first <= arguments->last;
    if (!strcmp(option, "--steps"))
        return sscanf(value, "%u", &arguments->steps) == 1;
    if (strcmp(option, "--seed") != 0 || sscanf(value, "%" SCNu64, &arguments->first) != 1)
        return false;
    arguments->last = arguments->first;
    return true;
}

static bool read_arguments(struct arguments *arguments, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--verbose"))
            arguments->verbose = true;
        else if (i + 1 == argc || !read_value(arguments, argv[i], argv[i + 1]))
            return false;
        else
            i++;
    }
    return true;
}

static void play(const struct arguments *arguments, struct wire_arena *arena) {
    bool terminal = isatty(STDOUT_FILENO) && !arguments->verbose;
    uint64_t crashes = 0, messages = 0;
    struct world_result result;

    for (uint64_t seed = arguments->first; seed <= arguments->last; seed++) {
        if (terminal) {
            printf("\rseed %" PRIu64 " ", seed);
            fflush(stdout);
        }
        world_play(seed, arguments->steps, arguments->verbose, arena, &result);
        crashes += result.crashes;
        messages += result.messages;
    }
    printf("%sseeds %" PRIu64 "..%" PRIu64 " passed: %" PRIu64 " messages, %" PRIu64 " crashes\n",
           terminal ? "\r" : "", arguments->first, arguments->last, messages, crashes);
}

int main(int argc, char **argv) {
    struct arguments arguments = {.first = 1, .last = 100, .steps = STEPS};
    struct wire_arena *arena;

    if (!read_arguments(&arguments, argc, argv))
        return usage();
    arena = wire_arena_new(ARENA_BYTES);
    if (!arena) {
        fputs("sim: out of memory\n", stderr);
        return 1;
    }
    play(&arguments, arena);
    wire_arena_free(arena);
    return 0;
}
