/* A world: one broker, some accounts with devices, the network between, and the clock. Everything
 * in it is decided by its seed.
 *
 * People (person.h) hold libzchat's client core, raw senders (raw.h) send what that can't be made
 * to. Frames go over links (link.h); where they come into the broker (broker.h) the door (door.h)
 * reads them for the model (model.h), which says what the core should do to the town (town.h) and
 * answer; where they leave it the tap (tap.h) compares. */
#ifndef WORLD_H
#define WORLD_H

#include "broker.h"
#include "link.h"
#include "model.h"
#include "seed.h"
#include "town.h"

#define PERSONS_MAX 12 /* fewer than the bits of a set */
#define RAWS_MAX    6

#define WRONG_PASSWORD 1000001

/* How rough this world is. Chances are per mille, each time that it could happen. */
struct plan {
    unsigned steps; /* what is done, all together, before it grows calm */
    int accounts;   /* that exist from the beginning */
    int64_t think_us;
    int64_t delay_us;
    unsigned breaks; /* a link, each time that its holder wakes */
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
    WORLD_LAST,  /* each person asks and tells everything once more */
    WORLD_QUIET, /* nobody does anything, so nothing is sent */
};

struct person;
struct raw;

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
    uint64_t program_number;             /* runs of people's programs */
    uint64_t core_number;                /* client cores, and raw senders */
    struct person *persons[PERSONS_MAX]; /* owned */
    int person_count;
    struct raw *raws[RAWS_MAX]; /* owned */
    int raw_count;
    uint64_t answers, handed_out; /* to people */
    unsigned char keys[KEYS_MAX][KEY_BYTES];
    int key_count;
};

struct world_result {
    uint64_t crashes;
    uint64_t messages;
    uint64_t answers, handed_out;
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

int world_new_password(struct world *world);

struct link *world_link(const struct world *world, uint64_t number); /* NULL: it is gone */
/* `person`: NULL for a raw sender. */
struct link *world_connect(struct world *world, int key, struct person *person);
/* Its holder leaves; what is under way may be lost, and the broker notices when it notices. */
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
