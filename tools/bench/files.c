/* The file has random bytes. The download is compared with it byte by byte, besides the hash that
 * broker and library check. Plain copies, upload and download take turns, so that other work on the
 * machine affects them alike.
 *
 * There are three plain copies. `memory` is only the pair of sockets. `copy` copies the file into
 * another one that is synced at the end, as a download does. `stored` syncs each chunk before it is
 * acknowledged, as an upload does. */
#include "files.h"

#include "beside.h"
#include "client.h"
#include "common/clock.h"
#include "curve_copy.h"
#include "disk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TITLE       "bench"
#define CHUNK_BYTES ((size_t)262144) /* the protocol's */
#define RUNS_MAX    99
#define PATH_BYTES  (BENCH_PATH_BYTES + 16)

struct files {
    struct bench bench;
    const struct settings *settings; /* borrowed: from main */
    struct client transferring;
    struct client sending;
    char folder[BENCH_PATH_BYTES]; /* owned: temporary */
    char source[PATH_BYTES];
    char target[PATH_BYTES];
    bool answered; /* the awaited call was answered */
    double memory_s[RUNS_MAX];
    double copy_s[RUNS_MAX];
    double stored_s[RUNS_MAX];
    double upload_s[RUNS_MAX];
    double download_s[RUNS_MAX];
    struct beside beside;
};

/* ---- the file ---- */

static void fill_random(uint64_t *words, size_t count, uint64_t *state) {
    for (size_t i = 0; i < count; i++) {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        words[i] = *state;
    }
}

static bool write_file(struct files *files) {
    uint64_t words[8192], state = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t count = files->settings->size_mib * (1024 * 1024 / sizeof words);
    FILE *file = fopen(files->source, "we");
    bool good = file != NULL;
    for (uint64_t i = 0; good && i < count; i++) {
        fill_random(words, sizeof words / sizeof *words, &state);
        good = fwrite(words, sizeof words, 1, file) == 1;
    }
    good = file && fclose(file) == 0 && good;
    if (!good)
        bench_fail(&files->bench, "%s: %s", files->source, strerror(errno));
    return good;
}

static bool same_bytes(FILE *one, FILE *other) {
    char bytes[2][65536];
    size_t count;
    do {
        count = fread(bytes[0], 1, sizeof bytes[0], one);
        if (fread(bytes[1], 1, sizeof bytes[1], other) != count ||
            memcmp(bytes[0], bytes[1], count) != 0)
            return false;
    } while (count > 0);
    return !ferror(one) && !ferror(other);
}

static bool check_file(struct files *files) {
    FILE *source = fopen(files->source, "re"), *target = fopen(files->target, "re");
    bool same = source && target && same_bytes(source, target);
    if (source)
        fclose(source);
    if (target)
        fclose(target);
    if (!same)
        bench_fail(&files->bench, "the file that came down is not the one that went up");
    return same;
}

/* ---- one after another ---- */

static void take_answer(void *arg, const zchat_reply *reply) {
    struct files *files = arg;
    files->answered = client_answered(&files->transferring, reply, "a call about files");
}

static bool is_answered(void *arg) {
    const struct files *files = arg;
    return files->answered;
}

/* Waits for the answer to the last call; tells how long it took since begin_us. */
static bool wait_for_answer(struct files *files, zchat_code code, int64_t begin_us, double *took_s,
                            const char *what) {
    if (!client_accepts(&files->transferring, code, what) ||
        !bench_wait(&files->bench, BENCH_PATIENCE_US, is_answered, files, what))
        return false;
    *took_s = (double)(clock_us() - begin_us) / 1e6;
    return true;
}

static bool create_thread(struct files *files) {
    double took_s;
    files->answered = false;
    return wait_for_answer(
        files, zchat_thread_create(files->transferring.z, TITLE, NULL, take_answer, files), 0,
        &took_s, "the thread");
}

static bool upload(struct files *files, const char *name, double *took_s) {
    int64_t begin_us = clock_us();
    files->answered = false;
    return wait_for_answer(
        files,
        zchat_file_put(files->transferring.z, TITLE, files->source, name, NULL, take_answer, files),
        begin_us, took_s, "the upload");
}

static bool download(struct files *files, const char *name, double *took_s) {
    int64_t begin_us = clock_us();
    files->answered = false;
    return wait_for_answer(files,
                           zchat_file_get(files->transferring.z, TITLE, name, files->target, -1,
                                          false, NULL, take_answer, files),
                           begin_us, took_s, "the download");
}

static bool copy_plainly(struct files *files, bool on_disk, bool each_stored, double *took_s) {
    const struct settings *settings = files->settings;
    const struct curve_copy copy = {.bytes = settings->size_mib * 1024 * 1024,
                                    .chunk_bytes = CHUNK_BYTES,
                                    .window = settings->window,
                                    .from = on_disk ? files->source : NULL,
                                    .to = on_disk ? files->target : NULL,
                                    .each_stored = each_stored};
    int64_t took_us;
    if (!curve_copy(&copy, &took_us) || (on_disk && unlink(files->target) != 0)) {
        bench_fail(&files->bench, "the plain copy failed");
        return false;
    }
    *took_s = (double)took_us / 1e6;
    return true;
}

