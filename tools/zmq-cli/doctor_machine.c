/* The checks that need no network. */
#define _DEFAULT_SOURCE /* explicit_bzero */
#include "doctor.h"

#include "password.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIPTORS_NEEDED 32  /* a call has about twenty open */
#define DESCRIPTORS_WANTED 128 /* rpc with a private chat and a file */
#define SPACE_BYTES        65536
#define PATH_BYTES         4096

void check_descriptors(struct doctor *doctor) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        doctor_say(doctor, FINDING_WARNING, ZCHAT_OK, "the limit is not known: %s",
                   strerror(errno));
    else if (limit.rlim_cur < DESCRIPTORS_WANTED)
        doctor_say(doctor, limit.rlim_cur < DESCRIPTORS_NEEDED ? FINDING_FAIL : FINDING_WARNING,
                   ZCHAT_NO_MEMORY,
                   "a process may have only %ju files open: raise it, as with ulimit -n 1024",
                   (uintmax_t)limit.rlim_cur);
    else
        doctor_say(doctor, FINDING_OK, ZCHAT_OK, "a process may have %ju files open",
                   (uintmax_t)limit.rlim_cur);
}

static bool own_path(const struct doctor *doctor, const char *name, char path[PATH_BYTES]) {
    const char *folder = doctor->call->config_dir;
    return folder && snprintf(path, PATH_BYTES, "%s/%s", folder, name) < PATH_BYTES;
}

/* Something that is not there is told as it is: the first call that needs it makes it. */
void check_folder(struct doctor *doctor) {
    const char *folder = doctor->call->config_dir;
    struct stat facts;
    if (!folder)
        doctor_say(doctor, FINDING_FAIL, ZCHAT_IO,
                   "there is no place for it: set HOME, or give --config-dir");
    else if (stat(folder, &facts) != 0 && errno == ENOENT)
        doctor_say(doctor, FINDING_OK, ZCHAT_OK, "%s is made by the first call", folder);
    else if (stat(folder, &facts) != 0)
        doctor_say(doctor, FINDING_FAIL, ZCHAT_IO, "cannot look at %s: %s", folder,
                   strerror(errno));
    else if (!S_ISDIR(facts.st_mode))
        doctor_say(doctor, FINDING_FAIL, ZCHAT_IO, "%s is no folder: move it out of the way",
                   folder);
    else if (facts.st_uid != geteuid())
        doctor_say(doctor, FINDING_WARNING, ZCHAT_OK,
                   "%s belongs to another user of this machine: chown it, or give --config-dir",
                   folder);
    else if (facts.st_mode & 077)
        doctor_say(doctor, FINDING_WARNING, ZCHAT_OK,
                   "others of this machine may look into %s: chmod 700 %s", folder, folder);
    else
        doctor_say(doctor, FINDING_OK, ZCHAT_OK, "%s is yours alone", folder);
}

/* Writes a file as large as what zchat keeps there, and removes it. */
static int try_to_write(const char *path) {
    static const char zeros[4096];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), error = 0;
    if (fd < 0)
        return errno;
    for (size_t done = 0; done < SPACE_BYTES && !error; done += sizeof zeros) {
        ssize_t written = write(fd, zeros, sizeof zeros);
        if (written != (ssize_t)sizeof zeros)
            error = written < 0 ? errno : ENOSPC;
    }
    if (!error && fsync(fd) != 0)
        error = errno;
    close(fd);
    unlink(path);
    return error;
}

void check_space(struct doctor *doctor) {
    char path[PATH_BYTES], name[40];
    snprintf(name, sizeof name, "doctor.%ld", (long)getpid());
    if (!own_path(doctor, name, path) || access(doctor->call->config_dir, F_OK) != 0) {
        doctor_say(doctor, FINDING_OK, ZCHAT_OK, "there is no folder yet");
        return;
    }
    int error = try_to_write(path);
    if (error)
        doctor_say(doctor, FINDING_FAIL, ZCHAT_IO, "cannot write in %s: %s%s",
                   doctor->call->config_dir, strerror(error),
                   error == ENOSPC || error == EDQUOT ? "; make room there"
                                                      : "; make it writable, or give --config-dir");
    else
        doctor_say(doctor, FINDING_OK, ZCHAT_OK, "files can be written in %s",
                   doctor->call->config_dir);
}

/* A file that only its owner should have. */
static void check_private(struct doctor *doctor, const char *path, const char *missing) {
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT && missing)
        doctor_say(doctor, FINDING_OK, ZCHAT_OK, "%s %s", path, missing);
    else if (fd < 0)
        doctor_say(doctor, FINDING_FAIL, ZCHAT_IO, "cannot read %s: %s", path, strerror(errno));
    else if (fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_mode & 077)
        doctor_say(doctor, FINDING_WARNING, ZCHAT_OK,
                   "others of this machine may read %s: chmod 600 %s", path, path);
    else
        doctor_say(doctor, FINDING_OK, ZCHAT_OK, "%s can be read", path);
    if (fd >= 0)
        close(fd);
}

void check_device_key(struct doctor *doctor) {
    char path[PATH_BYTES];
    if (own_path(doctor, "device.key", path))
        check_private(doctor, path, "is made by the first call");
    else
        doctor_say(doctor, FINDING_FAIL, ZCHAT_IO, "there is no place for it: give --config-dir");
}

/* Whoever can write it can have a command of theirs run: password-cmd. */
void check_config_file(struct doctor *doctor) {
    char path[PATH_BYTES];
    struct stat facts;
    if (!own_path(doctor, "zmq-cli.conf", path) || stat(path, &facts) != 0)
        doctor_say(doctor, FINDING_OK, ZCHAT_OK, "there is none, and none is needed");
    else if (facts.st_mode & 022)
        doctor_say(doctor, FINDING_WARNING, ZCHAT_OK,
                   "others of this machine may change %s: chmod 600 %s", path, path);
    else
        doctor_say(doctor, FINDING_OK, ZCHAT_OK, "%s is understood", path);
}

static void check_password_file(struct doctor *doctor, const char *path) {
    char password[ZCHAT_PASSWORD_BYTES], error[SENTENCE_BYTES];
    struct stat facts;
    if (stat(path, &facts) == 0 && !S_ISREG(facts.st_mode)) {
        doctor_say(doctor, FINDING_OK, ZCHAT_OK, "%s is no file, and not read here", path);
        return;
    }
    bool read = zchat_password_read(path, password, error, sizeof error);
    explicit_bzero(password, sizeof password);
    if (!read)
        doctor_say(doctor, FINDING_FAIL, ZCHAT_IO, "%s", error);
    else
        check_private(doctor, path, NULL);
}

void check_password(struct doctor *doctor) {
    const struct options *options = doctor->call->options;
    const char *file = option_text(options, OPTION_PASSWORD_FILE);
    if (file)
        check_password_file(doctor, file);
    else if (option_is_set(options, OPTION_PASSWORD_CMD))
        doctor_say(doctor, FINDING_OK, ZCHAT_OK, "it comes from a command, which the login runs");
    else
        doctor_say(doctor, FINDING_OK, ZCHAT_OK,
                   "none is given: only a device that the account trusts can log in");
}
