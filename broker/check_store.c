/* See check_store.h. What is damaged goes to stdout, a line each; the progress goes to stderr if
 * that is a terminal. */
#include "check_store.h"

#include "config_load.h"
#include "data.h"
#include "progress.h"
#include "store_check.h"
#include "user.h"

#include <stdio.h>
#include <string.h>

#define VERB        "check-store"
#define ERROR_BYTES 512

enum {
    EXIT_WHOLE = 0,
    EXIT_DAMAGED = 1,
    EXIT_USAGE = 2,
    EXIT_IO = 3,
    EXIT_NONE = 5,
};

static void show_progress(void *arg, const char *what, uint64_t done, uint64_t all) {
    progress_show(arg, what, done, all);
}

static void show_damage(void *arg, const char *sentence) {
    progress_clear(arg);
    puts(sentence);
}

static int fail(int status, const char *sentence) {
    fprintf(stderr, "zchatd " VERB ": %s\n", sentence);
    return status;
}

static void print_help(void) {
    puts(
        "zchatd check-store verifies a store as a whole, with or without a broker at work: what "
        "was\n"
        "recorded apart from it, the write-ahead log, the checksum of each page, entry and piece "
        "of\n"
        "a file, and that what finds entries fits. It changes nothing. What is damaged is "
        "printed,\n"
        "a line each.\n\n"
        "    zchatd check-store [--data DIR] [--config FILE]\n\n"
        "Exit codes: 0 the store is whole, 1 it is damaged, 2 usage, 3 it can't be read or stdout\n"
        "can't be written, 5 there is none.");
}

static void print_whole(const struct store_check *check) {
    printf("the store %s is whole: %llu pages, %llu entries of the log, %llu pieces of files\n",
           check->path, (unsigned long long)check->pages, (unsigned long long)check->entries,
           (unsigned long long)check->pieces);
    if (check->pages == 0)
        puts("its pages have no checksums: an older zchat made it");
    if (check->pieces_unchecked > 0) {
        printf("%llu pieces have no checksums: an older zchat stored them\n",
               (unsigned long long)check->pieces_unchecked);
    }
    if (check->removed_threads > 0 || check->removed_files > 0) {
        printf(
            "%llu removed threads and %llu removed files still take room: a broker frees it, bit "
            "by bit\n",
            (unsigned long long)check->removed_threads, (unsigned long long)check->removed_files);
    }
}

static int tell(const struct store_check *check, enum store_status status) {
    char sentence[ERROR_BYTES + DATA_PATH_BYTES];
    switch (status) {
    case STORE_OK:
        print_whole(check);
        return EXIT_WHOLE;
    case STORE_DAMAGED:
        printf("the store %s is damaged in %llu place%s: bring it back from a backup\n",
               check->path, (unsigned long long)check->damages, check->damages == 1 ? "" : "s");
        return EXIT_DAMAGED;
    case STORE_NOT_FOUND:
        snprintf(sentence, sizeof sentence,
                 "there is no store %s; name the broker's folder with --data DIR", check->path);
        return fail(EXIT_NONE, sentence);
    default:
        return EXIT_IO;
    }
}

static int check(const char *folder) {
    char path[DATA_PATH_BYTES];
    struct progress shown;
    struct store_check check = {
        .path = path, .damage = show_damage, .progress = show_progress, .arg = &shown};
    progress_begin(&shown, VERB);
    if (!data_path(folder, DATA_STORE, path, sizeof path))
        return fail(EXIT_USAGE, "the path of the data folder is too long");
    enum store_status status = store_check(&check);
    progress_clear(&shown);
    int result = tell(&check, status);
    if (fflush(stdout) != 0 || ferror(stdout))
        result = fail(EXIT_IO, "stdout can't be written");
    return result;
}

bool check_store_wanted(int argc, char **argv) {
    return user_verb_at(argc, argv, VERB) > 0;
}

/* The other words of argv are zchatd's own options. */
int check_store_main(int argc, char **argv) {
    char error[ERROR_BYTES];
    struct config config;
    int at = user_verb_at(argc, argv, VERB), result = EXIT_USAGE;
    for (int i = at; i < argc; i++) /* also the NULL behind the last word */
        argv[i] = argv[i + 1];
    argc--;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--help")) {
            print_help();
            return EXIT_WHOLE;
        }
    }
    if (config_load(&config, argv, error, sizeof error) == CONFIG_RUN)
        result = check(config.data);
    else
        (void)fail(EXIT_USAGE, error);
    config_release(&config);
    return result;
}
