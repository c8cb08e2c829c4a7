/* See probe.h. The socket is held while it is looked at, so that its number can't get a new owner.
 * A part of an unfinished frame may wait for some milliseconds, which hurts nobody. */
#include "probe.h"

#include "common/clock.h"
#include "link_inside.h"

#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

#define LOOKED_AT_BYTES 4096
#define ENOUGH_BYTES    2048
#define PATIENCE_US     (100 * 1000)

/* Sets how many bytes must be there before libzmq is told of them. */
static bool keep(struct links *links, struct link *link, int bytes) {
    int fd = link_hold(links, link);
    bool kept = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes) == 0;

    link_let_go(links);
    return kept;
}

void probe_begin(struct links *links, struct link *link) {
    if (link->probe_us != 0 || !keep(links, link, LOOKED_AT_BYTES))
        return;
    link->probe_us = clock_us();
    DL_APPEND2(links->probes, link, probe_prev, probe_next);
}

void probe_end(struct links *links, struct link *link) {
    if (link->probe_us == 0)
        return;
    link->probe_us = 0;
    DL_DELETE2(links->probes, link, probe_prev, probe_next);
    keep(links, link, 1);
}

static bool has_head(const char *bytes, size_t count) {
    static const char head[] = "\x07MESSAGE";
    size_t length = sizeof head - 1;

    for (size_t i = 0; i + length <= count; i++)
        if (!memcmp(bytes + i, head, length))
            return true;
    return false;
}

static void look(struct links *links, struct link *link,
                 void (*small)(struct links *links, struct link *link)) {
    char bytes[LOOKED_AT_BYTES];
    int fd = link_hold(links, link);
    ssize_t count = fd >= 0 ? recv(fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT) : 0;
    bool began = count > 0 && has_head(bytes, (size_t)count);

    link_let_go(links);
    if (!began && count < ENOUGH_BYTES && clock_us() - link->probe_us < PATIENCE_US)
        return;
    probe_end(links, link);
    if (began)
        small(links, link);
}

void probes_look(struct links *links, void (*small)(struct links *links, struct link *link)) {
    struct link *link, *next;

    DL_FOREACH_SAFE2(links->probes, link, next, probe_next) {
        look(links, link, small);
    }
}
