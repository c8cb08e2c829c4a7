/* Files on their way, any number at a time. What uploads and downloads have in common: a window of
 * chunks under way, beginning again where they were after a lost connection, one answer at the end.
 * A chunk's request knows its transfer by number; a transfer that begins again takes a new number,
 * so that answers to what was asked before count no more. */
#ifndef TRANSFER_H
#define TRANSFER_H

#include "client.h"
#include "crypto.h"
#include "fault.h"

struct transfer;
struct transfers;

struct transfer_kind {
    /* Does what there is to do now; true: there is more, without waiting for anything. */
    bool (*step)(struct transfers *transfers, struct transfer *transfer);
    void (*reply)(struct transfers *transfers, struct transfer *transfer,
                  const struct request *request, const Zchat__V1__Reply *reply);
    /* The broker's error, which will not pass by waiting. */
    void (*refuse)(struct transfers *transfers, struct transfer *transfer,
                   const struct request *request, const Zchat__V1__CommandError *error);
    /* What was under way is forgotten. */
    void (*restart)(struct transfer *transfer);
    /* The caller gave it up: what it left behind goes. */
    void (*drop)(struct transfers *transfers, struct transfer *transfer);
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
    struct file_caller caller;
    char title[TITLE_BYTES];
    char name[FILE_NAME_BYTES];
    uint64_t bytes; /* of the file */
    unsigned char hash[HASH_BYTES];
    unsigned under_way;  /* chunks */
    unsigned window;     /* how many may be */
    unsigned window_age; /* answers since it was set */
    int64_t fastest_us;  /* the shortest time that an answer took */
    int64_t retry_us;    /* not before; NEVER_US: at once */
    zchat_code ending;   /* not ZCHAT_OK: it ends so, with the next step */
    bool dropped;        /* by zchat_file_cancel */
    bool over;           /* answered */
};

struct transfers {
    struct client *client; /* borrowed */
    struct transfer *list; /* owned, and each in it */
    uint64_t last_number;
    size_t count; /* that are not over */
    bool busy;    /* some had more to do without waiting */
};

void transfers_init(struct transfers *transfers, struct client *client);
/* Puts it in the list, which owns it then. False: no memory. */
bool transfers_add(struct transfers *transfers, struct transfer *transfer,
                   const struct transfer_kind *kind);
void transfers_release(struct transfers *transfers);

void transfers_tick(struct transfers *transfers);
int64_t transfers_deadline_us(const struct transfers *transfers);
void transfers_reply(struct transfers *transfers, const struct request *request,
                     const Zchat__V1__Reply *reply);
/* The connection is lost: what was under way is asked again after the resume. */
void transfers_lost(struct transfers *transfers);
/* All end with the next step, resumable. */
void transfers_leave(struct transfers *transfers);
/* Those of that caller end with the next step, and what they left behind goes. */
void transfers_cancel(struct transfers *transfers, const void *arg);
/* All end now, resumable. */
void transfers_end_all(struct transfers *transfers, zchat_code code, const char *text);

/* ---- for the kinds ---- */

/* What it is, and whose. */
void transfer_name(struct transfer *transfer, const char *title, const char *name,
                   struct file_caller caller);

/* Whether a chunk more may be under way. */
bool transfer_has_room(const struct transfers *transfers, const struct transfer *transfer);
/* Queues a command of the transfer's; NULL: no memory, and it is over. */
struct request *transfer_ask(struct transfers *transfers, struct transfer *transfer,
                             command_number command, ProtobufCMessage *body);
void transfer_restart(struct transfers *transfers, struct transfer *transfer, int64_t delay_us);
void transfer_tell(struct transfer *transfer, uint64_t bytes);
/* Answers it. What it used goes with the next tick. */
void transfer_fail(struct transfers *transfers, struct transfer *transfer,
                   const struct fault *fault);
void transfer_done(struct transfers *transfers, struct transfer *transfer,
                   const zchat_upload *upload);
/* Answers it with the broker's error. */
void transfer_refuse(struct transfers *transfers, struct transfer *transfer,
                     const Zchat__V1__CommandError *error);

#endif
