/* See control.h. Both sides are the same program, so messages are structs as they lie in memory,
 * with a magic number in front that holds their size and the version. */
#define _GNU_SOURCE /* struct ucred */
#include "control.h"

#include "core/backup.h"
#include "core/memory.h"
#include "data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME            "control"
#define PEERS_MAX       8
#define ORDERS_A_TURN   64
#define ANSWERS_MAX     ORDERS_A_TURN /* for one connection, that it has not read yet */
#define ANSWER_WITHIN_S 60            /* the tool's patience with a broker that hangs */

struct request {
    uint32_t magic;
    struct order order;
};

struct response {
    uint32_t magic;
    struct control_answer answer;
};

/* Increase it when the contents of the structs change. */
#define MAGIC (UINT32_C(0x7a630100) + (uint32_t)sizeof(struct request))

struct peer_answers {
    int fd;       /* owned; -1: nobody */
    bool is_gone; /* closed once no answer is left to send */
    bool copies;  /* makes a backup, until it says that it is done, or leaves */
    struct control_answer answers[ANSWERS_MAX];
    size_t count;  /* of the answers */
    size_t sealed; /* how many may be sent once the disk has the turn */
};

struct control {
    char path[DATA_PATH_BYTES]; /* where the socket is bound */
    int folder;                 /* owned */
    int listener;               /* owned */
    int poll;                   /* owned: an epoll descriptor for the listener and all peers */
    struct peer_answers peers[PEERS_MAX];
};

/* A socket's path has to be short, so a long one goes through the folder's descriptor. */
static bool address_of(const char *folder, int folder_fd, struct sockaddr_un *address) {
    int bytes;

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    bytes = snprintf(address->sun_path, sizeof address->sun_path, "%s/" NAME, folder);
    if (bytes > 0 && (size_t)bytes < sizeof address->sun_path)
        return true;
    bytes =
        snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/" NAME, folder_fd);
    return bytes > 0 && (size_t)bytes < sizeof address->sun_path;
}

static bool watch(const struct control *control, int fd, size_t who) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = who}};

    return epoll_ctl(control->poll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* ---- the broker's side ---- */

static bool listen_at(struct control *control, const struct sockaddr_un *address) {
    control->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)unlink(address->sun_path); /* a killed broker's: this one has the lock */
    return control->listener >= 0 &&
           bind(control->listener, (const struct sockaddr *)address, sizeof *address) == 0 &&
           chmod(address->sun_path, 0600) == 0 && listen(control->listener, PEERS_MAX) == 0;
}

struct control *control_new(const char *folder, char *error, size_t error_bytes) {
    struct control *control = memory_new(sizeof *control);
    struct sockaddr_un address;

    control->listener = -1;
    for (size_t i = 0; i < PEERS_MAX; i++)
        control->peers[i].fd = -1;
    control->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    control->poll = epoll_create1(EPOLL_CLOEXEC);
    if (control->folder >= 0 && control->poll >= 0 &&
        address_of(folder, control->folder, &address) && listen_at(control, &address) &&
        watch(control, control->listener, PEERS_MAX)) {
        snprintf(control->path, sizeof control->path, "%s", address.sun_path);
        return control;
    }
    snprintf(error, error_bytes, "%s/" NAME " can't be made: %s", folder, strerror(errno));
    control_free(control);
    return NULL;
}

static void peer_close(struct peer_answers *peer) {
    if (peer->fd >= 0)
        close(peer->fd);
    peer->fd = -1;
    peer->count = peer->sealed = 0;
    peer->is_gone = peer->copies = false;
}

static void peer_leaves(struct peer_answers *peer, struct core *core) {
    if (peer->copies)
        core_backup_end(core);
    peer_close(peer);
}

void control_free(struct control *control) {
    if (!control)
        return;
    for (size_t i = 0; i < PEERS_MAX; i++)
        peer_close(&control->peers[i]);
    if (control->path[0])
        (void)unlink(control->path);
    if (control->listener >= 0)
        close(control->listener);
    if (control->poll >= 0)
        close(control->poll);
    if (control->folder >= 0)
        close(control->folder);
    free(control);
}

int control_fd(const struct control *control) {
    return control->poll;
}

static bool may_ask(int fd) {
    struct ucred who;
    socklen_t bytes = sizeof who;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &bytes) == 0 &&
           (who.uid == geteuid() || who.uid == 0);
}

