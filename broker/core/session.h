/* Who is there: peers (connections that proved a key), sessions (a peer logged in), members (an
 * account with sessions). Finds sessions by account and by key, and knows which are idle and which
 * lag. No events, no store in here. */
#ifndef SESSION_H
#define SESSION_H

#include "limit.h"
#include "outbox.h"
#include "store.h"

#include <uthash.h>

struct awaited;
struct session;
struct waiting_frame;

/* The part of a peer's frames that waits: see frames.h. */
struct backlog {
    struct waiting_frame *frames; /* owned, in order */
    size_t bytes;                 /* theirs */
    struct peer *next, *prev;     /* borrowed: in the ring, or among the stalled */
    uint32_t refused;             /* commands, since it stalled */
    bool stalled;
};

struct peer {
    uint64_t number; /* never given again */
    unsigned char key[KEY_BYTES];
    void *owner;                     /* borrowed: from core_peer_open */
    char address[64];                /* without its port; "": unknown */
    char group[ADDRESS_GROUP_BYTES]; /* what its address counts as */
    struct session *session;         /* owned; NULL: anonymous */
    bool closing;                    /* its connection is gone */
    struct outbox_line line;
    struct backlog backlog;
    struct limit_bucket *key_budget;          /* borrowed: the limits', in use */
    struct limit_bucket *address_budget;      /* borrowed: the limits', in use */
    struct limit_bucket *password_budget;     /* borrowed: the limits', in use */
    struct limit_bucket *registration_budget; /* borrowed: the limits', in use */
    UT_hash_handle hh;                        /* by number */
};

/* How many members follow a thread. */
struct followers {
    int64_t stream;
    uint32_t members;
    uint32_t with_public; /* their sessions with public_events */
    UT_hash_handle hh;    /* by stream */
};

/* A thread that an account follows. */
struct followed {
    int64_t stream;
    struct followers *followers; /* borrowed: the table's; the member is one of them */
    UT_hash_handle hh;
};

/* An account with at least one session. */
struct member {
    int64_t account;
    char name[NAME_BYTES];
    struct session *sessions;  /* owned by their peers; linked by member_next */
    uint32_t online;           /* sessions that count as online */
    uint32_t scripts;          /* and that don't */
    uint32_t with_public;      /* of both kinds, those with public_events */
    uint64_t head;             /* of the inbox, as of the last commit */
    struct followed *followed; /* owned: threads, by stream */
    bool followed_loaded;
    struct limit_bucket *budget; /* borrowed: the limits', in use */
    UT_hash_handle hh;           /* by account */
    UT_hash_handle by_name;
};

struct session {
    uint64_t number;
    struct peer *peer;     /* borrowed: whose it is */
    struct member *member; /* borrowed: the table's */
    bool admin;
    bool online;
    bool inbox;
    bool public_events;
    bool private_chats;
    bool has_instance;
    unsigned char instance[INSTANCE_BYTES];
    int64_t command_us;      /* time of the last command that counts as activity */
    uint64_t received;       /* how much of its inbox came, as its client said */
    int64_t lag_us;          /* when it is next told the head; 0: it does not lag */
    unsigned lag_times;      /* how often it was told: which queue it is in */
    struct awaited *awaited; /* owned by the receipts: messages that it waits for to be read */
    uint32_t awaited_count;
    struct session *member_next, *member_prev;
    struct session *idle_next, *idle_prev;     /* the longest idle first */
    struct session *lag_next, *lag_prev;       /* in one queue of the lagging ones */
    struct session *inline_next, *inline_prev; /* those with public_events */
    struct session *hearer_next, *hearer_prev; /* those, and those that are online */
};

struct live_key;

/* There is a queue of lagging sessions for each length of the wait: HEAD_REPEAT_US, and twice as
 * long in each next queue. So each queue is in the order of lag_us, and the session that is due
 * first stands at its head. */
#define LAG_QUEUES 6

struct sessions {
    uint64_t number; /* the last one given */
    uint32_t count;
    uint32_t users_online;
    struct member *members;              /* owned, by account */
    struct member *members_by_name;      /* borrowed: the same */
    struct live_key *keys;               /* owned: keys with a session */
    struct followers *followers;         /* owned: of threads, by stream */
    struct session *idle;                /* borrowed */
    struct session *lagging[LAG_QUEUES]; /* borrowed */
    struct session *with_public;         /* borrowed */
    uint32_t with_public_count;
    struct session *hearers; /* borrowed: those that are told who comes and goes */
    uint32_t hearers_count;
    struct session *next_hearer; /* borrowed: where a walk goes on; NULL: none is under way */
    struct limits *limits;       /* borrowed: the core's */
};

void sessions_init(struct sessions *sessions, struct limits *limits);

struct session_new {
    int64_t account;
    const char *name;
    bool admin, online, inbox, public_events, private_chats;
    const unsigned char *instance; /* NULL: none */
    uint64_t head, cursor;
};
/* Whose session it is, for the log: an account's scripts count as another source than its
 * people. */
#define SESSION_SOURCE_BYTES (NAME_BYTES + 8)
const char *session_source(const struct session *session, char source[SESSION_SOURCE_BYTES]);

/* Opens a session for a peer that has none. */
struct session *session_open(struct sessions *sessions, struct peer *peer,
                             const struct session_new *new, int64_t now_us);
/* Forgets the session; and its member, if it was the member's last one. */
void session_close(struct sessions *sessions, struct session *session, int64_t now_us);

/* NULL: the account has no session. */
struct member *member_find(const struct sessions *sessions, int64_t account);
struct member *member_find_name(const struct sessions *sessions, const char *name);
bool session_key_is_live(const struct sessions *sessions, const unsigned char key[KEY_BYTES]);
/* The account's session of this key and instance; NULL: none. */
struct session *session_of_instance(const struct member *member, const unsigned char key[KEY_BYTES],
                                    const unsigned char *instance);

/* Notes that the member follows the thread, or no longer; and tells whether it follows the
 * thread. */
void member_follow(struct sessions *sessions, struct member *member, int64_t stream);
void member_unfollow(struct sessions *sessions, struct member *member, int64_t stream);
bool member_follows(const struct member *member, int64_t stream);
/* NULL: no member follows it. */
const struct followers *session_followers(const struct sessions *sessions, int64_t stream);

/* Notes that a command came that counts as activity. */
void session_active(struct sessions *sessions, struct session *session, int64_t now_us);
/* The member's inbox has grown to its head, and this session was not told, or has not said that it
 * knows. */
void session_lags(struct sessions *sessions, struct session *session, int64_t now_us);
/* The session knows its inbox up to here. */
void session_received(struct sessions *sessions, struct session *session, uint64_t seq);
/* When the next session is to be told the head; INT64_MAX: none lags. */
int64_t session_lag_deadline(const struct sessions *sessions);
/* The next session to be told the head; NULL: none. It is told again later, more and more
 * rarely. */
struct session *session_lag_due(struct sessions *sessions, int64_t now_us);

#endif
