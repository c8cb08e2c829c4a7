/* See intake.h. A frame with more than its two parts is dropped, and so is one whose connection
 * does not prove its key: such a frame may have outlived its connection, so nobody is cut for
 * it. */
#include "intake.h"

#include <zmq.h>

/* The most that one turn takes from the command socket: with more, the peers of its first frames
 * would wait too long for their answers. The bytes are three chunks: with four an upload is no
 * faster, and messages beside it wait longer (`zchat-bench files --beside`). */
#define TURN_FRAMES_MAX 256
#define TURN_BYTES_MAX  (768 * 1024)
/* The most if somebody waits who did not send much: a message should not have to be committed
 * together with chunks of several files. */
#define TURN_BYTES_MIXED (256 * 1024)
#define FRAME_BYTES_MUCH (64 * 1024)

/* Reads away the parts behind the second one of a message that has too many. */
static bool drop_parts(void *socket, zmq_msg_t *part) {
    bool dropped = false;

    while (zmq_msg_more(part) && zmq_msg_recv(part, socket, ZMQ_DONTWAIT) >= 0)
        dropped = true;
    return dropped;
}

/* Takes one frame; false: there is none. */
static bool take_frame(struct intake *intake, size_t *bytes, int64_t now) {
    void *socket = intake->socket;
    struct connection *connection;
    zmq_msg_t id, payload;
    bool taken = false;

    zmq_msg_init(&id);
    zmq_msg_init(&payload);
    if (zmq_msg_recv(&id, socket, ZMQ_DONTWAIT) < 0) {
        links_drained(intake->connections->links, LINK_COMMANDS);
        goto out;
    }
    taken = true;
    if (!zmq_msg_more(&id) || zmq_msg_recv(&payload, socket, ZMQ_DONTWAIT) < 0)
        goto out;
    *bytes = zmq_msg_size(&payload);
    connection = connection_of(intake->connections, &id, &payload, now);
    if (!connection) {
        core_stats(intake->core)->frames_unproved_total++;
        links_tell_refused(intake->connections->links, "frame_unproved",
                           zmq_msg_gets(&payload, "Peer-Address"), LINK_COMMANDS);
    }
    if (zmq_msg_more(&payload)) {
        drop_parts(socket, &payload);
        core_stats(intake->core)->frames_parts_total++;
        if (connection)
            core_frame_dropped(intake->core, connection->peer, *bytes, now);
    } else if (connection) {
        core_frame(intake->core, connection->peer, zmq_msg_data(&payload), zmq_msg_size(&payload),
                   now);
        connection_served(intake->connections, connection);
    }
out:
    zmq_msg_close(&payload);
    zmq_msg_close(&id);
    return taken;
}

void intake_init(struct intake *intake, void *socket, struct connections *connections,
                 struct core *core) {
    *intake = (struct intake){.socket = socket, .connections = connections, .core = core};
    intake_begin_turn(intake);
}

void intake_begin_turn(struct intake *intake) {
    intake->frames = intake->bytes = 0;
    intake->bytes_max = TURN_BYTES_MAX;
}

bool intake_is_full(const struct intake *intake) {
    return intake->frames >= TURN_FRAMES_MAX || intake->bytes >= intake->bytes_max ||
           core_is_full(intake->core);
}

void intake_take(struct intake *intake, int64_t now) {
    size_t bytes = 0;

    while (!intake_is_full(intake) && take_frame(intake, &bytes, now)) {
        intake->frames++;
        intake->bytes += bytes;
        if (bytes < FRAME_BYTES_MUCH)
            intake->bytes_max = TURN_BYTES_MIXED;
        bytes = 0;
    }
}
