/* See backup_store.h. The copying is done here, beside the broker, which is only asked to keep the
 * bytes of removed pieces meanwhile; that it still answers at the end shows that it kept them.
 * Without a broker the folder is locked, so that none begins.
 *
 * The backup is written as FILE.part and gets its name when it is whole. FILE.part is locked while
 * it is written, so that what a killed run left can be told from the file of one that is at work.
 */
#define _GNU_SOURCE /* renameat2 */
#include "backup_store.h"

#include "common/clock.h"
#include "config_load.h"
#include "control.h"
#include "data.h"
#include "progress.h"
#include "store_backup.h"
#include "user.h"
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERB        "backup"
#define PART        ".part"
#define KEY_FILE    "server.key"
#define ERROR_BYTES 2048

enum {
    EXIT_DONE = 0,
    EXIT_DAMAGED = 1,
    EXIT_USAGE = 2,
    EXIT_FAILED = 3,
    EXIT_NONE = 5,
    EXIT_EXISTS = 7,
};

struct saving {
    const char *folder; /* borrowed */
    const char *file;   /* borrowed */
    bool force;
    char store[DATA_PATH_BYTES];
    char part[DATA_PATH_BYTES];
    int part_file; /* owned; -1: none */
    int control;   /* owned; -1: no broker serves the store */
    long process;  /* the broker's */
    struct data_lock lock;
    unsigned char key[STORE_BACKUP_KEY_MAX + 1];
    size_t key_bytes;
    struct progress progress;
    struct store_backup backup;
};

