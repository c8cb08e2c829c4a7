/* wire_read_server, wire_read_publication, wire_read_greeting and wire_read_peer: what a hostile
 * broker or peer can send to a client. */
#include "fuzz_frame.h"

#include "fuzz.h"

static enum wire_fault read_server(struct wire_arena *arena, const void *frame, size_t bytes,
                                   ProtobufCMessage **message) {
    return wire_read_server(arena, frame, bytes, (Zchat__V1__ServerBatch **)message);
}

static enum wire_fault read_publication(struct wire_arena *arena, const void *frame, size_t bytes,
                                        ProtobufCMessage **message) {
    return wire_read_publication(arena, frame, bytes, (Zchat__V1__Publication **)message);
}

static enum wire_fault read_greeting(struct wire_arena *arena, const void *frame, size_t bytes,
                                     ProtobufCMessage **message) {
    return wire_read_greeting(arena, frame, bytes, (Zchat__V1__Greeting **)message);
}

static enum wire_fault read_peer(struct wire_arena *arena, const void *frame, size_t bytes,
                                 ProtobufCMessage **message) {
    return wire_read_peer(arena, frame, bytes, (Zchat__V1__PeerBatch **)message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_frame(read_server, data, size);
    fuzz_frame(read_publication, data, size);
    fuzz_frame(read_greeting, data, size);
    fuzz_frame(read_peer, data, size);
    return 0;
}
