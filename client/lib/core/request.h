/* Commands that wait to be sent or to be answered. Each is packed once, when it is made, so that a
 * retry has the same bytes: the same request number, the same id. A command's row says what happens
 * to it after a lost connection. No sockets here. */
#ifndef REQUEST_H
#define REQUEST_H

#include "text.h"
#include "wire.h"
#include "zchat.h"

/* The field number of a command in the schema, which is also its reply's. */
typedef Zchat__V1__Command__BodyCase command_number;
#define COMMAND(name) ZCHAT__V1__COMMAND__BODY_##name

struct request;
struct client_core;

/* All that the library knows of a command: command.c has one for each. */
struct command_row {
    const char *name;       /* as the schema has it; NULL: there is no such command */
    bool repeat;            /* sent again after a lost connection; if not, its outcome is unknown */
    Zchat__V1__Reason done; /* if a repeated one is refused so, it was done; 0: not told */
    bool barrier;           /* what follows is sent only when it is answered */
    bool secret;            /* holds a password, or something as good as one */
    bool makes;             /* its `id` is that of something new, which zchat_command makes up */
    const char *about;      /* the field whose text `effect` needs; NULL: none */
    /* Fills in the reply for the caller, with lists in the handle's arena and cleaned texts. NULL:
     * the reply says only that the command is done. */
    void (*fill)(struct client_core *core, const Zchat__V1__Reply *reply, zchat_reply *out);
    /* Applies what a finished call changes in here, before its caller is told. NULL: nothing. */
    void (*effect)(struct client_core *core, const struct request *request,
                   const Zchat__V1__Reply *reply);
    /* Answers a call itself, and frees it. NULL: the functions above are enough. */
    void (*answer)(struct client_core *core, struct request *request, const Zchat__V1__Reply *reply,
                   const zchat_reply *answer);
};

/* A login's options, which are kept as long as a later reconnect may have to log in again. They are
 * in locked memory, because there may be a password among them. */
struct login {
    char user[NAME_BYTES];
    bool password_set;
    char password[PASSWORD_BYTES_MAX + 1];
    bool no_trust;
    bool online;
    bool inbox;
    bool from_seq_set;
    uint64_t from_seq;
    bool threads;
    bool private_chats;
    zchat_public_events public_events;
};

/* Copies options that were checked already. NULL: no memory. */
struct login *login_new(const zchat_login_options *options, const char *user);
/* Wipes it. */
void login_free(struct login *login);
/* The device key is enough from now on. */
void login_forget_password(struct login *login);

/* Who takes the answer. All but calls are the library's own requests: nobody else waits for them,
 * and they are dropped with a lost connection. */
enum request_owner {
    REQUEST_CALL,
    REQUEST_SESSION, /* its login after a lost connection, sent before all others */
    REQUEST_INBOX,
    REQUEST_TOPICS,
    REQUEST_FOLLOWED,
    REQUEST_AWAITED,
    REQUEST_TRANSFERS,
    REQUEST_CHATS,
    REQUEST_HEADS, /* keep-alive */
};

struct request {
    struct request *next;     /* borrowed: in the order of sending */
    struct request *previous; /* borrowed */
    struct request *chain;    /* borrowed: same bucket */
    uint64_t number;
    command_number command;
    const struct command_row *row; /* borrowed: static */
    enum request_owner owner;
    bool sent;
    bool repeated;              /* sent on an earlier connection, too, and perhaps done */
    bool packed;                /* its caller wants the result as it came */
    zchat_reply_fn *fn;         /* NULL: nobody asks */
    void *arg;                  /* borrowed: from the caller */
    struct login *login;        /* owned; NULL except for a login */
    char *about;                /* owned: the user to block, the thread to leave; or NULL */
    unsigned char id[ID_BYTES]; /* of a message, post, thread or invitation; otherwise zeros */
    size_t topic;               /* the topic whose events are fetched */
    uint64_t transfer;          /* number of the transfer whose chunk it is */
    uint64_t offset;            /* of the chunk that is asked for */
    int64_t asked_us;           /* when the chunk was asked for */
    size_t bytes;
    uint8_t element[]; /* of CommandBatch.commands, packed */
};

/* Whether the reply belongs to the request's command. */
bool request_fits(const struct request *request, const Zchat__V1__Reply *reply);
/* Whether the error says that the first try was carried out and only its reply got lost. */
bool request_was_done(const struct request *request, const Zchat__V1__CommandError *error);

struct request_list {
    struct request *first;
    struct request *last;
};

struct requests {
    const struct command_row *rows; /* borrowed: static, indexed by their numbers */
    struct request **buckets;       /* owned, and so is each request in them */
    size_t bucket_count;            /* a power of two, or 0 */
    size_t open;
    size_t open_own;
    size_t barriers; /* sent and unanswered */
    uint64_t last_number;
    struct request_list waiting; /* to be sent */
    struct request_list sent;
};

void requests_init(struct requests *requests, const struct command_row *rows);

/* Packs and queues a command, given by its body's base. It goes behind the others or, if it is the
 * session's, before them. NULL: no memory. */
struct request *requests_add(struct requests *requests, enum request_owner owner,
                             command_number command, ProtobufCMessage *body);
/* The same for a call, with a row that the caller chose. */
struct request *requests_add_as(struct requests *requests, const struct command_row *row,
                                command_number command, ProtobufCMessage *body);

/* The request with that number, if it was sent; NULL: there is none. */
struct request *requests_find(const struct requests *requests, uint64_t number);

void requests_mark_sent(struct requests *requests, struct request *request);

/* Takes it out of all lists; the caller owns it then. */
void requests_take(struct requests *requests, struct request *request);

/* Frees it, and wipes what has to be wiped. */
void request_free(struct request *request);

/* Called after a lost connection. What may be repeated waits again, in its old order; all other
 * calls come out in `unknown`, which the caller owns. The library's own requests are dropped. */
void requests_requeue(struct requests *requests, struct request_list *unknown);

/* Takes out the calls that were sent, or all calls; the library's own requests are dropped. */
void requests_take_sent(struct requests *requests, struct request_list *sent);
void requests_take_all(struct requests *requests, struct request_list *all);
/* Drops all requests of an owner, which must not be REQUEST_CALL. */
void requests_drop(struct requests *requests, enum request_owner owner);

/* Whether a call of that command is open. */
bool requests_have_call(const struct requests *requests, command_number command);

struct request *request_list_pop(struct request_list *list);

/* Frees what is left. */
void requests_release(struct requests *requests);

#endif
