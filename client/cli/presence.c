/* The noise filter: changes are held, each with the time when it is due. A change and its opposite
 * cancel each other. */
#include "presence.h"

#include "memory.h"
#include "name.h"

#include <stdlib.h>
#include <string.h>

#define PRESENCE_ARRIVAL_HOLD_MS   1000
#define PRESENCE_DEPARTURE_HOLD_MS 5000
/* Changes that are due within this time are shown together with those due now. */
#define PRESENCE_GATHER_MS 1000

struct presence_change {
    char user[NAME_BYTES];
    bool online;
    int64_t due_ms;
};

struct presence {
    enum options_choice mode;
    presence_show_fn *show;
    void *arg;                    /* borrowed: from the maker */
    struct presence_change *held; /* owned; in the order in which they came */
    size_t held_count;
};

struct presence *presence_new(enum options_choice mode, presence_show_fn *show, void *arg) {
    struct presence *presence = memory_take(sizeof *presence);
    presence->mode = mode;
    presence->show = show;
    presence->arg = arg;
    return presence;
}

void presence_free(struct presence *presence) {
    if (!presence)
        return;
    free(presence->held);
    free(presence);
}

void presence_clear(struct presence *presence) {
    presence->held_count = 0;
}

static void presence_drop(struct presence *presence, size_t index) {
    memmove(presence->held + index, presence->held + index + 1,
            (presence->held_count - index - 1) * sizeof *presence->held);
    presence->held_count--;
}

static bool presence_find(const struct presence *presence, const char *user, size_t *index) {
    for (*index = 0; *index < presence->held_count; (*index)++)
        if (strcmp(presence->held[*index].user, user) == 0)
            return true;
    return false;
}

static void presence_hold(struct presence *presence, const char *user, bool online,
                          int64_t due_ms) {
    presence->held = memory_grow(presence->held, presence->held_count + 1, sizeof *presence->held);
    struct presence_change *change = &presence->held[presence->held_count++];
    name_copy(change->user, user);
    change->online = online;
    change->due_ms = due_ms;
}

void presence_changed(struct presence *presence, const char *user, bool online, int64_t now_ms) {
    char name[NAME_BYTES];
    char *names[] = {name};
    size_t index;
    name_copy(name, user);
    if (presence->mode == OPTIONS_OFF)
        return;
    if (presence->mode == OPTIONS_ON)
        presence->show(presence->arg, names, 1, online);
    else if (!presence_find(presence, name, &index))
        presence_hold(presence, name, online,
                      now_ms + (online ? PRESENCE_ARRIVAL_HOLD_MS : PRESENCE_DEPARTURE_HOLD_MS));
    else if (presence->held[index].online != online)
        presence_drop(presence, index);
}

void presence_announce(struct presence *presence, const char *user) {
    char name[NAME_BYTES];
    char *names[] = {name};
    size_t index;
    name_copy(name, user);
    if (!presence_find(presence, name, &index) || !presence->held[index].online)
        return;
    presence_drop(presence, index);
    presence->show(presence->arg, names, 1, true);
}

int64_t presence_due_ms(const struct presence *presence) {
    int64_t due_ms = -1;
    for (size_t i = 0; i < presence->held_count; i++)
        if (due_ms < 0 || presence->held[i].due_ms < due_ms)
            due_ms = presence->held[i].due_ms;
    return due_ms;
}

/* Takes out the held changes that are due by `until_ms`, and shows them in one line. */
static void presence_say(struct presence *presence, bool online, int64_t until_ms) {
    char **users = memory_take((presence->held_count + 1) * sizeof *users);
    size_t count = 0;
    size_t kept = 0;
    for (size_t i = 0; i < presence->held_count; i++) {
        struct presence_change *change = &presence->held[i];
        if (change->online == online && change->due_ms <= until_ms)
            users[count++] = memory_text(change->user);
        else
            presence->held[kept++] = *change;
    }
    presence->held_count = kept;
    if (count > 0)
        presence->show(presence->arg, users, count, online);
    while (count > 0)
        free(users[--count]);
    free(users);
}

void presence_tick(struct presence *presence, int64_t now_ms) {
    int64_t due_ms = presence_due_ms(presence);
    if (due_ms < 0 || due_ms > now_ms)
        return;
    presence_say(presence, false, now_ms + PRESENCE_GATHER_MS);
    presence_say(presence, true, now_ms + PRESENCE_GATHER_MS);
}
