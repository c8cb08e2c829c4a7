/* What private chats ask for: links as PAIR sockets, the pinned keys, and addresses.
 *
 * A link's nonce and its admission can be used once, so a socket that listened is never reused. A
 * dead connection's last frames are handed out before its end is told. */
#include "private_host.h"

#include "channel.h"
#include "known.h"
#include "link.h"
#include "resolve.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* By then everything that a closed connection brought is in the socket. */
#define LEAVE_US (20 * INT64_C(1000))

#define DOMAIN_BYTES 33 /* 32 hex digits with their NUL */

/* ---- links ---- */

struct pair {
    struct link link;             /* first */
    const struct chat_host *host; /* borrowed */
    struct channel *channel;      /* owned; NULL: the host is looked up */
    struct resolve *resolve;      /* owned; NULL if it listens */
    struct address address;       /* where it connects to */
    size_t next_host;             /* among those that `resolve` found */
    bool listens;
    char domain[DOMAIN_BYTES];    /* of the ZAP handler */
    struct peer_guest *guest;     /* owned: whom it admits; NULL if it connects */
    unsigned char key[KEY_BYTES]; /* the peer's */
    int64_t leave_us;             /* the connection is over: until then its last frames are read */
};

/* A link is the first member of its pair. */
static struct pair *pair_of(struct link *link) {
    return (struct pair *)link;
}

static const struct pair *const_pair_of(const struct link *link) {
    return (const struct pair *)link;
}

static struct pair *make(const struct chat_host *host, const unsigned char *key,
                         struct fault *fault) {
    struct pair *pair = calloc(1, sizeof *pair);
    if (!pair) {
        fault_set(fault, ZCHAT_NO_MEMORY, "no memory for the private chat");
        return NULL;
    }
    pair->host = host;
    pair->leave_us = WAKE_NEVER;
    memcpy(pair->key, key, KEY_BYTES);
    return pair;
}

void link_free(struct link *link, int linger_ms) {
    struct pair *pair = pair_of(link);
    if (!pair)
        return;
    peer_zap_expect_end(pair->guest);
    channel_free(pair->channel, linger_ms);
    resolve_free(pair->resolve);
    sodium_memzero(link->nonce, sizeof link->nonce);
    free(pair);
}

static struct channel_keys keys_of(const struct pair *pair) {
    return (struct channel_keys){.server_key = pair->key,
                                 .public_key = pair->host->device->public_key,
                                 .secret_key = pair->host->device->secret_key};
}

struct link *link_listen(const struct chat_host *host, const unsigned char key[KEY_BYTES],
                         struct fault *fault) {
    struct pair *pair = make(host, key, fault);
    if (!pair)
        return NULL;
    unsigned char random[DOMAIN_BYTES / 2];
    struct channel_keys keys = keys_of(pair);
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(pair->domain, sizeof pair->domain, random, sizeof random);
    randombytes_buf(pair->link.nonce, sizeof pair->link.nonce);
    pair->listens = true;
    pair->guest = context_expect(host->context, pair->domain, key);
    if (pair->guest) {
        pair->channel =
            channel_listen(host->context, host->wake, &keys, pair->domain, &pair->link.port);
    }
    if (!pair->channel) {
        fault_set(fault, ZCHAT_NO_MEMORY, "no socket for the private chat could be opened: %s",
                  strerror(errno));
        link_free(&pair->link, 0);
        return NULL;
    }
    return &pair->link;
}

struct link *link_dial(const struct chat_host *host, const struct address *address,
                       const unsigned char key[KEY_BYTES], const unsigned char nonce[NONCE_BYTES],
                       struct fault *fault) {
    struct pair *pair = make(host, key, fault);
    if (!pair)
        return NULL;
    pair->address = *address;
    memcpy(pair->link.nonce, nonce, NONCE_BYTES);
    pair->resolve = resolve_new(address->host, host->wake);
    if (!pair->resolve) {
        fault_set(fault, ZCHAT_NO_MEMORY, "no memory for the private chat");
        link_free(&pair->link, 0);
        return NULL;
    }
    return &pair->link;
}

static enum link_end end_of(enum channel_state state) {
    switch (state) {
    case CHANNEL_DENIED:
        return LINK_DENIED;
    case CHANNEL_FOREIGN:
        return LINK_FOREIGN;
    case CHANNEL_ENDLESS:
        return LINK_ENDLESS;
    case CHANNEL_BROKEN:
    case CHANNEL_CLOSED:
        return LINK_CLOSED;
    default:
        return LINK_UNANSWERED;
    }
}

