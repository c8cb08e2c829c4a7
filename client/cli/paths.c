/* Paths by the XDG base directories, and the file that a password comes from. */
#include "paths.h"

#include "memory.h"
#include "zchat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *paths_join(const char *folder, const char *name) {
    size_t bytes = strlen(folder) + strlen(name) + 2;
    bool ends = *folder != '\0' && folder[strlen(folder) - 1] == '/';
    char *path = memory_take(bytes);
    snprintf(path, bytes, "%s%s%s", folder, ends ? "" : "/", name);
    return path;
}

char *paths_expand(const char *typed) {
    const char *home = getenv("HOME");
    if (strncmp(typed, "~/", 2) != 0 || home == NULL || home[0] != '/')
        return memory_text(typed);
    return paths_join(home, typed + 2);
}

bool paths_is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Makes the folders of `path` that are missing, the last one included. */
static int paths_make(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int made = mkdir(path, 0700);
        *slash = '/';
        if (made != 0 && errno != EEXIST)
            return -1;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -1;
}

char *paths_state_file(const char *name) {
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    char *folder;
    if (state != NULL && state[0] == '/') {
        folder = paths_join(state, "zchat");
    } else if (home != NULL && home[0] == '/') {
        folder = paths_join(home, ".local/state/zchat");
    } else {
        errno = ENOENT;
        return NULL;
    }
    char *path = paths_make(folder) == 0 ? paths_join(folder, name) : NULL;
    int error = errno;
    free(folder);
    errno = error;
    return path;
}

/* The first bytes of a file; -1 sets errno. */
static ssize_t paths_read_start(const char *path, char *bytes, size_t room) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    size_t used = 0;
    ssize_t got = fd < 0 ? -1 : 1;
    while (got > 0 && used < room && memchr(bytes, '\n', used) == NULL) {
        got = read(fd, bytes + used, room - used);
        used += got > 0 ? (size_t)got : 0;
    }
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return got < 0 ? -1 : (ssize_t)used;
}

char *paths_read_password(const char *path, char *error, size_t error_bytes) {
    char source[ZCHAT_PASSWORD_SOURCE_BYTES];
    char password[ZCHAT_PASSWORD_BYTES];
    ssize_t bytes = paths_read_start(path, source, sizeof source);
    const char *wrong = bytes < 0 ? NULL : zchat_password_take(source, (size_t)bytes, password);
    char *result = bytes >= 0 && wrong == NULL ? memory_text(password) : NULL;
    if (bytes < 0)
        snprintf(error, error_bytes, "%s: %s", path, strerror(errno));
    else if (wrong != NULL)
        snprintf(error, error_bytes, "%s %s", path, wrong);
    memory_wipe(source, sizeof source);
    memory_wipe(password, sizeof password);
    return result;
}
