/* Subscriptions are counted as libzmq holds them: a set of topics for each connection. A second
 * subscription to a topic changes nothing, and neither does ending one that was never made. Only a
 * hash of each topic is kept, with a secret key so that nobody can make two topics look alike. */
#include "subscription.h"

#include "common/clock.h"
#include "core/core.h"
#include "core/memory.h"
#include "crypto.h"
#include "log.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>
#include <zmq.h>

/* How many frames are read in one turn: a flood must not keep the commands waiting. */
#define FRAMES_A_TURN 256

struct wanted {
    size_t bytes;
    unsigned char topic[SUBSCRIPTION_BYTES_MAX]; /* if it is longer the connection is cut */
    UT_hash_handle hh;
};

struct subscriber {
    char key[KEY_TEXT];
    uint32_t count;     /* in all its feeds */
    struct feed *feeds; /* borrowed */
    UT_hash_handle hh;
};

/* One connection of a subscriber. */
struct feed {
    struct link *link;             /* borrowed: the links' */
    struct subscriber *subscriber; /* borrowed: the table's */
    struct wanted *topics;         /* owned */
    struct feed *prev, *next;      /* of the subscriber */
};

struct subscriptions {
    struct core *core;         /* borrowed */
    struct links *links;       /* borrowed */
    struct pace *pace;         /* borrowed */
    struct subscriber *by_key; /* owned, with their feeds */
    uint64_t count;
};

struct subscriptions *subscriptions_new(struct core *core, struct links *links, struct pace *pace) {
    struct subscriptions *subscriptions = memory_new(sizeof *subscriptions);

    subscriptions->core = core;
    subscriptions->links = links;
    subscriptions->pace = pace;
    return subscriptions;
}

uint64_t subscriptions_count(const struct subscriptions *subscriptions) {
    return subscriptions->count;
}

/* ---- topics of a feed ---- */

static void topic_drop(struct subscriptions *subscriptions, struct feed *feed,
                       struct wanted *wanted) {
    HASH_DEL(feed->topics, wanted);
    free(wanted);
    feed->subscriber->count--;
    subscriptions->count--;
}

static void topic_add(struct subscriptions *subscriptions, struct feed *feed, const void *topic,
                      size_t bytes) {
    struct wanted *wanted = memory_new(sizeof *wanted);

    wanted->bytes = bytes;
    memcpy(wanted->topic, topic, bytes);
    HASH_ADD_KEYPTR(hh, feed->topics, wanted->topic, bytes, wanted);
    feed->subscriber->count++;
    subscriptions->count++;
}

static void topic_set(struct subscriptions *subscriptions, struct feed *feed, const void *topic,
                      size_t bytes, bool is_wanted) {
    struct wanted *wanted = NULL;

    HASH_FIND(hh, feed->topics, topic, bytes, wanted);
    if (is_wanted && !wanted)
        topic_add(subscriptions, feed, topic, bytes);
    else if (!is_wanted && wanted)
        topic_drop(subscriptions, feed, wanted);
}

/* ---- feeds ---- */

static void feed_drop(struct subscriptions *subscriptions, struct feed *feed) {
    struct subscriber *subscriber = feed->subscriber;
    struct wanted *wanted, *next;

    HASH_ITER(hh, feed->topics, wanted, next) {
        topic_drop(subscriptions, feed, wanted);
    }
    feed->link->owner = NULL;
    DL_DELETE(subscriber->feeds, feed);
    free(feed);
    if (subscriber->feeds)
        return;
    HASH_DEL(subscriptions->by_key, subscriber);
    free(subscriber);
}

void subscriptions_closed(struct subscriptions *subscriptions, struct link *link) {
    if (link->owner)
        feed_drop(subscriptions, link->owner);
}

void subscriptions_free(struct subscriptions *subscriptions) {
    struct subscriber *subscriber, *next;

    if (!subscriptions)
        return;
    HASH_ITER(hh, subscriptions->by_key, subscriber, next) {
        bool last;

        do {
            last = !subscriber->feeds->next;
            feed_drop(subscriptions, subscriber->feeds);
        } while (!last);
    }
    free(subscriptions);
}

static struct subscriber *subscriber_find(const struct subscriptions *subscriptions,
                                          const char *key) {
    struct subscriber *subscriber = NULL;

    HASH_FIND_STR(subscriptions->by_key, key, subscriber);
    return subscriber;
}

static struct subscriber *subscriber_of(struct subscriptions *subscriptions, const char *key) {
    struct subscriber *subscriber = subscriber_find(subscriptions, key);

