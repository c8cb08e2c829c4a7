/* What `zchatd user`, and administrators in their sessions, do to accounts. If a broker is running,
 * `zchatd user` asks it, so that open sessions are affected at once; otherwise the order changes
 * the store alone. */
#ifndef ORDER_H
#define ORDER_H

#include "store.h"

struct core;

enum order_verb {
    ORDER_FIND, /* changes nothing: OK or NOT_FOUND */
    ORDER_ADD,
    ORDER_LOCK,   /* ends the sessions */
    ORDER_UNLOCK, /* also ends a lock that wrong passwords caused */
    ORDER_PASSWD, /* the same, and ends the sessions */
    ORDER_RESET,  /* likewise, and the trust in all devices */
    ORDER_MAKE_ADMIN,
    ORDER_MAKE_MEMBER, /* takes away the administrator's right */
    /* Only for a running broker: that `zchatd backup` copies the store from now on (EXISTS:
     * somebody does already), and that it is done. */
    ORDER_BACKUP_BEGIN,
    ORDER_BACKUP_END,
};
#define ORDER_VERBS (ORDER_BACKUP_END + 1)

struct order {
    enum order_verb verb;
    char name[NAME_BYTES];
    char hash[STORE_HASH_BYTES]; /* ADD, PASSWD, RESET; "": none */
    bool admin;                  /* ADD */
    bool has_key;                /* ADD */
    unsigned char key[KEY_BYTES];
    char label[LABEL_BYTES_MAX + 1]; /* the key's */
};

/* Carries out the store's part, in its open transaction. Returns OK, NOT_FOUND, EXISTS or
 * FAILED. */
enum store_status order_apply(struct store *store, const struct order *order, int64_t now_us);

/* Carries out all of it, as a part of the turn. `by`: the administrator who gave it; NULL: `zchatd
 * user` did. *ended: how many sessions it ended. */
enum store_status core_order(struct core *core, const struct order *order, const char *by,
                             int64_t now_us, uint32_t *ended);

#endif
