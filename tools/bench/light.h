/* Light clients: only as much of the protocol as a load needs, on lines of one board, so that
 * thousands of clients cost this program little. They know the broker's endpoints and key (they
 * don't ask the greeter), don't fill holes in streams, and don't log in again. Commands are
 * gathered until light_flush(), which is also called after each frame that was read. */
#ifndef LIGHT_H
#define LIGHT_H

#include "line.h"
#include "option.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_arena;

/* What the light clients of one thread share. */
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
    void (*on_in)(void *arg);                      /* logged in, and the SUB handshake is done */
    void (*on_reply)(void *arg, uint64_t request); /* the command with this number is done */
    void (*on_text)(void *arg, enum light_kind kind, const char *text); /* somebody's */
    void (*on_frame)(void *arg, const void *frame, size_t frame_bytes); /* called if it is deaf */
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
    bool is_deaf; /* once logged in, it does not decode what comes */
    bool is_in;
    uint64_t requests;     /* numbers given */
    uint64_t message_seq;  /* of the last message of the inbox */
    uint64_t inbox_head;   /* at the login */
    uint64_t page_entries; /* in the last page */
    unsigned char *batch;  /* owned: commands that wait */
    size_t batch_bytes;
    size_t batch_room;
    unsigned batch_count;
};

/* false: see errno; lights_release() must follow anyway, after the last light_close(). */
bool lights_init(struct lights *lights, struct loop *loop, const struct curve_server *server);
void lights_release(struct lights *lights);

/* Begins to connect. false: see errno; light_close() must follow anyway. */
bool light_open(struct light *light, struct lights *lights, const struct curve_keys *keys,
                const struct light_calls *calls);
void light_close(struct light *light);

/* Logs in with the device key, online unless events are EVENTS_NONE; on_in tells when it is done.
 * `inbox` asks for messages. */
void light_login(struct light *light, const char *user, enum events events, bool inbox);

/* How many events of this kind are in a frame, without decoding it. */
uint64_t light_count(const void *frame, size_t frame_bytes, enum light_kind kind);

/* Each returns the number that on_reply will get, and makes the ids it needs. */
uint64_t light_send(struct light *light, const char *to, const char *text);
uint64_t light_broadcast(struct light *light, const char *text);
uint64_t light_post(struct light *light, const char *title, const char *text);
uint64_t light_create_thread(struct light *light, const char *title);
uint64_t light_follow(struct light *light, const char *title);
uint64_t light_ping(struct light *light);
uint64_t light_logout(struct light *light);
/* Asks for a page of the inbox; page_entries tells how many entries it has. */
uint64_t light_sync(struct light *light, uint64_t after_seq, uint32_t limit);

/* Acknowledges the messages that came; this is not answered. */
void light_acknowledge(struct light *light);

void light_flush(struct light *light);

#endif
