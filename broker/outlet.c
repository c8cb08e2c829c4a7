#include "outlet.h"

#include "limits.h"

#include <errno.h>
#include <stdlib.h>

/* Each cut looks at all connections. */
#define CUTS_A_TURN 16

void outlet_init(struct outlet *outlet, void *commands, void *events,
                 struct connections *connections, struct door *door, struct core *core) {
    outlet->door = door;
    outlet->commands = commands;
    outlet->events = events;
    outlet->connections = connections;
    outlet->core = core;
    outlet->look_us = INT64_MAX;
    outlet->published = pipe_new(&outlet->published_total);
}

void outlet_release(struct outlet *outlet) {
    pipe_release(outlet->published);
    outlet->published = NULL;
}

size_t outlet_in_pipe(const void *connection) {
    return pipe_bytes(((const struct connection *)connection)->pipe);
}

size_t outlet_in_all_pipes(const void *connections) {
    return pipe_total_bytes(&((const struct connections *)connections)->pipes);
}

/* ---- sending ---- */

/* Whether libzmq may hold that much more for the peer. It may always hold one frame. */
static bool pipe_has_room(const struct connection *connection, size_t bytes) {
    size_t held = pipe_bytes(connection->pipe);

    return held == 0 || held + bytes <= PIPE_BYTES_MAX;
}

