/* The peers and their offers: few, so lists are enough. */
#include "peers.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

void peers_release(struct peers *peers) {
    for (size_t i = 0; i < peers->offers_count; i++)
        free(peers->offers[i].file);
    free(peers->offers);
    free(peers->list);
    memset(peers, 0, sizeof *peers);
}

struct peer *peers_find(const struct peers *peers, const char *user) {
    char name[NAME_BYTES];
    name_copy(name, user);
    for (size_t i = 0; i < peers->count; i++)
        if (strcmp(peers->list[i].user, name) == 0)
            return &peers->list[i];
    return NULL;
}

struct peer *peers_get(struct peers *peers, const char *user) {
    struct peer *peer = peers_find(peers, user);
    if (peer)
        return peer;
    peers->list = memory_grow(peers->list, peers->count + 1, sizeof *peers->list);
    peer = &peers->list[peers->count++];
    memset(peer, 0, sizeof *peer);
    name_copy(peer->user, user);
    return peer;
}

bool peers_is_open(const struct peers *peers, const char *user) {
    const struct peer *peer = peers_find(peers, user);
    return peer && peer->open;
}

/* --- invitations --- */

size_t peers_inviting(const struct peers *peers) {
    size_t inviting = 0;
    for (size_t i = 0; i < peers->count; i++)
        inviting += peers->list[i].invites ? 1 : 0;
    return inviting;
}

struct peer *peers_only_inviting(const struct peers *peers) {
    struct peer *only = NULL;
    for (size_t i = 0; i < peers->count; i++) {
        if (!peers->list[i].invites)
            continue;
        if (only)
            return NULL;
        only = &peers->list[i];
    }
    return only;
}

void peers_forget_invitations(struct peers *peers) {
    for (size_t i = 0; i < peers->count; i++)
        peers->list[i].invites = false;
}

/* --- offers --- */

void peers_add_offer(struct peers *peers, const char *user, const zchat_upload *upload) {
    if (peers_offer_of(peers, &upload->id))
        return;
    peers->offers = memory_grow(peers->offers, peers->offers_count + 1, sizeof *peers->offers);
    struct peer_offer *offer = &peers->offers[peers->offers_count++];
    *offer = (struct peer_offer){
        .id = upload->id, .file = memory_text(upload->file), .size = upload->size};
    name_copy(offer->user, user);
}

struct peer_offer *peers_offer(const struct peers *peers, const char *user) {
    char name[NAME_BYTES];
    name_copy(name, user);
    for (size_t i = 0; i < peers->offers_count; i++)
        if (!peers->offers[i].answered && strcmp(peers->offers[i].user, name) == 0)
            return &peers->offers[i];
    return NULL;
}

struct peer_offer *peers_offer_of(const struct peers *peers, const zchat_id *id) {
    for (size_t i = 0; i < peers->offers_count; i++)
        if (memcmp(&peers->offers[i].id, id, sizeof *id) == 0)
            return &peers->offers[i];
    return NULL;
}

static void peers_drop_offer_at(struct peers *peers, size_t place) {
    free(peers->offers[place].file);
    peers->offers_count--;
    memmove(peers->offers + place, peers->offers + place + 1,
            (peers->offers_count - place) * sizeof *peers->offers);
}

void peers_drop_offer(struct peers *peers, const zchat_id *id) {
    struct peer_offer *offer = peers_offer_of(peers, id);
    if (offer)
        peers_drop_offer_at(peers, (size_t)(offer - peers->offers));
}

void peers_drop_offers(struct peers *peers, const char *user) {
    for (size_t i = peers->offers_count; i-- > 0;)
        if (strcmp(peers->offers[i].user, user) == 0)
            peers_drop_offer_at(peers, i);
}
