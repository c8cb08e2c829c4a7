/* What must be durable, as the rules say: accounts, inboxes, blocks, passwords, devices, and which
 * wrong passwords count. It is what the store is compared with. `now` is what the turn has come to,
 * `committed` what was promised. Nothing of a session is in here. */
#ifndef TOWN_H
#define TOWN_H

#include "asked.h"
#include "forum.h"
#include "id.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACCOUNTS_MAX 10
#define KEYS_MAX     24

struct store;
struct world;

/* What a transaction changes, but for the entries of the inboxes, which only grow and count up to
 * `head`. Accounts that do not exist yet are names that somebody may take. */
struct town_state {
    bool exists[ACCOUNTS_MAX];
    bool seen[ACCOUNTS_MAX]; /* was online once */
    uint64_t head[ACCOUNTS_MAX];
    uint64_t cursor[ACCOUNTS_MAX];
    /* [a][b]: a's latest block of b stood at times between these two, neither included. */
    int64_t block_from_us[ACCOUNTS_MAX][ACCOUNTS_MAX];
    int64_t block_until_us[ACCOUNTS_MAX][ACCOUNTS_MAX]; /* INT64_MAX: it stands; 0: never */
    uint32_t failures[ACCOUNTS_MAX];
    int64_t locked_until_us[ACCOUNTS_MAX];
    int password[ACCOUNTS_MAX];              /* 0: none */
    uint64_t device[ACCOUNTS_MAX][KEYS_MAX]; /* 0: not trusted */
    uint64_t devices_given[ACCOUNTS_MAX];
    struct forum_state forum;
};

struct message {
    unsigned char id[ID_BYTES];
    int author, to;      /* accounts */
    uint32_t text_bytes; /* 0: none, as it takes another one back */
    enum store_about about;
    uint32_t original;                  /* item: which one it is about */
    uint32_t gone_by;                   /* item: what took this one back, if that is stored */
    uint64_t author_seq, recipient_seq; /* where it is, if it is there */
    int64_t time_us;
    uint64_t sent_by; /* the run of a client's program, whose items go in order */
    bool in_disorder; /* refused once, or sent by somebody else, too: it may be late */
};

struct broadcast {
    unsigned char id[ID_BYTES];
    int author;
    unsigned run; /* of the broker, that sent it; 0: none */
    uint64_t reached, skipped;
};

struct town {
    struct town_state now, committed;
    uint32_t unsure;               /* accounts whose `seen` a crash left open: a set, bit by bit */
    int64_t seen_us[ACCOUNTS_MAX]; /* when each was online for the first time */
    uint32_t *inbox[ACCOUNTS_MAX]; /* owned: items, entry n at n - 1 */
    size_t inbox_max[ACCOUNTS_MAX];
    struct message *messages; /* owned */
    uint32_t message_count;
    uint32_t message_max;
    struct broadcast *broadcasts; /* owned */
    uint32_t broadcast_count;
    uint32_t broadcast_max;
    struct forum forum;
};

struct town *town_new(void);
void town_free(struct town *town);

uint32_t town_message_new(struct town *town, const unsigned char id[ID_BYTES], int author, int to,
                          uint32_t text_bytes, uint64_t sent_by);
uint32_t town_broadcast_new(struct town *town, const unsigned char id[ID_BYTES], int author);
bool town_is_stored(const struct town *town, const struct town_state *state, uint32_t item);
/* Makes the newest message one about an earlier one. */
void town_message_about(struct town *town, enum store_about about, uint32_t original);
/* Whether something that is stored took it back. */
bool town_is_gone(const struct town *town, const struct town_state *state, uint32_t item);
void town_store(struct town *town, uint32_t item, int64_t time_us);
/* Unread entries of `account` that others wrote, and those that `author` wrote. */
void town_unread(const struct town *town, int account, int author, uint64_t *all,
                 uint64_t *of_author);
/* The item of an id; false: none of this world's. */
bool town_item_of(const unsigned char *id, size_t id_bytes, uint32_t *item);

bool town_blocks(const struct town_state *state, int account, int other);
/* A block stands between the two, whoever made it. */
bool town_hidden(const struct town_state *state, int a, int b);
bool town_blocks_any(const struct town_state *state, int account);
/* A block stood between the two at that time. */
bool town_was_hidden(const struct town_state *state, int a, int b, int64_t at_us);

/* A text that begins with its item's number. */
void message_text(uint32_t item, uint32_t bytes, char *text);

/* Whether the store holds exactly the state; if not, why. */
bool town_is_in(const struct town *town, const struct town_state *state, struct store *store,
                unsigned char keys[KEYS_MAX][KEY_BYTES], int64_t now_us, char *why,
                size_t why_bytes);

#endif
