/* Receiving, for the verbs that wait for what comes. The library hands out each stream in order and
 * without holes; here each event is printed, or handed to the command of --exec, as it comes. Of
 * each stream it is known up to where that was done, and up to where it has left this process: only
 * that is acknowledged. There is one acknowledgement at a time; the next one of a stream covers
 * everything written meanwhile. Nothing is acknowledged that was not written, or that its command
 * did not accept: if the process is killed in between, the next call gets it again. */
#ifndef RECEIVER_H
#define RECEIVER_H

#include "handover.h"

/* What a verb makes of an event. */
struct receiver_item {
    bool shown; /* it is printed or handed on, and counts; else it is passed over */
    const zchat_id
        *thread;  /* borrowed from the event: whose cursor `seq` is of; NULL: the inbox's */
    uint64_t seq; /* 0: no cursor is moved for it */
};

/* The verb's side. */
struct receiver_kind {
    zchat_event_kind synced; /* what was missed is all there */
    const char *nothing;     /* as in "no message came within 5 s" */
    const char *no_more;
    /* false: it is none of the verb's business. */
    bool (*look)(void *arg, const zchat_event *event, struct receiver_item *item);
    enum status (*print)(struct output *output, const zchat_event *event);
    enum status (*hand_over)(struct handover *handover, const zchat_event *event);
};

struct receiver_cursor;

struct receiver {
    struct call *call;                /* borrowed: from main */
    const struct receiver_kind *kind; /* borrowed: static */
    void *arg;                        /* borrowed: what look gets */
    struct handover handover;         /* without a command it is printed */
    bool ack;
    bool follow;
    uint64_t count;  /* 0: all */
    int64_t wait_us; /* -1: --wait was not given */
    bool bounded;    /* by the call's limit, whatever comes */

    uint64_t taken;                  /* that were shown */
    struct receiver_cursor *cursors; /* owned */
    size_t cursor_count;
    size_t ack_at;  /* the cursor whose acknowledgement is, or was, under way */
    bool ack_asked; /* one is */
    bool ack_done;  /* the last one was answered */
    zchat_code ack_code;
    char ack_text[SENTENCE_BYTES];
    int64_t quiet_since_us;
    bool synced; /* what was missed is there; the verb says so where there is none */
    bool stop;
    enum status status; /* why it stopped */
};

/* As the options say; those that the verb does not have are not set. */
void receiver_init(struct receiver *receiver, struct call *call, const struct receiver_kind *kind,
                   void *arg);

/* Logs in so, receives to the end, and sees to it that all that was written is acknowledged.
 * Releases the receiver. */
enum status receiver_run(struct receiver *receiver, const struct call_login *how);

#endif
