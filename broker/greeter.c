/* See greeter.h. A guest is closed some seconds after it came or was last answered; if all places
 * are taken, the oldest guest of the address with the most guests is closed. Nothing waits to be
 * written: if the kernel does not take an answer at once, the guest does not read, and is
 * closed. */
#define _GNU_SOURCE /* accept4 */
#include "greeter.h"

#include "common/clock.h"
#include "core/memory.h"
#include "core/stats.h"
#include "link.h"
#include "log.h"
#include "tcp.h"
#include "wire.h"
#include "zmtp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uthash.h>
#include <utlist.h>

/* How much one turn does: whoever floods this port must not keep the others waiting. */
#define ACCEPTS_A_TURN 64
#define EVENTS_A_TURN  64
#define GUEST_US       (GUEST_S * 1000000LL)
/* How long nobody is accepted when there are no descriptors. */
#define PAUSE_US 100000LL

struct guest_source {
    char name[SOURCE_BYTES];
    size_t guests;
    UT_hash_handle hh;
};

struct guest {
    int fd;
    int64_t until_us;
    unsigned answers;
    struct guest_source *source; /* borrowed: the table's */
    struct zmtp zmtp;
    struct guest *prev, *next; /* first the one to close first */
};

struct greeter {
    int listener;                 /* owned */
    int epoll;                    /* owned */
    int64_t paused_us;            /* until when nobody is accepted; 0: not paused */
    struct guest *guests;         /* owned */
    struct guest_source *sources; /* owned: those with guests */
    size_t count;
    size_t max;
    struct stats *stats;      /* borrowed */
    struct pace *pace;        /* borrowed */
    struct wire_arena *arena; /* owned */
    uint8_t *greeting;        /* owned: packed once */
    size_t greeting_bytes;
    uint8_t *out; /* owned: room for one answer */
};

