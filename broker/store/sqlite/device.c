/* Trusted device keys. Devices are numbered within their account, and a number is never given
 * again. */
#include "inside.h"

#include <string.h>

const struct statement_text device_statements[] = {
    {STATEMENT_ACCOUNT_DEVICE_NUMBER,
     "UPDATE account SET devices = devices + 1 WHERE id = ?1 RETURNING devices"},
    {STATEMENT_DEVICE_ADD, "INSERT INTO device (account, device, key, label, trusted_us, "
                           "used_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
    {STATEMENT_DEVICE_BY_KEY, "SELECT device FROM device WHERE account = ?1 AND key = ?2"},
    {STATEMENT_DEVICE_COUNT, "SELECT count(*) FROM device WHERE account = ?1"},
    {STATEMENT_DEVICE_LIST, "SELECT device, label, key, trusted_us, used_us FROM device "
                            "WHERE account = ?1 ORDER BY device"},
    {STATEMENT_DEVICE_KEY, "SELECT key FROM device WHERE account = ?1 AND device = ?2"},
    {STATEMENT_DEVICE_REMOVE, "DELETE FROM device WHERE account = ?1 AND device = ?2"},
    {0},
};

enum store_status sqlite_device_room(struct store *store, int64_t account) {
    sqlite3_stmt *count = store->statements[STATEMENT_DEVICE_COUNT];
    int64_t devices = 0;
    bind_number(count, 1, account);
    enum store_status status = sqlite_number(store, count, &devices);
    return status == STORE_OK && devices >= DEVICES_MAX ? STORE_TOO_MANY : status;
}

enum store_status sqlite_device_find(struct store *store, int64_t account, const unsigned char *key,
                                     int64_t *device) {
    sqlite3_stmt *find = store->statements[STATEMENT_DEVICE_BY_KEY];
    bind_number(find, 1, account);
    bind_blob(find, 2, key, KEY_BYTES);
    return sqlite_number(store, find, device);
}

enum store_status sqlite_device_add(struct store *store, int64_t account, const unsigned char *key,
                                    const char *label, int64_t now_us, int64_t used_us) {
    sqlite3_stmt *number = store->statements[STATEMENT_ACCOUNT_DEVICE_NUMBER];
    int64_t device = 0;
    bind_number(number, 1, account);
    enum store_status status = sqlite_number(store, number, &device);
    if (status != STORE_OK)
        return status;
    sqlite3_stmt *add = store->statements[STATEMENT_DEVICE_ADD];
    bind_number(add, 1, account);
    bind_number(add, 2, device);
    bind_blob(add, 3, key, KEY_BYTES);
    bind_text(add, 4, !label || label[0] == '\0' ? "unnamed" : label);
    bind_number(add, 5, now_us);
    bind_number(add, 6, used_us);
    return sqlite_run(store, add);
}

enum store_status store_device_trusted(struct store *store, int64_t account,
                                       const unsigned char key[KEY_BYTES]) {
    int64_t device;
    return store->failed ? STORE_FAILED : sqlite_device_find(store, account, key, &device);
}

enum store_status store_device_list(struct store *store, int64_t account,
                                    struct store_device devices[DEVICES_MAX], size_t *count) {
    *count = 0;
    if (store->failed)
        return STORE_FAILED;
    sqlite3_stmt *list = store->statements[STATEMENT_DEVICE_LIST];
    bind_number(list, 1, account);
    enum step step = STEP_DONE;
    while (*count < DEVICES_MAX && (step = sqlite_step(store, list)) == STEP_ROW) {
        struct store_device *device = &devices[(*count)++];
        *device = (struct store_device){
            .device = column_count(list, 0),
            .trusted_us = sqlite3_column_int64(list, 3),
            .used_us = sqlite3_column_int64(list, 4),
        };
        int64_t noted_us = sqlite_note_used_us(store, account, (int64_t)device->device);
        device->used_us = noted_us != 0 ? noted_us : device->used_us;
        column_text(list, 1, device->label, sizeof device->label);
        if (!column_blob(list, 2, device->key, KEY_BYTES)) {
            (void)sqlite3_reset(list);
            return sqlite_fail_because(store, "read", "a device's key has the wrong size");
        }
    }
    (void)sqlite3_reset(list);
    return step == STEP_FAILED ? STORE_FAILED : STORE_OK;
}

static enum store_status key_of(struct store *store, int64_t account, uint64_t device,
                                unsigned char key[KEY_BYTES]) {
    sqlite3_stmt *find = store->statements[STATEMENT_DEVICE_KEY];
    bind_number(find, 1, account);
    bind_number(find, 2, (int64_t)device);
    enum step step = sqlite_step(store, find);
    bool whole = step == STEP_ROW && column_blob(find, 0, key, KEY_BYTES);
    (void)sqlite3_reset(find);
    if (step != STEP_ROW)
        return step == STEP_FAILED ? STORE_FAILED : STORE_NOT_FOUND;
    return whole ? STORE_OK
                 : sqlite_fail_because(store, "read", "a device's key has the wrong size");
}

enum store_status store_device_revoke(struct store *store, int64_t account, uint64_t device,
                                      unsigned char key[KEY_BYTES]) {
    if (store->failed)
        return STORE_FAILED;
    if (device > INT64_MAX)
        return STORE_NOT_FOUND;
    enum store_status status = sqlite_write(store);
    if (status == STORE_OK)
        status = key_of(store, account, device, key);
    if (status != STORE_OK)
        return status;
    sqlite3_stmt *remove = store->statements[STATEMENT_DEVICE_REMOVE];
    bind_number(remove, 1, account);
    bind_number(remove, 2, (int64_t)device);
    return sqlite_run(store, remove);
}
