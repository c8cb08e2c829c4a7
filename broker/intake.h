/* What comes in at the command socket: frames go to the core, and each turn takes a bounded number
 * of them. */
#ifndef INTAKE_H
#define INTAKE_H

#include "connection.h"
#include "core/core.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct intake {
    void *socket;                    /* borrowed: the server's */
    struct connections *connections; /* borrowed: the server's */
    struct core *core;               /* borrowed: the server's */
    size_t frames;                   /* taken in this turn */
    size_t bytes;                    /* theirs */
    size_t bytes_max;                /* that this turn may take */
};

void intake_init(struct intake *intake, void *socket, struct connections *connections,
                 struct core *core);
void intake_begin_turn(struct intake *intake);
/* Whether this turn takes no more frames. */
bool intake_is_full(const struct intake *intake);
/* Takes the frames that are there, until the turn is full. */
void intake_take(struct intake *intake, int64_t now);

#endif
