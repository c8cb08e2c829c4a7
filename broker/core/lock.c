/* See lock.h. */
#include "lock.h"

uint32_t lock_left_s(const struct call *call, int64_t locked_until_us) {
    return (uint32_t)((locked_until_us - core_wall_us(call->core, call->now_us) + 999999) /
                      1000000);
}

bool lock_state(struct call *call, const char *name, int64_t *locked_until_us) {
    struct core *core = call->core;
    int64_t wall_us = core_wall_us(core, call->now_us);
    int64_t latest_us = wall_us + core->options.block_duration_us;
    uint32_t failures;

    if (call_store(call, store_login_state(core->store, name, wall_us, &failures,
                                           locked_until_us)) != STORE_OK)
        return false;
    if (*locked_until_us <= latest_us)
        return true;
    *locked_until_us = latest_us;
    return call_store(call, store_login_shorten(core->store, name, wall_us, latest_us)) == STORE_OK;
}
