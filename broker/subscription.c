/* Subscriptions are counted by the connection's descriptor, which is what a closed connection is
 * known by; ZeroMQ takes back those of a closed one without saying whose they were. */
#include "subscription.h"

#include "core/memory.h"
#include "key.h"
#include "log.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uthash.h>
#include <zmq.h>

/* Frames read in one turn: a flood must not keep the commands waiting. */
#define FRAMES_A_TURN 256

struct subscriber {
    char key[KEY_TEXT];
    uint32_t count; /* over all its connections */
    uint32_t connections;
    UT_hash_handle hh;
};

struct link {
    int fd;
    struct subscriber *subscriber; /* borrowed: the table's; NULL: it has not subscribed yet */
    uint32_t count;
    bool cut;
    UT_hash_handle hh;
};

struct subscriptions {
    struct subscriber *by_key; /* owned */
    struct link *by_fd;        /* owned */
    uint64_t count;
};

struct subscriptions *subscriptions_new(void) {
    return memory_new(sizeof(struct subscriptions));
}

/* The link counts for nobody any more. */
static void link_release(struct subscriptions *subscriptions, struct link *link) {
    struct subscriber *subscriber = link->subscriber;

    if (!subscriber)
        return;
    subscriptions->count -= link->count;
    subscriber->count -= link->count;
    if (--subscriber->connections == 0) {
        HASH_DEL(subscriptions->by_key, subscriber);
        free(subscriber);
    }
    link->subscriber = NULL;
    link->count = 0;
}

static void link_drop(struct subscriptions *subscriptions, struct link *link) {
    link_release(subscriptions, link);
    HASH_DEL(subscriptions->by_fd, link);
    free(link);
}

void subscriptions_free(struct subscriptions *subscriptions) {
    struct link *link, *next;

    if (!subscriptions)
        return;
    HASH_ITER(hh, subscriptions->by_fd, link, next) {
        link_drop(subscriptions, link);
    }
    free(subscriptions);
}

static struct subscriber *subscriber_of(struct subscriptions *subscriptions, const char *key) {
    struct subscriber *subscriber = NULL;

    HASH_FIND_STR(subscriptions->by_key, key, subscriber);
    if (!subscriber) {
        subscriber = memory_new(sizeof *subscriber);
        strncpy(subscriber->key, key, sizeof subscriber->key - 1);
        HASH_ADD_STR(subscriptions->by_key, key, subscriber);
    }
    return subscriber;
}

static struct link *link_find(const struct subscriptions *subscriptions, int fd) {
    struct link *link = NULL;

    HASH_FIND_INT(subscriptions->by_fd, &fd, link);
    return link;
}

/* The open connection, and that it is this key's; NULL: it is closed. */
static struct link *link_of(struct subscriptions *subscriptions, int fd, const char *key) {
    struct link *link = link_find(subscriptions, fd);

    if (link && link->subscriber && strcmp(link->subscriber->key, key) != 0)
        link_release(subscriptions, link);
    if (link && !link->subscriber) {
        link->subscriber = subscriber_of(subscriptions, key);
        link->subscriber->connections++;
    }
    return link;
}

void subscriptions_opened(struct subscriptions *subscriptions, int fd) {
    struct link *link;

    subscriptions_closed(subscriptions, fd);
    link = memory_new(sizeof *link);
    link->fd = fd;
    HASH_ADD_INT(subscriptions->by_fd, fd, link);
}

void subscriptions_closed(struct subscriptions *subscriptions, int fd) {
    struct link *link = link_find(subscriptions, fd);

    if (link)
        link_drop(subscriptions, link);
}

uint64_t subscriptions_count(const struct subscriptions *subscriptions) {
    return subscriptions->count;
}

static void link_cut(struct link *link) {
    unsigned char key[KEY_BYTES];
    char fingerprint[FINGERPRINT_TEXT] = "";

    if (key_parse(link->subscriber->key, key))
        key_fingerprint(key, fingerprint);
    log_warn("subscriptions_flooded", "key=\"%s\" subscriptions=%u", fingerprint,
             (unsigned)link->subscriber->count);
    link->cut = true;
    shutdown(link->fd, SHUT_RDWR); /* libzmq finds it closed, and frees what it held */
}

/* Takes a subscription or the end of one; false: it is too much, or neither. */
static bool frame_take(struct subscriptions *subscriptions, zmq_msg_t *frame) {
    const unsigned char *bytes = zmq_msg_data(frame);
    const char *key = zmq_msg_gets(frame, "User-Id");
    struct link *link = NULL;

    if (zmq_msg_size(frame) == 0 || bytes[0] > 1)
        return false;
    if (key)
        link = link_of(subscriptions, zmq_msg_get(frame, ZMQ_SRCFD), key);
    if (!link)
        return true;
    if (bytes[0] == 1) {
        link->count++;
        link->subscriber->count++;
        subscriptions->count++;
        if (link->subscriber->count > SUBSCRIPTIONS_MAX && !link->cut)
            link_cut(link);
        return link->subscriber->count <= SUBSCRIPTIONS_MAX;
    }
    if (link->count > 0) {
        link->count--;
        link->subscriber->count--;
        subscriptions->count--;
    }
    return true;
}

void subscriptions_read(struct subscriptions *subscriptions, void *xpub, uint64_t *refused) {
    for (size_t i = 0; i < FRAMES_A_TURN; i++) {
        zmq_msg_t frame;

        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, xpub, ZMQ_DONTWAIT) < 0)
            return;
        if (!frame_take(subscriptions, &frame))
            ++*refused;
        zmq_msg_close(&frame);
    }
}
