#define _GNU_SOURCE /* O_TMPFILE, mkdtemp */
#include "check.h"

#include "data.h"
#include "host.h"
#include "identity.h"
#include "password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

__attribute__((format(printf, 2, 3))) static void remark(char remarks[CHECK_REMARKS_BYTES],
                                                         const char *format, ...) {
    size_t used = strlen(remarks);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(remarks + used, CHECK_REMARKS_BYTES - used, format, arguments);
    va_end(arguments);
}

/* Remarks which of the three ports are taken now. By whom is not known, and they may be free again
 * at the start. */
static void check_ports(const struct config *config, const char *host, char *remarks) {
    for (uint32_t i = 0; config->port != 0 && i < 3; i++) {
        if (!host_binds(host, config->port + i)) {
            remark(remarks, "; but now port %u can't be bound: %s", (unsigned)(config->port + i),
                   strerror(errno));
        }
    }
}

static bool is_served(const struct config *config, char *remarks) {
    long process = data_process(config->data);
    int store = data_open_store(config->data);
    bool held = data_is_held(store);
    if (store >= 0)
        close(store);
    if (process != 0)
        remark(remarks, "; process %ld serves %s now", process, config->data);
    else if (held)
        remark(remarks, "; another process serves the store of %s now", config->data);
    return process != 0 || held;
}

static void check_advertise(const struct config *config, char *remarks) {
    char why[256];
    if (!host_resolves(config->advertise, why, sizeof why)) {
        remark(remarks, "; but advertise: %.253s does not resolve on this machine: %s",
               config->advertise, why);
    }
}

static bool check_bind(const struct config *config, char *remarks, char *error,
                       size_t error_bytes) {
    struct hosts hosts;
    if (!hosts_find(&hosts, config->bind, error, error_bytes))
        return false;
    for (size_t i = 0; i < hosts.count; i++) {
        if (host_binds(hosts.host[i], 0)) {
            if (!is_served(config, remarks))
                check_ports(config, hosts.host[i], remarks);
            return true;
        }
    }
    snprintf(error, error_bytes, "bind: no socket can be bound to %.64s: %s", config->bind,
             strerror(errno));
    return false;
}

/* A pipe can be read only once, and a terminal waits for somebody to type. */
static bool may_wait(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode));
}

static bool check_password(const struct config *config, char *remarks, char *error,
                           size_t error_bytes) {
    char password[PASSWORD_BYTES] = "";
    if (may_wait(config->admin_password_file)) {
        remark(remarks, "; but the password file %s is no regular file and was not read",
               config->admin_password_file);
        return true;
    }
    bool good = !*config->admin_password_file ||
                password_read_file(config->admin_password_file, password, error, error_bytes);
    password_wipe(password, sizeof password);
    return good;
}

/* Whether something can be made in the folder. Tries it with a file without a name or, if the disk
 * has no such files, with a folder that is removed at once. False with errno. */
static bool can_make_in(const char *folder) {
    char path[DATA_PATH_BYTES];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
        return true;
    }
    return data_path(folder, ".zchatd-check.XXXXXX", path, sizeof path) && mkdtemp(path) &&
           rmdir(path) == 0;
}

/* Cuts the path to its nearest part that exists. */
static void cut_to_what_exists(char *path) {
    struct stat status;
    while (lstat(path, &status) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        char *slash = strrchr(path, '/');
        if (!slash) {
            strcpy(path, ".");
            return;
        }
        slash[slash == path] = '\0';
        if (slash == path)
            return;
    }
}

static bool check_folder(const char *folder, char *error, size_t error_bytes) {
    char path[DATA_PATH_BYTES];
    struct stat status;
    if (strlen(folder) >= sizeof path) {
        snprintf(error, error_bytes, "data: the path of the folder is too long");
        return false;
    }
    strcpy(path, folder);
    cut_to_what_exists(path);
    if (stat(path, &status) != 0) {
        snprintf(error, error_bytes, "data: %s can't be followed: %s", path, strerror(errno));
        return false;
    }
    if (!S_ISDIR(status.st_mode)) {
        snprintf(error, error_bytes, "data: %s is no folder", path);
        return false;
    }
    if (!can_make_in(path)) {
        snprintf(error, error_bytes, "data: nothing can be made in the folder %s: %s", path,
                 strerror(errno));
        return false;
    }
    return true;
}

/* If there is a store, it must begin as SQLite's files do, and be readable and writable. */
static bool check_store(const char *folder, char *error, size_t error_bytes) {
    static const char begins[] = "SQLite format 3";
    char path[DATA_PATH_BYTES], start[sizeof begins] = "";
    struct stat status = {0};
    int fd = data_path(folder, DATA_STORE, path, sizeof path)
                 ? open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC) /* it may be a pipe */
                 : -1;
    ssize_t bytes = 0;
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return true;
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        bytes = read(fd, start, sizeof start);
    int reason = errno;
    if (fd >= 0)
        close(fd);
    if (fd < 0 || bytes < 0) {
        snprintf(error, error_bytes, "data: the store %s can't be opened: %s", path,
                 strerror(reason));
        return false;
    }
    if (!S_ISREG(status.st_mode)) {
        snprintf(error, error_bytes, "data: the store %s is no regular file", path);
        return false;
    }
    if (bytes > 0 && memcmp(start, begins, sizeof begins) != 0) {
        snprintf(error, error_bytes, "data: %s is no store", path);
        return false;
    }
    return true;
}

/* If there is none it is made at the start. */
static bool check_identity(const char *folder, char *error, size_t error_bytes) {
    struct identity identity;
    char path[DATA_PATH_BYTES];
    if (!data_path(folder, "server.key", path, sizeof path) || access(path, F_OK) != 0)
        return true;
    bool good = identity_load(&identity, folder, false, error, error_bytes);
    identity_wipe(&identity);
    return good;
}

bool check_config(const struct config *config, char remarks[CHECK_REMARKS_BYTES], char *error,
                  size_t error_bytes) {
    remarks[0] = '\0';
    bool good = check_bind(config, remarks, error, error_bytes) &&
                check_password(config, remarks, error, error_bytes) &&
                check_folder(config->data, error, error_bytes) &&
                check_store(config->data, error, error_bytes) &&
                check_identity(config->data, error, error_bytes);
    if (good)
        check_advertise(config, remarks);
    return good;
}