/* Sends a frame to a peer. false: its pipe is full, the frame is still the caller's. */
static bool send_to_peer(struct outlet *outlet, struct core_frame *frame) {
    struct connection *connection = core_peer_owner(frame->peer);
    zmq_msg_t payload;

    if (!pipe_has_room(connection, frame->length))
        return false;
    if (zmq_send(outlet->commands, connection->id, connection->id_bytes,
                 ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        if (errno == EAGAIN)
            return false;
        connection_is_gone(outlet->connections, connection);
        free(frame->bytes);
        return true;
    }
    pipe_message(connection->pipe, &payload, frame->bytes, frame->length);
    if (zmq_msg_send(&payload, outlet->commands, ZMQ_DONTWAIT) < 0)
        zmq_msg_close(&payload);
    return true;
}

/* libzmq copies a long frame for each subscriber. Frames that subscribers don't take must not fill
 * the memory: the numbers of the events show what was missed, and Sync makes up for it. */
static void publish(struct outlet *outlet, struct core_frame *frame) {
    zmq_msg_t payload;

    if (pipe_bytes(outlet->published) + frame->length > PUBLISHED_BYTES_MAX) {
        core_stats(outlet->core)->publications_dropped_total++;
        free(frame->bytes);
        return;
    }
    if (frame->length > PUBLICATION_BYTES_CROWD)
        door_left(outlet->door, frame->length * core_stats(outlet->core)->connections);
    pipe_message(outlet->published, &payload, frame->bytes, frame->length);
    if (zmq_msg_send(&payload, outlet->events, ZMQ_DONTWAIT) < 0)
        zmq_msg_close(&payload);
}

/* Cuts a peer off for what it does not read. If that can't be done now it is tried again. */
static void cut(struct outlet *outlet, struct connection *connection, const char *kind) {
    connection_cut(outlet->connections, connection, kind,
                   &core_stats(outlet->core)->peers_unread_cut_total);
}

void outlet_gave_up(struct outlet *outlet, struct connection *connection, int64_t now_us) {
    cut(outlet, connection, "answers_unread");
    if (outlet->look_us == INT64_MAX)
        outlet->look_us = now_us + UNREAD_LOOK_US;
}

void outlet_send(struct outlet *outlet, int64_t now_us) {
    struct core_frame frame;
    bool published = false;

    while (core_next_frame(outlet->core, &frame)) {
        if (!frame.peer) {
            if (!published) /* first cuts who may not hear it */
                door_take_subscriptions(outlet->door);
            published = true;
            publish(outlet, &frame);
        } else if (!send_to_peer(outlet, &frame) &&
                   !core_frame_refused(outlet->core, &frame, now_us)) {
            cut(outlet, core_peer_owner(frame.peer), "answers_unread");
        }
    }
    if (outlet->look_us == INT64_MAX &&
        (pipe_total_bytes(&outlet->connections->pipes) > 0 || pipe_bytes(outlet->published) > 0))
        outlet->look_us = now_us + UNREAD_LOOK_US;
}

/* ---- who does not read ---- */

static size_t held_by(const struct connection *connection) {
    return core_peer_queued(connection->peer) + pipe_bytes(connection->pipe);
}

static size_t held_by_all(const struct outlet *outlet) {
    return core_queued(outlet->core) + pipe_total_bytes(&outlet->connections->pipes);
}

/* Cuts a peer for which something has waited long and that took nothing; and one that could not be
 * cut when it should have been. */
static void look_at(struct outlet *outlet, struct connection *connection, int64_t now_us) {
    if (core_peer_lost_replies(connection->peer))
        cut(outlet, connection, "answers_unread");
    else if (progress_look(&connection->progress, connection->fd, held_by(connection) > 0,
                           pipe_taken(connection->pipe), now_us) >= UNREAD_CUT_US)
        cut(outlet, connection, "nothing_read");
}

static void look(struct outlet *outlet, int64_t now_us) {
    struct connection *connection, *next;
    bool any = false;

    HASH_ITER(hh, outlet->connections->by_id, connection, next) {
        look_at(outlet, connection, now_us);
        any = any || held_by(connection) > 0 || core_peer_lost_replies(connection->peer);
    }
    any = any || pipe_bytes(outlet->published) > 0;
    outlet->look_us = any ? now_us + UNREAD_LOOK_US : INT64_MAX;
    if (pipe_bytes(outlet->published) > PUBLISHED_BYTES_MAX / 4)
        links_cut_unread(outlet->connections->links, LINK_EVENTS, UNREAD_LOOK_US,
                         &core_stats(outlet->core)->peers_unread_cut_total);
}

/* Whether it was cut or has ended, but is not forgotten yet. */
static bool is_leaving(const struct connection *connection) {
    return !connection->link || connection->link->rank == LINK_CUT || connection->suspect ||
           connection->gone;
}

/* How much is held by those that stay; and which of them holds the most. */
static size_t held_by_those_that_stay(const struct outlet *outlet, struct connection **largest) {
    struct connection *connection, *next;
    size_t held = 0;

    *largest = NULL;
    HASH_ITER(hh, outlet->connections->by_id, connection, next) {
        if (is_leaving(connection))
            continue;
        held += held_by(connection);
        if (!*largest || held_by(connection) > held_by(*largest))
            *largest = connection;
    }
    return held;
}

/* Cuts the largest holders until the others hold less than the bound. What the cut ones hold is
 * given back a few turns later, and nobody else is cut for it. */
static void cut_largest(struct outlet *outlet) {
    struct connection *largest;

    for (int i = 0; i < CUTS_A_TURN; i++) {
        if (held_by_those_that_stay(outlet, &largest) <= PEERS_BYTES_MAX ||
            held_by(largest) < PEER_BYTES_FAIR)
            return;
        cut(outlet, largest, "much_unread");
    }
}

void outlet_tick(struct outlet *outlet, int64_t now_us) {
    struct stats *stats = core_stats(outlet->core);

    stats->peers_held_bytes = held_by_all(outlet);
    stats->published_held_bytes = pipe_bytes(outlet->published);
    if (stats->peers_held_bytes > DOOR_LEFT_BYTES)
        door_left(outlet->door, stats->peers_held_bytes);
    if (stats->peers_held_bytes > PEERS_BYTES_MAX)
        cut_largest(outlet);
    if (now_us >= outlet->look_us)
        look(outlet, now_us);
}

int64_t outlet_deadline(const struct outlet *outlet) {
    return outlet->look_us;
}
