#include "opening.h"

#include "common/clock.h"
#include "data.h"
#include "log.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct opening {
    const char *path;
    bool terminal;
    bool migrates;
    bool rehashes;
    uint64_t damaged;     /* files */
    uint64_t thousandths; /* as last shown */
    int64_t begun_s;
    int64_t hash_begun_s;
};

static int64_t now_s(void) {
    return clock_us() / 1000000;
}

static bool is_told_to_end(void) {
    sigset_t waiting;
    return sigpending(&waiting) == 0 &&
           (sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGINT) == 1);
}

static void begin(struct opening *opening) {
    opening->migrates = true;
    opening->begun_s = now_s();
    log_info(
        "store_migrates",
        "store=%s reason=\"an earlier version made it: it is written anew, a million messages in "
        "some 10 seconds, and goes on with the next start if it is ended\"",
        opening->path);
}

static void show(struct opening *opening, uint64_t done, uint64_t of) {
    uint64_t thousandths = of == 0 ? 1000 : (uint64_t)((double)done / (double)of * 1000);
    if (opening->terminal && thousandths != opening->thousandths) {
        opening->thousandths = thousandths;
        fprintf(stderr, "\rmigrating the store: %u.%u %% ", (unsigned)(thousandths / 10),
                (unsigned)(thousandths % 10));
    }
}

static bool tell(void *arg, uint64_t done, uint64_t of) {
    struct opening *opening = arg;
    if (!opening->migrates)
        begin(opening);
    show(opening, done, of);
    return !is_told_to_end();
}

static bool tell_rehash(void *arg, uint64_t done, uint64_t of) {
    struct opening *opening = arg;
    if (!opening->rehashes) {
        opening->rehashes = true;
        opening->hash_begun_s = now_s();
        log_info("store_rehashes",
                 "store=%s bytes=%llu reason=\"files in threads get hashes of another kind; it "
                 "goes on with the next start if it is ended\"",
                 opening->path, (unsigned long long)of);
    }
    show(opening, done, of);
    return !is_told_to_end();
}

static void tell_damaged(void *arg, const char *title, const char *name) {
    struct opening *opening = arg;
    char thread[LOG_QUOTE_BYTES], file[LOG_QUOTE_BYTES];
    opening->damaged++;
    log_warn("file_damaged",
             "thread=%s file=%s reason=\"its bytes are not those that were uploaded, or can't be "
             "read: who gets it is told so; upload it again under another name\"",
             log_quote(thread, sizeof thread, title, strlen(title)),
             log_quote(file, sizeof file, name, strlen(name)));
}

static void end(const struct opening *opening, bool opened) {
    if (opening->rehashes && opened) {
        log_info("store_rehashed", "seconds=%lld damaged=%llu",
                 (long long)(now_s() - opening->hash_begun_s),
                 (unsigned long long)opening->damaged);
    }
    if ((opening->migrates || opening->rehashes) && opening->terminal)
        fputs("\n", stderr);
    if (opening->migrates && opened) {
        log_info("store_migrated",
                 "seconds=%lld backup=%s" STORE_BACKUP_SUFFIX
                 " reason=\"it was compared entry by entry; the backup is of no use to this "
                 "version: remove it when nobody wants to go back. Files in threads are not in it, "
                 "but in the store's -pieces as before\"",
                 (long long)(now_s() - opening->begun_s), opening->path);
    }
}

bool opening_store(struct store **out, const struct config *config, char *error,
                   size_t error_bytes) {
    char path[DATA_PATH_BYTES];
    struct opening opening = {.path = path, .terminal = isatty(STDERR_FILENO) == 1};
    struct store_options options = {.path = path,
                                    .searched = true,
                                    .accept_loss = config->accept_loss,
                                    .clock_us = clock_us,
                                    .progress = tell,
                                    .rehashing = tell_rehash,
                                    .damaged = tell_damaged,
                                    .progress_arg = &opening};
    if (!data_path(config->data, DATA_STORE, path, sizeof path)) {
        snprintf(error, error_bytes, "the path of the data folder is too long");
        return false;
    }
    bool opened = store_open(out, &options) == STORE_OK;
    end(&opening, opened);
    if (!opened)
        snprintf(error, error_bytes, "%s", store_error(*out));
    else if (store_remark(*out))
        log_warn("store", "remark=\"%s\"", store_remark(*out));
    return opened;
}
