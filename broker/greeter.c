#include "greeter.h"

#include "core/memory.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>
#include <zmq.h>

/* Greetings in one turn: whoever floods this port must not keep the others waiting. */
#define ANSWERS_A_TURN 64
/* A ROUTER's identity, a REQ's empty delimiter, the request. */
#define PARTS_MAX 3

struct greeter {
    void *socket;             /* owned */
    struct wire_arena *arena; /* owned */
    uint8_t *greeting;        /* owned: packed once */
    size_t greeting_bytes;
};

struct greeter *greeter_new(void *socket, const struct greeter_facts *facts) {
    struct greeter *greeter = memory_new(sizeof *greeter);
    Zchat__V1__Greeting greeting = ZCHAT__V1__GREETING__INIT;

    greeting.protocol_min = PROTOCOL_VERSION;
    greeting.protocol_max = PROTOCOL_VERSION;
    greeting.server_key.data = (uint8_t *)facts->server_key;
    greeting.server_key.len = KEY_BYTES;
    greeting.commands = (char *)facts->commands;
    greeting.events = (char *)facts->events;
    greeting.software = (char *)facts->software;
    greeter->socket = socket;
    greeter->arena = wire_arena_new(16 * GREETING_BYTES_MAX);
    greeter->greeting_bytes = wire_size(&greeting.base);
    greeter->greeting = memory_new(greeter->greeting_bytes);
    wire_pack(&greeting.base, greeter->greeting);
    return greeter;
}

void greeter_free(struct greeter *greeter) {
    if (!greeter)
        return;
    zmq_close(greeter->socket);
    wire_arena_free(greeter->arena);
    free(greeter->greeting);
    free(greeter);
}

void *greeter_socket(const struct greeter *greeter) {
    return greeter->socket;
}

/* Reads all parts of one request into `parts`; returns their number, 0: there is none. What is
 * beyond PARTS_MAX is read and counted, too. */
static size_t parts_read(void *socket, zmq_msg_t parts[PARTS_MAX]) {
    size_t count = 0;
    int more = 1;

    while (more) {
        zmq_msg_t part;

        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&part);
            return count;
        }
        more = zmq_msg_more(&part);
        if (count < PARTS_MAX)
            zmq_msg_move(&parts[count], &part);
        zmq_msg_close(&part);
        count++;
    }
    return count;
}

static bool request_is_fine(struct greeter *greeter, zmq_msg_t parts[PARTS_MAX], size_t count) {
    Zchat__V1__GreetingRequest *request;

    if (count < 2 || count > PARTS_MAX || (count == 3 && zmq_msg_size(&parts[1]) != 0))
        return false;
    wire_arena_reset(greeter->arena);
    return wire_read_greeting_request(greeter->arena, zmq_msg_data(&parts[count - 1]),
                                      zmq_msg_size(&parts[count - 1]), &request) == WIRE_FINE;
}

/* A peer that left meanwhile gets nothing: a ROUTER drops what it can't route. */
static void request_answer(struct greeter *greeter, zmq_msg_t parts[PARTS_MAX], size_t count) {
    for (size_t i = 0; i + 1 < count; i++)
        zmq_send(greeter->socket, zmq_msg_data(&parts[i]), zmq_msg_size(&parts[i]),
                 ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(greeter->socket, greeter->greeting, greeter->greeting_bytes, ZMQ_DONTWAIT);
}

void greeter_answer(struct greeter *greeter, uint64_t *answered, uint64_t *refused) {
    zmq_msg_t parts[PARTS_MAX];
    size_t count = 1;

    for (size_t turn = 0; turn < ANSWERS_A_TURN && count > 0; turn++) {
        for (size_t i = 0; i < PARTS_MAX; i++)
            zmq_msg_init(&parts[i]);
        count = parts_read(greeter->socket, parts);
        if (request_is_fine(greeter, parts, count)) {
            request_answer(greeter, parts, count);
            ++*answered;
        } else if (count > 0) {
            ++*refused;
        }
        for (size_t i = 0; i < PARTS_MAX; i++)
            zmq_msg_close(&parts[i]);
    }
}
