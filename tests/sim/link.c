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
    free(parcel->requests);
    free(parcel);
}

struct link *link_new(uint64_t number, struct client *client, int key) {
    struct link *link = calloc(1, sizeof *link);

    if (!link)
        abort();
    link->number = number;
    link->client = client;
    link->key = key;
    link->is_new = true;
    link->close_us = link->lost_us = INT64_MAX;
    return link;
}

void link_free(struct link *link) {
    struct request *request, *next;

    queue_cut(&link->up, 0);
    queue_cut(&link->down, 0);
    LL_FOREACH_SAFE(link->requests, request, next) {
        free(request);
    }
    free(link);
}

struct request *link_request(struct link *link, int kind) {
    struct request *request = calloc(1, sizeof *request);

    if (!request)
        abort();
    request->number = ++link->numbers;
    request->kind = kind;
    LL_PREPEND(link->requests, request);
    return request;
}

struct request *link_find(const struct link *link, uint64_t number) {
    struct request *request;

    LL_SEARCH_SCALAR(link->requests, request, number, number);
    return request;
}

void link_forget(struct link *link, struct request *request) {
    LL_DELETE(link->requests, request);
    free(request);
}
