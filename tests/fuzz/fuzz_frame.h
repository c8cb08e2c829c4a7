/* What the targets for frames share: a message that was read holds together, and packs to bytes
 * that are read to the same message. */
#ifndef FUZZ_FRAME_H
#define FUZZ_FRAME_H

#include "wire.h"

/* Aborts unless each string, list and message in it can be touched, and texts are UTF-8. */
void fuzz_walk(const ProtobufCMessage *message);

/* Aborts unless all caps of memory are kept while the frame is read. */
typedef enum wire_fault fuzz_reader(struct wire_arena *arena, const void *frame, size_t bytes,
                                    ProtobufCMessage **message);
void fuzz_frame(fuzz_reader *read, const uint8_t *data, size_t size);

#endif
