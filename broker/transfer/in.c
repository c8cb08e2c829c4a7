/* `zchatd import`. The store is made in the folder "importing" within the data folder; when it is
 * whole and closed, its files get their names, the database last, without which no other file of
 * them is taken for a store. What a killed import left is removed by the next one. */
#include "inside.h"
#include "password.h"
#include "record_line.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMPORTING "importing" /* while lines are taken */
#define IMPORTED  "imported"  /* the store is whole: while its files get their names */

struct in {
    struct transfer *transfer; /* borrowed */
    FILE *file;                /* owned, unless it is stdin */
    struct store_import *import;
    struct record record;
    struct record_room room;
    char path[DATA_PATH_BYTES]; /* of the store that is made */
    uint64_t line;
    bool ended; /* the line that ends it came */
    char fault[IMPORT_FAULT_BYTES];
    size_t bytes;
    char text[LINE_BYTES_MAX + 1];
};

static enum transfer_exit refuse(struct in *in, const char *fault) {
    return transfer_fail(in->transfer, TRANSFER_INVALID, "line %llu: %s",
                         (unsigned long long)in->line, fault);
}

/* ---- lines ---- */

enum reading { READ_LINE, READ_END, READ_TOO_LONG, READ_FAILED };

static enum reading read_line(struct in *in) {
    int character;
    in->bytes = 0;
    while ((character = getc_unlocked(in->file)) != EOF && character != '\n') {
        if (in->bytes == LINE_BYTES_MAX)
            return READ_TOO_LONG;
        in->text[in->bytes++] = (char)character;
    }
    if (ferror(in->file))
        return READ_FAILED;
    return character == EOF && in->bytes == 0 ? READ_END : READ_LINE;
}

/* The lines that are not the store's: the first and the last. False: this is another one. */
static bool is_frame(const struct in *in) {
    return in->line == 1 || in->record.kind == RECORD_HEADER || in->record.kind == RECORD_END;
}

static enum transfer_exit take_frame(struct in *in) {
    const struct record *record = &in->record;
    if (in->line == 1 &&
        (record->kind != RECORD_HEADER || strcmp(record->name, RECORD_FORMAT) != 0))
        return refuse(in, "the first line must be the header of an export of zchat");
    if (in->line == 1 && record->number != RECORD_VERSION)
        return refuse(in, "a newer zchat exported it: import it with that one");
    if (in->line > 1 && record->kind == RECORD_HEADER)
        return refuse(in, "a header, which only the first line is");
    if (record->kind == RECORD_END && record->number != in->line)
        return refuse(in, "the end tells another number of lines than there are");
    in->ended = record->kind == RECORD_END;
    return TRANSFER_DONE;
}

static enum transfer_exit tell_status(struct in *in, enum store_status status) {
    switch (status) {
    case STORE_OK:
        return TRANSFER_DONE;
    case STORE_MISMATCH:
        return refuse(in, in->fault);
    case STORE_FULL:
        return transfer_fail(in->transfer, TRANSFER_IO, "the disk has no room for the store");
    default:
        return transfer_fail(in->transfer, TRANSFER_IO, "%s", store_import_error(in->import));
    }
}

/* With another hash nobody could log in, or every attempt would cost what the file says. */
static bool has_fit_hash(const struct record *record) {
    return record->password_hash[0] == '\0' || password_is_hash(record->password_hash);
}

static enum transfer_exit take_line(struct in *in) {
    char fault[RECORD_FAULT_BYTES];
    in->line++;
    if (in->ended)
        return refuse(in, "something follows the end");
    if (!record_read(in->text, in->bytes, &in->record, &in->room, fault))
        return refuse(in, fault);
    if (!has_fit_hash(&in->record))
        return refuse(in, "\"password_hash\" is no hash that zchat makes: leave it out for an "
                          "account without a password");
    progress_show(&in->transfer->progress, "lines", in->line, 0);
    return is_frame(in) ? take_frame(in)
                        : tell_status(in, store_import_take(in->import, &in->record, in->fault));
}

static enum transfer_exit take_lines(struct in *in) {
    enum transfer_exit result = TRANSFER_DONE;
    enum reading reading = READ_LINE;
    while (result == TRANSFER_DONE && (reading = read_line(in)) == READ_LINE)
        result = take_line(in);
    if (reading == READ_FAILED) {
        return transfer_fail(in->transfer, TRANSFER_IO, "%s can't be read: %s",
                             in->file == stdin ? "stdin" : in->transfer->file, strerror(errno));
    }
    in->line += result == TRANSFER_DONE; /* the one that is not there, or is too long */
    if (reading == READ_TOO_LONG)
        return refuse(in, "it is longer than any line of an export");
    if (result == TRANSFER_DONE && !in->ended)
        return refuse(in, "the end is missing: the file was cut");
    return result;
}

