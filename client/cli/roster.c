/* The roster: an array sorted by name, so that completion and lists come out in order. */
#include "roster.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

struct roster {
    struct roster_person **people; /* owned, and so is each of them */
    size_t count;
};

struct roster *roster_new(void) {
    return memory_take(sizeof(struct roster));
}

void roster_free(struct roster *roster) {
    if (!roster)
        return;
    roster_clear(roster);
    free(roster);
}

void roster_clear(struct roster *roster) {
    for (size_t i = 0; i < roster->count; i++)
        free(roster->people[i]);
    free(roster->people);
    roster->people = NULL;
    roster->count = 0;
}

size_t roster_count(const struct roster *roster) {
    return roster->count;
}

struct roster_person *roster_at(struct roster *roster, size_t index) {
    return roster->people[index];
}

/* The place of the first name that is not before `user`. */
static size_t roster_place(const struct roster *roster, const char *user) {
    size_t low = 0;
    size_t high = roster->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(roster->people[middle]->user, user) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct roster_person *roster_get(struct roster *roster, const char *user) {
    char name[NAME_BYTES];
    name_copy(name, user);
    size_t place = roster_place(roster, name);
    if (place < roster->count && strcmp(roster->people[place]->user, name) == 0)
        return roster->people[place];
    struct roster_person *person = memory_take(sizeof *person);
    memcpy(person->user, name, sizeof person->user);
    roster->people = memory_grow(roster->people, roster->count + 1, sizeof(struct roster_person *));
    memmove(roster->people + place + 1, roster->people + place,
            (roster->count - place) * sizeof(struct roster_person *));
    roster->people[place] = person;
    roster->count++;
    return person;
}

bool roster_set_online(struct roster *roster, const char *user, bool online) {
    struct roster_person *person = roster_get(roster, user);
    bool news = person->online != online;
    person->online = online;
    if (online)
        person->told_away = false;
    return news;
}

void roster_forget_blocks(struct roster *roster) {
    for (size_t i = 0; i < roster->count; i++)
        roster->people[i]->blocked = false;
}
