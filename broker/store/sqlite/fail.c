/* Turns what went wrong into the store's error: one sentence, about the first failure. */
#include "inside.h"

#include <stdio.h>

/* How many damaged pages a sentence names. */
#define PAGES_NAMED 4

enum store_status sqlite_fail_because(struct store *store, const char *doing, const char *reason) {
    if (!store->failed) {
        store->failed = true;
        (void)snprintf(store->error, sizeof store->error, "cannot %s %s: %s", doing,
                       !store->path ? "the store" : store->path, reason);
    }
    return STORE_FAILED;
}

/* Names the damaged pages that were met; "": none was. */
static void name_pages(const struct store *store, char *out, size_t out_bytes) {
    uint32_t pages[PAGE_CHECK_PAGES_MAX];
    size_t count = 0, used = 0;
    if (store->pages)
        (void)page_check_damaged(store->pages, pages, &count);
    out[0] = '\0';
    for (size_t i = 0; i < count && i < PAGES_NAMED; i++) {
        int bytes = snprintf(out + used, out_bytes - used, "%s%u", i == 0 ? ", page " : ", ",
                             (unsigned)pages[i]);
        used += bytes > 0 ? (size_t)bytes : 0;
    }
}

static bool is_damage(int code) {
    int primary = code & 0xff;
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

enum store_status sqlite_fail_code(struct store *store, const char *doing, int code,
                                   const char *message) {
    char reason[STORE_ERROR_BYTES / 2], pages[64];
    name_pages(store, pages, sizeof pages);
    (void)snprintf(reason, sizeof reason, "%s (SQLite error %d%s)%s", message, code, pages,
                   is_damage(code) ? "; it is damaged: zchatd check-store lists what is, and a "
                                     "backup brings it back"
                                   : "");
    return sqlite_fail_because(store, doing, reason);
}

enum store_status sqlite_fail(struct store *store, const char *doing) {
    return !store->db ? sqlite_fail_code(store, doing, SQLITE_NOMEM, "out of memory")
                      : sqlite_fail_code(store, doing, sqlite3_extended_errcode(store->db),
                                         sqlite3_errmsg(store->db));
}

enum store_status sqlite_no_memory(struct store *store) {
    return sqlite_fail_because(store, "keep the view of", "out of memory");
}

const char *store_error(const struct store *store) {
    if (!store)
        return "cannot open the store: out of memory";
    return store->failed ? store->error : "the store has not failed";
}
