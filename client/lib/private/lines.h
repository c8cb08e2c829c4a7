/* The lines of one private chat. Our own wait here, packed, until the other side's program has
 * them, over as many links as that takes. The other side's lines are counted, so that none is
 * handed out twice. No sockets here. */
#ifndef LINES_H
#define LINES_H

#include "limits.h"
#include "wire.h"
#include "zchat.h"

/* How many frames of lines are under way at most, and how many bytes in them (one frame may exceed
 * that): enough for a connection with a long delay, few enough for the other side's memory. */
#define LINES_FRAMES_MAX 128
#define LINES_BYTES_MAX  ((size_t)16 * 1024 * 1024)
/* How many lines are in one frame, so that they share the cost of CURVE and of the
 * acknowledgement. */
#define LINES_A_FRAME 64

struct line_caller {
    zchat_reply_fn *fn; /* NULL: nobody asks */
    void *arg;          /* borrowed: from the caller */
};

/* Lines that were written in the same millisecond; they become one PeerLines. */
struct bunch {
    struct bunch *next; /* owned */
    uint64_t number;    /* of the first line, as is the id */
    unsigned char id[ID_BYTES];
    int64_t time_us;
    int64_t made_us; /* the same moment on the clock of turns */
    size_t count;
    size_t answered; /* how many lines from the first on */
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

/* How many ids one fetch of random bytes is for: a fetch is a system call. */
#define LINES_IDS 64

struct lines {
    struct bunch *first;  /* owned, and so are all after it: not acknowledged yet */
    struct bunch *last;   /* borrowed */
    struct bunch *unsent; /* borrowed: the first not sent on this link; NULL: none */
    size_t count;         /* lines */
    uint64_t last_number; /* of one's own */
    uint64_t received;    /* number of the other side's last line */
    bool ack_due;         /* that was not acknowledged yet */
    struct lines_frame frames[LINES_FRAMES_MAX]; /* a ring */
    size_t frames_first;
    size_t frames_count;
    size_t under_way_bytes;
    unsigned char random[LINES_IDS][10];
    size_t ids_used; /* of those that were fetched */
};

/* Queues a line; both times are the present ones, or those of the present turn. False: no memory.
 */
bool lines_add(struct lines *lines, int64_t now_us, int64_t wall_us, const char *text,
               zchat_reply_fn *fn, void *arg);
/* Whether there is something to send. */
bool lines_wait(const struct lines *lines);

/* How many bytes the next frame has, and how many `bunches`; 0: there is nothing to send now. */
size_t lines_frame_bytes(const struct lines *lines, size_t *bunches);
/* Packs that frame, which then counts as sent. */
void lines_pack(struct lines *lines, size_t bunches, uint8_t *out);

/* The other side has all lines up to that one: answers them. */
void lines_acked(struct lines *lines, uint64_t received);
/* There is a new link: lines that the other side does not have go out again. */
void lines_relink(struct lines *lines, uint64_t received);
/* Answers and frees all lines. Lines that were sent may have arrived, and are answered with
 * ZCHAT_UNKNOWN; except if `certain`, which means that the other side has nothing
 * unacknowledged. */
void lines_end(struct lines *lines, zchat_code code, const char *text, bool certain);
/* Frees all lines without answering them. */
void lines_release(struct lines *lines);

#endif
