/* What libzmq reports of a socket's connections, by file descriptor: accepted ones, closed ones
 * (which is only a hint), and failed handshakes. */
#ifndef MONITOR_H
#define MONITOR_H

#include <stdbool.h>

struct monitor;

/* `name` is unique in the context. NULL: errno says why. */
struct monitor *monitor_new(void *context, void *socket, const char *name);
void monitor_free(struct monitor *monitor);
void *monitor_socket(const struct monitor *monitor);

enum monitor_kind {
    MONITOR_ACCEPTED,
    MONITOR_DISCONNECTED,
    MONITOR_HANDSHAKE_FAILED,
    MONITOR_OTHER,
};

struct monitor_event {
    enum monitor_kind kind;
    int fd;
};
/* The next event; false: there is none now. */
bool monitor_next(struct monitor *monitor, struct monitor_event *event);

#endif
