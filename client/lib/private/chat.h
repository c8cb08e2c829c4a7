/* Private chats and the invitations to them: what each is waiting for, and its link. With one user
 * there is at most one chat, and beside it one invitation, which a person answers. A chat survives
 * broken links: whoever invited first invites again. Callbacks may begin and end chats, so chats
 * are freed only at the end of a step. */
#ifndef CHAT_H
#define CHAT_H

#include "client.h"
#include "lines.h"
#include "link.h"

enum chat_state {
    CHAT_ASKING,  /* our own invitation is not answered yet */
    CHAT_ASKED,   /* theirs is not */
    CHAT_UNKNOWN, /* they renew a chat that this program no longer has, which it will say in a
                   * moment */
    CHAT_LINKING,
    CHAT_OPEN,
    CHAT_BROKEN, /* the link is dead; a new invitation will follow */
};

struct peer_file;

struct peer_files {
    struct peer_file *list; /* owned, and so is each in it */
    bool busy;              /* some have more to do without waiting */
};

struct chat {
    struct chat *next;     /* owned */
    struct chats *chats;   /* borrowed: the list that it is in */
    struct client *client; /* borrowed */
    char user[NAME_BYTES];
    unsigned char id[ID_BYTES];         /* of the invitation with which it began */
    unsigned char invitation[ID_BYTES]; /* of the last one */
    enum chat_state state;
    bool mine;           /* our own invitation began it */
    bool asked;          /* the invitation was sent to the broker */
    bool opened;         /* PRIVATE_OPEN was told */
    bool over;           /* ended: freed at the end of the step */
    bool leaving;        /* it ends with the next step */
    bool parted;         /* the other side said Bye: it has nothing unacknowledged */
    bool left;           /* their session ended after our last invitation */
    bool strange;        /* the broker says that no program of theirs has the chat */
    zchat_reason reason; /* why it was refused; NONE: not known */
    char refusal[160];   /* of our invitation, because theirs will come instead. "": none */
    unsigned char key[KEY_BYTES];
    struct address address; /* where to connect; host "": not known yet */
    struct link *link;      /* owned; NULL: there is none */
    int64_t deadline_us;    /* of the state; NEVER_US: none */
    int64_t retry_us;       /* when to invite again; NEVER_US: not at all */
    int64_t left_us;        /* when their session ended; NEVER_US: as far as known it did not */
    int64_t gone_us;        /* when that will end the chat; NEVER_US: it will not */
    unsigned attempts;      /* to invite again, in a row */
    zchat_reply_fn *fn;     /* of start or accept, until it is answered; NULL: nobody waits */
    void *arg;              /* borrowed: from the caller */
    zchat_reply_fn *stop_fn;
    void *stop_arg; /* borrowed: from the caller */
    struct lines lines;
    struct peer_files files;
};

struct chats {
    struct client *client;        /* borrowed */
    const struct chat_host *host; /* borrowed */
    struct chat *list;            /* owned, and so is each in it */
    int64_t active_us;            /* when the broker may next be told of activity */
    int64_t active_every_us;      /* how often it is told: in time for the broker's idle limit */
    bool active_waits;            /* there was activity, which is told at active_us */
};

void chats_init(struct chats *chats, struct client *client, const struct chat_host *host);

/* The chat with that user that is neither over nor ending, nor an invitation from them; NULL:
 * none. */
struct chat *chats_find(const struct chats *chats, const char *user);
/* The invitation from that user, which may be there beside an open chat; NULL: none. */
struct chat *chats_asked(const struct chats *chats, const char *user);
/* The chat whose last invitation has that id; and the chat that began with that id. NULL: none. */
struct chat *chats_find_invitation(const struct chats *chats, const ProtobufCBinaryData *id);
struct chat *chats_find_id(const struct chats *chats, const ProtobufCBinaryData *id);
/* Adds a chat to the list. NULL: no memory. */
struct chat *chats_add(struct chats *chats, const char *user, enum chat_state state);

/* Whether its link is up and may be used. */
bool chat_is_linked(const struct chat *chat);
/* Says something to the other side; if that fails the link is dead. */
bool chat_say(struct chat *chat, Zchat__V1__PeerMessage *message);
/* Makes an id with the present time. */
void chat_new_id(const struct chat *chat, unsigned char id[ID_BYTES]);
void chat_drop_link(struct chat *chat, int linger_ms);
/* The link is useless, or there is none: sets when to invite again. */
void chat_retry(struct chat *chat);
/* Their session at the broker ended: if the link is dead, too, the chat does not wait for them much
 * longer. */
void chat_left(struct chat *chat);
/* Answers the call that began the chat, if it waits. */
void chat_answer_call(struct chat *chat, zchat_code code, const char *text);

#endif
