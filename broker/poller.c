#define _GNU_SOURCE /* ppoll */
#include "poller.h"

#include "common/clock.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <time.h>
#include <zmq.h>

bool poller_begin(struct poller_item *items, size_t count) {
    assert(count <= POLLER_ITEMS_MAX);
    for (size_t i = 0; i < count; i++) {
        size_t bytes = sizeof items[i].fd;

        items[i].used = items[i].wanted = true;
        if (items[i].socket && zmq_getsockopt(items[i].socket, ZMQ_FD, &items[i].fd, &bytes) != 0)
            return false;
    }
    return true;
}

/* Asks libzmq what the socket has; from here on the descriptor becomes readable for what is new. */
static bool ask(struct poller_item *item) {
    int events;
    size_t bytes = sizeof events;

    if (zmq_getsockopt(item->socket, ZMQ_EVENTS, &events, &bytes) != 0)
        return false;
    item->ready = (events & ZMQ_POLLIN) != 0;
    item->used = item->ready;
    return true;
}

/* Asks those that were used since they were last asked; *any: one of them is ready. */
static bool ask_used(struct poller_item *items, size_t count, bool *any) {
    for (size_t i = 0; i < count; i++) {
        items[i].ready = false;
        if (items[i].socket && items[i].wanted && items[i].used && !ask(&items[i]))
            return false;
        *any = *any || items[i].ready;
    }
    return true;
}

static bool ask_told(struct poller_item *items, const struct pollfd *told, size_t count,
                     bool *any) {
    for (size_t i = 0; i < count; i++) {
        if (told[i].revents & POLLNVAL) {
            errno = EBADF;
            return false;
        }
        if (told[i].revents && items[i].socket && !ask(&items[i]))
            return false;
        if (told[i].revents && !items[i].socket)
            items[i].ready = true;
        *any = *any || items[i].ready;
    }
    return true;
}

/* Waits once; the wait may end early with nothing ready. */
static bool wait_once(struct poller_item *items, size_t count, int64_t timeout_us, bool *any) {
    struct pollfd told[POLLER_ITEMS_MAX];
    struct timespec timeout = {0, 0};

    if (!ask_used(items, count, any))
        return false;
    for (size_t i = 0; i < count; i++)
        told[i] = (struct pollfd){.fd = items[i].wanted ? items[i].fd : -1, .events = POLLIN};
    if (!*any && timeout_us > 0)
        timeout = (struct timespec){timeout_us / 1000000, timeout_us % 1000000 * 1000};
    return ppoll(told, count, *any || timeout_us >= 0 ? &timeout : NULL, NULL) >= 0 &&
           ask_told(items, told, count, any);
}

bool poller_wait(struct poller_item *items, size_t count, int64_t timeout_us) {
    int64_t end_us = timeout_us > 0 ? clock_us() + timeout_us : 0;
    bool any = false;

    if (!wait_once(items, count, timeout_us, &any))
        return false;
    while (!any && timeout_us != 0) {
        if (timeout_us > 0)
            timeout_us = end_us > clock_us() ? end_us - clock_us() : 0;
        if (timeout_us != 0 && !wait_once(items, count, timeout_us, &any))
            return false;
    }
    return true;
}
