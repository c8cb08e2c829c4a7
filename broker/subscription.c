#include "subscription.h"

#include "core/memory.h"
#include "key.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <zmq.h>

/* Frames read in one turn: a flood must not keep the commands waiting. */
#define FRAMES_A_TURN 256

struct subscriber {
    char key[KEY_TEXT];
    uint32_t count;
    UT_hash_handle hh;
};

struct subscriptions {
    struct subscriber *by_key; /* owned */
    uint64_t total;
};

struct subscriptions *subscriptions_new(void) {
    return memory_new(sizeof(struct subscriptions));
}

static void subscriber_drop(struct subscriptions *subscriptions, struct subscriber *subscriber) {
    HASH_DEL(subscriptions->by_key, subscriber);
    free(subscriber);
}

void subscriptions_free(struct subscriptions *subscriptions) {
    struct subscriber *subscriber, *next;

    if (!subscriptions)
        return;
    HASH_ITER(hh, subscriptions->by_key, subscriber, next) {
        subscriber_drop(subscriptions, subscriber);
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

/* Counts the frame; the subscriber that has too many, or NULL. */
static struct subscriber *frame_count(struct subscriptions *subscriptions, zmq_msg_t *frame,
                                      bool *garbage) {
    const unsigned char *bytes = zmq_msg_data(frame);
    const char *key = zmq_msg_gets(frame, "User-Id");
    struct subscriber *subscriber;

    *garbage = zmq_msg_size(frame) == 0 || bytes[0] > 1;
    if (*garbage || !key || !key[0])
        return NULL;
    subscriber = subscriber_of(subscriptions, key);
    if (bytes[0] == 1) {
        subscriber->count++;
        subscriptions->total++;
        return subscriber->count > SUBSCRIPTIONS_MAX ? subscriber : NULL;
    }
    if (subscriber->count > 0) {
        subscriber->count--;
        subscriptions->total--;
    }
    if (subscriber->count == 0)
        subscriber_drop(subscriptions, subscriber);
    return NULL;
}

void subscriptions_read(struct subscriptions *subscriptions, void *xpub, uint64_t *total,
                        uint64_t *refused,
                        void (*flooded)(void *arg, const unsigned char key[KEY_BYTES]), void *arg) {
    for (size_t i = 0; i < FRAMES_A_TURN; i++) {
        struct subscriber *subscriber;
        unsigned char key[KEY_BYTES];
        zmq_msg_t frame;
        bool garbage;

        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, xpub, ZMQ_DONTWAIT) < 0)
            break;
        subscriber = frame_count(subscriptions, &frame, &garbage);
        zmq_msg_close(&frame);
        if (garbage || subscriber)
            ++*refused;
        if (subscriber && key_parse(subscriber->key, key))
            flooded(arg, key);
    }
    *total = subscriptions->total;
}
