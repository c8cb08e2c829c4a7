/* The lines of one private chat. One's own wait here, packed, until the other side's program has
 * them, over as many links as that takes; the other's are counted, so that none is handed out
 * twice. No sockets here. */
#ifndef LINES_H
#define LINES_H

#include "wire.h"
#include "zchat.h"

/* Frames of lines under way at most: enough for a long way, few enough for the other's memory. */
#define LINES_FRAMES_MAX 16
/* In one frame: the cost of CURVE and of the acknowledgement is shared. */
#define LINES_A_FRAME 64

struct line {
    struct line *next; /* owned */
    uint64_t number;
    zchat_reply_fn *fn; /* NULL: nobody asks */
    void *arg;          /* borrowed: from the caller */
    unsigned char id[ID_BYTES];
    int64_t time_us;
    size_t bytes;
    uint8_t element[]; /* of PeerBatch.messages, packed */
};

/* Ids that one fetch of random bytes is for: it is a system call. */
#define LINES_IDS 64

struct lines {
    unsigned char random[10 * LINES_IDS];
    size_t random_used;  /* ids; 0: none were fetched */
    struct line *first;  /* owned, and each after it: not acknowledged */
    struct line *last;   /* borrowed */
    struct line *unsent; /* borrowed: the first that was not sent on this link; NULL: none */
    size_t count;
    uint64_t last_number;              /* of one's own */
    uint64_t received;                 /* the last one of the other's */
    bool ack_due;                      /* he was not told so yet */
    uint64_t frames[LINES_FRAMES_MAX]; /* a ring: the last line of each frame under way */
    size_t frames_first;
    size_t frames_count;
};

/* Queues a line. False: no memory. */
bool lines_add(struct lines *lines, const char *text, zchat_reply_fn *fn, void *arg);
/* Whether there is something to send. */
bool lines_wait(const struct lines *lines);

/* What goes into the next frame; 0: nothing does now. */
size_t lines_frame_bytes(const struct lines *lines, size_t *count);
/* Packs that frame, which is sent then. */
void lines_pack(struct lines *lines, size_t count, uint8_t *out);

/* The other side has all lines up to that one: they are answered. */
void lines_acked(struct lines *lines, uint64_t received);
/* A new link: what the other side does not have goes out again. */
void lines_relink(struct lines *lines, uint64_t received);
/* Answers and frees all. */
void lines_end(struct lines *lines, zchat_code code, const char *text);

#endif
