/* A world in which libzchat's client core itself talks to the broker's core: no sockets, one
 * virtual clock, and a network that breaks, loses what is published and delivers late, while the
 * broker's power fails. duet_broker.c is the broker and the links, duet_client.c the clients and
 * what they must see, duet.c the clock and the seeds. */
#ifndef DUET_H
#define DUET_H

#include "client_core.h"
#include "core.h"
#include "disk.h"
#include "seed.h"
#include "wire.h"

#define CLIENTS_MAX   6
#define ACCOUNTS_MAX  4
#define MESSAGES_MAX  4096
#define NAME_TEXT     16
#define THREAD_TITLE  "stars"
#define TOPICS_OF_ALL 3

struct duet;
struct player;

struct parcel {
    struct parcel *next; /* owned */
    int64_t arrive_us;
    size_t length;
    uint8_t bytes[];
};

struct lane {             /* in order */
    struct parcel *first; /* owned */
    struct parcel *last;  /* borrowed */
    int64_t last_us;
};

/* One connection. */
struct wire_link {
    struct peer *peer; /* borrowed: the broker's; NULL: it has not seen it, or no more */
    bool is_new;
    bool left; /* the client has left: the broker notices at close_us */
    int64_t close_us;
    struct lane up, down;
};

/* What stands in the inbox of an account, as its devices were told: it must be the same for all. */
struct ledger {
    unsigned char ids[MESSAGES_MAX][ID_BYTES]; /* entry n at n - 1; zeros: nobody was told yet */
    uint64_t promised;                         /* the last entry that an answer named */
};

struct player {
    struct client_core core;
    struct duet *duet; /* borrowed */
    int number;
    int account;
    unsigned char key[KEY_BYTES];
    bool inbox, threads;
    zchat_public_events events;
    struct wire_link *link; /* owned; NULL: not connected */
    int64_t lost_us;        /* when it notices that the link is gone; INT64_MAX: it stands */
    int64_t connect_us;     /* when it connects; INT64_MAX: it is, or waits for lost_us */
    int64_t act_us;
    int64_t
        listen_us; /* when what is published is subscribed to; INT64_MAX: it is, or is not wanted */
    bool wants_login; /* nobody logged in, or about to be */
    bool created;     /* the thread */
    bool subscribed;  /* what is published gets here */
    struct lane published;
    uint64_t have;                 /* the last entry of the inbox that was handed out */
    uint64_t followed;             /* the last event of the thread that was; 0: none yet */
    uint64_t heard[TOPICS_OF_ALL]; /* the last broadcast and notice, by number */
};

struct duet {
    struct random random;
    int64_t now_us;
    bool rough; /* things still break */
    unsigned steps, steps_max;
    unsigned breaks, losses, crashes; /* chances, per mille; the power's failures so far */
    unsigned power;
    int64_t delay_us;
    struct wire_arena *arena; /* borrowed: the program's */
    struct disk *disk;        /* owned */
    struct store *store;      /* owned; NULL: the power is off */
    struct core *core;        /* owned; NULL: so */
    struct core_options options;
    int64_t restart_us;            /* INT64_MAX: it runs */
    uint64_t heads[TOPICS_OF_ALL]; /* as published last */
    struct ledger ledgers[ACCOUNTS_MAX];
    uint64_t posted; /* the last event of the thread that an answer named */
    uint64_t sent, answered, handed_out;
    int account_count, player_count;
    struct player players[CLIENTS_MAX];
    const char *seed_text; /* borrowed */
};

/* Prints why, with the seed, and ends the program. */
_Noreturn void duet_fail(const struct duet *duet, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Something that happens only while it is rough. */
bool duet_chance(struct duet *duet, unsigned per_mille);

void lane_put(struct lane *lane, const void *bytes, size_t length, int64_t arrive_us);
struct parcel *lane_take(struct lane *lane);
void lane_clear(struct lane *lane);
int64_t lane_due(const struct lane *lane); /* INT64_MAX: it is empty */

/* duet_broker.c */
void broker_start(struct duet *duet);
void broker_add_accounts(struct duet *duet);
void broker_end(struct duet *duet);
int64_t broker_due(const struct duet *duet);
void broker_run(struct duet *duet);
/* What the broker's store has: the head of an account's inbox. */
uint64_t broker_head(struct duet *duet, int account);
/* Connects, if the broker is up. */
bool link_open(struct duet *duet, struct player *player);
/* The client leaves; the broker notices later. */
void link_leave(struct duet *duet, struct player *player);
int64_t link_arrival(struct duet *duet);

/* duet_client.c */
void player_init(struct duet *duet, int number);
void player_release(struct player *player);
int64_t player_due(const struct player *player);
void player_run(struct player *player);
/* Up to date, and nothing waits; if not, why. */
bool player_is_settled(struct player *player, char *why, size_t why_bytes);

#endif
