/* See restore_store.h. The folder is locked meanwhile, and until the end holds nothing on which a
 * broker would start (store_backup.h). What a killed run left is known by the database's other
 * name, and is removed by the next one. */
#define _GNU_SOURCE /* explicit_bzero */
#include "restore_store.h"

#include "common/time_text.h"
#include "config_load.h"
#include "data.h"
#include "progress.h"
#include "store_backup.h"
#include "user.h"
#include "words.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERB         "restore"
#define KEY_FILE     "server.key"
#define KEY_FILE_NEW "server.key.new"
#define ERROR_BYTES  2048

enum {
    EXIT_DONE = 0,
    EXIT_DAMAGED = 1,
    EXIT_USAGE = 2,
    EXIT_FAILED = 3,
    EXIT_NONE = 5,
    EXIT_EXISTS = 7,
};

enum key {
    KEY_NONE,
    KEY_KEPT,     /* the folder had one */
    KEY_RESTORED, /* the backup had one */
};

struct bringing {
    const char *folder; /* borrowed */
    const char *file;   /* borrowed */
    char store[DATA_PATH_BYTES];
    char key_path[DATA_PATH_BYTES];
    bool made;  /* the folder was not there */
    bool rests; /* it has what a killed run left */
    enum key key;
    struct data_lock lock;
    struct progress progress;
    struct store_restore restore;
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
    puts("usage: zchatd " VERB " FILE [--data DIR] [--config FILE]\n\n"
         "makes a broker's data folder of a file that zchatd backup or zmq-cli backup made, and\n"
         "verifies all of it first: no broker starts on a half folder; DIR must be new or empty,\n"
         "except for a server.key\n\n"
         "a backup that zchatd made holds the broker's key: then the restored broker is the one\n"
         "that people know; one that zmq-cli made does not: put the old server.key into DIR (mode\n"
         "0600), or start zchatd once with --identity new; that makes a new key, of which every\n"
         "client warns, and people must forget the old one\n\n"
         "exit codes: 0 done, 1 FILE is damaged, 2 usage, 3 it failed, 5 there is no FILE, 7 DIR "
         "is\n"
         "not empty");
}

/* ---- the folder ---- */

