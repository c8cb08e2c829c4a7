/* What `zchatd user` works on: the store of a data folder, through the broker that serves it or, if
 * none is running, directly. */
#ifndef TARGET_H
#define TARGET_H

#include "core/order.h"
#include "data.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct target {
    char path[DATA_PATH_BYTES]; /* of the store, absolute */
    char folder[DATA_PATH_BYTES];
    int file;                          /* owned: the store's, for asking who has it; -1: none */
    struct store *store;               /* owned; NULL: the broker is asked */
    int control;                       /* owned: the connection to the broker; -1: none */
    long process;                      /* the broker's id */
    char error[DATA_PATH_BYTES + 512]; /* why the last thing failed */
};

enum target_opened {
    TARGET_OPENED,
    TARGET_NONE,   /* there is no store, and none is to be made */
    TARGET_FAILED, /* it can't be opened */
};

/* `reads`: the caller only reads, so the store itself is opened, even beside a broker. Otherwise,
 * if a broker has the store, by whatever name, it is asked; if it can't be asked, the result is
 * TARGET_FAILED. Unless the result is TARGET_OPENED `error` holds one sentence. Close the target in
 * any case. */
enum target_opened target_open(struct target *target, const char *folder, bool create, bool reads);
void target_close(struct target *target);

/* Carries one order out, durably. *ended: how many sessions it ended. */
enum store_status target_carry_out(struct target *target, const struct order *order,
                                   uint32_t *ended);

/* Many orders, several of them under way at a time. `told` is called with each one's status, in the
 * order of the orders; for some of them only by target_finish. After a STORE_FAILED nothing more is
 * done. */
struct target_many {
    struct target *target;                                            /* borrowed */
    void (*told)(void *arg, size_t number, enum store_status status); /* numbers count from 0 */
    void *arg;
    size_t given, answered;
    bool failed;
};
void target_give(struct target_many *many, const struct order *order);
void target_finish(struct target_many *many);

#endif