static enum link_state die(struct pair *pair, enum link_end end) {
    pair->link.end = end;
    pair->link.state = LINK_DEAD;
    return LINK_DEAD;
}

/* Tries the next of the host's addresses; if none is left, the link is dead. */
static enum link_state connect_next(struct pair *pair) {
    struct address address = {.port = pair->address.port};
    struct channel_keys keys = keys_of(pair);
    char endpoint[ENDPOINT_BYTES];
    if (pair->next_host >= resolve_count(pair->resolve))
        return die(pair, LINK_UNANSWERED);
    strcpy(address.host, resolve_host(pair->resolve, pair->next_host++));
    address_endpoint(&address, endpoint);
    channel_free(pair->channel, 0);
    pair->channel =
        channel_new(pair->host->context, pair->host->wake, CHANNEL_PAIR, endpoint, &keys);
    return pair->channel ? LINK_MAKING : die(pair, LINK_UNANSWERED);
}

const char *link_tried(const struct link *link) {
    const struct pair *pair = const_pair_of(link);
    return pair->next_host > 0 ? resolve_host(pair->resolve, pair->next_host - 1) : NULL;
}

static enum link_state step_making(struct pair *pair, int64_t now_us) {
    if (!pair->channel)
        return resolve_is_done(pair->resolve) ? connect_next(pair) : LINK_MAKING;
    enum channel_state state = channel_state(pair->channel, now_us);
    if (state == CHANNEL_READY)
        pair->link.state = LINK_UP;
    else if (state == CHANNEL_UNREACHABLE && !pair->listens)
        return connect_next(pair);
    else if (state > CHANNEL_READY)
        die(pair, end_of(state));
    return pair->link.state;
}

static enum link_state step_up(struct pair *pair, int64_t now_us) {
    enum channel_state state = channel_state(pair->channel, now_us);
    if (state <= CHANNEL_READY)
        return LINK_UP;
    if (state == CHANNEL_ENDLESS)
        return die(pair, LINK_ENDLESS);
    if (pair->leave_us == WAKE_NEVER)
        pair->leave_us = now_us + LEAVE_US;
    return now_us < pair->leave_us ? LINK_UP : die(pair, end_of(state));
}

enum link_state link_step(struct link *link, int64_t now_us) {
    if (link->state == LINK_MAKING && step_making(pair_of(link), now_us) != LINK_UP)
        return link->state;
    return link->state == LINK_UP ? step_up(pair_of(link), now_us) : link->state;
}

void *link_frame(struct link *link, size_t frame_bytes) {
    void *frame = channel_frame(pair_of(link)->channel, frame_bytes, false);
    if (!frame)
        die(pair_of(link), LINK_CLOSED);
    return frame;
}

bool link_send(struct link *link) {
    if (channel_send(pair_of(link)->channel))
        return true;
    die(pair_of(link), LINK_CLOSED);
    return false;
}

bool link_receive(struct link *link, const void **frame, size_t *frame_bytes) {
    return link->state == LINK_UP && channel_receive(pair_of(link)->channel, frame, frame_bytes);
}

bool link_is_ready(const struct link *link) {
    const struct pair *pair = const_pair_of(link);
    return link->state == LINK_DEAD || (pair->channel && channel_is_ready(pair->channel));
}

int64_t link_deadline_us(const struct link *link) {
    const struct pair *pair = const_pair_of(link);
    int64_t channel_us = pair->channel ? channel_deadline_us(pair->channel) : WAKE_NEVER;
    if (link->state == LINK_DEAD)
        return WAKE_NEVER;
    return pair->leave_us < channel_us ? pair->leave_us : channel_us;
}

/* ---- keys and addresses ---- */

zchat_code chat_host_check(const struct chat_host *host, const char *user,
                           const unsigned char key[KEY_BYTES], bool *known, struct fault *fault) {
    return known_peers_check(host->settings->folder, user, host->settings->name, key, known, fault);
}

zchat_code chat_host_pin(const struct chat_host *host, const char *user,
                         const unsigned char key[KEY_BYTES], struct fault *fault) {
    return known_peers_pin(host->settings->folder, user, host->settings->name, key, fault);
}

const char *chat_host_told_address(const struct chat_host *host) {
    return host->settings->private_address;
}

void chat_host_own_address(const struct chat_host *host, const char *theirs, char own[HOST_BYTES]) {
    if (!(theirs && probe_own_address(theirs, own)) && !probe_own_address(host->broker_host, own))
        strcpy(own, "this machine");
}
