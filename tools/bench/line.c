/* See line.h. */
#include "line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

bool board_init(struct board *board, struct loop *loop) {
    *board = (struct board){.loop = loop, .context = curve_context(1)};
    return board->context != NULL;
}

void board_release(struct board *board) {
    curve_context_free(board->context);
    board->context = NULL;
}

/* ---- reading ---- */

static void touch(struct line *line) {
    if (line->is_touched || line->is_reading)
        return;
    line->is_touched = true;
    line->next = line->board->touched;
    line->board->touched = line;
}

/* Reads until there is nothing: from then on the descriptor tells of new frames. */
static void read_all(struct line *line) {
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    line->is_reading = true;
    while (line->socket && zmq_msg_recv(&frame, line->socket, ZMQ_DONTWAIT) >= 0)
        line->on_frame(line->arg, zmq_msg_data(&frame), zmq_msg_size(&frame));
    line->is_reading = false;
    zmq_msg_close(&frame);
}

void board_settle(struct board *board) {
    for (struct line *line; (line = board->touched);) {
        board->touched = line->next;
        line->is_touched = false;
        read_all(line);
    }
}

static void process(void *arg) {
    struct line *line = arg;
    struct board *board = line->board;
    read_all(line);
    board_settle(board);
}

/* ---- the handshake ---- */

static void forget_monitor(struct line *line) {
    if (line->monitor_fd >= 0)
        loop_remove(line->board->loop, line->monitor_fd);
    line->monitor_fd = -1;
    if (line->monitor)
        zmq_close(line->monitor);
    line->monitor = NULL;
}

/* Only one kind of event was asked for. Its address is not needed. */
static void opened(void *arg) {
    struct line *line = arg;
    struct board *board = line->board;
    char event[8], address[256];
    if (zmq_recv(line->monitor, event, sizeof event, ZMQ_DONTWAIT) < 0)
        return;
    zmq_recv(line->monitor, address, sizeof address, ZMQ_DONTWAIT);
    zmq_socket_monitor(line->socket, NULL, 0);
    forget_monitor(line);
    touch(line);
    line->on_open(line->arg);
    board_settle(board);
}

/* A pipe that nobody has tried to read yet wakes nobody, so each socket is read once. */
static bool watch(struct line *line, void *socket, int *fd, struct loop_source *source) {
    size_t bytes = sizeof *fd;
    int found;
    if (zmq_getsockopt(socket, ZMQ_FD, &found, &bytes) != 0 ||
        !loop_add(line->board->loop, found, source))
        return false;
    *fd = found;
    return true;
}

static bool watch_handshake(struct line *line) {
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "inproc://monitor-%" PRIu64, line->board->monitors++);
    if (zmq_socket_monitor(line->socket, endpoint, ZMQ_EVENT_HANDSHAKE_SUCCEEDED) != 0)
        return false;
    line->monitor = zmq_socket(line->board->context, ZMQ_PAIR);
    line->monitor_source = (struct loop_source){opened, line};
    return line->monitor && curve_set(line->monitor, ZMQ_LINGER, 0) &&
           zmq_connect(line->monitor, endpoint) == 0 &&
           watch(line, line->monitor, &line->monitor_fd, &line->monitor_source) &&
           zmq_recv(line->monitor, NULL, 0, ZMQ_DONTWAIT) < 0;
}

/* ---- its life ---- */

bool line_open(struct line *line, struct board *board, enum line_kind kind,
               const struct curve_keys *keys, const char *server_key, const char *endpoint) {
    line->board = board;
    line->fd = line->monitor_fd = -1;
    line->source = (struct loop_source){process, line};
    line->socket = curve_client(board->context, kind == LINE_SUB ? ZMQ_SUB : ZMQ_DEALER,
                                CURVE_FRAMES_ANY, keys, server_key);
    if (!line->socket || !watch(line, line->socket, &line->fd, &line->source) ||
        (line->on_open && !watch_handshake(line)) || zmq_connect(line->socket, endpoint) != 0)
        return false;
    read_all(line);
    return true;
}

static void untouch(struct line *line) {
    struct line **at = &line->board->touched;
    while (*at && *at != line)
        at = &(*at)->next;
    if (*at)
        *at = line->next;
    line->is_touched = false;
}

void line_close(struct line *line) {
    if (!line->board)
        return;
    forget_monitor(line);
    if (line->fd >= 0)
        loop_remove(line->board->loop, line->fd);
    if (line->is_touched)
        untouch(line);
    if (line->socket)
        zmq_close(line->socket);
    line->socket = NULL;
    line->board = NULL;
}

bool line_send(struct line *line, const void *frame, size_t frame_bytes) {
    touch(line);
    return zmq_send(line->socket, frame, frame_bytes, ZMQ_DONTWAIT) >= 0;
}

bool line_subscribe(struct line *line, const void *prefix, size_t prefix_bytes) {
    touch(line);
    return zmq_setsockopt(line->socket, ZMQ_SUBSCRIBE, prefix, prefix_bytes) == 0;
}
