/* sim: plays worlds, one after the other, each decided by its seed. Where something is wrong, the
 * world's last events and its seed are printed and the exit code is 1. Many worlds are played in a
 * child process, so that also the seed of one that ends by an assertion is known. */
#include "world.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEPS       200
#define ARENA_BYTES (16 * 1024 * 1024)

struct arguments {
    uint64_t first, last;
    unsigned steps;
    bool verbose;
};

/* What the child tells the parent after each world. */
struct played {
    uint64_t seed;
    struct world_result result;
};

static int usage(void) {
    fputs("usage: sim [--seeds A..B | --seed N] [--steps N] [--verbose]\n"
          "  --seeds A..B  play these worlds (1..100)\n"
          "  --seed N      play this one\n"
          "  --steps N     what is done in a world before it grows calm (200)\n"
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
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--verbose"))
            arguments->verbose = true;
        else if (i + 1 == argc || !read_value(arguments, argv[i], argv[i + 1]))
            return false;
        else
            i++;
    return true;
}

/* Tells `out` of each world that was played; -1: nobody. Ends the process where one fails. */
static int play(const struct arguments *arguments, int out) {
    struct wire_arena *arena = wire_arena_new(ARENA_BYTES);
    int code = arena ? 0 : 1;

    for (uint64_t seed = arguments->first; arena && seed <= arguments->last; seed++) {
        struct played played = {.seed = seed};

        world_play(seed, arguments->steps, arguments->verbose, arena, &played.result);
        if (out >= 0 && write(out, &played, sizeof played) != (ssize_t)sizeof played) {
            code = 1;
            break;
        }
    }
    wire_arena_free(arena);
    return code;
}

static void print_sum(const struct arguments *arguments, uint64_t seeds,
                      const struct world_result *sum) {
    printf("%sseeds %" PRIu64 "..%" PRIu64 ": %" PRIu64 " passed, %" PRIu64 " messages, %" PRIu64
           " answers, %" PRIu64 " handed out, %" PRIu64 " crashes\n",
           isatty(STDOUT_FILENO) ? "\r" : "", arguments->first, arguments->last, seeds,
           sum->messages, sum->answers, sum->handed_out, sum->crashes);
}

/* Reads what the child tells until it ends. Returns how many worlds it played. */
static uint64_t follow(int in, struct world_result *sum) {
    bool terminal = isatty(STDOUT_FILENO);
    struct played played;
    uint64_t count = 0;

    for (; read(in, &played, sizeof played) == (ssize_t)sizeof played; count++) {
        sum->messages += played.result.messages;
        sum->crashes += played.result.crashes;
        sum->answers += played.result.answers;
        sum->handed_out += played.result.handed_out;
        if (terminal) {
            printf("\rseed %" PRIu64 " ", played.seed);
            fflush(stdout);
        }
    }
    return count;
}

static int play_many(const struct arguments *arguments) {
    struct world_result sum = {0};
    int ends[2], status = 0;
    uint64_t count;
    pid_t child;

    if (pipe(ends) != 0 || (child = fork()) < 0) {
        perror("sim");
        return 1;
    }
    if (child == 0) {
        close(ends[0]);
        exit(play(arguments, ends[1]));
    }
    close(ends[1]);
    count = follow(ends[0], &sum);
    close(ends[0]);
    waitpid(child, &status, 0);
    print_sum(arguments, count, &sum);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    fprintf(stderr, "failed: sim --seed %" PRIu64 " --steps %u --verbose\n",
            arguments->first + count, arguments->steps);
    return 1;
}

int main(int argc, char **argv) {
    struct arguments arguments = {.first = 1, .last = 100, .steps = STEPS};

    if (!read_arguments(&arguments, argc, argv))
        return usage();
    if (sodium_init() < 0)
        abort();
    if (arguments.first == arguments.last)
        return play(&arguments, -1);
    return play_many(&arguments);
}
