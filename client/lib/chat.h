/* Private chats and the invitations to them: what each is waiting for, its link, and its end. One
 * user has one chat at most, and beside it one invitation: a person answers that. A chat stays over
 * broken links: whoever invited first invites again. Callbacks may begin and end chats, so none is
 * freed but at the end of a step. */
#ifndef CHAT_H
#define CHAT_H

#include "lines.h"
#include "link.h"
#include "peer_file.h"
#include "request.h"
#include "text.h"
#include "zchat.h"

enum chat_state {
    CHAT_ASKING,  /* one's own invitation is not answered */
    CHAT_ASKED,   /* his is not */
    CHAT_UNKNOWN, /* they renew a chat that this program no longer has, which is said in a moment */
    CHAT_LINKING,
    CHAT_OPEN,
    CHAT_BROKEN, /* the link is dead; a new invitation is to come */
};

struct chat {
    struct chat *next; /* owned */
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
    int64_t deadline_us;    /* of the state; WAKE_NEVER: none */
    int64_t retry_us;       /* when it invites again; WAKE_NEVER: not */
    int64_t left_us;        /* when his session ended; WAKE_NEVER: not that one knows */
    int64_t gone_us;        /* when that ends the chat; WAKE_NEVER: it does not */
    unsigned attempts;      /* to invite again, in a row */
    zchat_reply_fn *fn;     /* of start or accept, until it is answered; NULL: nobody asks */
    void *arg;              /* borrowed: from the caller */
    zchat_reply_fn *stop_fn;
    void *stop_arg; /* borrowed: from the caller */
    struct lines lines;
    struct peer_files files;
};

struct chats {
    struct chat *list;       /* owned, and each in it */
    int64_t active_us;       /* when the broker may be told again that one is active */
    int64_t active_every_us; /* how often: in time for the broker's idle limit */
    bool active_waits;       /* one was, and it is told at active_us */
};

/* Frees them without a word. */
void chats_release(zchat *z);
/* Links, lines, files and time. */
void chats_step(zchat *z);
/* Whether a step would do something now, or when. */
bool chats_have_more(const zchat *z);
int64_t chats_deadline_us(const zchat *z);
/* Calls that wait for their answers. */
size_t chats_pending(const zchat *z);

/* All end with the next step: the user logs out. */
void chats_leave(zchat *z);
/* All end now. */
void chats_end_all(zchat *z, zchat_code code, const char *text);

/* The one of that user that is neither over nor ending, nor an invitation of theirs; NULL: none. */
struct chat *chats_find(const zchat *z, const char *user);
/* Their invitation, which may be there beside a chat that is open; NULL: none. */
struct chat *chats_asked(const zchat *z, const char *user);
/* A new one in the list. NULL: no memory. */
struct chat *chats_add(zchat *z, const char *user, enum chat_state state);

/* Ends it: what waits is answered with `code` and `text`; the other side is told `bye` (NULL: there
 * is nobody to tell). */
void chat_end(zchat *z, struct chat *chat, zchat_code code, const char *text, const char *bye);
/* The link is dead: a new one is made. */
void chat_break(zchat *z, struct chat *chat, const char *text);
/* The invitation is answered: waits for the inviter, or connects to the acceptor. */
zchat_code chat_listen(zchat *z, struct chat *chat, struct fault *fault);
zchat_code chat_dial(zchat *z, struct chat *chat, const unsigned char *nonce, struct fault *fault);
/* His session at the broker ended: where the link is dead, too, he is not waited for much longer.
 */
void chat_left(zchat *z, struct chat *chat);
/* When it is invited again. */
void chat_retry(zchat *z, struct chat *chat);
/* Says something to the other side; where that fails the link is dead. */
bool chat_say(struct chat *chat, Zchat__V1__PeerMessage *message);

#endif
