#include "link.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

void queue_put(struct queue *queue, struct parcel *parcel, int64_t arrive_us) {
    if (arrive_us < queue->last_us)
        arrive_us = queue->last_us;
    queue->last_us = parcel->arrive_us = arrive_us;
    parcel->next = NULL;
    if (queue->first)
        queue->last->next = parcel;
    else
        queue->first = parcel;
    queue->last = parcel;
}

struct parcel *queue_take(struct queue *queue) {
    struct parcel *parcel = queue->first;

    if (parcel)
        queue->first = parcel->next;
    return parcel;
}

size_t queue_count(const struct queue *queue) {
    size_t count = 0;

    for (const struct parcel *parcel = queue->first; parcel; parcel = parcel->next)
        count++;
    return count;
}

void queue_cut(struct queue *queue, size_t keep) {
    struct parcel **at = &queue->first, *parcel;

    queue->last = NULL;
    for (; *at && keep > 0; keep--) {
        queue->last = *at;
        at = &(*at)->next;
    }
    while ((parcel = *at)) {
        *at = parcel->next;
        parcel_free(parcel);
    }
}

int64_t queue_due(const struct queue *queue) {
    return queue->first ? queue->first->arrive_us : INT64_MAX;
}

struct parcel *parcel_new(uint8_t *bytes, size_t length) {
    struct parcel *parcel = calloc(1, sizeof *parcel);

    if (!parcel)
        abort();
    parcel->bytes = bytes;
    parcel->length = length;
    return parcel;
}

void parcel_free(struct parcel *parcel) {
    if (!parcel)
        return;
    free(parcel->bytes);
    free(parcel);
}

struct link *link_new(uint64_t number, int key) {
    struct link *link = calloc(1, sizeof *link);

    if (!link)
        abort();
    link->number = number;
    link->key = key;
    link->is_new = true;
    link->close_us = link->lost_us = INT64_MAX;
    return link;
}

void link_free(struct link *link) {
    struct asked *asked, *next;

    queue_cut(&link->up, 0);
    queue_cut(&link->down, 0);
    LL_FOREACH_SAFE(link->asked, asked, next) {
        free(asked);
    }
    free(link);
}

struct asked *link_add_asked(struct link *link) {
    struct asked *asked = calloc(1, sizeof *asked);

    if (!asked)
        abort();
    asked->order = ++link->orders;
    LL_PREPEND(link->asked, asked);
    return asked;
}

struct asked *link_find(const struct link *link, uint64_t number) {
    struct asked *asked;

    LL_SEARCH_SCALAR(link->asked, asked, number, number);
    return asked;
}

void link_forget(struct link *link, struct asked *asked) {
    LL_DELETE(link->asked, asked);
    free(asked);
}

void link_forget_silent(struct link *link) {
    struct asked *asked, *next;

    LL_FOREACH_SAFE(link->asked, asked, next) {
        if (asked->number == 0)
            link_forget(link, asked);
    }
}

unsigned link_unanswered(const struct link *link) {
    const struct asked *asked;
    unsigned count = 0;

    LL_FOREACH(link->asked, asked) {
        count += !asked->answered;
    }
    return count;
}