static enum transfer_exit make_store(struct in *in) {
    enum store_status status = store_import_open(&in->import, in->path);
    enum transfer_exit result = tell_status(in, status);
    if (result == TRANSFER_DONE)
        result = take_lines(in);
    if (result == TRANSFER_DONE)
        result = tell_status(in, store_import_end(in->import, in->fault));
    store_import_close(in->import);
    return result;
}

/* ---- files ---- */

/* Calls `each` for the files of a folder in the data folder, the database last. False with errno.
 */
static bool for_each(const char *folder, bool (*each)(const char *folder, const char *name),
                     const char *target) {
    DIR *dir = opendir(folder);
    bool fine = dir != NULL, has_store = false;
    const struct dirent *entry;
    while (fine && (entry = readdir(dir))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (!strcmp(entry->d_name, DATA_STORE))
            has_store = true;
        else
            fine = each(target, entry->d_name);
    }
    if (dir)
        closedir(dir);
    return fine && (!has_store || each(target, DATA_STORE));
}

static bool remove_one(const char *folder, const char *name) {
    char path[DATA_PATH_BYTES];
    return data_path(folder, name, path, sizeof path) && (unlink(path) == 0 || errno == ENOENT);
}

/* What is no store's file is left, so that its folder is, too. */
static bool remove_own(const char *folder, const char *name) {
    return strncmp(name, DATA_STORE, strlen(DATA_STORE)) != 0 || remove_one(folder, name);
}

/* Removes a folder with its files. One that a symbolic link leads to is somebody else's. */
static bool remove_folder(const char *folder) {
    struct stat status;
    if (lstat(folder, &status) != 0)
        return errno == ENOENT;
    if (!S_ISDIR(status.st_mode)) {
        errno = ENOTDIR;
        return false;
    }
    return for_each(folder, remove_own, folder) && rmdir(folder) == 0;
}

static bool sync_folder(const char *folder) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return synced;
}

static bool move_up(const char *folder, const char *name) {
    char from[DATA_PATH_BYTES], to[DATA_PATH_BYTES], inside[DATA_PATH_BYTES];
    return data_path(folder, IMPORTED, inside, sizeof inside) &&
           data_path(inside, name, from, sizeof from) && data_path(folder, name, to, sizeof to) &&
           (strcmp(name, DATA_STORE) != 0 || sync_folder(folder)) && rename(from, to) == 0;
}

/* Gives the files their names. */
static bool install(const char *folder, const char *made) {
    char inside[DATA_PATH_BYTES];
    return data_path(folder, IMPORTED, inside, sizeof inside) && sync_folder(made) &&
           rename(made, inside) == 0 && sync_folder(folder) && for_each(inside, move_up, folder) &&
           sync_folder(folder) && rmdir(inside) == 0;
}

/* An import was killed while its files got their names: there was no store before, so all of a
 * store's files are its own. */
static bool remove_half(const char *folder) {
    static const char *const names[] = {DATA_STORE "-pieces", DATA_STORE "-head",
                                        DATA_STORE "-reserve", DATA_STORE "-wal",
                                        DATA_STORE "-shm"};
    char inside[DATA_PATH_BYTES];
    if (!data_path(folder, IMPORTED, inside, sizeof inside))
        return false;
    if (access(inside, F_OK) != 0)
        return errno == ENOENT;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!remove_one(folder, names[i]))
            return false;
    return remove_folder(inside);
}

/* ---- the folder ---- */

/* While an import is under way, or was killed, no broker may begin with an empty store in its
 * place: pieces without a database are refused. One byte is what only an import leaves. */
static bool put_bar(const char *folder) {
    char path[DATA_PATH_BYTES];
    int fd = data_path(folder, DATA_STORE "-pieces", path, sizeof path)
                 ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
                 : -1;
    bool put = fd >= 0 && write(fd, "", 1) == 1 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return put && sync_folder(folder);
}

static bool remove_bar(const char *folder) {
    char path[DATA_PATH_BYTES], importing[DATA_PATH_BYTES];
    struct stat bar, left;
    if (!data_path(folder, DATA_STORE "-pieces", path, sizeof path) ||
        !data_path(folder, IMPORTING, importing, sizeof importing))
        return false;
    bool there = lstat(path, &bar) == 0 && S_ISREG(bar.st_mode) && bar.st_size == 1 &&
                 lstat(importing, &left) == 0;
    return !there || unlink(path) == 0;
}

