/* wire_read_each_command: the frames that anybody with a key can send to the broker. */
#include "fuzz_frame.h"

#include "fuzz.h"

#include <assert.h>

static enum wire_fault read_commands(struct wire_arena *arena, const void *frame, size_t bytes,
                                     ProtobufCMessage **message) {
    enum wire_fault faults[FRAME_COMMANDS_MAX];
    enum wire_fault fault =
        wire_read_each_command(arena, frame, bytes, (Zchat__V1__CommandBatch **)message, faults);
    if (*message != NULL) {
        const Zchat__V1__CommandBatch *batch = (Zchat__V1__CommandBatch *)*message;
        assert(batch->n_commands <= FRAME_COMMANDS_MAX && batch->base.n_unknown_fields == 0);
        for (size_t i = 0; i < batch->n_commands; i++) {
            const Zchat__V1__Command *command = batch->commands[i];
            assert((command->base.n_unknown_fields == 0 && faults[i] == WIRE_FINE) ||
                   command->body_case == ZCHAT__V1__COMMAND__BODY__NOT_SET);
        }
    }
    return fault;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_frame(read_commands, data, size);
    return 0;
}
