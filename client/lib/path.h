/* Where files of this machine are read and written. A download grows in a part file beside its
 * target. The part file's name tells the target and the hash of the whole file, so that a download
 * that broke off is found again; the whole file gets the target's name. Names that came from a
 * broker never get here. */
#ifndef PATH_H
#define PATH_H

#include "crypto.h"
#include "fault.h"
#include "folder.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* The path's last part; "" if it ends with a slash. */
const char *path_name(const char *path);

/* What a file was when it was opened: which file, and its content as far as that is known without
 * reading it. */
struct path_state {
    uint64_t bytes;
    struct timespec changed;
    dev_t device;
    ino_t inode;
};
/* Opens a regular file to be read. */
zchat_code path_open(const char *path, int *fd, struct path_state *state, struct fault *fault);
/* Whether the file has no more than so many bytes that can be read. */
bool path_ends(int fd, uint64_t bytes);
/* Whether the file is as it was. */
bool path_is_same(int fd, const struct path_state *state);
/* Reads exactly `count` bytes. False with errno; errno 0: there are fewer. */
bool path_read(int fd, void *bytes, size_t count, uint64_t offset);

/* Checks that a file may be put there: the path names no folder and, without `force`, nothing is
 * there. */
zchat_code path_check_target(const char *path, bool force, struct fault *fault);
/* Opens or makes the part file for the target, and locks it so that nobody else writes it
 * meanwhile. */
zchat_code path_open_part(const char *path, const unsigned char hash[HASH_BYTES],
                          char part[FOLDER_PATH_BYTES], int *fd, uint64_t *bytes,
                          struct fault *fault);
/* Writes to the fd, whatever it is, from its present position. */
bool path_write(int fd, const void *bytes, size_t count);
/* Called after a write that ended at `end`: now and then asks the disk to begin writing, so that
 * path_publish has little left to wait for. */
void path_write_out(int fd, uint64_t end, size_t count);
/* Syncs the part file and gives it the target's name. */
zchat_code path_publish(int fd, const char *part, const char *path, bool force,
                        struct fault *fault);

#endif
