/* The socket in the data folder over which `zchatd user` and `zchatd backup` ask a running broker.
 * Only its owner may use it (0600, and the kernel tells who connects). An order is one message, and
 * so is its answer, which is sent when the order's commit is on the disk. */
#ifndef CONTROL_H
#define CONTROL_H

#include "core/order.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control_answer {
    enum store_status status;
    uint32_t ended; /* sessions */
};

/* ---- the broker's side ---- */

struct control;

/* Makes FOLDER/control. NULL: `error` holds one sentence. */
struct control *control_new(const char *folder, char *error, size_t error_bytes);
/* Removes it. NULL is fine. */
void control_free(struct control *control);
/* Readable when control_take has something to do. */
int control_fd(const struct control *control);
/* Carries out a bounded number of the orders that came. */
void control_take(struct control *control, struct core *core, int64_t now_us);
/* Says that the turn ends, with the orders carried out in it; and that it is on the disk. */
void control_seal(struct control *control);
void control_tell(struct control *control, struct core *core);

/* ---- the side of `zchatd user` ---- */

/* Connects to the broker that serves the folder; -1: there is none to ask. *process: its id. */
int control_connect(const char *folder, long *process);
/* Sends an order; reads the answer to the oldest order that has none yet. false with errno: 0 if
 * the broker ended, EPROTO if it is of another version. */
bool control_send(int fd, const struct order *order);
bool control_receive(int fd, struct control_answer *answer);

#endif
