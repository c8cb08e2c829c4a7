/* Light clients: as much of the protocol as a load needs, on lines of one board, so that thousands
 * of them cost this program little. They know the broker's endpoints and key (the greeter is not
 * asked), keep no stream without holes, and do not log in again. Commands are gathered until
 * light_flush(), which happens by itself after each frame that was read. */
#ifndef LIGHT_H
#define LIGHT_H

#include "line.h"
#include "option.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_arena;

/* What those of one thread share. */
struct lights {
    struct board board;
    struct wire_arena *arena; /* owned */
    struct curve_server server;
    uint64_t ids; /* the next one's number */
};

enum light_kind {
    LIGHT_MESSAGE,
    LIGHT_BROADCAST,
    LIGHT_POST,
};

struct light;

/* Each may be NULL. */
struct light_calls {
    void (*on_in)(void *arg);                      /* logged in, and the SUB's handshake done */
    void (*on_reply)(void *arg, uint64_t request); /* a command of this number is done */
    void (*on_text)(void *arg, enum light_kind kind, const char *text); /* somebody's */
    void (*on_frame)(void *arg, const void *frame, size_t frame_bytes); /* of one that is deaf */
    void (*on_failure)(void *arg, const char *why);                     /* nothing more comes */
    void *arg; /* borrowed: from who opens it */
};

struct light {
    struct lights *lights;           /* borrowed: from who opens it */
    const struct curve_keys *keys;   /* borrowed: from who opens it */
    const struct light_calls *calls; /* borrowed: from who opens it */
    struct line commands;
    struct line events; /* not open before the login's reply */
    enum events mode;
    bool is_deaf; /* what comes is not decoded, once it is in */
    bool is_in;
    uint64_t requests;     /* numbers given */
    uint64_t message_seq;  /* the last one's in the inbox */
    uint64_t inbox_head;   /* at the login */
    uint64_t page_entries; /* in the last page */
    unsigned char *batch;  /* owned: commands that wait */
    size_t batch_bytes;
    size_t batch_room;
    unsigned batch_count;
};

/* false: see errno; lights_release() anyway, after the last light_close(). */
bool lights_init(struct lights *lights, struct loop *loop, const struct curve_server *server);
void lights_release(struct lights *lights);

/* Begins to connect. false: see errno; light_close() anyway. */
bool light_open(struct light *light, struct lights *lights, const struct curve_keys *keys,
                const struct light_calls *calls);
void light_close(struct light *light);

/* Logs in with the device key, online unless events are EVENTS_NONE; on_in tells when it is done.
 * `inbox` asks for messages. */
void light_login(struct light *light, const char *user, enum events events, bool inbox);

/* How many events of this kind are in a frame, without decoding it. */
uint64_t light_count(const void *frame, size_t frame_bytes, enum light_kind kind);

/* Each returns the number that on_reply gets. Ids are made. */
uint64_t light_send(struct light *light, const char *to, const char *text);
uint64_t light_broadcast(struct light *light, const char *text);
uint64_t light_post(struct light *light, const char *title, const char *text);
uint64_t light_create_thread(struct light *light, const char *title);
uint64_t light_follow(struct light *light, const char *title);
uint64_t light_ping(struct light *light);
uint64_t light_logout(struct light *light);
/* A page of the inbox; page_entries tells how many it has. */
uint64_t light_sync(struct light *light, uint64_t after_seq, uint32_t limit);

/* The messages that came, unanswered. */
void light_acknowledge(struct light *light);

void light_flush(struct light *light);

#endif
