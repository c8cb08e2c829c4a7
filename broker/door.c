#include "door.h"

#include "common/clock.h"
#include "core/memory.h"
#include "limits.h"
#include "log.h"
#include "monitor.h"
#include "process.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* Estimates of the memory that connections and traffic leave free. libzmq's threads would keep it,
 * so it is given back to the kernel: some time later, when the traffic is over, and not often,
 * because giving back takes some milliseconds. A connection that is cut held far more than one that
 * leaves. Those that arrive leave little each, but in a crowd every presence event of the time was
 * held for all. */
#define LINK_BYTES    (40 * 1024)
#define CUT_BYTES     (DOOR_LEFT_BYTES / 8)
#define ARRIVAL_BYTES (DOOR_LEFT_BYTES / 8)
#define GIVE_BACK_US  (5 * 1000000LL)

/* A key whose session ended. */
struct ended_key {
    unsigned char key[KEY_BYTES];
    int64_t due_us;
    struct ended_key *prev, *next;
};

struct door {
    struct door_options options;
    struct greeter *greeter;             /* owned */
    struct links *links;                 /* owned */
    struct subscriptions *subscriptions; /* owned */
    struct monitor *monitors[2];         /* owned, by socket */
    struct ended_key *ended;             /* owned: those to look at in this turn */
    struct ended_key *lost;              /* owned: in the order of their times */
    size_t others;                       /* descriptors in use that are not connections */
    uint64_t cuts;                       /* cuts whose memory was counted as left */
    uint64_t most;                       /* connections since memory was last given back */
    uint64_t left_bytes;                 /* since memory was last given back */
    bool used_events;                    /* since the server asked */
    bool is_crowd;                       /* the heap keeps less */
    int64_t give_back_us;                /* when to give memory back; INT64_MAX: not at all */
};

static int64_t account_of(void *arg, const struct link *link) {
    const struct connection *connection = link->owner;

    (void)arg;
    return link->socket == LINK_COMMANDS && connection ? core_peer_account(connection->peer) : 0;
}

static void link_ended(void *arg, struct link *link) {
    struct door *door = arg;

    door_left(door, LINK_BYTES);
    if (link->socket == LINK_EVENTS)
        subscriptions_closed(door->subscriptions, link);
    else
        connection_hint(door->options.connections, link, clock_us());
}

static bool open_monitors(struct door *door) {
    const struct door_options *options = &door->options;
    const struct sockets *sockets = options->sockets;

    door->monitors[LINK_COMMANDS] = monitor_new(options->context, sockets->commands, "commands");
    door->monitors[LINK_EVENTS] = monitor_new(options->context, sockets->events, "events");
    return door->monitors[LINK_COMMANDS] && door->monitors[LINK_EVENTS];
}

static bool open_greeter(struct door *door, size_t descriptors_max) {
    struct door_options *options = &door->options;
    size_t guests = descriptors_max / GUESTS_ONE_OF;

    door->greeter = greeter_new(options->sockets->greeter, &options->facts,
                                guests < GUESTS_MAX ? guests : GUESTS_MAX,
                                core_stats(options->core), options->pace);
    options->sockets->greeter = -1; /* the greeter's now */
    return door->greeter != NULL;
}

struct door *door_new(const struct door_options *options) {
    struct door *door = memory_new(sizeof *door);
    struct links_options links = {
        .stats = core_stats(options->core),
        .pace = options->pace,
        .descriptors_max = descriptors_raise(),
        .account = account_of,
        .closed = link_ended,
        .arg = door,
    };

    door->options = *options;
    door->give_back_us = INT64_MAX;
    door->links = links_new(&links);
    if (!door->links || !open_monitors(door) || !open_greeter(door, links.descriptors_max)) {
        door_free(door);
        return NULL;
    }
    door->subscriptions = subscriptions_new(options->core, door->links, options->pace);
    connections_init(options->connections, options->core, options->sockets->commands, door->links);
    door->others = descriptors_open();
    log_info("descriptors", "max=%zu used=%zu", links.descriptors_max, door->others);
    return door;
}

static void keys_free(struct ended_key *keys) {
    struct ended_key *key, *next;

    DL_FOREACH_SAFE(keys, key, next) {
        free(key);
    }
}

void door_free(struct door *door) {
    if (!door)
        return;
    monitor_free(door->monitors[LINK_COMMANDS]);
    monitor_free(door->monitors[LINK_EVENTS]);
    greeter_free(door->greeter);
    links_free(door->links);
    subscriptions_free(door->subscriptions);
    keys_free(door->ended);
    keys_free(door->lost);
    free(door);
}

void *door_commands_monitor(const struct door *door) {
    return monitor_socket(door->monitors[LINK_COMMANDS]);
}

void *door_events_monitor(const struct door *door) {
    return monitor_socket(door->monitors[LINK_EVENTS]);
}

int door_greeter_fd(const struct door *door) {
    return greeter_fd(door->greeter);
}

int door_watch_fd(const struct door *door) {
    return links_watch_fd(door->links);
}

bool door_watches(const struct door *door) {
    return links_watches(door->links);
}

