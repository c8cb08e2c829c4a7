/* Commands that wait for being sent or for their answer. Each is packed once, when it is made, so
 * that a retry is the same bytes: the same request number, the same id. What a kind of command may
 * do after a lost connection stands in one table. No sockets here. */
#ifndef REQUEST_H
#define REQUEST_H

#include "login.h"
#include "wire.h"
#include "zchat.h"

enum request_kind {
    REQUEST_LOGIN,
    REQUEST_LOGOUT,
    REQUEST_REGISTER,
    REQUEST_PASSWD,
    REQUEST_DEVICES,
    REQUEST_REVOKE,
    REQUEST_SEND,
    REQUEST_BROADCAST,
    REQUEST_WHO,
    REQUEST_SINCE,
    REQUEST_BLOCK,
    REQUEST_UNBLOCK,
    REQUEST_BLOCKED,
    REQUEST_SYNC,
    REQUEST_ACK,
    REQUEST_PING,
    REQUEST_STATS,
    REQUEST_SHUTDOWN,
    REQUEST_THREAD_CREATE,
    REQUEST_THREAD_LIST,
    REQUEST_THREAD_POST,
    REQUEST_THREAD_READ,
    REQUEST_THREAD_EDIT,
    REQUEST_THREAD_DELETE,
    REQUEST_THREAD_REMOVE,
    REQUEST_THREAD_FOLLOW,
    REQUEST_THREAD_UNFOLLOW,
    REQUEST_THREAD_ACK,
    REQUEST_FOLLOWED_LIST,
    REQUEST_FILE_LIST,
    /* The library's own. */
    REQUEST_RESUME,      /* a login after a lost connection */
    REQUEST_FETCH_INBOX, /* a hole */
    REQUEST_FETCH_TOPIC,
    REQUEST_KEEP_ALIVE,
    REQUEST_FETCH_FOLLOWED, /* which threads, and their heads */
    REQUEST_FETCH_THREAD,
    REQUEST_MOVE_THREAD, /* a thread's cursor */
    REQUEST_BEGIN_UPLOAD,
    REQUEST_PUT_CHUNK,
    REQUEST_CANCEL_UPLOAD,
    REQUEST_GET_CHUNK,
    REQUEST_PRIVATE_INVITE,
    REQUEST_PRIVATE_ANSWER,
    REQUEST_PRIVATE_OPEN,
    REQUEST_PRIVATE_CLOSE,
    REQUEST_ACTIVE,
};
#define REQUEST_KINDS (REQUEST_ACTIVE + 1)

struct request_policy {
    Zchat__V1__Reply__BodyCase reply; /* what answers it */
    bool own;    /* the library's: nobody else waits for it, and a lost connection drops it */
    bool repeat; /* asked again after a lost connection; else its outcome is unknown */
    Zchat__V1__Reason done; /* says of one that was repeated that it is done; 0: none does */
    bool barrier;           /* what follows is sent when it is answered */
    bool secret;            /* holds a password */
};

const struct request_policy *request_policy(enum request_kind kind);

struct request {
    struct request *next;     /* borrowed: in the order of sending */
    struct request *previous; /* borrowed */
    struct request *chain;    /* borrowed: same bucket */
    uint64_t number;
    enum request_kind kind;
    bool sent;
    bool repeated;              /* was sent on an earlier connection, too, and perhaps done */
    zchat_reply_fn *fn;         /* NULL: nobody asks */
    void *arg;                  /* borrowed: from the caller */
    struct login *login;        /* owned; NULL but for a login */
    char user[NAME_BYTES];      /* block, unblock */
    char *title;                /* owned: unfollow; else NULL */
    unsigned char id[ID_BYTES]; /* send, broadcast, post, create; the thread's; the invitation's */
    size_t topic;               /* fetch_topic */
    uint64_t transfer;          /* whose chunk it is, by number */
    uint64_t offset;            /* of the chunk that is asked for */
    int64_t asked_us;           /* when the chunk was */
    size_t bytes;
    uint8_t element[]; /* of CommandBatch.commands, packed */
};

/* Whether the error says that the first try was done, whose reply got lost. */
bool request_was_done(const struct request *request, const Zchat__V1__CommandError *error);

struct request_list {
    struct request *first;
    struct request *last;
};

struct requests {
    struct request **buckets; /* owned, and each request in them */
    size_t bucket_count;      /* a power of two, or 0 */
    size_t open;
    size_t open_own;
    size_t barriers; /* sent and unanswered */
    uint64_t last_number;
    struct request_list waiting; /* to be sent */
    struct request_list sent;
};

/* Packs and queues a command behind the others, or, `urgent`, before them. Sets the command's
 * number. NULL: no memory. */
struct request *requests_add(struct requests *requests, enum request_kind kind,
                             Zchat__V1__Command *command, bool urgent);

/* The one of that number which was sent; NULL: none. */
struct request *requests_find(const struct requests *requests, uint64_t number);

void requests_mark_sent(struct requests *requests, struct request *request);

/* Takes it out of all lists: it is the caller's then. */
void requests_take(struct requests *requests, struct request *request);

/* Wipes what has to be. */
void request_free(struct request *request);

/* After a lost connection: what may be repeated waits again, in its old order; the rest comes out
 * in `unknown`, the caller's. The library's own are dropped. */
void requests_requeue(struct requests *requests, struct request_list *unknown);

/* Takes out what was sent, or everything; the library's own are dropped. */
void requests_take_sent(struct requests *requests, struct request_list *sent);
void requests_take_all(struct requests *requests, struct request_list *all);
/* Drops the library's own requests of that kind. */
void requests_drop(struct requests *requests, enum request_kind kind);

/* Whether a request of that kind is open. */
bool requests_have(const struct requests *requests, enum request_kind kind);

struct request *request_list_pop(struct request_list *list);

/* Frees what is left. */
void requests_release(struct requests *requests);

#endif