__attribute__((format(printf, 2, 3))) static int fail(int status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("zchatd " VERB ": ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    return status;
}

static void print_help(void) {
    puts("usage: zchatd " VERB " FILE [--force] [--data DIR] [--config FILE]\n\n"
         "copies a store into one file, as it is at one moment, with or without a broker at work:\n"
         "accounts, messages, threads, files, and the broker's key (server.key); so keep FILE as\n"
         "safe as the folder, but not in it; zchatd restore makes a folder of it again\n\n"
         "      --force                 replace FILE if it is there\n\n"
         "while it is written it is called FILE.part; the broker goes on meanwhile, but its\n"
         "write-ahead log grows until the database is copied, and removed files keep their room\n"
         "until all is\n\n"
         "exit codes: 0 done, 1 the store is damaged, 2 usage, 3 it failed, 5 there is no store,\n"
         "7 FILE is there already");
}

/* ---- the file ---- */

static int refuse_file(const struct saving *saving) {
    struct stat status;
    if (data_has(saving->folder, saving->file))
        return fail(EXIT_USAGE,
                    "%s would be in the data folder, among the broker's own files: name a file "
                    "elsewhere",
                    saving->file);
    if (lstat(saving->file, &status) != 0)
        return errno == ENOENT
                   ? EXIT_DONE
                   : fail(EXIT_FAILED, "%s can't be made: %s", saving->file, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return fail(EXIT_EXISTS, "%s is there already, and is no regular file: name another one",
                    saving->file);
    return saving->force ? EXIT_DONE
                         : fail(EXIT_EXISTS,
                                "%s is there already: name another one, or replace it with --force",
                                saving->file);
}

/* Whether the open file still has its name: another run may have finished it. */
static bool is_still(int fd, const char *path) {
    struct stat opened, named;
    return fstat(fd, &opened) == 0 && S_ISREG(opened.st_mode) && lstat(path, &named) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

static int open_part(struct saving *saving) {
    if (snprintf(saving->part, sizeof saving->part, "%s" PART, saving->file) >=
        (int)sizeof saving->part)
        return fail(EXIT_USAGE, "the name of FILE is too long");
    int fd = open(saving->part, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(EXIT_FAILED, "%s can't be made: %s", saving->part, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || !is_still(fd, saving->part)) {
        close(fd);
        return fail(EXIT_FAILED, "%s can't be used: another backup writes it, or it is no file",
                    saving->part);
    }
    saving->part_file = fd;
    return fchmod(fd, 0600) == 0 && ftruncate(fd, 0) == 0
               ? EXIT_DONE
               : fail(EXIT_FAILED, "%s can't be written: %s", saving->part, strerror(errno));
}

/* Some file systems can't refuse to replace. */
static bool give_name(const struct saving *saving) {
    if (saving->force)
        return rename(saving->part, saving->file) == 0;
    if (renameat2(AT_FDCWD, saving->part, AT_FDCWD, saving->file, RENAME_NOREPLACE) == 0)
        return true;
    return (errno == EINVAL || errno == ENOSYS) && access(saving->file, F_OK) != 0 &&
           rename(saving->part, saving->file) == 0;
}

static bool sync_name(const struct saving *saving) {
    char path[DATA_PATH_BYTES];
    snprintf(path, sizeof path, "%s", saving->file);
    int folder = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = folder >= 0 && (fsync(folder) == 0 || errno == EINVAL);
    if (folder >= 0)
        close(folder);
    return synced;
}

static int name_file(struct saving *saving) {
    if (!give_name(saving))
        return fail(errno == EEXIST ? EXIT_EXISTS : EXIT_FAILED, "%s can't be made: %s",
                    saving->file, strerror(errno));
    close(saving->part_file);
    saving->part_file = -1;
    return sync_name(saving)
               ? EXIT_DONE
               : fail(EXIT_FAILED, "%s can't be synced: %s", saving->file, strerror(errno));
}

/* ---- who has the store ---- */

static int ask(struct saving *saving, enum order_verb verb) {
    struct order order = {.verb = verb};
    struct control_answer answer = {.status = STORE_FAILED};
    (void)control_send(saving->control, &order); /* the answer shows if this failed */
    if (!control_receive(saving->control, &answer))
        return fail(EXIT_FAILED, "the broker (process %ld) %s: nothing was made; try again",
                    saving->process,
                    errno == EAGAIN ? "does not answer" : "ended, or is of another version");
    return answer.status == STORE_OK ? EXIT_DONE
           : answer.status == STORE_EXISTS
               ? fail(EXIT_FAILED, "another backup is being made now: "
                                   "try again when it is done")
               : fail(EXIT_FAILED, "the broker (process %ld) refused", saving->process);
}

static int hold_store(struct saving *saving) {
    char error[ERROR_BYTES + DATA_PATH_BYTES];
    saving->control = control_connect(saving->folder, &saving->process);
    if (saving->control >= 0)
        return ask(saving, ORDER_BACKUP_BEGIN);
    return data_lock(&saving->lock, saving->folder, error, sizeof error)
               ? EXIT_DONE
               : fail(EXIT_FAILED,
                      "%s; it can't be asked: name its own folder with --data, or end it", error);
}

/* A broker that ended meanwhile did not hold the pieces to the end. */
static int leave_store(struct saving *saving) {
    return saving->control < 0 ? EXIT_DONE : ask(saving, ORDER_BACKUP_END);
}

/* ---- the backup ---- */

static bool show(void *arg, const char *what, uint64_t done, uint64_t all) {
    progress_show(arg, what, done, all);
    return !progress_is_told_to_end();
}

/* A store that was never served has no key. */
static int read_key(struct saving *saving) {
    char path[DATA_PATH_BYTES];
    ssize_t bytes = -1;
    int fd = data_path(saving->folder, KEY_FILE, path, sizeof path)
                 ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
                 : -1;
    if (fd < 0 && errno == ENOENT)
        return EXIT_DONE;
    if (fd >= 0)
        bytes = read(fd, saving->key, sizeof saving->key);
    int reason = errno;
    if (fd >= 0)
        close(fd);
    if (bytes < 0)
        return fail(EXIT_FAILED, "%s can't be read: %s", path, strerror(reason));
    if (bytes > STORE_BACKUP_KEY_MAX)
        return fail(EXIT_FAILED, "%s is no key: it is too long", path);
    saving->key_bytes = (size_t)bytes;
    return EXIT_DONE;
}

static int copy(struct saving *saving) {
    struct store_backup *backup = &saving->backup;
    *backup = (struct store_backup){.copying = {.progress = show, .arg = &saving->progress},
                                    .path = saving->store,
                                    .file = saving->part,
                                    .key = saving->key,
                                    .key_bytes = saving->key_bytes,
                                    .time_us = clock_wall_us()};
    enum store_status status = store_backup(backup);
    progress_clear(&saving->progress);
    if (status == STORE_OK)
        return EXIT_DONE;
    return fail(status == STORE_DAMAGED     ? EXIT_DAMAGED
                : status == STORE_NOT_FOUND ? EXIT_NONE
                                            : EXIT_FAILED,
                "nothing was made: %s", backup->copying.error);
}

static int tell(const struct saving *saving) {
    const struct store_backup *backup = &saving->backup;
    printf("backed up the store %s to %s: %llu bytes, %llu entries of the log, %llu pieces of "
           "files, %s\n",
           saving->store, saving->file, (unsigned long long)backup->bytes,
           (unsigned long long)backup->position, (unsigned long long)backup->pieces,
           saving->key_bytes > 0 ? "with " KEY_FILE : "no " KEY_FILE " is there");
    if (fflush(stdout) != 0 || ferror(stdout))
        return fail(EXIT_FAILED, "stdout can't be written: %s", strerror(errno));
    return backup->pieces_damaged == 0
               ? EXIT_DONE
               : fail(EXIT_DAMAGED,
                      "%llu pieces of files are damaged in the store, and so they are in the "
                      "backup: zchatd check-store lists them",
                      (unsigned long long)backup->pieces_damaged);
}

static bool is_store_there(const struct saving *saving) {
    struct stat status;
    return stat(saving->store, &status) == 0 && status.st_size > 0;
}

static int save(struct saving *saving) {
    static int (*const steps[])(struct saving *) = {hold_store, read_key,    open_part,
                                                    copy,       leave_store, name_file};
    int result = refuse_file(saving);
    if (!data_path(saving->folder, DATA_STORE, saving->store, sizeof saving->store))
        return fail(EXIT_USAGE, "the path of the data folder is too long");
    if (result == EXIT_DONE && !is_store_there(saving))
        return fail(EXIT_NONE, "there is no store %s; name the broker's folder with --data DIR",
                    saving->store);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && result == EXIT_DONE; i++)
        result = steps[i](saving);
    if (saving->part_file >= 0) {
        (void)unlink(saving->part);
        close(saving->part_file);
    }
    return result == EXIT_DONE ? tell(saving) : result;
}

static int run(const char *folder, const struct words_taken *words) {
    struct saving saving = {.folder = folder,
                            .file = words->file,
                            .force = words->force,
                            .part_file = -1,
                            .control = -1,
                            .lock = {-1, -1, -1}};
    progress_begin(&saving.progress, VERB);
    progress_hold_signals();
    int result = save(&saving);
    if (saving.control >= 0)
        close(saving.control);
    data_unlock(&saving.lock);
    explicit_bzero(saving.key, sizeof saving.key);
    return result;
}

bool backup_store_wanted(int argc, char **argv) {
    return user_verb_at(argc, argv, VERB) > 0;
}

int backup_store_main(int argc, char **argv) {
    char error[ERROR_BYTES];
    struct config config;
    struct words_taken words = words_take(&argc, argv, VERB);
    int result = EXIT_USAGE;
    if (words.help) {
        print_help();
        return EXIT_DONE;
    }
    if (config_load(&config, argv, error, sizeof error) != CONFIG_RUN)
        (void)fail(EXIT_USAGE, "%s", error);
    else if (!words.file)
        (void)fail(EXIT_USAGE, "name the file that is to be made: zchatd " VERB " FILE");
    else
        result = run(config.data, &words);
    config_release(&config);
    return result;
}
