/* Files of a private chat, any number at a time, in both directions. A file may need several links:
 * on a new link the file is offered again, and the answer says how much is there already. The
 * receiver remembers finished files, so that it can answer an offer if the end of the file's
 * transfer got lost. */
#ifndef PEER_FILE_H
#define PEER_FILE_H

#include "crypto.h"
#include "fault.h"
#include "local_file.h"
#include "peer_files.h"

enum peer_file_stage {
    /* sent */
    PEER_FILE_HASHING,
    PEER_FILE_OFFERING, /* the offer has to go out on this link */
    PEER_FILE_OFFERED,
    PEER_FILE_SENDING,
    /* taken */
    PEER_FILE_ASKED,    /* the user is */
    PEER_FILE_CHECKING, /* the part that is there already is hashed */
    PEER_FILE_TAKING,
    PEER_FILE_TAKEN,   /* over, remembered */
    PEER_FILE_REFUSED, /* so is this */
};

struct peer_file {
    struct peer_file *next; /* owned */
    enum peer_file_stage stage;
    unsigned char id[ID_BYTES];
    char name[FILE_NAME_BYTES];
    uint64_t bytes;
    unsigned char hash[HASH_BYTES];
    struct file_caller caller; /* who sends or takes it; fn NULL: nobody is told */
    bool waits;                /* the caller's function is still to be called */
    bool dropped;              /* the caller gave it up */
    bool refusing;             /* the user does not want it */
    bool no_room;              /* the disk has none for it */
    bool over;                 /* freed with the next step */
    struct source source;      /* of one that is sent */
    struct target target;      /* of one that is taken */
    bool all_sent;             /* even the chunk of an empty file */
    bool went;                 /* all was sent, on this link or an earlier one */
    struct hash hasher;
    uint64_t place; /* the first byte not yet sent, or not yet hashed */
    uint64_t done;  /* bytes that the receiver has */
};

/* See zchat_file_cancel. */
void peer_files_cancel(struct chat *chat, const void *arg);

/* ---- for the calls ---- */

/* Queues what was opened, under that name, and takes it over. False: no memory, and it is still the
 * caller's. */
bool peer_file_send(struct chat *chat, const struct source *source, const char *name,
                    struct file_caller caller);
/* Takes the file that was offered as `id` to that path; path NULL: refuses it. */
zchat_code peer_file_take(struct chat *chat, const unsigned char *id, const char *path, bool force,
                          struct file_caller caller, struct fault *fault);

/* ---- for the two ways ---- */

/* A new one in the list. NULL: no memory. */
struct peer_file *peer_file_add(struct chat *chat, enum peer_file_stage stage);
struct peer_file *peer_file_find(const struct chat *chat, const unsigned char *id, bool taken);
/* Answers the caller, if one waits. A file that was taken is remembered; one that was sent is done
 * with. */
void peer_file_answer(struct chat *chat, struct peer_file *file, zchat_code code, const char *text);
void peer_file_tell(struct peer_file *file, uint64_t bytes);
zchat_upload peer_file_facts(const struct chat *chat, const struct peer_file *file);
bool peer_file_say_ack(struct chat *chat, const struct peer_file *file, bool done,
                       const char *failed);

/* Sending: takes a step, an answer, an acknowledgement. */
void peer_send_step(struct chat *chat, struct peer_file *file);
void peer_send_answered(struct chat *chat, struct peer_file *file,
                        const Zchat__V1__PeerFileAnswer *answer);
void peer_send_acked(struct chat *chat, struct peer_file *file, const Zchat__V1__PeerFileAck *ack);

/* Taking: takes a step, an offer, a chunk; and ends because the sender gave the file up. */
void peer_take_step(struct chat *chat, struct peer_file *file);
void peer_take_offer(struct chat *chat, const Zchat__V1__PeerFileOffer *offer);
void peer_take_chunk(struct chat *chat, struct peer_file *file,
                     const Zchat__V1__PeerFileChunk *chunk);
void peer_take_failed(struct chat *chat, struct peer_file *file, const char *why);

#endif
