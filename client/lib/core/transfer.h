/* Files on their way, any number at a time. What uploads and downloads have in common: a window of
 * chunks under way, going on where they were after a lost connection, one answer at the end. A
 * chunk's request has its transfer's number; a transfer that begins again takes a new number, so
 * that answers to earlier requests no longer count. */
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
    /* Takes an error of the broker that waiting will not cure. */
    void (*refuse)(struct transfers *transfers, struct transfer *transfer,
                   const struct request *request, const Zchat__V1__CommandError *error);
    /* Forgets what was under way. */
    void (*restart)(struct transfer *transfer);
    /* The caller gave it up: removes what it left behind. */
    void (*drop)(struct transfers *transfers, struct transfer *transfer);
    /* Closes and frees it; what is needed to go on later stays. */
    void (*free)(struct transfer *transfer);
    /* How many chunks are under way for all transfers together (each has at least one). */
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
    unsigned window;     /* how many chunks may be under way */
    unsigned window_age; /* answers since the window was set */
    int64_t fastest_us;  /* the shortest time of an answer */
    int64_t retry_us;    /* goes on not before this; NEVER_US: at once */
    zchat_code ending;   /* not ZCHAT_OK: it ends with this code in the next step */
    bool dropped;        /* by zchat_file_cancel */
    bool over;           /* answered */
};

struct transfers {
    struct client *client; /* borrowed */
    struct transfer *list; /* owned, and so is each in it */
    uint64_t last_number;
    size_t count; /* of those that are not over */
    bool busy;    /* some had more to do without waiting */
};

void transfers_init(struct transfers *transfers, struct client *client);
/* Adds it to the list, which owns it then. False: no memory. */
bool transfers_add(struct transfers *transfers, struct transfer *transfer,
                   const struct transfer_kind *kind);
void transfers_release(struct transfers *transfers);

void transfers_tick(struct transfers *transfers);
int64_t transfers_deadline_us(const struct transfers *transfers);
void transfers_reply(struct transfers *transfers, const struct request *request,
                     const Zchat__V1__Reply *reply);
/* The connection is lost: what was under way is asked for again after the resume. */
void transfers_lost(struct transfers *transfers);
/* All transfers end with the next step, and can be resumed. */
void transfers_leave(struct transfers *transfers);
/* The transfers of that caller end with the next step, and what they left behind is removed. */
void transfers_cancel(struct transfers *transfers, const void *arg);
/* All transfers end now, and can be resumed. */
void transfers_end_all(struct transfers *transfers, zchat_code code, const char *text);

/* ---- for the kinds ---- */

/* Sets what the transfer is, and for whom. */
void transfer_name(struct transfer *transfer, const char *title, const char *name,
                   struct file_caller caller);

/* Whether one more chunk may be under way. */
bool transfer_has_room(const struct transfers *transfers, const struct transfer *transfer);
/* Queues a command for the transfer. NULL: no memory, and the transfer is over. */
struct request *transfer_ask(struct transfers *transfers, struct transfer *transfer,
                             command_number command, ProtobufCMessage *body);
void transfer_restart(struct transfers *transfers, struct transfer *transfer, int64_t delay_us);
void transfer_tell(struct transfer *transfer, uint64_t bytes);
/* Answers the transfer with a failure. What it used is freed in the next tick. */
void transfer_fail(struct transfers *transfers, struct transfer *transfer,
                   const struct fault *fault);
void transfer_done(struct transfers *transfers, struct transfer *transfer,
                   const zchat_upload *upload);
/* Answers the transfer with the broker's error. */
void transfer_refuse(struct transfers *transfers, struct transfer *transfer,
                     const Zchat__V1__CommandError *error);

#endif
