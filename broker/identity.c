#include "identity.h"

#include "data.h"
#include "password.h"
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#define FILE_BYTES_MAX 256

static bool identity_parse(struct identity *identity, const char *text) {
    unsigned char key[KEY_BYTES];
    char derived[KEY_TEXT];
    bool valid =
        sscanf(text, "public %40s secret %40s", identity->public_key, identity->secret_key) == 2 &&
        key_parse(identity->public_key, key) && key_parse(identity->secret_key, key) &&
        zmq_curve_public(derived, identity->secret_key) == 0 &&
        !strcmp(derived, identity->public_key);

    password_wipe(key, sizeof key);
    return valid;
}

static bool identity_read(struct identity *identity, int fd, const char *path, char *error,
                          size_t error_bytes) {
    char text[FILE_BYTES_MAX + 1];
    struct stat status;
    ssize_t bytes = read(fd, text, FILE_BYTES_MAX);
    bool valid = false;

    if (bytes < 0 || fstat(fd, &status) != 0) {
        snprintf(error, error_bytes, "%s can't be read: %s", path, strerror(errno));
    } else if (status.st_mode & (S_IRWXG | S_IRWXO)) {
        snprintf(error, error_bytes,
                 "others may read the key in %s: make it private with chmod 600", path);
    } else {
        text[bytes] = '\0';
        valid = identity_parse(identity, text);
        if (!valid)
            snprintf(error, error_bytes,
                     "%s holds no key pair: bring it back from a backup, or remove it and start "
                     "once with --identity new (every client will warn of it)",
                     path);
    }
    password_wipe(text, sizeof text);
    return valid;
}

/* The file is written under another name and renamed, so that a crash leaves a whole file or
 * none. */
static bool identity_make(struct identity *identity, const char *folder, const char *path,
                          char *error, size_t error_bytes) {
    char text[FILE_BYTES_MAX], new_path[DATA_PATH_BYTES];
    int fd = -1, length;
    bool made = false;

    do {
        if (zmq_curve_keypair(identity->public_key, identity->secret_key) != 0)
            goto out;
    } while (identity->public_key[0] == '-'); /* on a command line it would look like an option */
    if (!data_path(folder, "server.key.new", new_path, sizeof new_path))
        goto out;
    length = snprintf(text, sizeof text, "public %s\nsecret %s\n", identity->public_key,
                      identity->secret_key);
    fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    made = fd >= 0 && write(fd, text, (size_t)length) == length && fsync(fd) == 0 &&
           rename(new_path, path) == 0;
out:
    if (!made)
        snprintf(error, error_bytes, "%s can't be made: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    password_wipe(text, sizeof text);
    return made;
}

/* The number that the store notes for the key; never 0. */
static int64_t mark_of(const struct identity *identity) {
    unsigned char key[KEY_BYTES];
    int64_t mark = 1;

    if (key_parse(identity->public_key, key))
        memcpy(&mark, key, sizeof mark);
    return mark ? mark : 1;
}

/* Refuses anything but a regular file, because opening a pipe, for example, could wait for ever. */
static bool is_file(int fd, const char *path, char *error, size_t error_bytes) {
    struct stat status;
    bool is = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);

    if (!is)
        snprintf(error, error_bytes, "%s is no regular file: it should hold the broker's key",
                 path);
    return is;
}

bool identity_load(struct identity *identity, const char *folder, bool make, char *error,
                   size_t error_bytes) {
    char path[DATA_PATH_BYTES];
    bool loaded;
    int fd;

    if (!data_path(folder, "server.key", path, sizeof path)) {
        snprintf(error, error_bytes, "the path of the data folder is too long");
        return false;
    }
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && make)
        return identity_make(identity, folder, path, error, error_bytes);
    if (fd < 0 && errno == ENOENT) {
        snprintf(error, error_bytes,
                 "%s is missing, and the store beside it was served with it: bring it back from a "
                 "backup, or start once with --identity new (every client will warn of it)",
                 path);
        return false;
    }
    if (fd < 0) {
        snprintf(error, error_bytes, "%s can't be opened: %s", path, strerror(errno));
        return false;
    }
    loaded = is_file(fd, path, error, error_bytes) &&
             identity_read(identity, fd, path, error, error_bytes);
    close(fd);
    return loaded;
}

static bool fail_store(const struct store *store, char *error, size_t error_bytes) {
    snprintf(error, error_bytes, "%s", store_error(store));
    return false;
}

bool identity_open(struct identity *identity, const char *folder, struct store *store,
                   bool may_change, char *error, size_t error_bytes) {
    int64_t noted, mark;
    bool served;

    if (store_identity(store, &noted, &served) != STORE_OK)
        return fail_store(store, error, error_bytes);
    if (!identity_load(identity, folder, may_change || (noted == 0 && !served), error, error_bytes))
        return false;
    mark = mark_of(identity);
    if (noted != 0 && noted != mark && !may_change) {
        snprintf(error, error_bytes,
                 "the store in %s was served with another key than the one in server.key: bring "
                 "that one back from a backup, or start once with --identity new (every client "
                 "will warn of it)",
                 folder);
        return false;
    }
    return noted == mark || store_identity_note(store, mark) == STORE_OK ||
           fail_store(store, error, error_bytes);
}

void identity_wipe(struct identity *identity) {
    password_wipe(identity, sizeof *identity);
}
