/* See bare.h. */
#include "bare.h"

#include "disk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

/* A turn is as large as the broker's. */
#define TURN_FRAMES 256
#define TURN_BYTES  (1024 * 1024)
#define ID_BYTES    16
#define ZAP_PARTS   7
#define PATH_BYTES  4096

struct frame {
    zmq_msg_t id;
    zmq_msg_t payload;
};

struct peer {
    size_t id_bytes; /* 0: no connection has the number */
    unsigned char id[ID_BYTES];
};

struct server {
    void *context; /* owned, like the sockets */
    void *zap;
    void *router;
    void *xpub;
    struct segment log;
    unsigned char *turn; /* owned: TURN_BYTES, what is written in a turn */
    struct frame frames[TURN_FRAMES];
    size_t count;
    unsigned char *gathered[2]; /* owned: one for published frames, one for those to all */
    size_t gathered_bytes[2];
    struct peer *peers; /* owned: by number */
    size_t peers_count;
};

static bool fail(const char *what) {
    fprintf(stderr, "zchat-bench: bare server: %s: %s\n", what, zmq_strerror(errno));
    return false;
}

/* ---- ZAP: everybody is let in ---- */

static bool answer_one(void *zap) {
    char part[ZAP_PARTS][256];
    int bytes[ZAP_PARTS];
    for (int i = 0; i < ZAP_PARTS; i++)
        if ((bytes[i] = zmq_recv(zap, part[i], sizeof part[i], ZMQ_DONTWAIT)) < 0)
            return false;
    return zmq_send(zap, "1.0", 3, ZMQ_SNDMORE) >= 0 &&
           zmq_send(zap, part[1], (size_t)bytes[1], ZMQ_SNDMORE) >= 0 &&
           zmq_send(zap, "200", 3, ZMQ_SNDMORE) >= 0 && zmq_send(zap, "OK", 2, ZMQ_SNDMORE) >= 0 &&
           zmq_send(zap, "user", 4, ZMQ_SNDMORE) >= 0 && zmq_send(zap, "", 0, 0) >= 0;
}

/* ---- a turn ---- */

static bool receive_one(struct server *server, size_t *bytes) {
    struct frame *frame = &server->frames[server->count];
    if (zmq_msg_recv(&frame->id, server->router, ZMQ_DONTWAIT) < 0 ||
        zmq_msg_recv(&frame->payload, server->router, ZMQ_DONTWAIT) < 0)
        return false;
    size_t frame_bytes = zmq_msg_size(&frame->payload);
    if (frame_bytes == 0 || frame_bytes > TURN_BYTES - *bytes)
        return true; /* none of ours */
    memcpy(server->turn + *bytes, zmq_msg_data(&frame->payload), frame_bytes);
    *bytes += frame_bytes;
    server->count++;
    return true;
}

static size_t receive(struct server *server) {
    size_t bytes = 0;
    server->count = 0;
    while (server->count < TURN_FRAMES && bytes < TURN_BYTES / 2 && receive_one(server, &bytes))
        ;
    return bytes;
}

static bool store(struct server *server, size_t bytes) {
    return server->log.fd < 0 || bytes == 0 || segment_write(&server->log, server->turn, bytes) ||
           fail("its log");
}

