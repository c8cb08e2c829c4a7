/* Files on their way, any number at a time. What uploads and downloads have in common: a window of
 * chunks under way, beginning again where they were after a lost connection, one answer at the end.
 * A chunk's request knows its transfer by number; a transfer that begins again takes a new number,
 * so that answers to what was asked before count no more. */
#ifndef TRANSFER_H
#define TRANSFER_H

#include "fault.h"
#include "hash.h"
#include "request.h"
#include "wire.h"
#include "zchat.h"

struct transfer;

struct transfer_kind {
    /* Does what there is to do now; true: there is more, without waiting for anything. */
    bool (*step)(zchat *z, struct transfer *transfer);
    void (*reply)(zchat *z, struct transfer *transfer, const struct request *request,
                  const Zchat__V1__Reply *reply);
    /* The broker's error, which will not pass by waiting. */
    void (*refuse)(zchat *z, struct transfer *transfer, const struct request *request,
                   const Zchat__V1__CommandError *error);
    /* What was under way is forgotten. */
    void (*restart)(struct transfer *transfer);
    /* The caller gave it up: what it left behind goes. */
    void (*drop)(zchat *z, struct transfer *transfer);
    /* Closes and frees it; what resumes stays. */
    void (*free)(struct transfer *transfer);
    /* Chunks under way, of all transfers together (each has one at least). */
    unsigned window_max;
};

/* The first member of an upload or a download. */
struct transfer {
    const struct transfer_kind *kind; /* borrowed: static */
    struct transfer *next;            /* owned: by the list */
    uint64_t number;
    zchat_reply_fn *fn;
    zchat_progress_fn *progress;
    void *arg; /* borrowed: from the caller, for both */
    char title[TITLE_BYTES];
    char name[FILE_NAME_BYTES];
    uint64_t bytes; /* of the file */
    unsigned char hash[HASH_BYTES];
    unsigned under_way;  /* chunks */
    unsigned window;     /* how many may be */
    unsigned window_age; /* answers since it was set */
    int64_t fastest_us;  /* the shortest time that an answer took */
    int64_t retry_us;    /* not before; WAKE_NEVER: at once */
    zchat_code ending;   /* not ZCHAT_OK: it ends so, with the next step */
    bool dropped;        /* by zchat_file_cancel */
    bool over;           /* answered */
};

struct transfers {
    struct transfer *list; /* owned, and each in it */
    uint64_t last_number;
    size_t count;          /* that are not over */
    bool busy;             /* some had more to do without waiting */
    unsigned char *buffer; /* owned: CHUNK_BYTES_MAX; NULL before the first transfer */
};

/* Puts it in the list, which owns it then. False: no memory. */
bool transfers_add(zchat *z, struct transfer *transfer, const struct transfer_kind *kind);
/* The room for a chunk that is read from a file. NULL: no memory. */
unsigned char *transfers_buffer(struct transfers *transfers);
void transfers_release(struct transfers *transfers);

void transfers_tick(zchat *z);
int64_t transfers_deadline_us(const zchat *z);
void transfers_reply(zchat *z, const struct request *request, const Zchat__V1__Reply *reply);
/* The connection is lost: what was under way is asked again after the resume. */
void transfers_lost(zchat *z);
/* All end with the next step, resumable. */
void transfers_leave(zchat *z);
/* All end now, resumable. */
void transfers_end_all(zchat *z, zchat_code code, const char *text);

/* ---- for the kinds ---- */

/* Whether a chunk more may be under way. */
bool transfer_has_room(const zchat *z, const struct transfer *transfer);
/* Queues a command of the transfer's; NULL: no memory, and it is over. */
struct request *transfer_ask(zchat *z, struct transfer *transfer, command_number command,
                             ProtobufCMessage *body);
void transfer_restart(zchat *z, struct transfer *transfer, int64_t delay_us);
void transfer_tell(struct transfer *transfer, uint64_t bytes);
/* Answers it. What it used goes with the next tick. */
void transfer_fail(zchat *z, struct transfer *transfer, const struct fault *fault);
void transfer_done(zchat *z, struct transfer *transfer, const zchat_upload *upload);
/* Answers it with the broker's error. */
void transfer_refuse(zchat *z, struct transfer *transfer, const Zchat__V1__CommandError *error);

#endif
