#include "connection.h"

#include "core/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* libzmq reports a closed descriptor a moment before it removes the connection from the ROUTER. So
 * a suspect is probed at once and a few times more, at growing intervals. If it is still there
 * after the last probe, another connection owned the descriptor; TCP's keep-alive finds what is
 * left. */
static const int64_t probe_after_us[] = {0, 2000, 20 * 1000, 200 * 1000, 2000 * 1000};
/* The length of a routing id that libzmq gave. */
#define GIVEN_ID_BYTES 5
#define PROBES         (sizeof probe_after_us / sizeof probe_after_us[0])

void connections_init(struct connections *connections, struct core *core, void *socket,
                      struct links *links) {
    memset(connections, 0, sizeof *connections);
    connections->core = core;
    connections->socket = socket;
    connections->links = links;
}

static void suspect_end(struct connections *connections, struct connection *connection) {
    if (connection->suspect)
        DL_DELETE(connections->suspects, connection);
    connection->suspect = false;
}

static void connection_forget(struct connections *connections, struct connection *connection) {
    suspect_end(connections, connection);
    if (connection->gone)
        DL_DELETE(connections->gone, connection);
    if (connection->link)
        connection->link->owner = NULL;
    HASH_DEL(connections->by_id, connection);
    pipe_release(connection->pipe);
    free(connection->id);
    free(connection);
}

void connections_release(struct connections *connections) {
    struct connection *connection, *next;

    HASH_ITER(hh, connections->by_id, connection, next) {
        connection_forget(connections, connection);
    }
}

static void connection_close(struct connections *connections, struct connection *connection,
                             int64_t now_us) {
    core_peer_close(connections->core, connection->peer, now_us);
    connection_forget(connections, connection);
}

/* An IPv6 socket tells the addresses of IPv4 peers with a prefix that people don't know. */
static const char *plain_address(const char *address) {
    static const char mapped[] = "::ffff:";

    if (!address)
        return "";
    return strncmp(address, mapped, sizeof mapped - 1) ? address : address + sizeof mapped - 1;
}

static struct connection *connection_open(struct connections *connections, zmq_msg_t *id,
                                          const char *user, const char *address, int64_t now_us) {
    struct connection *connection;
    unsigned char key[KEY_BYTES];

    if (!key_parse(user, key))
        return NULL;
    connection = memory_new(sizeof *connection);
    connection->id_bytes = zmq_msg_size(id);
    connection->id = memory_new(connection->id_bytes + 1);
    memcpy(connection->id, zmq_msg_data(id), connection->id_bytes);
    strcpy(connection->key, user);
    connection->fd = -1;
    connection->pipe = pipe_new(&connections->pipes);
    connection->peer =
        core_peer_open(connections->core, key, plain_address(address), connection, now_us);
    HASH_ADD_KEYPTR(hh, connections->by_id, connection->id, connection->id_bytes, connection);
    return connection;
}

static void suspect(struct connections *connections, struct connection *connection,
                    int64_t now_us) {
    if (connection->suspect || connection->gone)
        return;
    connection->suspect = true;
    connection->probes = 0;
    connection->probe_us = now_us;
    DL_APPEND(connections->suspects, connection);
}

/* Notes the link that the frame came over; the connection that seemed to have that link has lost
 * it. If the link is closed already, the frame is the last one of its connection. */
static void connection_note_fd(struct connections *connections, struct connection *connection,
                               int fd, int64_t now_us) {
    struct link *link = links_find(connections->links, fd);
    struct connection *former = link ? link->owner : NULL;

    connection->fd = fd;
    connection->link = link;
    if (!link || link->socket != LINK_COMMANDS) {
        connection->link = NULL;
        suspect(connections, connection, now_us);
        return;
    }
    if (former && former != connection) {
        former->link = NULL;
        suspect(connections, former, now_us);
    }
    link->owner = connection;
    link_set_rank(connections->links, link, LINK_STRANGER);
}

static void connection_came_by(struct connections *connections, struct connection *connection,
                               int fd, int64_t now_us) {
    if (fd != connection->fd || !connection->link)
        connection_note_fd(connections, connection, fd, now_us);
    if (!connection->link)
        return;
    links_took(connections->links, connection->link);
}

