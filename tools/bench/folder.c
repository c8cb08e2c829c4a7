/* See folder.h. */
#define _GNU_SOURCE /* nftw */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES       4096
#define BYTES_OF_A_BLOCK 512

static bool fail(const char *what) {
    fprintf(stderr, "zchat-bench: %s: %s\n", what, strerror(errno));
    return false;
}

bool folder_new(char *path, size_t path_bytes) {
    const char *base = getenv("TMPDIR");
    snprintf(path, path_bytes, "%s/zchat-bench.XXXXXX", base && base[0] ? base : "/tmp");
    return mkdtemp(path) || fail("no temporary folder");
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *at) {
    (void)facts;
    (void)kind;
    (void)at;
    return remove(path);
}

void folder_remove(const char *path) {
    if (path[0] && nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        fail(path);
}

uint64_t folder_bytes(const char *path) {
    char file[PATH_BYTES];
    struct stat facts;
    uint64_t bytes = 0;
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (stat(file, &facts) == 0 && S_ISREG(facts.st_mode))
            bytes += (uint64_t)facts.st_blocks * BYTES_OF_A_BLOCK;
    }
    if (folder)
        closedir(folder);
    return bytes;
}
