/* The one port that people know: tells whoever asks the broker's key, endpoints and protocol
 * version. No security, tiny frames, no state. */
#ifndef GREETER_H
#define GREETER_H

#include "limits.h"

#include <stdint.h>

struct greeter;

struct greeter_facts {
    unsigned char server_key[KEY_BYTES];
    const char *commands; /* borrowed until the greeter is freed, as the rest */
    const char *events;
    const char *software;
};

/* Takes a bound ROUTER socket over. */
struct greeter *greeter_new(void *socket, const struct greeter_facts *facts);
void greeter_free(struct greeter *greeter);
void *greeter_socket(const struct greeter *greeter);

/* Answers what is there, a bounded number; counts what it answered and what it could not read. */
void greeter_answer(struct greeter *greeter, uint64_t *answered, uint64_t *refused);

#endif
