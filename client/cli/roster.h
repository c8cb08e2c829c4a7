/* The people whom this client has heard of: who is online, who wrote or was written to, whom the
 * user has blocked. It is used for completion, and to correct presence after a lost connection; the
 * broker has the truth. */
#ifndef ROSTER_H
#define ROSTER_H

#include "name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct roster;

struct roster_person {
    char user[NAME_BYTES];
    bool online;
    bool partner;     /* wrote, or was written to */
    bool blocked;     /* by oneself */
    bool told_away;   /* since they went it was shown that they are away */
    bool listed;      /* in the list that is being compared */
    int64_t heard_ms; /* when something of theirs was last shown; 0: never */
};

struct roster *roster_new(void);
void roster_free(struct roster *roster);
void roster_clear(struct roster *roster);

size_t roster_count(const struct roster *roster);
/* In the order of names. */
struct roster_person *roster_at(struct roster *roster, size_t index);
/* Found, or added. */
struct roster_person *roster_get(struct roster *roster, const char *user);
/* Returns whether that is news. */
bool roster_set_online(struct roster *roster, const char *user, bool online);
void roster_forget_blocks(struct roster *roster);

#endif