bool door_doubts(const struct door *door) {
    return links_doubt(door->links);
}

/* ---- what comes ---- */

/* The monitor does not tell whose handshake it was. */
static void handshake_failed(struct door *door, enum link_socket socket) {
    core_stats(door->options.core)->handshakes_failed_total++;
    links_tell_refused(door->links, "handshake_failed", NULL, socket);
}

static void take_monitor(struct door *door, enum link_socket socket) {
    struct monitor_event event;

    while (monitor_next(door->monitors[socket], &event))
        if (event.kind == MONITOR_HANDSHAKE_FAILED)
            handshake_failed(door, socket);
        else if (event.kind == MONITOR_ACCEPTED)
            links_accepted(door->links, event.fd, socket);
        else if (event.kind == MONITOR_DISCONNECTED)
            links_closed(door->links, event.fd, socket);
}

void door_greet(struct door *door) {
    greeter_serve(door->greeter);
}

void door_take(struct door *door) {
    take_monitor(door, LINK_COMMANDS);
    take_monitor(door, LINK_EVENTS);
}

bool door_used_events(struct door *door) {
    bool used = door->used_events;

    door->used_events = false;
    return used;
}

void door_take_subscriptions(struct door *door) {
    door->used_events = true;
    take_monitor(door, LINK_EVENTS);
    subscriptions_read(door->subscriptions, door->options.sockets->events);
    core_stats(door->options.core)->subscriptions = subscriptions_count(door->subscriptions);
}

/* ---- the ends of keys ---- */

void door_session_ended(struct door *door, struct connection *connection,
                        const unsigned char key[KEY_BYTES], bool lost) {
    struct ended_key *ended = memory_new(sizeof *ended);

    if (connection->link && connection->link->rank == LINK_MEMBER)
        link_set_rank(door->links, connection->link, LINK_STRANGER);
    memcpy(ended->key, key, KEY_BYTES);
    ended->due_us = clock_us() + (lost ? EVENTS_GRACE_S * 1000000LL : 0);
    if (lost)
        DL_APPEND(door->lost, ended);
    else
        DL_APPEND(door->ended, ended);
}

static void end_key(struct door *door, struct ended_key *ended) {
    if (!core_key_is_live(door->options.core, ended->key))
        subscriptions_end(door->subscriptions, ended->key);
    free(ended);
}

void door_end_keys(struct door *door) {
    struct ended_key *ended, *next;
    int64_t now_us = door->lost ? clock_us() : 0;

    DL_FOREACH_SAFE(door->ended, ended, next) {
        end_key(door, ended);
    }
    door->ended = NULL;
    while ((ended = door->lost) && ended->due_us <= now_us) {
        DL_DELETE(door->lost, ended);
        end_key(door, ended);
    }
}

/* ---- time ---- */

void door_left(struct door *door, uint64_t bytes) {
    door->left_bytes += bytes;
    if (door->give_back_us == INT64_MAX && door->left_bytes >= DOOR_LEFT_BYTES)
        door->give_back_us = clock_us() + GIVE_BACK_US;
}

static void note_cuts(struct door *door) {
    uint64_t cuts = links_cut_total(door->links);

    if (cuts > door->cuts)
        door_left(door, (cuts - door->cuts) * CUT_BYTES);
    door->cuts = cuts;
}

static void note_arrivals(struct door *door) {
    uint64_t there = core_stats(door->options.core)->connections;

    if (there <= door->most)
        return;
    door_left(door, (there - door->most) * ARRIVAL_BYTES);
    door->most = there;
}

static void note_crowd(struct door *door) {
    bool is_crowd = core_stats(door->options.core)->connections > PUBLICATION_CROWD;

    if (is_crowd != door->is_crowd)
        heap_keep_less(is_crowd);
    door->is_crowd = is_crowd;
}

static void give_back(struct door *door) {
    if (door->give_back_us == INT64_MAX || clock_us() < door->give_back_us)
        return;
    door->left_bytes = 0;
    door->most = core_stats(door->options.core)->connections;
    door->give_back_us = INT64_MAX;
    heap_give_back();
}

void door_tick(struct door *door) {
    greeter_tick(door->greeter);
    if (door_watches(door))
        links_look(door->links);
    links_tick(door->links, door->others + greeter_guests(door->greeter));
    note_cuts(door);
    note_arrivals(door);
    note_crowd(door);
    give_back(door);
}

static int64_t until_us(int64_t due_us) {
    int64_t wait = due_us == INT64_MAX ? INT64_MAX : due_us - clock_us();

    return wait > 0 ? wait : 0;
}

int64_t door_wait_us(const struct door *door) {
    int64_t first = links_wait_us(door->links), greeter = greeter_wait_us(door->greeter);
    int64_t lost = until_us(door->lost ? door->lost->due_us : INT64_MAX);
    int64_t give_back = until_us(door->give_back_us);

    if (door->ended)
        return 0;
    first = greeter < first ? greeter : first;
    first = lost < first ? lost : first;
    return give_back < first ? give_back : first;
}