void connection_served(struct connections *connections, struct connection *connection) {
    if (connection->link && connection->link->rank == LINK_STRANGER &&
        core_peer_has_session(connection->peer))
        link_set_rank(connections->links, connection->link, LINK_MEMBER);
}

/* A peer that chose its routing id itself may have chosen one that somebody else has just left:
 * what is on its way to them would go to the new owner. libzmq never gives one of its own ids
 * twice. They are a NUL and a number. A peer's own id may begin with a NUL, too, so that it looks
 * empty as a string. */
static bool chose_its_id(zmq_msg_t *id, zmq_msg_t *payload) {
    const char *identity = zmq_msg_gets(payload, "Identity");

    return (identity && identity[0]) || zmq_msg_size(id) != GIVEN_ID_BYTES ||
           *(const char *)zmq_msg_data(id) != '\0';
}

struct connection *connection_of(struct connections *connections, zmq_msg_t *id, zmq_msg_t *payload,
                                 int64_t now_us) {
    const char *user = zmq_msg_gets(payload, "User-Id");
    struct connection *connection = NULL;

    if (!user || chose_its_id(id, payload))
        return NULL;
    HASH_FIND(hh, connections->by_id, zmq_msg_data(id), zmq_msg_size(id), connection);
    if (connection && strcmp(connection->key, user) != 0) {
        connection_close(connections, connection, now_us);
        connection = NULL;
    }
    if (!connection)
        connection =
            connection_open(connections, id, user, zmq_msg_gets(payload, "Peer-Address"), now_us);
    if (connection)
        connection_came_by(connections, connection, zmq_msg_get(payload, ZMQ_SRCFD), now_us);
    return connection;
}

void connection_hint(struct connections *connections, struct link *link, int64_t now_us) {
    struct connection *connection = link->owner;

    if (!connection)
        return;
    link->owner = NULL;
    connection->link = NULL;
    suspect(connections, connection, now_us);
}

void connection_cut(struct connections *connections, struct connection *connection,
                    const char *kind, uint64_t *counter) {
    if (connection->link && !connection->suspect && !connection->gone)
        link_cut(connections->links, connection->link, kind, counter);
}

void connection_is_gone(struct connections *connections, struct connection *connection) {
    if (connection->gone)
        return;
    suspect_end(connections, connection);
    connection->gone = true;
    DL_APPEND(connections->gone, connection);
}

/* Sends an empty batch: if ZeroMQ refuses even the routing id, nobody is there. */
static bool connection_answers(struct connections *connections, struct connection *connection) {
    if (zmq_send(connections->socket, connection->id, connection->id_bytes,
                 ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
        return errno != EHOSTUNREACH;
    zmq_send(connections->socket, "", 0, ZMQ_DONTWAIT);
    return true;
}

/* The suspect has answered for so long that its descriptor can't be somebody else's by now. */
static void suspect_clear(struct connections *connections, struct connection *connection,
                          int64_t now_us) {
    if (!connection->link)
        connection_note_fd(connections, connection, connection->fd, now_us);
    suspect_end(connections, connection);
}

void connections_tick(struct connections *connections, int64_t now_us) {
    struct connection *connection, *next;
    int events;
    size_t events_bytes = sizeof events;

    /* Makes libzmq carry out what is waiting for the socket, a connection's end above all. */
    if (connections->suspects)
        zmq_getsockopt(connections->socket, ZMQ_EVENTS, &events, &events_bytes);
    DL_FOREACH_SAFE(connections->suspects, connection, next) {
        if (now_us < connection->probe_us)
            continue;
        if (!connection_answers(connections, connection))
            connection_is_gone(connections, connection);
        else if (++connection->probes == PROBES)
            suspect_clear(connections, connection, now_us);
        else
            connection->probe_us = now_us + probe_after_us[connection->probes];
    }
    DL_FOREACH_SAFE(connections->gone, connection, next) {
        if (core_is_full(connections->core))
            break; /* if a crowd left at once, nobody has to wait for it */
        connection_close(connections, connection, now_us);
    }
}

int64_t connections_deadline(const struct connections *connections) {
    const struct connection *connection;
    int64_t deadline = connections->gone ? 0 : INT64_MAX;

    DL_FOREACH(connections->suspects, connection) {
        if (connection->probe_us < deadline)
            deadline = connection->probe_us;
    }
    return deadline;
}
