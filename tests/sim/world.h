/* A world: one broker, some accounts with devices, the network between, and the clock. Everything
 * in it is decided by its seed. */
#ifndef WORLD_H
#define WORLD_H

#include "broker.h"
#include "client.h"
#include "link.h"
#include "model.h"
#include "seed.h"
#include "town.h"

#define CLIENTS_MAX 16

#define STREAM_PRESENCE  1
#define STREAM_BROADCAST 2
#define STREAM_NOTICE    3
#define STREAMS          4

/* How rough this world is. Chances are per mille, each time that it could happen. */
struct plan {
    unsigned steps; /* what clients do, all together, before it grows calm */
    int accounts;   /* that exist from the beginning */
    int64_t think_us;
    int64_t delay_us;
    unsigned breaks; /* a client's link, each time that it wakes */
    unsigned full;   /* a pipe */
    unsigned drops;  /* a publication on its way to one subscriber, or pushes of messages */
    unsigned cut_before_commit, cut_after_commit, cut_sending, disk_breaks, stops;
    unsigned large;      /* a text */
    uint64_t unread_max; /* 0: no limit */
    uint64_t unread_per_sender_max;
};

enum world_phase {
    WORLD_ROUGH,
    WORLD_CALM,  /* nothing breaks any more; inboxes must come up to date by themselves */
    WORLD_LAST,  /* each client asks and tells everything once more */
    WORLD_QUIET, /* nobody does anything, so nothing is sent */
};

struct world {
    struct plan plan;
    struct random random;
    struct trace trace;
    struct wire_arena *arena; /* borrowed: the program's */
    int64_t now_us;
    enum world_phase phase;
    int64_t calm_us; /* since when */
    unsigned steps;  /* done so far */
    unsigned crashes;
    bool disk_broken; /* it fails at one of the next writes or syncs */
    struct broker broker;
    struct model model;
    struct town *town;  /* owned */
    struct link *links; /* owned */
    uint64_t link_number;
    uint64_t program_number;             /* runs of clients' programs */
    struct client *clients[CLIENTS_MAX]; /* owned */
    int client_count;
    unsigned char keys[KEYS_MAX][KEY_BYTES];
};

struct world_result {
    uint64_t crashes;
    uint64_t messages;
};

/* Plays the seed to its end; does not return where something is wrong. */
void world_play(uint64_t seed, unsigned steps, bool verbose, struct wire_arena *arena,
                struct world_result *result);

#define say(world, format, a, b, c, d)                                                             \
    trace_add(&(world)->trace, (world)->now_us, format, (long long)(a), (long long)(b),            \
              (long long)(c), (long long)(d))
#define world_fail(world, ...) trace_fail(&(world)->trace, (world)->now_us, __VA_ARGS__)

/* Something that happens only while the world is rough. */
bool world_chance(struct world *world, unsigned per_mille);

struct link *world_link(const struct world *world, uint64_t number); /* NULL: it is gone */
struct link *world_connect(struct world *world, struct client *client);
/* The client leaves; what is under way may be lost, and the broker notices when it notices. */
void world_disconnect(struct world *world, struct link *link);
/* When a frame that is sent now arrives. */
int64_t world_arrival(struct world *world, const struct link *link);
void world_send(struct world *world, struct link *link, struct parcel *parcel);
/* Whether pushes that the streams make up for get lost. */
bool world_loses(struct world *world);
/* To each subscriber who does not miss it. */
void world_publish(struct world *world, const uint8_t *bytes, size_t length, bool holds_events);
void world_lose_subscriptions(struct world *world);

#endif
