/* Paths according to the XDG base directories, and the file with a password. */
#include "paths.h"

#include "memory.h"
#include "zchat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

char *paths_join(const char *folder, const char *name) {
    size_t bytes = strlen(folder) + strlen(name) + 2;
    bool ends = *folder != '\0' && folder[strlen(folder) - 1] == '/';
    char *path = memory_take(bytes);
    snprintf(path, bytes, "%s%s%s", folder, ends ? "" : "/", name);
    return path;
}

char *paths_expand(const char *typed) {
    const char *home = getenv("HOME");
    if (strncmp(typed, "~/", 2) != 0 || !home || home[0] != '/')
        return memory_text(typed);
    return paths_join(home, typed + 2);
}

bool paths_is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Makes the folders of `path` that are missing, the last one included. */
static int paths_make(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
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
    if (state && state[0] == '/') {
        folder = paths_join(state, "zchat");
    } else if (home && home[0] == '/') {
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

char *paths_read_password(const char *path, char *error, size_t error_bytes) {
    char password[ZCHAT_PASSWORD_BYTES];
    bool there = zchat_password_read(path, password, error, error_bytes);
    char *result = there ? memory_text(password) : NULL;
    memory_wipe(password, sizeof password);
    return result;
}