static bool send_to(struct server *server, const struct peer *peer, const void *bytes,
                    size_t count) {
    return zmq_send(server->router, peer->id, peer->id_bytes, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
           zmq_send(server->router, bytes, count, ZMQ_DONTWAIT) >= 0;
}

static uint32_t number_of(zmq_msg_t *payload) {
    uint32_t number = UINT32_MAX;
    if (zmq_msg_size(payload) >= 1 + sizeof number)
        memcpy(&number, (const char *)zmq_msg_data(payload) + 1, sizeof number);
    return number;
}

static bool enroll(struct server *server, struct frame *frame) {
    size_t number = number_of(&frame->payload), id_bytes = zmq_msg_size(&frame->id);
    if (number >= UINT32_MAX || id_bytes > ID_BYTES)
        return true;
    if (number >= server->peers_count) {
        struct peer *peers = realloc(server->peers, (number + 1) * sizeof *peers);
        if (!peers)
            return fail("its memory");
        memset(peers + server->peers_count, 0, (number + 1 - server->peers_count) * sizeof *peers);
        server->peers = peers;
        server->peers_count = number + 1;
    }
    server->peers[number].id_bytes = id_bytes;
    memcpy(server->peers[number].id, zmq_msg_data(&frame->id), id_bytes);
    return true;
}

static void gather(struct server *server, int which, zmq_msg_t *payload) {
    size_t bytes = zmq_msg_size(payload);
    server->gathered[which][0] = BARE_TOPIC;
    memcpy(server->gathered[which] + 1 + server->gathered_bytes[which], zmq_msg_data(payload),
           bytes);
    server->gathered_bytes[which] += bytes;
}

/* Besides the answer. */
static bool serve_one(struct server *server, struct frame *frame) {
    const unsigned char *payload = zmq_msg_data(&frame->payload);
    uint32_t number = number_of(&frame->payload);
    switch (payload[0]) {
    case BARE_HELLO:
        return enroll(server, frame);
    case BARE_FORWARD:
        return number >= server->peers_count || server->peers[number].id_bytes == 0 ||
               send_to(server, &server->peers[number], payload, zmq_msg_size(&frame->payload));
    case BARE_PUBLISH:
    case BARE_TO_ALL:
        gather(server, payload[0] == BARE_TO_ALL, &frame->payload);
        return true;
    default:
        return true;
    }
}

/* It is no fault if the peer has gone meanwhile: a ROUTER drops what is for it. */
static bool answer(struct server *server) {
    for (size_t i = 0; i < server->count; i++) {
        struct frame *frame = &server->frames[i];
        if (!serve_one(server, frame))
            return false;
        if (zmq_msg_send(&frame->id, server->router, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
            zmq_msg_send(&frame->payload, server->router, ZMQ_DONTWAIT) < 0)
            return fail("answering");
    }
    return true;
}

static bool send_gathered(struct server *server) {
    if (server->gathered_bytes[0] > 0 && zmq_send(server->xpub, server->gathered[0],
                                                  1 + server->gathered_bytes[0], ZMQ_DONTWAIT) < 0)
        return fail("publishing");
    for (size_t i = 0; server->gathered_bytes[1] > 0 && i < server->peers_count; i++)
        if (server->peers[i].id_bytes > 0 &&
            !send_to(server, &server->peers[i], server->gathered[1], 1 + server->gathered_bytes[1]))
            return fail("sending to all");
    server->gathered_bytes[0] = server->gathered_bytes[1] = 0;
    return true;
}

static bool turn(struct server *server) {
    char subscription[256];
    while (answer_one(server->zap))
        ;
    while (zmq_recv(server->xpub, subscription, sizeof subscription, ZMQ_DONTWAIT) >= 0)
        ;
    return store(server, receive(server)) && answer(server) && send_gathered(server);
}

static int serve(struct server *server) {
    zmq_pollitem_t items[] = {{.socket = server->router, .events = ZMQ_POLLIN},
                              {.socket = server->zap, .events = ZMQ_POLLIN},
                              {.socket = server->xpub, .events = ZMQ_POLLIN}};
    while (zmq_poll(items, sizeof items / sizeof items[0], -1) >= 0 || errno == EINTR)
        if (!turn(server))
            return 1;
    fail("waiting");
    return 1;
}

/* ---- the verb ---- */

static bool open_log(struct server *server, const char *path) {
    server->log.fd = -1;
    return !path || segment_open(&server->log, path) || fail(path);
}

static bool open_sockets(struct server *server, const struct curve_keys *keys, uint64_t io_threads,
                         char commands[CURVE_ENDPOINT_BYTES], char events[CURVE_ENDPOINT_BYTES]) {
    server->context = curve_context((int)io_threads);
    server->zap = server->context ? zmq_socket(server->context, ZMQ_REP) : NULL;
    if (!server->zap || zmq_bind(server->zap, "inproc://zeromq.zap.01") != 0)
        return fail("ZAP");
    server->router =
        curve_bound(server->context, ZMQ_ROUTER, CURVE_FRAMES_ANY, keys, "commands", commands);
    server->xpub = curve_bound(server->context, ZMQ_XPUB, CURVE_FRAMES_ANY, keys, "events", events);
    return (server->router && server->xpub) || fail("its sockets");
}

static bool server_init(struct server *server) {
    for (size_t i = 0; i < TURN_FRAMES; i++) {
        zmq_msg_init(&server->frames[i].id);
        zmq_msg_init(&server->frames[i].payload);
    }
    server->turn = malloc(TURN_BYTES);
    server->gathered[0] = malloc(TURN_BYTES + 1);
    server->gathered[1] = malloc(TURN_BYTES + 1);
    return server->turn && server->gathered[0] && server->gathered[1];
}

/* Serves until a signal ends the process. */
int bare_main(const struct settings *settings) {
    struct server *server = calloc(1, sizeof *server);
    char commands[CURVE_ENDPOINT_BYTES], events[CURVE_ENDPOINT_BYTES];
    struct curve_keys keys;
    if (!server || !server_init(server) || !curve_keys_make(&keys) ||
        !open_log(server, settings->log) ||
        !open_sockets(server, &keys, settings->io_threads, commands, events))
        return 1;
    fprintf(stderr, "ready commands=%s events=%s server_key=%s\n", commands, events, keys.public);
    return serve(server);
}

/* ---- as a process ---- */

bool bare_told(const struct child *child, struct curve_server *at) {
    return child_told(child, "commands=", at->commands, sizeof at->commands) &&
           child_told(child, "events=", at->events, sizeof at->events) &&
           child_told(child, "server_key=", at->key, sizeof at->key);
}

bool bare_start(struct bare *bare, const char *log, int core, uint64_t io_threads) {
    char program[PATH_BYTES], threads[24], file[PATH_BYTES], verb[] = "bare";
    char threads_option[] = "--io-threads", log_option[] = "--log";
    char *argv[] = {program, verb, threads_option, threads, log ? log_option : NULL, file, NULL};
    const struct child_options options = {.argv = argv, .core = core, .ready = "ready commands="};
    child_program(NULL, NULL, program, sizeof program);
    snprintf(threads, sizeof threads, "%" PRIu64, io_threads);
    snprintf(file, sizeof file, "%s", log ? log : "");
    *bare = (struct bare){.child = child_start(&options)};
    return bare->child && bare_told(bare->child, &bare->at);
}

void bare_stop(struct bare *bare) {
    child_free(bare->child);
    bare->child = NULL;
}
