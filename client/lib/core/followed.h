/* The threads that the account follows, in a session that hands them out: of each, which event was
 * handed out last, and what has to be fetched so that every one is handed out once, in order,
 * without holes. As with the inbox only the next event is taken as it comes; everything else is
 * fetched from the thread's stream, so nothing is buffered. */
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
    uint64_t read;        /* the account's cursor as known */
    uint64_t read_wanted; /* where zchat_thread_ack wants it */
    uint64_t read_asked;  /* what the broker was asked for; 0: nothing is under way */
    bool listed;          /* in the list that came last */
    bool fetching;        /* a page is under way */
    int64_t retry_us;     /* when a fetch that failed is tried again; NEVER_US: none did */
};

struct followed {
    struct client *client;        /* borrowed */
    bool active;                  /* the session hands them out */
    bool known;                   /* the list came since the session began or was resumed */
    bool listing;                 /* a list is under way */
    bool moved;                   /* some cursor is wanted elsewhere */
    struct followed_thread *list; /* owned: sorted by id */
    size_t count;
    size_t room;
    size_t fetching;
    int64_t list_us; /* when the list is asked for; NEVER_US: it is not */
};

void followed_init(struct followed *followed, struct client *client);

/* After a login; after a resumed one. */
void followed_start(struct followed *followed);
void followed_resume(struct followed *followed);
void followed_stop(struct followed *followed);
void followed_lost(struct followed *followed);
/* See inbox_retry. */
void followed_retry(struct followed *followed);

/* Whatever may have been lost shows in the heads: asks for them. */
void followed_refresh(struct followed *followed);
/* Subscribes to all of them. False: no memory. */
bool followed_subscribe(struct followed *followed);

void followed_event(struct followed *followed, const Zchat__V1__ServerEvent *event);
void followed_publication(struct followed *followed, const Zchat__V1__Publication *publication);

/* The answer to a request of its own. */
void followed_reply(struct followed *followed, const struct request *request,
                    const Zchat__V1__Reply *reply);

/* The account follows it now, or no longer, says the broker. */
void followed_add(struct followed *followed, const Zchat__V1__FollowedThread *thread);
void followed_drop(struct followed *followed, const char *title);

/* The stream's name, which is the topic's. */
void followed_stream(const unsigned char id[ID_BYTES], char stream[FOLLOWED_STREAM_BYTES]);
/* Wants the account's cursor there, with the next frame. False: it is none of these. */
bool followed_want_read(struct followed *followed, const unsigned char id[ID_BYTES], uint64_t seq);
/* Asks for it; one at a time for each thread, what is wanted meanwhile goes with the answer.
 * `flush`: there will be no answer to wait for. */
void followed_move(struct followed *followed, bool flush);

void followed_tick(struct followed *followed);
int64_t followed_deadline_us(const struct followed *followed);

#endif
