#include "monitor.h"

#include "core/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define EVENTS                                                                                     \
    (ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |          \
     ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

struct monitor {
    void *socket;   /* owned: the PAIR socket that receives */
    void *observed; /* borrowed: the server's */
};

struct monitor *monitor_new(void *context, void *socket, const char *name) {
    struct monitor *monitor = memory_new(sizeof *monitor);
    char endpoint[64];
    int no_limit = 0; /* if an event were lost, nobody would miss the connection */

    snprintf(endpoint, sizeof endpoint, "inproc://monitor-%s", name);
    monitor->observed = socket;
    monitor->socket = zmq_socket(context, ZMQ_PAIR);
    if (!monitor->socket || zmq_socket_monitor(socket, endpoint, EVENTS) != 0 ||
        zmq_setsockopt(monitor->socket, ZMQ_RCVHWM, &no_limit, sizeof no_limit) != 0 ||
        zmq_connect(monitor->socket, endpoint) != 0) {
        monitor_free(monitor);
        return NULL;
    }
    return monitor;
}

void monitor_free(struct monitor *monitor) {
    if (!monitor)
        return;
    zmq_socket_monitor(monitor->observed, NULL, 0);
    if (monitor->socket)
        zmq_close(monitor->socket);
    free(monitor);
}

void *monitor_socket(const struct monitor *monitor) {
    return monitor->socket;
}

static enum monitor_kind kind_of(uint16_t event) {
    switch (event) {
    case ZMQ_EVENT_ACCEPTED:
        return MONITOR_ACCEPTED;
    case ZMQ_EVENT_DISCONNECTED:
        return MONITOR_DISCONNECTED;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        return MONITOR_HANDSHAKE_FAILED;
    default:
        return MONITOR_OTHER;
    }
}

bool monitor_next(struct monitor *monitor, struct monitor_event *event) {
    unsigned char bytes[6], address[256];
    uint16_t number;
    uint32_t value;

    /* Two parts: 16 bits of event and 32 of value, in this machine's order; then the endpoint. */
    if (zmq_recv(monitor->socket, bytes, sizeof bytes, ZMQ_DONTWAIT) != (int)sizeof bytes)
        return false;
    zmq_recv(monitor->socket, address, sizeof address, ZMQ_DONTWAIT);
    memcpy(&number, bytes, sizeof number);
    memcpy(&value, bytes + sizeof number, sizeof value);
    event->kind = kind_of(number);
    event->fd = (int)value;
    return true;
}