/* If all places are taken the connection is refused: the tool does not wait for a place. */
static void accept_peer(struct control *control) {
    int fd = accept4(control->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    size_t i = 0;

    if (fd < 0)
        return;
    while (i < PEERS_MAX && control->peers[i].fd >= 0)
        i++;
    if (i == PEERS_MAX || !may_ask(fd) || !watch(control, fd, i)) {
        close(fd);
        return;
    }
    control->peers[i].fd = fd;
}

static bool is_backup(const struct order *order) {
    return order->verb == ORDER_BACKUP_BEGIN || order->verb == ORDER_BACKUP_END;
}

static bool is_name(const char *text) {
    char name[NAME_BYTES];

    return name_fold(text, name) && strcmp(name, text) == 0;
}

/* Whether an order is whole and within its bounds: its texts end, its name is one. */
static bool is_fine(const struct request *request, ssize_t bytes) {
    const struct order *order = &request->order;

    return bytes == (ssize_t)sizeof *request && request->magic == MAGIC &&
           (unsigned)order->verb < ORDER_VERBS && memchr(order->name, 0, sizeof order->name) &&
           memchr(order->hash, 0, sizeof order->hash) &&
           memchr(order->label, 0, sizeof order->label) &&
           (is_backup(order) || is_name(order->name));
}

/* NOT_FOUND: it makes none. */
static enum store_status carry_out_backup(struct peer_answers *peer, struct core *core,
                                          const struct order *order) {
    bool begins = order->verb == ORDER_BACKUP_BEGIN;

    if (peer->copies == begins)
        return begins ? STORE_EXISTS : STORE_NOT_FOUND;
    if (begins && !core_backup_begin(core))
        return STORE_EXISTS;
    if (!begins)
        core_backup_end(core);
    peer->copies = begins;
    return STORE_OK;
}

static bool take_order(struct peer_answers *peer, struct core *core, int64_t now_us) {
    struct control_answer *answer = &peer->answers[peer->count];
    struct request request;
    ssize_t bytes = recv(peer->fd, &request, sizeof request, 0);
    bool fine = is_fine(&request, bytes);

    if (bytes < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (fine) {
        *answer = (struct control_answer){.status = STORE_OK};
        answer->status = is_backup(&request.order)
                             ? carry_out_backup(peer, core, &request.order)
                             : core_order(core, &request.order, NULL, now_us, &answer->ended);
        peer->count++;
    } else {
        peer->is_gone = true; /* it left, or is of another version */
    }
    explicit_bzero(&request, sizeof request);
    return fine;
}

void control_take(struct control *control, struct core *core, int64_t now_us) {
    struct epoll_event events[PEERS_MAX + 1];
    int ready = epoll_wait(control->poll, events, PEERS_MAX + 1, 0);

    for (int i = 0; i < ready; i++) {
        uint64_t who = events[i].data.u64;
        struct peer_answers *peer = who < PEERS_MAX ? &control->peers[who] : NULL;

        if (!peer)
            accept_peer(control);
        while (peer && peer->fd >= 0 && !peer->is_gone && peer->count < ANSWERS_MAX &&
               take_order(peer, core, now_us)) {
        }
        if (peer && peer->is_gone && peer->count == 0)
            peer_leaves(peer, core);
    }
}

void control_seal(struct control *control) {
    for (size_t i = 0; i < PEERS_MAX; i++)
        control->peers[i].sealed = control->peers[i].count;
}

static void tell_peer(struct peer_answers *peer, struct core *core) {
    struct response response;

    for (size_t i = 0; i < peer->sealed; i++) {
        memset(&response, 0, sizeof response);
        response.magic = MAGIC;
        response.answer = peer->answers[i];
        if (send(peer->fd, &response, sizeof response, MSG_NOSIGNAL) < 0)
            peer->is_gone = true; /* it does not read: its orders are done all the same */
    }
    peer->count -= peer->sealed;
    memmove(peer->answers, peer->answers + peer->sealed, peer->count * sizeof *peer->answers);
    peer->sealed = 0;
    if (peer->is_gone && peer->count == 0)
        peer_leaves(peer, core);
}

void control_tell(struct control *control, struct core *core) {
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (control->peers[i].fd >= 0 && control->peers[i].sealed > 0)
            tell_peer(&control->peers[i], core);
}

/* ---- the side of `zchatd user` ---- */

static bool set_patience(int fd) {
    struct timeval patience = {.tv_sec = ANSWER_WITHIN_S};

    return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0;
}

int control_connect(const char *folder, long *process) {
    int folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct sockaddr_un address;
    struct ucred who;
    socklen_t bytes = sizeof who;
    bool connected = folder_fd >= 0 && fd >= 0 && address_of(folder, folder_fd, &address) &&
                     set_patience(fd) &&
                     connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                     getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &bytes) == 0;

    if (folder_fd >= 0)
        close(folder_fd);
    if (!connected && fd >= 0)
        close(fd);
    if (connected)
        *process = who.pid;
    return connected ? fd : -1;
}

bool control_send(int fd, const struct order *order) {
    struct request request;
    bool sent;

    memset(&request, 0, sizeof request);
    request.magic = MAGIC;
    request.order = *order;
    sent = send(fd, &request, sizeof request, MSG_NOSIGNAL) == (ssize_t)sizeof request;
    explicit_bzero(&request, sizeof request);
    return sent;
}

bool control_receive(int fd, struct control_answer *answer) {
    struct response response;
    ssize_t bytes = recv(fd, &response, sizeof response, 0);

    if (bytes == (ssize_t)sizeof response && response.magic == MAGIC) {
        *answer = response.answer;
        return true;
    }
    if (bytes >= 0)
        errno = bytes == 0 ? 0 : EPROTO;
    return false;
}