static bool run_once(struct files *files, uint64_t run) {
    char name[BENCH_NAME_BYTES];
    snprintf(name, sizeof name, "file-%" PRIu64, run);
    return copy_plainly(files, false, false, &files->memory_s[run]) &&
           copy_plainly(files, true, false, &files->copy_s[run]) &&
           copy_plainly(files, true, true, &files->stored_s[run]) &&
           upload(files, name, &files->upload_s[run]) &&
           download(files, name, &files->download_s[run]) && check_file(files) &&
           unlink(files->target) == 0;
}

/* ---- the whole ---- */

static int compare(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

/* The rate of the median run; sorts the times. */
static double mib_per_s(const struct settings *settings, double *times_s) {
    size_t runs = (size_t)settings->runs;
    qsort(times_s, runs, sizeof *times_s, compare);
    return (double)settings->size_mib / ((times_s[(runs - 1) / 2] + times_s[runs / 2]) / 2);
}

static void print_beside(const struct beside *beside) {
    double idle_ms = (double)histogram_percentile(&beside->idle, 0.99) / 1e3;
    double loaded_ms = (double)histogram_percentile(&beside->loaded, 0.99) / 1e3;
    printf("\"idle_messages\":%" PRIu64 ",\"idle_p50_ms\":%.3f,\"idle_p99_ms\":%.3f,"
           "\"beside_messages\":%" PRIu64 ",\"beside_uploads\":%" PRIu64
           ",\"beside_p50_ms\":%.3f,\"beside_p99_ms\":%.3f,\"p99_ratio\":%.2f,",
           beside->idle.count, (double)histogram_percentile(&beside->idle, 0.50) / 1e3, idle_ms,
           beside->loaded.count, beside->uploads,
           (double)histogram_percentile(&beside->loaded, 0.50) / 1e3, loaded_ms,
           idle_ms > 0 ? loaded_ms / idle_ms : 0);
}

static void print_report(struct files *files) {
    const struct settings *settings = files->settings;
    double memory = mib_per_s(settings, files->memory_s);
    double copy = mib_per_s(settings, files->copy_s);
    double stored = mib_per_s(settings, files->stored_s);
    double up = mib_per_s(settings, files->upload_s);
    double down = mib_per_s(settings, files->download_s);
    double both = 2 / (1 / up + 1 / down); /* up and down again */
    printf("{\"bench\":\"files\",\"memory_mib_per_s\":%.1f,\"copy_mib_per_s\":%.1f,"
           "\"stored_mib_per_s\":%.1f,\"upload_mib_per_s\":%.1f,\"download_mib_per_s\":%.1f,"
           "\"both_mib_per_s\":%.1f,",
           memory, copy, stored, up, down, both);
    printf("\"upload_of_stored\":%.3f,\"upload_of_copy\":%.3f,\"upload_of_memory\":%.3f,"
           "\"download_of_copy\":%.3f,\"download_of_memory\":%.3f,\"both_of_copy\":%.3f,",
           up / stored, up / copy, up / memory, down / copy, down / memory, both / copy);
    if (settings->beside)
        print_beside(&files->beside);
    printf("\"size_mib\":%" PRIu64 ",\"runs\":%" PRIu64 ",\"window\":%" PRIu64 ",\"rate\":%" PRIu64
           ",\"seconds\":%g,\"pin\":%s,\"io_threads\":%" PRIu64 "}\n",
           settings->size_mib, settings->runs, settings->window, settings->rate, settings->seconds,
           settings->pin ? "true" : "false", settings->io_threads);
}

static bool all_logged_in(void *arg) {
    const struct files *files = arg;
    return files->transferring.logged_in && files->sending.logged_in;
}

static bool open_clients(struct files *files) {
    const zchat_login_options login = {0};
    if (!client_open(&files->transferring, &files->bench, 0) ||
        !client_open(&files->sending, &files->bench, 0))
        return false;
    client_login(&files->transferring, "s0", &login);
    client_login(&files->sending, "s1", &login);
    return bench_wait(&files->bench, BENCH_PATIENCE_US, all_logged_in, files, "the login");
}

static bool make_folder(struct files *files) {
    if (!folder_new(files->folder, sizeof files->folder))
        return false;
    snprintf(files->source, sizeof files->source, "%s/source", files->folder);
    snprintf(files->target, sizeof files->target, "%s/target", files->folder);
    return write_file(files);
}

static bool go(struct files *files) {
    const struct settings *settings = files->settings;
    const struct bench_accounts accounts = {.senders = 2, .accounts = 1};
    if (!bench_init(&files->bench, settings, &accounts) || !make_folder(files) ||
        !open_clients(files) || !create_thread(files))
        return false;
    for (uint64_t run = 0; run < settings->runs; run++)
        if (!run_once(files, run))
            return false;
    if (settings->beside && !beside_measure(&files->beside, &files->sending, &files->transferring,
                                            TITLE, files->source))
        return false;
    print_report(files);
    return true;
}

int files_main(const struct settings *settings) {
    struct files *files = calloc(1, sizeof *files);
    if (!files) {
        fputs("zchat-bench: no memory\n", stderr);
        return 1;
    }
    files->settings = settings;
    bool good = go(files) && !files->bench.failed;
    client_close(&files->transferring);
    client_close(&files->sending);
    folder_remove(files->folder);
    bench_release(&files->bench);
    free(files);
    return good && fflush(stdout) == 0 ? 0 : 1;
}
