/* See pace.h. There is a fixed number of places, each for one kind and source; a place is free
 * again a minute after its last line. When all are taken, further sources share the place of their
 * kind, which sources can't use up. */
#include "pace.h"

#include "core/memory.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCES     64
#define KINDS       32 /* more than there are */
#define PLACE_BYTES 96
#define EVERY_US    (60 * 1000000LL)

struct place {
    char name[PLACE_BYTES]; /* "": never used */
    int64_t written_us;
    uint64_t passed_over;
};

struct pace {
    struct place sources[SOURCES];
    struct place kinds[KINDS];
};

struct pace *pace_new(void) {
    return memory_new(sizeof(struct pace));
}

void pace_free(struct pace *pace) {
    free(pace);
}

/* If the clock was set back, the place is free: nobody is silenced for longer. */
static bool is_over(const struct place *place, int64_t now_us) {
    return now_us - place->written_us >= EVERY_US || now_us < place->written_us;
}

/* The place of that name, or else the first free one; NULL: there is none. */
static struct place *place_of(struct place *places, size_t count, const char *name,
                              int64_t now_us) {
    struct place *found = NULL;

    for (size_t i = 0; i < count; i++) {
        struct place *place = &places[i];

        if (!strcmp(place->name, name))
            return place;
        if (!found && (!place->name[0] || is_over(place, now_us)))
            found = place;
    }
    if (found) {
        strcpy(found->name, name);
        found->passed_over = 0;
        found->written_us = now_us - EVERY_US;
    }
    return found;
}

bool pace_due(struct pace *pace, const char *kind, const char *source, int64_t now_us,
              uint64_t *passed_over) {
    char name[PLACE_BYTES];
    struct place *place = NULL;

    snprintf(name, sizeof name, "%.40s %.50s", kind, source ? source : "");
    if (source)
        place = place_of(pace->sources, SOURCES, name, now_us);
    if (!place)
        place = place_of(pace->kinds, KINDS, kind, now_us);
    if (!place || !is_over(place, now_us)) {
        if (place)
            place->passed_over++;
        return false;
    }
    if (passed_over)
        *passed_over = place->passed_over;
    place->passed_over = 0;
    place->written_us = now_us;
    return true;
}
