/* How far the one backup is that may be made at a time. */
#ifndef BACKUP_STAGE_H
#define BACKUP_STAGE_H

#include <stdint.h>

enum backup_stage {
    BACKUP_NONE,
    BACKUP_ELSEWHERE, /* `zchatd backup` makes one */
    BACKUP_MAKING,
    BACKUP_ENDING, /* it is being made, and nobody wants it any more */
    BACKUP_WHOLE,  /* it is there for the session that asked for it */
};

/* The core's. */
struct backup {
    enum backup_stage stage;
    uint64_t session; /* the number of the one that asked */
    uint64_t peer;    /* ... and of its connection */
    uint64_t request; /* the command that made it */
    int64_t begun_us;
};

#endif