    if (subscriber)
        return subscriber;
    subscriber = memory_new(sizeof *subscriber);
    strncpy(subscriber->key, key, sizeof subscriber->key - 1);
    HASH_ADD_STR(subscriptions->by_key, key, subscriber);
    return subscriber;
}

/* The link's feed, which is made this key's. What a descriptor's former owner sent is read before
 * what its present owner sends, so the last key is the right one. */
static struct feed *feed_of(struct subscriptions *subscriptions, struct link *link,
                            const char *key) {
    struct feed *feed = link->owner;

    if (feed && strcmp(feed->subscriber->key, key) != 0) {
        feed_drop(subscriptions, feed);
        feed = NULL;
    }
    if (feed)
        return feed;
    feed = memory_new(sizeof *feed);
    feed->link = link;
    feed->subscriber = subscriber_of(subscriptions, key);
    DL_APPEND(feed->subscriber->feeds, feed);
    link->owner = feed;
    return feed;
}

/* ---- cutting ---- */

static void flooded(struct subscriptions *subscriptions, const struct feed *feed) {
    struct stats *stats = core_stats(subscriptions->core);
    unsigned char key[KEY_BYTES];
    char fingerprint[FINGERPRINT_TEXT] = "";
    uint64_t before;

    if (feed->link->rank == LINK_CUT)
        return;
    if (key_parse(feed->subscriber->key, key))
        key_fingerprint(key, fingerprint);
    if (pace_due(subscriptions->pace, "subscriptions_flooded", fingerprint, clock_us(), &before))
        log_warn("subscriptions_flooded", "key=\"%s\" subscriptions=%u before=%llu", fingerprint,
                 (unsigned)feed->subscriber->count, (unsigned long long)before);
    link_cut(subscriptions->links, feed->link, "subscriptions", &stats->connections_endless_total);
}

static void ended(struct subscriptions *subscriptions, struct link *link) {
    link_cut(subscriptions->links, link, "ended",
             &core_stats(subscriptions->core)->connections_ended_total);
}

void subscriptions_end(struct subscriptions *subscriptions, const unsigned char key[KEY_BYTES]) {
    struct subscriber *subscriber;
    struct feed *feed;
    char text[KEY_TEXT];

    key_format(key, text);
    subscriber = subscriber_find(subscriptions, text);
    if (!subscriber)
        return;
    DL_FOREACH(subscriber->feeds, feed) {
        ended(subscriptions, feed->link);
    }
}

/* ---- frames ---- */

static bool is_live(const struct subscriptions *subscriptions, const char *user,
                    unsigned char key[KEY_BYTES]) {
    return user && key_parse(user, key) && core_key_is_live(subscriptions->core, key);
}

/* Takes a subscription or the end of one. false: it is one too many, or the frame is neither. */
static bool frame_take(struct subscriptions *subscriptions, zmq_msg_t *frame) {
    struct link *link = links_find(subscriptions->links, zmq_msg_get(frame, ZMQ_SRCFD));
    const unsigned char *bytes = zmq_msg_data(frame);
    const char *user = zmq_msg_gets(frame, "User-Id");
    size_t length = zmq_msg_size(frame);
    unsigned char key[KEY_BYTES];
    struct feed *feed;

    if (!link || link->socket != LINK_EVENTS || link->rank == LINK_CUT)
        return length > 0 && bytes[0] <= 1;
    if (!is_live(subscriptions, user, key)) {
        ended(subscriptions, link);
        return false;
    }
    core_key_subscribed(subscriptions->core, key, 1, clock_us());
    links_took(subscriptions->links, link);
    link_set_rank(subscriptions->links, link, LINK_MEMBER);
    feed = feed_of(subscriptions, link, user);
    if (length == 0 || bytes[0] > 1)
        return false;
    if (length - 1 <= SUBSCRIPTION_BYTES_MAX) {
        topic_set(subscriptions, feed, bytes + 1, length - 1, bytes[0] == 1);
        if (feed->subscriber->count <= SUBSCRIPTIONS_MAX)
            return true;
    }
    flooded(subscriptions, feed);
    return false;
}

void subscriptions_read(struct subscriptions *subscriptions, void *xpub) {
    for (size_t i = 0; i < FRAMES_A_TURN; i++) {
        zmq_msg_t frame;

        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, xpub, ZMQ_DONTWAIT) < 0) {
            links_drained(subscriptions->links, LINK_EVENTS);
            return;
        }
        if (!frame_take(subscriptions, &frame))
            core_stats(subscriptions->core)->subscriptions_refused_total++;
        zmq_msg_close(&frame);
    }
}