static bool is_own_rest(const char *name) {
    static const char *const names[] = {
        DATA_STORE STORE_RESTORING_SUFFIX,
        DATA_STORE STORE_RESTORING_SUFFIX "-wal",
        DATA_STORE STORE_RESTORING_SUFFIX "-shm",
        DATA_STORE "-pieces",
        DATA_STORE "-head",
        KEY_FILE_NEW,
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

static bool is_empty_store(const struct bringing *bringing, const char *name) {
    struct stat status;
    return !strcmp(name, DATA_STORE) && stat(bringing->store, &status) == 0 && status.st_size == 0;
}

static bool may_be_there(const struct bringing *bringing, const char *name) {
    static const char *const names[] = {".", "..", "lock", "lost+found", KEY_FILE};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strcmp(name, names[i]))
            return true;
    return is_empty_store(bringing, name) || (bringing->rests && is_own_rest(name));
}

static bool is_there(const char *folder, const char *file) {
    char path[DATA_PATH_BYTES];
    struct stat status;
    return data_path(folder, file, path, sizeof path) && lstat(path, &status) == 0;
}

static int look_at_folder(struct bringing *bringing) {
    const struct dirent *entry;
    int result = EXIT_DONE;
    DIR *folder = opendir(bringing->folder);
    if (!folder)
        return fail(EXIT_FAILED, "%s can't be read: %s", bringing->folder, strerror(errno));
    bringing->rests = is_there(bringing->folder, DATA_STORE STORE_RESTORING_SUFFIX);
    while (result == EXIT_DONE && (entry = readdir(folder)))
        if (!may_be_there(bringing, entry->d_name))
            result = fail(EXIT_EXISTS,
                          "the folder %s is not empty: %s is there; name a new folder with --data",
                          bringing->folder, entry->d_name);
    closedir(folder);
    return result;
}

static int open_folder(struct bringing *bringing) {
    char error[ERROR_BYTES + DATA_PATH_BYTES];
    struct stat status;
    bringing->made = stat(bringing->folder, &status) != 0;
    if (!data_make(bringing->folder, error, sizeof error))
        return fail(EXIT_FAILED, "%s", error);
    int result = look_at_folder(bringing);
    if (result != EXIT_DONE)
        return result;
    if (!data_lock(&bringing->lock, bringing->folder, error, sizeof error))
        return fail(EXIT_FAILED, "%s", error);
    if (bringing->rests)
        store_restore_undo(bringing->store);
    return EXIT_DONE;
}

static void remove_from_folder(const struct bringing *bringing, const char *file) {
    char path[DATA_PATH_BYTES];
    if (data_path(bringing->folder, file, path, sizeof path))
        (void)unlink(path);
}

/* Leaves the folder as it was found. */
static void undo(struct bringing *bringing) {
    if (bringing->lock.store < 0) /* nothing was made */
        return;
    if (is_empty_store(bringing, DATA_STORE))
        remove_from_folder(bringing, DATA_STORE);
    remove_from_folder(bringing, KEY_FILE_NEW);
    if (bringing->key == KEY_RESTORED)
        remove_from_folder(bringing, KEY_FILE);
    remove_from_folder(bringing, "lock");
    data_unlock(&bringing->lock);
    if (bringing->made)
        (void)rmdir(bringing->folder);
}

/* ---- the key ---- */

static bool say(char *error, size_t error_bytes, const char *path, const char *what) {
    snprintf(error, error_bytes, "%s %s: %s", path, what, strerror(errno));
    return false;
}

static bool write_key(struct bringing *bringing, const unsigned char *key, size_t bytes,
                      char *error, size_t error_bytes) {
    char path[DATA_PATH_BYTES];
    if (!data_path(bringing->folder, KEY_FILE_NEW, path, sizeof path))
        return false;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write(fd, key, bytes) == (ssize_t)bytes && fsync(fd) == 0 &&
                   rename(path, bringing->key_path) == 0;
    if (fd >= 0)
        close(fd);
    bringing->key = written ? KEY_RESTORED : KEY_NONE;
    return written || say(error, error_bytes, bringing->key_path, "can't be made");
}

static bool compare_key(struct bringing *bringing, const unsigned char *key, size_t bytes,
                        char *error, size_t error_bytes) {
    unsigned char there[STORE_BACKUP_KEY_MAX + 1];
    int fd = open(bringing->key_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t count = fd >= 0 ? read(fd, there, sizeof there) : -1;
    bool same = count >= 0 && (size_t)count == bytes && memcmp(there, key, (size_t)count) == 0;
    if (fd >= 0)
        close(fd);
    explicit_bzero(there, sizeof there);
    bringing->key = KEY_KEPT;
    if (!same)
        snprintf(error, error_bytes,
                 "%s is another key than the one in the backup: move it away to restore that one",
                 bringing->key_path);
    return same;
}

static bool take_key(void *arg, const unsigned char *key, size_t bytes, char *error,
                     size_t error_bytes) {
    struct bringing *bringing = arg;
    bool there = is_there(bringing->folder, KEY_FILE);
    if (bytes == 0) {
        bringing->key = there ? KEY_KEPT : KEY_NONE;
        return true;
    }
    return there ? compare_key(bringing, key, bytes, error, error_bytes)
                 : write_key(bringing, key, bytes, error, error_bytes);
}

/* ---- the whole ---- */

static bool show(void *arg, const char *what, uint64_t done, uint64_t all) {
    progress_show(arg, what, done, all);
    return !progress_is_told_to_end();
}

static int restore(struct bringing *bringing) {
    struct store_restore *restore = &bringing->restore;
    *restore = (struct store_restore){.copying = {.progress = show, .arg = &bringing->progress},
                                      .file = bringing->file,
                                      .path = bringing->store,
                                      .take_key = take_key,
                                      .key_arg = bringing};
    enum store_status status = store_restore(restore);
    progress_clear(&bringing->progress);
    if (status == STORE_OK)
        return EXIT_DONE;
    return fail(status == STORE_DAMAGED     ? EXIT_DAMAGED
                : status == STORE_NOT_FOUND ? EXIT_NONE
                : status == STORE_EXISTS    ? EXIT_EXISTS
                                            : EXIT_FAILED,
                "%s", restore->copying.error);
}

static int tell(const struct bringing *bringing) {
    static const char none[] =
        "no server.key is there: put the old one into the folder (mode 0600), or start zchatd once "
        "with --identity new, of which every client will warn";
    static const char *const keys[] = {
        [KEY_NONE] = none,
        [KEY_KEPT] = "the server.key of the folder is kept",
        [KEY_RESTORED] = "server.key is restored, too",
    };
    const struct store_restore *done = &bringing->restore;
    char time[TIME_TEXT];
    printf(
        "restored %s, of %s, to the store %s: %llu entries of the log, %llu pieces of files\n%s\n",
        bringing->file, time_short(done->time_us, time), bringing->store,
        (unsigned long long)done->position, (unsigned long long)done->pieces, keys[bringing->key]);
    if (fflush(stdout) != 0 || ferror(stdout))
        return fail(EXIT_FAILED, "stdout can't be written: %s", strerror(errno));
    return done->pieces_damaged == 0
               ? EXIT_DONE
               : fail(EXIT_DAMAGED,
                      "%llu pieces of files were damaged already in the store that was copied: "
                      "zchatd check-store lists them",
                      (unsigned long long)done->pieces_damaged);
}

static int run(const char *folder, const char *file) {
    struct bringing bringing = {.folder = folder, .file = file, .lock = {-1, -1, -1}};
    if (access(file, F_OK) != 0)
        return fail(errno == ENOENT ? EXIT_NONE : EXIT_FAILED, "%s can't be read: %s", file,
                    strerror(errno));
    if (!data_path(folder, DATA_STORE STORE_RESTORING_SUFFIX "-wal", bringing.store,
                   sizeof bringing.store) ||
        !data_path(folder, DATA_STORE, bringing.store, sizeof bringing.store) ||
        !data_path(folder, KEY_FILE, bringing.key_path, sizeof bringing.key_path))
        return fail(EXIT_USAGE, "the path of the data folder is too long");
    progress_begin(&bringing.progress, VERB);
    progress_hold_signals();
    int result = open_folder(&bringing);
    if (result == EXIT_DONE)
        result = restore(&bringing);
    if (result == EXIT_DONE)
        result = tell(&bringing);
    else
        undo(&bringing);
    data_unlock(&bringing.lock);
    return result;
}

bool restore_store_wanted(int argc, char **argv) {
    return user_verb_at(argc, argv, VERB) > 0;
}

int restore_store_main(int argc, char **argv) {
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
    else if (!words.file || words.force)
        (void)fail(EXIT_USAGE, "%s",
                   words.force ? "--force is for zchatd backup: DIR must be empty"
                               : "name the backup: zchatd " VERB " FILE");
    else
        result = run(config.data, words.file);
    config_release(&config);
    return result;
}
