/* Private chats in this session: who invites, with whom a chat is open, how much came from them,
 * and which files they offer. Only what the library tells changes it. */
#ifndef PEERS_H
#define PEERS_H

#include "name.h"
#include "zchat.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer {
    char user[NAME_BYTES];
    bool invites; /* and was not answered yet */
    bool open;    /* there is a chat with them; its link may be broken */
    uint64_t received;
    unsigned under_way; /* lines to them that were not answered */
    unsigned delivered; /* of those before, so many whose delivery was not shown yet */
    uint64_t awaited;   /* how many of the received lines private recv has waited for */
};

struct peer_offer {
    char user[NAME_BYTES];
    zchat_id id;
    char *file; /* owned: its name, which is not trusted */
    uint64_t size;
    bool answered; /* it was accepted or refused */
};

struct peers {         /* all zero: nobody */
    struct peer *list; /* owned */
    size_t count;
    struct peer_offer *offers; /* owned; the oldest first */
    size_t offers_count;
};

void peers_release(struct peers *peers);

/* NULL: there is none of that name. Borrowed until somebody is added. */
struct peer *peers_find(const struct peers *peers, const char *user);
/* Found, or added. */
struct peer *peers_get(struct peers *peers, const char *user);
bool peers_is_open(const struct peers *peers, const char *user);

/* How many invitations wait for an answer. */
size_t peers_inviting(const struct peers *peers);
/* The only one who invites; NULL: nobody does, or several do. */
struct peer *peers_only_inviting(const struct peers *peers);
void peers_forget_invitations(struct peers *peers);

void peers_add_offer(struct peers *peers, const char *user, const zchat_upload *upload);
/* Their oldest offer that was not answered; NULL: none. Borrowed until an offer is added or
 * dropped. */
struct peer_offer *peers_offer(const struct peers *peers, const char *user);
struct peer_offer *peers_offer_of(const struct peers *peers, const zchat_id *id);
void peers_drop_offer(struct peers *peers, const zchat_id *id);
void peers_drop_offers(struct peers *peers, const char *user);

#endif
