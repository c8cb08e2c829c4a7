/* Commands that wait for being sent or for their answer. Each is packed once, when it is made, so
 * that a retry is the same bytes: the same request number, the same id. What a command may do after
 * a lost connection stands in its row. No sockets here. */
#ifndef REQUEST_H
#define REQUEST_H

#include "text.h"
#include "wire.h"
#include "zchat.h"

/* The number of a command in the schema, which its reply has as well. */
typedef Zchat__V1__Command__BodyCase command_number;
#define COMMAND(name) ZCHAT__V1__COMMAND__BODY_##name

struct request;
struct client_core;

/* All that the library knows of a command: command.c has one for each. */
struct command_row {
    const char *name;       /* as the schema has it; NULL: there is no such command */
    bool repeat;            /* asked again after a lost connection; else its outcome is unknown */
    Zchat__V1__Reason done; /* says of one that was repeated that it is done; 0: none does */
    bool barrier;           /* what follows is sent when it is answered */
    bool secret;            /* holds a password, or what is as good as one */
    bool makes;             /* its `id` is that of something new, which zchat_command makes up */
    const char *about;      /* the field whose text `effect` needs; NULL: none */
    /* The reply as the caller sees it. Lists lie in the handle's arena, texts are cleaned. NULL: it
     * says only that it is done. */
    void (*fill)(struct client_core *core, const Zchat__V1__Reply *reply, zchat_reply *out);
    /* What a call that is done changes in here, before its caller hears of it. NULL: nothing. */
    void (*effect)(struct client_core *core, const struct request *request,
                   const Zchat__V1__Reply *reply);
    /* Answers a call itself, and frees it. NULL: no more is to be done than above. */
    void (*answer)(struct client_core *core, struct request *request, const Zchat__V1__Reply *reply,
                   const zchat_reply *answer);
};

/* What a login said: kept while a later reconnect may have to say it again. Lies in locked memory,
 * since there may be a password in it. */
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

/* Copies options that were checked. NULL: no memory. */
struct login *login_new(const zchat_login_options *options, const char *user);
/* Wipes it. */
void login_free(struct login *login);
/* The device key is enough from now on. */
void login_forget_password(struct login *login);

/* Who takes the answer. All but calls are the library's own: nobody else waits for them, and a lost
 * connection drops them. */
enum request_owner {
    REQUEST_CALL,
    REQUEST_SESSION, /* its login after a lost connection, which goes before all others */
    REQUEST_INBOX,
    REQUEST_TOPICS,
    REQUEST_FOLLOWED,
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
    bool repeated;              /* was sent on an earlier connection, too, and perhaps done */
    bool packed;                /* its caller wants the result as it came */
    zchat_reply_fn *fn;         /* NULL: nobody asks */
    void *arg;                  /* borrowed: from the caller */
    struct login *login;        /* owned; NULL but for a login */
    char *about;                /* owned: the user to block, the thread to leave; or NULL */
    unsigned char id[ID_BYTES]; /* of a message, post, thread or invitation; else zeros */
    size_t topic;               /* whose events are fetched */
    uint64_t transfer;          /* whose chunk it is, by number */
    uint64_t offset;            /* of the chunk that is asked for */
    int64_t asked_us;           /* when the chunk was */
    size_t bytes;
    uint8_t element[]; /* of CommandBatch.commands, packed */
};

/* Whether the reply is of the request's command. */
bool request_fits(const struct request *request, const Zchat__V1__Reply *reply);
/* Whether the error says that the first try was done, whose reply got lost. */
bool request_was_done(const struct request *request, const Zchat__V1__CommandError *error);

struct request_list {
    struct request *first;
    struct request *last;
};

struct requests {
    const struct command_row *rows; /* borrowed: static, by their numbers */
    struct request **buckets;       /* owned, and each request in them */
    size_t bucket_count;            /* a power of two, or 0 */
    size_t open;
    size_t open_own;
    size_t barriers; /* sent and unanswered */
    uint64_t last_number;
    struct request_list waiting; /* to be sent */
    struct request_list sent;
};

void requests_init(struct requests *requests, const struct command_row *rows);

/* Packs and queues a command, whose body's base is given, behind the others, or, if it is the
 * session's, before them. NULL: no memory. */
struct request *requests_add(struct requests *requests, enum request_owner owner,
                             command_number command, ProtobufCMessage *body);
/* The same for a call, with a row that the caller chose. */
struct request *requests_add_as(struct requests *requests, const struct command_row *row,
                                command_number command, ProtobufCMessage *body);

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
/* Drops all of an owner's, who is not the caller. */
void requests_drop(struct requests *requests, enum request_owner owner);

/* Whether a call of that command is open. */
bool requests_have_call(const struct requests *requests, command_number command);

struct request *request_list_pop(struct request_list *list);

/* Frees what is left. */
void requests_release(struct requests *requests);

#endif
