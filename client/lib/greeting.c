/* The greeter's two messages. If the greeter leaves the host of an endpoint open, it becomes the
 * greeter's address in digits. Whatever a greeter says, only tcp is dialled. */
#include "greeting.h"

#include <string.h>

bool greeting_ask(struct channel *channel, const char *client) {
    Zchat__V1__GreetingRequest request = ZCHAT__V1__GREETING_REQUEST__INIT;
    request.protocol = PROTOCOL_VERSION;
    request.client = (char *)client;
    void *frame = channel_frame(channel, wire_size(&request.base), false);
    if (!frame)
        return false;
    wire_pack(&request.base, frame);
    return channel_send(channel);
}

static bool endpoint_set(char out[ENDPOINT_BYTES], const char *endpoint, const char *host) {
    struct address address;
    if (!address_of_greeting(endpoint, host, &address))
        return false;
    address_endpoint(&address, out);
    return true;
}

zchat_code greeting_read(struct greeting *greeting, struct wire_arena *arena, const void *frame,
                         size_t frame_bytes, const char *host, struct fault *fault) {
    Zchat__V1__Greeting *read = NULL;
    wire_arena_reset(arena);
    if (wire_read_greeting(arena, frame, frame_bytes, &read) != WIRE_FINE)
        return fault_set(fault, ZCHAT_UNREACHABLE, "what answers there is no zchat broker");
    if (PROTOCOL_VERSION < read->protocol_min || PROTOCOL_VERSION > read->protocol_max) {
        return fault_set(fault, ZCHAT_WRONG_PROTOCOL,
                         "it speaks the protocol versions %u to %u, this program speaks %u; "
                         "update the older of the two",
                         (unsigned)read->protocol_min, (unsigned)read->protocol_max,
                         (unsigned)PROTOCOL_VERSION);
    }
    if (read->server_key.len != KEY_BYTES ||
        !endpoint_set(greeting->commands, read->commands, host) ||
        !endpoint_set(greeting->events, read->events, host))
        return fault_set(fault, ZCHAT_UNREACHABLE, "its greeting lacks a key or an address");
    greeting->schema = read->schema;
    memcpy(greeting->key, read->server_key.data, KEY_BYTES);
    return ZCHAT_OK;
}
