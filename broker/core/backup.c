#include "backup.h"

#include "state.h"
#include "store_backup.h"

bool core_backup_begin(struct core *core) {
    if (core->backing_up || core_store(core, store_hold_pieces(core->store, true)) != STORE_OK)
        return false;
    core->backing_up = true;
    return true;
}

void core_backup_end(struct core *core) {
    if (!core->backing_up)
        return;
    core->backing_up = false;
    (void)core_store(core, store_hold_pieces(core->store, false));
}
