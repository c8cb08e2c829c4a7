/* What a zchat is made of, and what its parts use of the whole. The parts that talk about the
 * session take the handle itself; those below it (connection, request, channel ...) don't know it.
 */
#ifndef HANDLE_H
#define HANDLE_H

#include "chat.h"
#include "connection.h"
#include "device.h"
#include "fault.h"
#include "followed.h"
#include "inbox.h"
#include "request.h"
#include "session.h"
#include "settings.h"
#include "topic.h"
#include "transfer.h"
#include "wake.h"
#include "wire.h"
#include "zchat.h"

struct zchat {
    struct settings settings;
    zchat_event_fn *on_event; /* NULL: nobody listens */
    void *arg;                /* borrowed: from the caller */
    struct wake *wake;        /* owned */
    struct wire_arena *arena; /* owned: what is decoded, reset for each frame */
    struct device *device;    /* owned */
    struct connection connection;
    struct requests requests;
    struct session session;
    struct inbox inbox;
    struct topics topics;
    struct followed followed;
    struct transfers transfers;
    struct chats chats;
    struct fault fault;   /* of the last function that failed */
    zchat_code over;      /* not ZCHAT_OK: it gave up, and why */
    bool running;         /* inside zchat_process or zchat_run */
    bool doomed;          /* freed inside a callback: ends when that returned */
    int64_t now_us;       /* of this turn */
    int64_t last_sent_us; /* the last frame: KEEP_ALIVE_S after it comes a KeepAlive */
};

/* Hands an event out. */
void handle_tell(zchat *z, const zchat_event *event);
/* Answers a request that is no longer in z->requests, and frees it. */
void handle_answer(zchat *z, struct request *request, const zchat_reply *reply);

/* Queues a command; see requests_add. NULL: no memory. */
struct request *handle_ask(zchat *z, enum request_owner owner, command_number command,
                           ProtobufCMessage *body);
/* Asks for the heads of all streams. */
void handle_keep_alive(zchat *z);

/* Takes the news of the connection. */
void handle_news(zchat *z, enum connection_news news);
/* Ends it for good: REFUSED, all open calls answered. */
void handle_give_up(zchat *z, zchat_code code, const char *text);

#endif
