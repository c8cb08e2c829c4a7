/* A simulated client: a device of a user, or a stranger who guesses passwords. It follows
 * proto/README.md in small: logs in with its key and instance, keeps its place in the inbox and in
 * the topics, fills holes, acknowledges, and sends again under the same ids what was not answered.
 * client.c is its life, mailbox.c what arrives, act.c what it takes into its head. */
#ifndef CLIENT_H
#define CLIENT_H

#include "link.h"

struct world;

enum client_state {
    CLIENT_AWAY,      /* no connection */
    CLIENT_ANONYMOUS, /* connected */
    CLIENT_LOGGING_IN,
    CLIENT_MEMBER,
    CLIENT_LEAVING, /* logging out */
    CLIENT_RETIRED, /* does nothing any more */
};

enum client_events {
    EVENTS_NONE,
    EVENTS_INLINE,     /* on the command connection */
    EVENTS_SUBSCRIBED, /* at the event socket */
};

/* A message or broadcast that was not answered yet. */
struct letter {
    struct letter *next; /* owned: the client's, in order */
    int kind;
    uint32_t item;
    int account; /* whose */
    int to;
    bool require_online, other_text;
    uint64_t request; /* under way as this one; 0: not */
};

/* Its place in the inbox of one account. */
struct mailbox {
    bool begun;
    uint64_t have; /* handed out up to here */
};

struct client {
    int number;
    int key;
    bool stranger;
    bool online, inbox;
    enum client_events events;
    int account[2];   /* whom it may be; the second one may be the first */
    int is;           /* which of them it is, or wants to be */
    uint64_t program; /* the run of its program: its instance */

    enum client_state state;
    struct link *link; /* borrowed: the world's; NULL: AWAY */
    uint64_t login;    /* the number of the login that is under way; 0: none */
    bool by_password;  /* the key was refused */
    int session_is;    /* which account the open session is of */
    uint32_t session;  /* sessions so far */
    int64_t wake_us;
    int64_t ack_us; /* when it tells what it has; INT64_MAX: nothing to tell */
    int64_t backoff_us;
    bool last_done; /* of WORLD_LAST: it has asked everything */
    uint32_t last_item;

    struct mailbox box[2];
    bool syncs[4];          /* a page of the stream is under way */
    uint64_t place[4];      /* in each topic, at 1 + topic; 0: before any event */
    struct letter *letters; /* owned */
    struct request *draft[FRAME_COMMANDS_MAX]; /* borrowed: the link's */
    size_t drafts;
    uint32_t *heard; /* owned: of each broadcast, the session that heard it */
    uint32_t heard_max;

    bool subscribed;
    int64_t subscribe_us; /* when the subscription stands; INT64_MAX: none is being made */
    struct queue published;
};

struct client *client_new(int number);
void client_free(struct client *client);
int64_t client_due(const struct client *client);
void client_run(struct world *world, struct client *client);
/* Whether it has nothing to wait for; if not, why. */
bool client_is_settled(const struct world *world, const struct client *client, char *why,
                       size_t why_bytes);
/* Leaves for good. */
void client_retire(struct world *world, struct client *client);
void client_leave(struct world *world, struct client *client);
void client_begin_program(struct world *world, struct client *client);
int client_account(const struct client *client);

/* A command in the draft, which client_flush sends. NULL: not connected. */
struct request *client_draft(struct world *world, struct client *client, int kind);
void client_flush(struct world *world, struct client *client);
void client_draft_login(struct world *world, struct client *client);
/* The session is over, the connection is not. */
void client_session_over(struct client *client);
void client_add_letter(struct world *world, struct client *client, const struct letter *new);

/* mailbox.c */
void mailbox_begin(struct world *world, struct client *client,
                   const Zchat__V1__LoginResponse *login);
void mailbox_event(struct world *world, struct client *client, const Zchat__V1__ServerEvent *event);
void mailbox_publication(struct world *world, struct client *client,
                         const Zchat__V1__Publication *publication);
void mailbox_page(struct world *world, struct client *client, int stream,
                  const Zchat__V1__SyncResponse *page);
void mailbox_heads(struct world *world, struct client *client, const Zchat__V1__Heads *heads);
void mailbox_sync(struct world *world, struct client *client, int stream);
void mailbox_ack(struct world *world, struct client *client);
bool mailbox_heard(const struct client *client, uint32_t item);

/* act.c */
void act(struct world *world, struct client *client);
void act_last(struct world *world, struct client *client);

#endif
