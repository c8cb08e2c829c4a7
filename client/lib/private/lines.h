/* The lines of one private chat. One's own wait here, packed, until the other side's program has
 * them, over as many links as that takes; the other's are counted, so that none is handed out
 * twice. No sockets here. */
#ifndef LINES_H
#define LINES_H

#include "chat_host.h"
#include "wire.h"
#include "zchat.h"

/* Frames of lines under way at most, and bytes in them (one frame may go beyond): enough for a long
 * way, few enough for the other's memory. */
#define LINES_FRAMES_MAX 128
#define LINES_BYTES_MAX  ((size_t)16 * 1024 * 1024)
/* In one frame: the cost of CURVE and of the acknowledgement is shared. */
#define LINES_A_FRAME 64

struct line_caller {
    zchat_reply_fn *fn; /* NULL: nobody asks */
    void *arg;          /* borrowed: from the caller */
};

/* Lines that were written in the same millisecond: a PeerLines. */
struct bunch {
    struct bunch *next; /* owned */
    uint64_t number;    /* the first one's, as the id is */
    unsigned char id[ID_BYTES];
    int64_t time_us;
    int64_t made_us; /* the same moment, on the clock of turns */
    size_t count;
    size_t answered; /* the first ones of them */
    bool sent;       /* on this link or an earlier one */
    uint8_t *texts;  /* owned: packed */
    size_t texts_bytes;
    size_t room_bytes; /* of texts */
    struct line_caller lines[LINES_A_FRAME];
};

struct lines_frame { /* under way */
    uint64_t last_number;
    size_t bytes;
};

/* Ids that one fetch of random bytes is for: it is a system call. */
#define LINES_IDS 64

struct lines {
    struct bunch *first;  /* owned, and each after it: not acknowledged */
    struct bunch *last;   /* borrowed */
    struct bunch *unsent; /* borrowed: the first that was not sent on this link; NULL: none */
    size_t count;         /* lines */
    uint64_t last_number; /* of one's own */
    uint64_t received;    /* the last one of the other's */
    bool ack_due;         /* they were not told so yet */
    struct lines_frame frames[LINES_FRAMES_MAX]; /* a ring */
    size_t frames_first;
    size_t frames_count;
    size_t under_way_bytes;
    unsigned char random[LINES_IDS][10];
    size_t ids_used; /* of all that were fetched */
};

/* Queues a line; now_us is of now, or of the turn that goes on; the host tells the time of day.
 * False: no memory. */
bool lines_add(struct lines *lines, const struct chat_host *host, int64_t now_us, const char *text,
               zchat_reply_fn *fn, void *arg);
/* Whether there is something to send. */
bool lines_wait(const struct lines *lines);

/* What goes into the next frame, `bunches` among it; 0: nothing does now. */
size_t lines_frame_bytes(const struct lines *lines, size_t *bunches);
/* Packs that frame, which is sent then. */
void lines_pack(struct lines *lines, size_t bunches, uint8_t *out);

/* The other side has all lines up to that one: they are answered. */
void lines_acked(struct lines *lines, uint64_t received);
/* A new link: what the other side does not have goes out again. */
void lines_relink(struct lines *lines, uint64_t received);
/* Answers and frees all. What was sent may have arrived, and is answered so (ZCHAT_UNKNOWN), unless
 * `certain`: the other side has nothing that it did not acknowledge. */
void lines_end(struct lines *lines, zchat_code code, const char *text, bool certain);
/* Frees all without a word. */
void lines_release(struct lines *lines);

#endif
