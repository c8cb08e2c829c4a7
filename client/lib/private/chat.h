/* Private chats and the invitations to them: what each is waiting for, and its link. One user has
 * one chat at most, and beside it one invitation: a person answers that. A chat stays over broken
 * links: whoever invited first invites again. Callbacks may begin and end chats, so none is freed
 * but at the end of a step. */
#ifndef CHAT_H
#define CHAT_H

#include "client.h"
#include "lines.h"
#include "link.h"

enum chat_state {
    CHAT_ASKING,  /* one's own invitation is not answered */
    CHAT_ASKED,   /* theirs is not */
    CHAT_UNKNOWN, /* they renew a chat that this program no longer has, which is said in a moment */
    CHAT_LINKING,
    CHAT_OPEN,
    CHAT_BROKEN, /* the link is dead; a new invitation is to come */
};

struct peer_file;

struct peer_files {
    struct peer_file *list; /* owned, and each in it */
    bool busy;              /* some have more to do without waiting */
};

struct chat {
    struct chat *next;     /* owned */
    struct chats *chats;   /* borrowed: it is in that list */
    struct client *client; /* borrowed */
    char user[NAME_BYTES];
    unsigned char id[ID_BYTES];         /* of the invitation that it began with */
    unsigned char invitation[ID_BYTES]; /* of the last one */
    enum chat_state state;
    bool mine;    /* one's own invitation began it */
    bool asked;   /* the invitation went to the broker */
    bool opened;  /* PRIVATE_OPEN was told */
    bool over;    /* ended: freed with the next sweep */
    bool leaving; /* it ends with the next step */
    bool parted;  /* the other side said farewell: it has nothing that it did not acknowledge */
    bool left;    /* their session ended after the last invitation went out */
    bool strange; /* no program of the other one has the chat, the broker says */
    zchat_reason reason; /* why it was refused; NONE: not said */
    char refusal[160];   /* of an invitation: the other one's is to come instead. "": none */
    unsigned char key[KEY_BYTES];
    struct address address; /* where it connects to; host "": nowhere yet */
    struct link *link;      /* owned; NULL: there is none */
    int64_t deadline_us;    /* of the state; NEVER_US: none */
    int64_t retry_us;       /* when it invites again; NEVER_US: not */
    int64_t left_us;        /* when their session ended; NEVER_US: it did not, as far as is known */
    int64_t gone_us;        /* when that ends the chat; NEVER_US: it does not */
    unsigned attempts;      /* to invite again, in a row */
    zchat_reply_fn *fn;     /* of start or accept, until it is answered; NULL: nobody asks */
    void *arg;              /* borrowed: from the caller */
    zchat_reply_fn *stop_fn;
    void *stop_arg; /* borrowed: from the caller */
    struct lines lines;
    struct peer_files files;
};

struct chats {
    struct client *client;        /* borrowed */
    const struct chat_host *host; /* borrowed */
    struct chat *list;            /* owned, and each in it */
    int64_t active_us;            /* when the broker may be told again that one is active */
    int64_t active_every_us;      /* how often: in time for the broker's idle limit */
    bool active_waits;            /* one was, and it is told at active_us */
};

void chats_init(struct chats *chats, struct client *client, const struct chat_host *host);

/* The one of that user that is neither over nor ending, nor an invitation of theirs; NULL: none. */
struct chat *chats_find(const struct chats *chats, const char *user);
/* Their invitation, which may be there beside a chat that is open; NULL: none. */
struct chat *chats_asked(const struct chats *chats, const char *user);
/* The one whose last invitation has that id; the one that began with it. NULL: none. */
struct chat *chats_find_invitation(const struct chats *chats, const ProtobufCBinaryData *id);
struct chat *chats_find_id(const struct chats *chats, const ProtobufCBinaryData *id);
/* A new one in the list. NULL: no memory. */
struct chat *chats_add(struct chats *chats, const char *user, enum chat_state state);

/* Whether its link is up and may be used. */
bool chat_is_linked(const struct chat *chat);
/* Says something to the other side; if that fails the link is dead. */
bool chat_say(struct chat *chat, Zchat__V1__PeerMessage *message);
/* An id of now. */
void chat_new_id(const struct chat *chat, unsigned char id[ID_BYTES]);
void chat_drop_link(struct chat *chat, int linger_ms);
/* The link is of no use, or there is none: when it is invited again. */
void chat_retry(struct chat *chat);
/* Their session at the broker ended: if the link is dead, too, they are not waited for much
 * longer. */
void chat_left(struct chat *chat);
/* Answers the call that began it, if it waits. */
void chat_answer_call(struct chat *chat, zchat_code code, const char *text);

#endif