static bool has_bytes(const char *folder, const char *name) {
    char path[DATA_PATH_BYTES];
    struct stat status;
    return data_path(folder, name, path, sizeof path) && stat(path, &status) == 0 &&
           status.st_size > 0;
}

static enum transfer_exit check_empty(struct transfer *transfer) {
    if (has_bytes(transfer->folder, DATA_STORE)) {
        return transfer_fail(transfer, TRANSFER_EXISTS,
                             "there is a store in %s already: name another folder with --data DIR",
                             transfer->folder);
    }
    if (!remove_half(transfer->folder) || !remove_bar(transfer->folder)) {
        return transfer_fail(transfer, TRANSFER_IO,
                             "what another import left in %s can't be "
                             "removed: %s",
                             transfer->folder, strerror(errno));
    }
    if (has_bytes(transfer->folder, DATA_STORE "-pieces") ||
        has_bytes(transfer->folder, DATA_STORE "-wal") ||
        has_bytes(transfer->folder, DATA_STORE "-words")) {
        return transfer_fail(transfer, TRANSFER_EXISTS,
                             "a part of a store is in %s: remove it, or name another folder with "
                             "--data DIR",
                             transfer->folder);
    }
    return TRANSFER_DONE;
}

static enum transfer_exit fail_folder(struct transfer *transfer, const char *folder) {
    return transfer_fail(transfer, TRANSFER_IO, "%s can't be used: %s", folder, strerror(errno));
}

static enum transfer_exit import_into(struct in *in) {
    struct transfer *transfer = in->transfer;
    char folder[DATA_PATH_BYTES];
    enum transfer_exit result = check_empty(transfer);
    if (result != TRANSFER_DONE)
        return result;
    if (!data_path(transfer->folder, IMPORTING, folder, sizeof folder) ||
        !data_path(folder, DATA_STORE, in->path, sizeof in->path))
        return transfer_fail(transfer, TRANSFER_INVALID, "the path of the data folder is too long");
    if (!remove_folder(folder) || mkdir(folder, 0700) != 0 || !put_bar(transfer->folder))
        return fail_folder(transfer, folder);
    result = make_store(in);
    if (result == TRANSFER_DONE && !install(transfer->folder, folder))
        return fail_folder(transfer, transfer->folder);
    if (result != TRANSFER_DONE) { /* the next import would do it */
        (void)remove_bar(transfer->folder);
        (void)remove_folder(folder);
    }
    return result;
}

/* The lock makes an empty database, which the store takes the place of. */
static enum transfer_exit import_locked(struct in *in) {
    struct transfer *transfer = in->transfer;
    struct data_lock lock;
    char error[TRANSFER_ERROR_BYTES];
    if (!data_lock(&lock, transfer->folder, error, sizeof error))
        return transfer_fail(transfer, TRANSFER_IO, "%s", error);
    enum transfer_exit result = import_into(in);
    if (result != TRANSFER_DONE && !has_bytes(transfer->folder, DATA_STORE))
        (void)remove_one(transfer->folder, DATA_STORE);
    data_unlock(&lock);
    return result;
}

static bool open_file(struct in *in) {
    struct stat status;
    bool is_stdin = !strcmp(in->transfer->file, "-");
    in->file = is_stdin ? stdin : fopen(in->transfer->file, "re");
    if (in->file && fstat(fileno(in->file), &status) == 0 && S_ISDIR(status.st_mode)) {
        fclose(in->file);
        in->file = NULL;
        errno = EISDIR;
    }
    return in->file != NULL;
}

enum transfer_exit transfer_in(struct transfer *transfer) {
    struct in *in = calloc(1, sizeof *in);
    if (!in)
        return transfer_fail(transfer, TRANSFER_FAILED, "no memory");
    in->transfer = transfer;
    enum transfer_exit result = open_file(in)
                                    ? import_locked(in)
                                    : transfer_fail(transfer, TRANSFER_IO, "%s can't be read: %s",
                                                    transfer->file, strerror(errno));
    if (result == TRANSFER_DONE) {
        progress_clear(&transfer->progress);
        printf("imported %llu lines into the store %s/" DATA_STORE "\n",
               (unsigned long long)in->line - 1, transfer->folder);
    }
    if (in->file && in->file != stdin)
        fclose(in->file);
    free(in);
    return result;
}
