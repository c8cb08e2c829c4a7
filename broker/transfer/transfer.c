/* See transfer.h: argv, and help. */
#include "transfer.h"

#include "config_load.h"
#include "inside.h"
#include "record_line.h"
#include "user.h"
#include "words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct verb {
    const char *name;
    const char *shown; /* in front of errors */
    enum transfer_exit (*run)(struct transfer *transfer);
    bool needs_file;
    const char *help;
} verbs[] = {
    {"export", "zchatd export", transfer_out, false,
     "zchatd export writes everything in a store as lines of JSON, with or without a broker at\n"
     "work: accounts with the hashes of their passwords and their trusted devices, messages,\n"
     "threads with all edits and deletions, files, and who has read what. zchatd import makes a\n"
     "store of them again. The broker's own key (server.key in the data folder) and its\n"
     "configuration are not in it.\n\n"
     "    zchatd export [FILE] [--data DIR] [--config FILE]\n\n"
     "FILE, which must not exist yet nor be in DIR, gets the mode 0600; without it, or with -,\n"
     "the lines go to stdout. They tell the store as it is at one moment. As long as that takes,\n"
     "a broker that serves the store can't begin its write-ahead log anew, which grows by what is\n"
     "written meanwhile, and keeps the room of removed files: write to a disk, not to a pipe that\n"
     "somebody reads slowly. What is damaged is named on stderr, and left out or marked.\n\n"
     "Exit codes: 0 done, 1 something is damaged or it failed, 2 usage, 3 the store can't be read\n"
     "or FILE not be written, 5 there is no store"},
    {"import", "zchatd import", transfer_in, true,
     "zchatd import makes a new store of the lines that zchatd export wrote. Ids, numbers, times,\n"
     "passwords and trusted devices stay as they were.\n\n"
     "    zchatd import FILE [--data DIR] [--config FILE]\n\n"
     "FILE - is stdin. The data folder must have no store; it is made if it is missing. The store\n"
     "gets its name only when all of it is there and on the disk: if a line can't be taken, the\n"
     "line's number and what is wrong are printed, and there is no store. Copy server.key into\n"
     "the folder as well if clients shall find the same broker there.\n\n"
     "Exit codes: 0 done, 1 failed, 2 usage or a line that can't be taken, 3 FILE can't be read "
     "or\n"
     "the store not be written, 7 there is a store already"},
};
#define VERBS (sizeof verbs / sizeof verbs[0])

enum transfer_exit transfer_fail(struct transfer *transfer, enum transfer_exit result,
                                 const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    progress_clear(&transfer->progress);
    fprintf(stderr, "%s: ", transfer->verb);
    vfprintf(stderr, format, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    return result;
}

static const struct verb *find_verb(int argc, char **argv, int *at) {
    for (size_t i = 0; i < VERBS; i++) {
        *at = user_verb_at(argc, argv, verbs[i].name);
        if (*at > 0)
            return &verbs[i];
    }
    return NULL;
}

bool transfer_wanted(int argc, char **argv) {
    int at;
    return find_verb(argc, argv, &at) != NULL;
}

static enum transfer_exit run(const struct verb *verb, struct transfer *transfer, char **argv) {
    char error[TRANSFER_ERROR_BYTES];
    struct config config;
    enum transfer_exit result = TRANSFER_INVALID;
    if (config_load(&config, argv, error, sizeof error) == CONFIG_RUN) {
        transfer->folder = config.data;
        result = verb->run(transfer);
        progress_clear(&transfer->progress);
    } else {
        (void)transfer_fail(transfer, result, "%s", error);
    }
    config_release(&config);
    return result;
}

/* The other words of argv are zchatd's own options. */
int transfer_main(int argc, char **argv) {
    int at;
    const struct verb *verb = find_verb(argc, argv, &at);
    struct transfer transfer = {.verb = verb->shown, .file = verb->needs_file ? NULL : "-"};
    struct words_taken words = words_take(&argc, argv, verb->name);
    if (words.help) {
        puts(verb->help);
        puts("\nThe lines' types and keys, [in brackets] those that may be missing:\n");
        record_print_types(stdout);
        return TRANSFER_DONE;
    }
    progress_begin(&transfer.progress, verb->name);
    if (words.force)
        return (int)transfer_fail(&transfer, TRANSFER_INVALID, "%s takes no --force", verb->name);
    if (words.file)
        transfer.file = words.file;
    if (!transfer.file)
        return (int)transfer_fail(&transfer, TRANSFER_INVALID, "import needs a FILE; - is stdin");
    return (int)run(verb, &transfer, argv);
}
