/* See target.h. If a broker starts while this program changes the store, it reads the accounts from
 * the store, but it may have opened sessions that must end. So that broker is then asked to carry
 * the order out again. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "target.h"

#include "common/clock.h"
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How many orders a broker may have under way for us; and how many share a transaction without a
 * broker. */
#define UNDER_WAY   32
#define TRANSACTION 1000

static void name_store(struct target *target, const char *folder) {
    char *real = realpath(folder, NULL), here[DATA_PATH_BYTES] = "";
    bool absolute = real || folder[0] == '/' || !getcwd(here, sizeof here);
    if (!data_path(absolute ? "" : here, real ? real : folder, target->folder,
                   sizeof target->folder))
        target->folder[0] = '\0';
    else if (absolute)
        snprintf(target->folder, sizeof target->folder, "%s", real ? real : folder);
    if (!data_path(target->folder, DATA_STORE, target->path, sizeof target->path))
        target->path[0] = '\0';
    free(real);
}

static enum target_opened open_store(struct target *target) {
    struct store_options options = {.path = target->path, .beside = true};
    if (store_open(&target->store, &options) == STORE_OK)
        return TARGET_OPENED;
    snprintf(target->error, sizeof target->error, "%s", store_error(target->store));
    return TARGET_FAILED;
}

/* Whether a broker that can't be asked has the store: it would not learn of changes made beside it,
 * and if it has the store under another name the changes would be lost. */
static bool is_served(struct target *target) {
    long process = data_process(target->folder);
    char who[64] = "another folder's, or one that begins or ends just now";
    if (process == 0 && !data_is_held(target->file))
        return false;
    if (process != 0)
        snprintf(who, sizeof who, "process %ld", process);
    snprintf(target->error, sizeof target->error,
             "nothing was done: a broker (%s) serves the store %s and can't be asked there: "
             "name its own folder with --data, or end it first",
             who, target->path);
    return true;
}

enum target_opened target_open(struct target *target, const char *folder, bool create, bool reads) {
    *target = (struct target){.control = -1, .file = -1};
    name_store(target, folder);
    if (!target->path[0]) {
        snprintf(target->error, sizeof target->error, "the path of the data folder is too long");
        return TARGET_FAILED;
    }
    if (!reads && (target->control = control_connect(folder, &target->process)) >= 0)
        return TARGET_OPENED;
    target->file = data_open_store(folder);
    if (!reads && is_served(target))
        return TARGET_FAILED;
    if (!create && access(target->path, F_OK) != 0) {
        snprintf(target->error, sizeof target->error, "there is no store in %s: %s", target->folder,
                 strerror(errno));
        return TARGET_NONE;
    }
    if (create && !data_make(folder, target->error, sizeof target->error))
        return TARGET_FAILED;
    name_store(target, folder);
    return open_store(target);
}

void target_close(struct target *target) {
    if (target->control >= 0)
        close(target->control);
    if (target->store)
        store_close(target->store);
    if (target->file >= 0)
        close(target->file); /* this drops SQLite's locks, too */
}

/* ---- one order ---- */

static enum store_status receive(struct target *target, uint32_t *ended) {
    struct control_answer answer;
    if (control_receive(target->control, &answer)) {
        *ended = answer.ended;
        if (answer.status == STORE_FAILED) {
            snprintf(target->error, sizeof target->error,
                     "the broker (process %ld) could not do it: its log says why", target->process);
        }
        return answer.status;
    }
    snprintf(target->error, sizeof target->error,
             "the broker (process %ld) %s: zchatd user list shows whether it was done",
             target->process,
             errno == EAGAIN ? "does not answer" : "ended, or is of another version");
    return STORE_FAILED;
}

static enum store_status ask(struct target *target, const struct order *order, uint32_t *ended) {
    (void)control_send(target->control, order); /* reading the answer shows if this failed */
    return receive(target, ended);
}

static enum store_status fail_store(struct target *target) {
    snprintf(target->error, sizeof target->error, "%s", store_error(target->store));
    return STORE_FAILED;
}

static bool changes_sessions(const struct order *order) {
    return order->verb != ORDER_FIND && order->verb != ORDER_ADD;
}

/* The store has the change; tells it to a broker that may be running by now. */
static enum store_status tell_broker(struct target *target, const struct order *order,
                                     uint32_t *ended) {
    long process = data_process(target->folder);
    target->control = control_connect(target->folder, &target->process);
    if (target->control >= 0)
        return ask(target, order, ended);
    if (process == 0 && !data_is_held(target->file))
        return STORE_OK;
    snprintf(target->error, sizeof target->error,
             "done in the store, but the broker that began meanwhile can't be asked: "
             "open sessions go on until it is started again");
    return STORE_FAILED;
}

enum store_status target_carry_out(struct target *target, const struct order *order,
                                   uint32_t *ended) {
    *ended = 0;
    if (target->control >= 0)
        return ask(target, order, ended);
    enum store_status status = store_begin(target->store);
    if (status == STORE_OK)
        status = order_apply(target->store, order, clock_wall_us());
    if (status == STORE_FAILED || store_commit(target->store) != STORE_OK)
        return fail_store(target);
    return status == STORE_OK && changes_sessions(order) ? tell_broker(target, order, ended)
                                                         : status;
}

/* ---- many orders ---- */

static void tell(struct target_many *many, enum store_status status) {
    many->failed = many->failed || status == STORE_FAILED;
    many->told(many->arg, many->answered++, status);
}

static void take_answer(struct target_many *many) {
    uint32_t ended;
    tell(many, receive(many->target, &ended));
}

static bool do_store(struct target_many *many, enum store_status (*step)(struct store *)) {
    if (!many->failed && step(many->target->store) != STORE_OK)
        tell(many, fail_store(many->target));
    return !many->failed;
}

static void apply(struct target_many *many, const struct order *order) {
    struct store *store = many->target->store;
    if (many->given % TRANSACTION == 0) {
        if ((many->given > 0 && !do_store(many, store_commit)) || !do_store(many, store_begin))
            return;
    }
    many->given++;
    enum store_status status = order_apply(store, order, clock_wall_us());
    tell(many, status == STORE_FAILED ? fail_store(many->target) : status);
}

void target_give(struct target_many *many, const struct order *order) {
    if (many->failed)
        return;
    if (many->target->control < 0) {
        apply(many, order);
        return;
    }
    if (many->given - many->answered == UNDER_WAY)
        take_answer(many);
    many->given++;
    (void)control_send(many->target->control, order);
}

void target_finish(struct target_many *many) {
    while (many->target->control >= 0 && !many->failed && many->answered < many->given)
        take_answer(many);
    if (many->target->control < 0 && many->given > 0)
        do_store(many, store_commit);
}
