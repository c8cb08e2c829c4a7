/* See broker.h. */
#include "broker.h"

#define PATH_BYTES 4096

/* argv is not const, and nobody writes to it. */
static char *word(const char *text) {
    return (char *)(uintptr_t)text;
}

bool broker_add_accounts(const struct broker_options *options, const char *key,
                         void (*write_names)(FILE *file, void *arg), void *arg) {
    char program[PATH_BYTES];
    char *argv[] = {
        program,        word("user"),        word("add"),          word("-"), word("--create"),
        word("--data"), word(options->data), word("--device-key"), word(key), NULL};
    child_program(options->zchatd, "zchatd", program, sizeof program);
    if (child_run(argv, write_names, arg))
        return true;
    fprintf(stderr, "zchat-bench: the accounts could not be made\n");
    return false;
}

struct child *broker_start(const struct broker_options *options) {
    char program[PATH_BYTES], io_threads[24];
    char *argv[] = {program,
                    word("--data"),
                    word(options->data),
                    word("--bind"),
                    word("127.0.0.1"),
                    word("--port"),
                    word("0"),
                    word("--rate-account"),
                    word("0"),
                    word("--rate-key"),
                    word("0"),
                    word("--rate-address"),
                    word("0"),
                    word("--log-level"),
                    word("warn"),
                    word("--io-threads"),
                    io_threads,
                    NULL};
    const struct child_options child = {
        .argv = argv, .core = options->core, .ready = "ready address="};
    child_program(options->zchatd, "zchatd", program, sizeof program);
    snprintf(io_threads, sizeof io_threads, "%llu", (unsigned long long)options->io_threads);
    return child_start(&child);
}
