/* Standard input as a file: an upload must know its size before it begins, and reads what a lost
 * connection swallowed once more. The file has no name, so nothing is left behind however the
 * process ends. */
#ifndef SPOOL_H
#define SPOOL_H

#include "call.h"

#define SPOOL_BYTES_MAX (INT64_C(1) << 30) /* so that an endless input does not fill the disk */

struct spool {
    int fd;        /* owned; -1: not open */
    char path[32]; /* under which it can be opened while it is open */
};

/* Takes standard input to its end into a file in $TMPDIR, or in /tmp. Whoever writes it may take
 * their time, unless --timeout was given. A failure has been reported; close it in any case. */
enum status spool_open(struct spool *spool, struct call *call);
void spool_close(struct spool *spool);

#endif
