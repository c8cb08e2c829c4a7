/* Links. The nonce and the admission are of one use: a link that listens is never listened to
 * again. A dead connection's last frames come before its end is told. */
#include "link.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* What a closed connection still brought is in the socket by then. */
#define LEAVE_US (20 * INT64_C(1000))
/* How often a link that is up is looked at. */
#define LOOK_US (1000 * INT64_C(1000))

static struct link *make(struct link_place place, const unsigned char *key, struct fault *fault) {
    struct link *link = calloc(1, sizeof *link);
    if (!link) {
        fault_set(fault, ZCHAT_NO_MEMORY, "no memory for the private chat");
        return NULL;
    }
    link->place = place;
    link->leave_us = WAKE_NEVER;
    memcpy(link->key, key, KEY_BYTES);
    return link;
}

void link_free(struct link *link, int linger_ms) {
    if (!link) {
        return;
    }
    peer_zap_expect_end(link->guest);
    channel_free(link->channel, linger_ms);
    resolve_free(link->resolve);
    sodium_memzero(link->nonce, sizeof link->nonce);
    free(link);
}

static struct channel_keys keys_of(const struct link *link) {
    return (struct channel_keys){.server_key = link->key,
                                 .public_key = link->place.device->public_key,
                                 .secret_key = link->place.device->secret_key};
}

struct link *link_listen(struct link_place place, const unsigned char key[KEY_BYTES],
                         struct fault *fault) {
    struct link *link = make(place, key, fault);
    if (!link) {
        return NULL;
    }
    unsigned char random[LINK_DOMAIN / 2];
    struct channel_keys keys = keys_of(link);
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(link->domain, sizeof link->domain, random, sizeof random);
    randombytes_buf(link->nonce, sizeof link->nonce);
    link->listens = true;
    link->guest = context_expect(place.context, link->domain, key);
    if (link->guest) {
        link->channel = channel_listen(place.context, place.wake, &keys, link->domain, &link->port);
    }
    if (!link->channel) {
        fault_set(fault, ZCHAT_NO_MEMORY, "no socket for the private chat could be opened: %s",
                  strerror(errno));
        link_free(link, 0);
        return NULL;
    }
    return link;
}

struct link *link_dial(struct link_place place, const struct address *address,
                       const unsigned char key[KEY_BYTES], const unsigned char nonce[NONCE_BYTES],
                       struct fault *fault) {
    struct link *link = make(place, key, fault);
    if (!link) {
        return NULL;
    }
    link->address = *address;
    memcpy(link->nonce, nonce, NONCE_BYTES);
    link->resolve = resolve_new(address->host, place.wake);
    if (!link->resolve) {
        fault_set(fault, ZCHAT_NO_MEMORY, "no memory for the private chat");
        link_free(link, 0);
        return NULL;
    }
    return link;
}

static enum link_state die(struct link *link, enum channel_state end) {
    link->end = end;
    link->state = LINK_DEAD;
    return LINK_DEAD;
}

/* The next of the host's addresses; when none is left, the link is dead. */
static enum link_state connect_next(struct link *link) {
    struct address address = {.port = link->address.port};
    struct channel_keys keys = keys_of(link);
    char endpoint[ENDPOINT_BYTES];
    if (link->next_host >= resolve_count(link->resolve)) {
        return die(link, CHANNEL_UNREACHABLE);
    }
    strcpy(address.host, resolve_host(link->resolve, link->next_host++));
    address_endpoint(&address, endpoint);
    channel_free(link->channel, 0);
    link->channel =
        channel_new(link->place.context, link->place.wake, CHANNEL_PAIR, endpoint, &keys);
    return link->channel ? LINK_MAKING : die(link, CHANNEL_UNREACHABLE);
}

const char *link_tried(const struct link *link) {
    return link->next_host > 0 ? resolve_host(link->resolve, link->next_host - 1) : NULL;
}

static enum link_state step_making(struct link *link) {
    if (!link->channel) {
        return resolve_is_done(link->resolve) ? connect_next(link) : LINK_MAKING;
    }
    enum channel_state state = channel_state(link->channel);
    if (state == CHANNEL_READY) {
        link->state = LINK_UP;
    } else if (state == CHANNEL_UNREACHABLE && !link->listens) {
        return connect_next(link);
    } else if (state > CHANNEL_READY) {
        die(link, state);
    }
    return link->state;
}

static enum link_state step_up(struct link *link, int64_t now_us) {
    enum channel_state state = channel_state(link->channel);
    if (state <= CHANNEL_READY && now_us >= link->look_us) {
        link->look_us = now_us + LOOK_US;
        link->endless = channel_is_endless(link->channel);
    }
    if (state <= CHANNEL_READY) {
        return link->endless ? die(link, CHANNEL_BROKEN) : LINK_UP;
    }
    if (link->leave_us == WAKE_NEVER) {
        link->leave_us = now_us + LEAVE_US;
    }
    return now_us < link->leave_us ? LINK_UP : die(link, state);
}

enum link_state link_step(struct link *link, int64_t now_us) {
    if (link->state == LINK_MAKING && step_making(link) != LINK_UP) {
        return link->state;
    }
    return link->state == LINK_UP ? step_up(link, now_us) : link->state;
}

void *link_frame(struct link *link, size_t frame_bytes) {
    void *frame = channel_frame(link->channel, frame_bytes, false);
    if (!frame) {
        die(link, CHANNEL_CLOSED);
    }
    return frame;
}

bool link_send(struct link *link) {
    if (channel_send(link->channel)) {
        return true;
    }
    die(link, CHANNEL_CLOSED);
    return false;
}

bool link_say(struct link *link, Zchat__V1__PeerMessage *message) {
    if (link->state != LINK_UP) {
        return false;
    }
    uint8_t *frame = link_frame(link, wire_element_size(&message->base));
    if (!frame) {
        return false;
    }
    wire_element_pack(WIRE_MESSAGES, &message->base, frame);
    return link_send(link);
}

bool link_receive(struct link *link, const void **frame, size_t *frame_bytes) {
    return link->state == LINK_UP && channel_receive(link->channel, frame, frame_bytes);
}

bool link_is_ready(const struct link *link) {
    return link->state == LINK_DEAD || (link->channel && channel_is_ready(link->channel));
}

int64_t link_deadline_us(const struct link *link) {
    if (link->state != LINK_UP) {
        return WAKE_NEVER;
    }
    return link->leave_us < link->look_us ? link->leave_us : link->look_us;
}
