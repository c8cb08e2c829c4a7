/* The threads that the account follows, in a session that hands them out: which event of each was
 * last handed out, and what has to be fetched so that every event is handed out once, in order,
 * without holes. As with the inbox, an event is taken as it comes only if it is the next one;
 * everything else is fetched from the thread's stream, so nothing is buffered. */
#ifndef FOLLOWED_H
#define FOLLOWED_H

#include "client.h"
#include "wire.h"
#include "zchat.h"

#define FOLLOWED_STREAM_BYTES (sizeof "thread/" + 2 * ID_BYTES)

struct followed_thread {
    unsigned char id[ID_BYTES];
    char *title;          /* owned */
    uint64_t position;    /* the last event handed out, or before the first to hand out */
    uint64_t head;        /* the last event that is known to exist */
    uint64_t missed;      /* the head when the session began: up to there it was missed */
    uint64_t read;        /* the account's cursor, as far as known */
    uint64_t read_wanted; /* where zchat_thread_ack wants the cursor */
    uint64_t read_asked;  /* the cursor that the broker was asked for; 0: none is under way */
    bool listed;          /* it was in the last list */
    bool fetching;        /* a page is under way */
    int64_t retry_us;     /* when to try a failed fetch again; NEVER_US: none failed */
};

struct followed {
    struct client *client;        /* borrowed */
    bool active;                  /* the session hands them out */
    bool known;                   /* the list has come since the session began or was resumed */
    bool listing;                 /* a list is under way */
    bool moved;                   /* some cursor has to be moved */
    bool synced;                  /* THREADS_SYNCED was told */
    struct followed_thread *list; /* owned: sorted by id */
    size_t count;
    size_t room;
    size_t fetching;
    int64_t list_us; /* when to ask for the list; NEVER_US: not at all */
};

void followed_init(struct followed *followed, struct client *client);

/* Called after a login; and after a resumed login. */
void followed_start(struct followed *followed);
void followed_resume(struct followed *followed);
void followed_stop(struct followed *followed);
void followed_lost(struct followed *followed);
/* See inbox_retry. */
void followed_retry(struct followed *followed);

/* Asks for the heads, which show if anything was lost. */
void followed_refresh(struct followed *followed);
/* Subscribes to all of them. False: no memory. */
bool followed_subscribe(struct followed *followed);

void followed_event(struct followed *followed, const Zchat__V1__ServerEvent *event);
void followed_publication(struct followed *followed, const Zchat__V1__Publication *publication);

/* Takes the answer to a request of its own. */
void followed_reply(struct followed *followed, const struct request *request,
                    const Zchat__V1__Reply *reply);

/* The broker said that the account follows the thread now, or no longer. */
void followed_add(struct followed *followed, const Zchat__V1__FollowedThread *thread);
void followed_drop(struct followed *followed, const char *title);

/* The name of the thread's stream, which is also the topic's. */
void followed_stream(const unsigned char id[ID_BYTES], char stream[FOLLOWED_STREAM_BYTES]);
/* Has the account's cursor moved to `seq` with the next frame. False: it does not follow the
 * thread. */
bool followed_want_read(struct followed *followed, const unsigned char id[ID_BYTES], uint64_t seq);
/* Sends the moves. There is one at a time for each thread: a move that is wanted meanwhile is sent
 * when the answer comes. `flush`: sends it now, because there will be no answer to wait for. */
void followed_move(struct followed *followed, bool flush);

void followed_tick(struct followed *followed);
int64_t followed_deadline_us(const struct followed *followed);

#endif
