/* A file of this machine that goes out, and one that comes in, for uploads, downloads and the files
 * of private chats: all that these need of the file system. */
#ifndef LOCAL_FILE_H
#define LOCAL_FILE_H

#include "crypto.h"
#include "fault.h"
#include "path.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- out ---- */

struct source {
    char *path; /* owned: as given, for sentences */
    int fd;     /* owned; -1: not open */
    struct path_state state;
};

enum source_end {
    SOURCE_FINE,
    SOURCE_CHANGED, /* it is no longer what was opened */
    SOURCE_FAILED,  /* errno says why */
};

/* Opens a regular file. Also what failed is to be closed. */
zchat_code source_open(struct source *source, const char *path, struct fault *fault);
void source_close(struct source *source);
/* Reads exactly `count` bytes. */
enum source_end source_read(const struct source *source, void *bytes, size_t count,
                            uint64_t offset);
/* Whether it ends where it did when it was opened. */
bool source_ends(const struct source *source);

/* ---- in ---- */

/* It grows in a part file, and has its name once it is whole; or goes to an fd, from its beginning.
 */
struct target {
    char *path;       /* owned: as given; NULL: the fd is the caller's */
    char *part;       /* owned: the part file's path; NULL: there is none */
    int fd;           /* owned if there is a path; -1: not open */
    bool force;       /* what is there may be replaced */
    uint64_t there;   /* bytes that an earlier attempt left */
    uint64_t written; /* ... and that are there now, once it goes on behind them */
};

/* False: no memory. It is to be closed in any case. */
bool target_name(struct target *target, const char *path, bool force);
void target_name_fd(struct target *target, int fd);
/* What it is called in sentences. */
const char *target_text(const struct target *target);
/* Opens or makes the part file of what shall have that hash and size. */
zchat_code target_open(struct target *target, const unsigned char hash[HASH_BYTES], uint64_t bytes,
                       struct fault *fault);
/* Whether the disk has room for the rest, and more. Only a hint: others write as well. */
bool target_has_room(const struct target *target, uint64_t bytes);
/* Reads of what an earlier attempt left. False with errno. */
bool target_read(const struct target *target, void *bytes, size_t count, uint64_t offset);
/* Goes on behind that. False with errno. */
bool target_go_on(struct target *target);
/* False with errno. */
bool target_write(struct target *target, const void *bytes, size_t count);
/* Gives it its name, which is kept then. */
zchat_code target_publish(struct target *target, struct fault *fault);
/* What is there of it goes. */
void target_drop(struct target *target);
/* Closes; the part file stays. */
void target_close(struct target *target);

#endif