static bool watch(struct greeter *greeter, int fd, void *what) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};

    return epoll_ctl(greeter->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void greeting_pack(struct greeter *greeter, const struct greeter_facts *facts) {
    Zchat__V1__Greeting greeting = ZCHAT__V1__GREETING__INIT;

    greeting.protocol_min = PROTOCOL_VERSION;
    greeting.protocol_max = PROTOCOL_VERSION;
    greeting.server_key.data = (uint8_t *)facts->server_key;
    greeting.server_key.len = KEY_BYTES;
    greeting.commands = (char *)facts->commands;
    greeting.events = (char *)facts->events;
    greeting.software = (char *)facts->software;
    greeting.schema = SCHEMA_NUMBER;
    greeter->greeting_bytes = wire_size(&greeting.base);
    greeter->greeting = memory_new(greeter->greeting_bytes);
    wire_pack(&greeting.base, greeter->greeting);
    greeter->out = memory_new(greeter->greeting_bytes + ZMTP_OVERHEAD_BYTES + ZMTP_HELLO_BYTES);
}

struct greeter *greeter_new(int listener, const struct greeter_facts *facts, size_t guests_max,
                            struct stats *stats, struct pace *pace) {
    struct greeter *greeter = memory_new(sizeof *greeter);

    greeter->listener = listener;
    greeter->max = guests_max;
    greeter->stats = stats;
    greeter->pace = pace;
    greeter->arena = wire_arena_new(16 * GREETING_BYTES_MAX);
    greeting_pack(greeter, facts);
    greeter->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (greeter->epoll >= 0 && greeter->arena && watch(greeter, listener, NULL))
        return greeter;
    greeter_free(greeter);
    return NULL;
}

int greeter_fd(const struct greeter *greeter) {
    return greeter->epoll;
}

size_t greeter_guests(const struct greeter *greeter) {
    return greeter->count;
}

static struct guest_source *source_join(struct greeter *greeter, const struct sockaddr *address) {
    struct guest_source *source = NULL;
    char name[SOURCE_BYTES];

    source_of(address, name);
    HASH_FIND_STR(greeter->sources, name, source);
    if (!source) {
        source = memory_new(sizeof *source);
        strcpy(source->name, name);
        HASH_ADD_STR(greeter->sources, name, source);
    }
    source->guests++;
    return source;
}

static void source_leave(struct greeter *greeter, struct guest_source *source) {
    if (--source->guests > 0)
        return;
    HASH_DEL(greeter->sources, source);
    free(source);
}

static void guest_close(struct greeter *greeter, struct guest *guest) {
    DL_DELETE(greeter->guests, guest);
    source_leave(greeter, guest->source);
    greeter->count--;
    close(guest->fd);
    free(guest);
}

void greeter_free(struct greeter *greeter) {
    int error = errno;

    if (!greeter)
        return;
    while (greeter->guests)
        guest_close(greeter, greeter->guests);
    if (greeter->epoll >= 0)
        close(greeter->epoll);
    close(greeter->listener);
    wire_arena_free(greeter->arena);
    free(greeter->greeting);
    free(greeter->out);
    free(greeter);
    errno = error;
}

/* ---- who comes ---- */

static const struct guest_source *source_with_most(const struct greeter *greeter) {
    const struct guest_source *source, *most = greeter->sources;

    for (source = most; source; source = source->hh.next)
        if (source->guests > most->guests)
            most = source;
    return most;
}

/* Closes the oldest guest of the address that has the most. */
static void close_oldest(struct greeter *greeter) {
    const struct guest_source *most = source_with_most(greeter);
    struct guest *guest;
    uint64_t before;

    DL_FOREACH(greeter->guests, guest) {
        if (guest->source == most)
            break;
    }
    if (!guest)
        return;
    greeter->stats->connections_crowded_total++;
    if (pace_due(greeter->pace, "greeter_crowded", most->name, clock_us(), &before))
        log_warn("connection_cut", "reason=crowded address=%s socket=greeter before=%llu",
                 most->name, (unsigned long long)before);
    guest_close(greeter, guest);
}

static bool say(const struct guest *guest, const uint8_t *bytes, size_t count) {
    return send(guest->fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)count;
}

static void guest_open(struct greeter *greeter, int fd, const struct sockaddr *address) {
    struct guest *guest = memory_new(sizeof *guest);
    uint8_t hello[ZMTP_HELLO_BYTES];

    guest->fd = fd;
    guest->until_us = clock_us() + GUEST_US;
    if (greeter->count >= greeter->max)
        close_oldest(greeter);
    guest->source = source_join(greeter, address);
    zmtp_init(&guest->zmtp);
    DL_APPEND(greeter->guests, guest);
    greeter->count++;
    if (!watch(greeter, fd, guest) || !say(guest, hello, zmtp_hello(hello)))
        guest_close(greeter, guest);
}

/* Stops accepting for a moment: without free descriptors the listener would be readable all the
 * time. */
static void pause_listening(struct greeter *greeter) {
    epoll_ctl(greeter->epoll, EPOLL_CTL_DEL, greeter->listener, NULL);
    greeter->paused_us = clock_us() + PAUSE_US;
}

static void take_guests(struct greeter *greeter) {
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage address = {0};
        socklen_t bytes = sizeof address;
        int fd = accept4(greeter->listener, (struct sockaddr *)&address, &bytes,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            guest_open(greeter, fd, (struct sockaddr *)&address);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            if (greeter->guests)
                close_oldest(greeter);
            else
                pause_listening(greeter);
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

/* ---- what they say ---- */

/* Always false: the guest has to be closed. */
static bool refuse(struct greeter *greeter, const struct guest *guest) {
    uint64_t before;

    greeter->stats->greetings_refused_total++;
    if (pace_due(greeter->pace, "greeting_refused", guest->source->name, clock_us(), &before))
        log_warn("greeting_refused", "address=%s before=%llu", guest->source->name,
                 (unsigned long long)before);
    return false;
}

static bool answer(struct greeter *greeter, struct guest *guest, const struct zmtp_news *news) {
    Zchat__V1__GreetingRequest *request;
    size_t bytes;

    wire_arena_reset(greeter->arena);
    if (wire_read_greeting_request(greeter->arena, news->bytes, news->length, &request) !=
        WIRE_FINE)
        return refuse(greeter, guest);
    greeter->stats->greetings_total++;
    guest->until_us = clock_us() + GUEST_US;
    DL_DELETE(greeter->guests, guest);
    DL_APPEND(greeter->guests, guest);
    bytes = zmtp_message(greeter->out, greeter->greeting, greeter->greeting_bytes, news->delimited);
    return say(guest, greeter->out, bytes);
}

/* Whether the guest may have another answer. Who asks more often than anybody needs to is flooding:
 * thousands of answers fit into a turn. */
static bool may_ask(struct guest *guest) {
    return ++guest->answers <= GUEST_ANSWERS_MAX;
}

/* false: the guest has to be closed. */
static bool take_news(struct greeter *greeter, struct guest *guest) {
    for (;;) {
        struct zmtp_news news = zmtp_next(&guest->zmtp);

        switch (news.event) {
        case ZMTP_NOTHING:
            return true;
        case ZMTP_REQUEST:
            if (!may_ask(guest))
                return refuse(greeter, guest);
            if (!answer(greeter, guest, &news))
                return false;
            break;
        case ZMTP_PING:
            if (!may_ask(guest))
                return refuse(greeter, guest);
            if (!say(guest, greeter->out, zmtp_pong(greeter->out, news.bytes, news.length)))
                return false;
            break;
        case ZMTP_WRONG:
            return refuse(greeter, guest);
        }
    }
}

/* Reads one buffer in each turn: what comes faster waits for the next turn. */
static void hear(struct greeter *greeter, struct guest *guest) {
    size_t room;
    uint8_t *at = zmtp_room(&guest->zmtp, &room);
    ssize_t bytes = recv(guest->fd, at, room, MSG_DONTWAIT);

    if (bytes < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (bytes > 0)
        zmtp_add(&guest->zmtp, (size_t)bytes);
    if (bytes <= 0 || !take_news(greeter, guest))
        guest_close(greeter, guest);
}

/* Guests are served before new ones are accepted: making room may close some of those that the
 * events name. */
void greeter_serve(struct greeter *greeter) {
    struct epoll_event events[EVENTS_A_TURN];
    int count = epoll_wait(greeter->epoll, events, EVENTS_A_TURN, 0);
    bool knocks = false;

    for (int i = 0; i < count; i++)
        if (events[i].data.ptr)
            hear(greeter, events[i].data.ptr);
        else
            knocks = true;
    if (knocks)
        take_guests(greeter);
}

/* ---- time ---- */

void greeter_tick(struct greeter *greeter) {
    int64_t now_us = clock_us();

    while (greeter->guests && now_us >= greeter->guests->until_us) {
        if (greeter->guests->zmtp.state != ZMTP_TRAFFIC)
            greeter->stats->greetings_late_total++;
        guest_close(greeter, greeter->guests);
    }
    if (greeter->paused_us != 0 && now_us >= greeter->paused_us) {
        greeter->paused_us = 0;
        watch(greeter, greeter->listener, NULL);
    }
}

int64_t greeter_wait_us(const struct greeter *greeter) {
    int64_t first = greeter->guests ? greeter->guests->until_us : INT64_MAX, wait;

    if (greeter->paused_us != 0 && greeter->paused_us < first)
        first = greeter->paused_us;
    if (first == INT64_MAX)
        return INT64_MAX;
    wait = first - clock_us();
    return wait > 0 ? wait : 0;
}
