/* The kernel edits the line, so a whole line comes; except that Ctrl-D may have ended it, or
 * several lines were typed ahead: then the first one counts. */
#include "secret.h"

#include "memory.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum secret_state secret_read(struct secret *secret) {
    size_t room = sizeof secret->text - 1 - secret->bytes;
    ssize_t got = read(STDIN_FILENO, secret->text + secret->bytes, room);
    if (got < 0 && errno == EINTR)
        return SECRET_BEGUN;
    secret->bytes += got > 0 ? (size_t)got : 0;
    char *end = memchr(secret->text, '\n', secret->bytes);
    if (got > 0 && !end && secret->bytes < sizeof secret->text - 1)
        return SECRET_BEGUN;
    *(!end ? secret->text + secret->bytes : end) = '\0';
    if (end && strlen(secret->text) < (size_t)(end - secret->text)) {
        secret->text[0] = '\0';
        return SECRET_BROKEN;
    }
    return got > 0 ? SECRET_WHOLE : SECRET_ENDED;
}

void secret_wipe(struct secret *secret) {
    memory_wipe(secret, sizeof *secret);
}
