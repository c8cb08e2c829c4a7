/* See order.h. A login that is under way reads the account again after its password was checked, so
 * none slips past a lock. */
#include "order.h"

#include "presence.h"
#include "private.h"

#include <utlist.h>

static enum store_status add(struct store *store, const struct order *order, int64_t now_us) {
    int64_t account;

    return store_account_add(store, order->name, order->hash, order->admin,
                             order->has_key ? order->key : NULL, order->label, now_us, &account);
}

static enum store_status set_locked(struct store *store, const struct order *order, bool locked) {
    enum store_status status = store_account_set_locked(store, order->name, locked);

    return status == STORE_OK && !locked ? store_login_forget(store, order->name) : status;
}

static enum store_status forget_devices(struct store *store, int64_t account) {
    struct store_device devices[DEVICES_MAX];
    unsigned char key[KEY_BYTES];
    size_t count = 0;
    enum store_status status = store_device_list(store, account, devices, &count);

    for (size_t i = 0; status == STORE_OK && i < count; i++)
        status = store_device_revoke(store, account, devices[i].device, key);
    return status;
}

static enum store_status set_password(struct store *store, const struct order *order) {
    struct store_account account;
    enum store_status status = store_account_find(store, order->name, &account);

    if (status == STORE_OK)
        status = store_account_set_password(store, account.account, NULL, order->hash);
    if (status == STORE_OK && order->verb == ORDER_RESET)
        status = forget_devices(store, account.account);
    return status == STORE_OK ? store_login_forget(store, order->name) : status;
}

enum store_status order_apply(struct store *store, const struct order *order, int64_t now_us) {
    struct store_account account;

    switch (order->verb) {
    case ORDER_FIND:
        return store_account_find(store, order->name, &account);
    case ORDER_ADD:
        return add(store, order, now_us);
    case ORDER_LOCK:
    case ORDER_UNLOCK:
        return set_locked(store, order, order->verb == ORDER_LOCK);
    case ORDER_PASSWD:
    case ORDER_RESET:
        return set_password(store, order);
    case ORDER_MAKE_ADMIN:
    case ORDER_MAKE_MEMBER:
        return store_account_set_admin(store, order->name, order->verb == ORDER_MAKE_ADMIN);
    case ORDER_BACKUP_BEGIN: /* these concern no account */
    case ORDER_BACKUP_END:
        break;
    }
    return STORE_NOT_FOUND;
}

static void note(struct core *core, const struct order *order, const char *by, uint32_t ended) {
    static const char *const verbs[ORDER_VERBS] = {
        [ORDER_ADD] = "add",
        [ORDER_LOCK] = "lock",
        [ORDER_UNLOCK] = "unlock",
        [ORDER_PASSWD] = "passwd",
        [ORDER_RESET] = "reset",
        [ORDER_MAKE_ADMIN] = "admin",
        [ORDER_MAKE_MEMBER] = "admin --revoke",
    };

    if (verbs[order->verb])
        core_note(core, "user_order", "verb=\"%s\" user=%s by=\"%s\" sessions_ended=%u",
                  verbs[order->verb], order->name, by ? by : "zchatd user", (unsigned)ended);
}

/* Ends the account's private chats, even if the account has no session any more. */
static void end_chats(struct core *core, const char *name) {
    struct store_account account;

    if (core_store(core, store_account_find(core->store, name, &account)) == STORE_OK)
        private_revoked(core, account.account);
}

/* The member is freed with its last session. */
static uint32_t end_sessions(struct core *core, const char *name, const char *why, int64_t now_us) {
    struct member *member;
    uint32_t ended = 0;

    while ((member = member_find_name(&core->sessions, name)) && member->sessions) {
        presence_end_session(core, member->sessions, ZCHAT__V1__END_REASON__END_REASON_REVOKED, why,
                             now_us);
        ended++;
    }
    end_chats(core, name);
    return ended;
}

static void set_admin(struct core *core, const char *name, bool admin) {
    struct member *member = member_find_name(&core->sessions, name);
    struct session *session;

    if (!member)
        return;
    DL_FOREACH2(member->sessions, session, member_next) {
        session->admin = admin;
    }
}

enum store_status core_order(struct core *core, const struct order *order, const char *by,
                             int64_t now_us, uint32_t *ended) {
    enum store_status status;

    *ended = 0;
    core->now_us = now_us;
    if (!core_begin(core))
        return STORE_FAILED;
    status = core_store(core, order_apply(core->store, order, core_wall_us(core, now_us)));
    if (status != STORE_OK)
        return status;
    if (order->verb == ORDER_LOCK)
        *ended =
            end_sessions(core, order->name, "the account was locked by an administrator", now_us);
    else if (order->verb == ORDER_PASSWD || order->verb == ORDER_RESET)
        *ended = end_sessions(core, order->name,
                              "the password was changed by an administrator: log in again", now_us);
    else if (order->verb == ORDER_MAKE_ADMIN || order->verb == ORDER_MAKE_MEMBER)
        set_admin(core, order->name, order->verb == ORDER_MAKE_ADMIN);
    note(core, order, by, *ended);
    return status;
}
