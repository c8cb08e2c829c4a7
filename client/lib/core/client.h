/* What the parts of the client share: who is logged in, the open requests, the time of this turn,
 * and what they ask of the program around them. The parts know this and nothing of each other. No
 * sockets, no clock and no files here. */
#ifndef CLIENT_H
#define CLIENT_H

#include "request.h"
#include "wire.h"
#include "zchat.h"

#define NEVER_US INT64_MAX

/* Whom this handle is logged in as, and how to log in again after a lost connection. */
struct session {
    unsigned char instance[INSTANCE_BYTES]; /* random; set by the owner */
    bool intended;                          /* a login was called, and no logout after it */
    bool greeted;                           /* CONNECTED was told once */
    bool live;                              /* the broker has the session on this connection */
    struct login *login;   /* owned; NULL: no session. Set but not live: it is to be resumed */
    char user[NAME_BYTES]; /* "": no session */
};

/* Who sends or gets a file. */
struct file_caller {
    zchat_reply_fn *fn;
    zchat_progress_fn *progress;
    void *arg; /* borrowed, for both */
};

/* What the client asks the program around it to do at once. NULL: it asks nothing. */
struct client_host {
    /* Something waits that was not there when the turn ended: another turn is needed. */
    void (*stir)(void *arg);
    /* Breaks the connection off, to begin anew. Calls session_lost before it returns. */
    void (*break_off)(void *arg, zchat_code code, const char *reason);
    /* The broker said that it stops: the program should leave the connection soon. */
    void (*expect_end)(void *arg);
    /* The client gave up: no more connections. */
    void (*stop)(void *arg, zchat_code code, const char *text);
    /* The published events are wanted (see client_core_subscribe), or no longer. */
    void (*listen)(void *arg);
    void (*unlisten)(void *arg);
    /* Adds a subscription while it listens, or takes one back. False: it no longer listens. */
    bool (*subscribe)(void *arg, const uint8_t *prefix, size_t prefix_bytes);
    void (*unsubscribe)(void *arg, const uint8_t *prefix, size_t prefix_bytes);
};

struct client {
    const char *program;            /* borrowed: its name, for the broker; set by the owner */
    const char *device;             /* borrowed: the device's label; set by the owner */
    const struct client_host *host; /* borrowed: static */
    void *host_arg;                 /* borrowed */
    zchat_event_fn *on_event;       /* NULL: nobody listens */
    void *arg;                      /* borrowed: from the caller */
    struct wire_arena *arena;       /* borrowed: what is decoded, reset for each frame */
    struct requests requests;
    struct session session;
    unsigned char *buffer; /* owned: see client_buffer */
    zchat_code over;       /* not ZCHAT_OK: the client gave up, and why */
    bool connected;        /* frames can be sent */
    bool listening;        /* the host takes subscriptions */
    bool running;          /* inside a turn */
    bool doomed;           /* freed inside a callback: ends when that has returned */
    int64_t now_us;        /* of this turn, on a clock that nobody sets; the owner's to set */
    int64_t wall_ahead_us; /* how far the time since 1970 is ahead of that; the owner's to set */
    int64_t last_sent_us;  /* of the last frame: KEEP_ALIVE_S later comes a KeepAlive */
};

/* The client must be all zeros before; `rows` are those of command.c. */
void client_init(struct client *client, const struct command_row *rows);
/* Nobody is logged in any longer; secrets are wiped. */
void client_forget_session(struct client *client);
void client_release(struct client *client);

/* The time since 1970, of this turn. */
int64_t client_wall_us(const struct client *client);

/* Hands an event out. */
void client_tell(struct client *client, const zchat_event *event);
/* Queues a command; see requests_add. NULL: no memory. */
struct request *client_ask(struct client *client, enum request_owner owner, command_number command,
                           ProtobufCMessage *body);
/* The same for a call, with a row that the caller chose. */
struct request *client_ask_as(struct client *client, const struct command_row *row,
                              command_number command, ProtobufCMessage *body);
/* Answers a request that was taken out of the requests, and frees it. */
void client_answer(struct request *request, const zchat_reply *reply);
void client_answer_all(struct client *client, zchat_code code, const char *text);
/* Asks for the heads of all streams. */
void client_keep_alive(struct client *client);
/* Says that something waits; see client_host. */
void client_stir(struct client *client);
/* Room for a piece of a file, CHUNK_BYTES_MAX, whose contents last only until the next use. NULL:
 * no memory; once made, it is kept. */
unsigned char *client_buffer(struct client *client);

/* See client_host. */
void client_break_off(struct client *client, zchat_code code, const char *reason);
void client_expect_end(struct client *client);
void client_stop(struct client *client, zchat_code code, const char *text);
void client_listen(struct client *client);
void client_unlisten(struct client *client);
bool client_subscribe(struct client *client, const uint8_t *prefix, size_t prefix_bytes);
void client_unsubscribe(struct client *client, const uint8_t *prefix, size_t prefix_bytes);

#endif
