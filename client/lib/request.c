/* Open requests: two lists in the order of sending, and a hash table over the numbers, which grow
 * by one and so spread evenly by their low bits. A table that can't grow for lack of memory stays
 * as it is: it gets slower, not wrong. */
#include "request.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#define BUCKETS_MIN 64

#define REPLY(name) .reply = ZCHAT__V1__REPLY__BODY_##name
#define DONE(name)  .repeat = true, .done = ZCHAT__V1__REASON__REASON_##name

static const struct request_policy policies[REQUEST_KINDS] = {
    [REQUEST_LOGIN] = {REPLY(LOGIN), .repeat = true, .barrier = true, .secret = true},
    [REQUEST_LOGOUT] = {REPLY(LOGOUT), .repeat = true, .barrier = true},
    [REQUEST_REGISTER] = {REPLY(REGISTER_ACCOUNT), .barrier = true, .secret = true},
    [REQUEST_PASSWD] = {REPLY(CHANGE_PASSWORD), .barrier = true, .secret = true},
    [REQUEST_DEVICES] = {REPLY(LIST_DEVICES), .repeat = true},
    [REQUEST_REVOKE] = {REPLY(REVOKE_DEVICE), DONE(NO_SUCH_DEVICE)},
    [REQUEST_SEND] = {REPLY(SEND_MESSAGE), .repeat = true},
    [REQUEST_BROADCAST] = {REPLY(BROADCAST), .repeat = true},
    [REQUEST_WHO] = {REPLY(WHO), .repeat = true},
    [REQUEST_SINCE] = {REPLY(SINCE), .repeat = true},
    [REQUEST_BLOCK] = {REPLY(BLOCK_USER), DONE(ALREADY_BLOCKED)},
    [REQUEST_UNBLOCK] = {REPLY(UNBLOCK_USER), DONE(NOT_BLOCKED)},
    [REQUEST_BLOCKED] = {REPLY(LIST_BLOCKED), .repeat = true},
    [REQUEST_SYNC] = {REPLY(SYNC), .repeat = true},
    [REQUEST_ACK] = {REPLY(ACK), .repeat = true},
    [REQUEST_PING] = {REPLY(PING), .repeat = true},
    [REQUEST_STATS] = {REPLY(GET_STATS), .repeat = true},
    [REQUEST_SHUTDOWN] = {REPLY(SHUTDOWN), .secret = true},
    [REQUEST_THREAD_CREATE] = {REPLY(CREATE_THREAD), .repeat = true},
    [REQUEST_THREAD_LIST] = {REPLY(LIST_THREADS), .repeat = true},
    [REQUEST_THREAD_POST] = {REPLY(POST_TO_THREAD), .repeat = true},
    [REQUEST_THREAD_READ] = {REPLY(READ_THREAD), .repeat = true},
    [REQUEST_THREAD_EDIT] = {REPLY(EDIT_POST), .repeat = true},
    [REQUEST_THREAD_DELETE] = {REPLY(DELETE_POST), .repeat = true},
    [REQUEST_THREAD_REMOVE] = {REPLY(REMOVE_THREAD)},
    [REQUEST_THREAD_FOLLOW] = {REPLY(FOLLOW_THREAD)},
    [REQUEST_THREAD_UNFOLLOW] = {REPLY(UNFOLLOW_THREAD), DONE(NOT_FOLLOWING)},
    [REQUEST_THREAD_ACK] = {REPLY(ACK), .repeat = true},
    [REQUEST_FOLLOWED_LIST] = {REPLY(LIST_FOLLOWED), .repeat = true},
    [REQUEST_FILE_LIST] = {REPLY(LIST_FILES), .repeat = true},
    [REQUEST_RESUME] = {REPLY(LOGIN), .own = true, .barrier = true, .secret = true},
    [REQUEST_FETCH_INBOX] = {REPLY(SYNC), .own = true},
    [REQUEST_FETCH_TOPIC] = {REPLY(SYNC), .own = true},
    [REQUEST_KEEP_ALIVE] = {REPLY(KEEP_ALIVE), .own = true},
    [REQUEST_FETCH_FOLLOWED] = {REPLY(LIST_FOLLOWED), .own = true},
    [REQUEST_FETCH_THREAD] = {REPLY(SYNC), .own = true},
    [REQUEST_MOVE_THREAD] = {REPLY(ACK), .own = true},
    [REQUEST_BEGIN_UPLOAD] = {REPLY(BEGIN_UPLOAD), .own = true},
    [REQUEST_PUT_CHUNK] = {REPLY(PUT_CHUNK), .own = true},
    [REQUEST_CANCEL_UPLOAD] = {REPLY(CANCEL_UPLOAD), .own = true},
    [REQUEST_GET_CHUNK] = {REPLY(GET_CHUNK), .own = true},
    [REQUEST_PRIVATE_INVITE] = {REPLY(INVITE_PRIVATE), .own = true},
    [REQUEST_PRIVATE_ANSWER] = {REPLY(ANSWER_PRIVATE), .own = true, .secret = true},
    [REQUEST_PRIVATE_OPEN] = {REPLY(OPEN_PRIVATE), .own = true},
    [REQUEST_PRIVATE_CLOSE] = {REPLY(CLOSE_PRIVATE), .own = true},
    [REQUEST_ACTIVE] = {REPLY(ACTIVE), .own = true},
};

const struct request_policy *request_policy(enum request_kind kind) {
    assert((unsigned)kind < REQUEST_KINDS);
    return &policies[kind];
}

bool request_was_done(const struct request *request, const Zchat__V1__CommandError *error) {
    Zchat__V1__Reason done = request_policy(request->kind)->done;
    return request->repeated && done != ZCHAT__V1__REASON__REASON_UNSPECIFIED &&
           error->reason == done;
}

/* ---- lists ---- */

static void list_append(struct request_list *list, struct request *request) {
    request->next = NULL;
    request->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = request;
    list->last = request;
}

static void list_prepend(struct request_list *list, struct request *request) {
    request->previous = NULL;
    request->next = list->first;
    *(list->first ? &list->first->previous : &list->last) = request;
    list->first = request;
}

static void list_remove(struct request_list *list, struct request *request) {
    *(request->previous ? &request->previous->next : &list->first) = request->next;
    *(request->next ? &request->next->previous : &list->last) = request->previous;
    request->next = request->previous = NULL;
}

struct request *request_list_pop(struct request_list *list) {
    struct request *request = list->first;
    if (request) {
        list_remove(list, request);
    }
    return request;
}

static struct request_list *list_of(struct requests *requests, const struct request *request) {
    return request->sent ? &requests->sent : &requests->waiting;
}

/* ---- the table ---- */

static struct request **bucket(const struct requests *requests, uint64_t number) {
    return &requests->buckets[number & (requests->bucket_count - 1)];
}

static void table_add(struct requests *requests, struct request *request) {
    struct request **place = bucket(requests, request->number);
    request->chain = *place;
    *place = request;
}

static bool table_grow(struct requests *requests) {
    size_t count = requests->bucket_count ? requests->bucket_count * 2 : BUCKETS_MIN;
    struct request **old = requests->buckets;
    size_t old_count = requests->bucket_count;
    struct request **buckets = calloc(count, sizeof(struct request *));
    if (!buckets) {
        return false;
    }
    requests->buckets = buckets;
    requests->bucket_count = count;
    for (size_t i = 0; i < old_count; i++) {
        struct request *request = old[i];
        while (request) {
            struct request *chain = request->chain;
            table_add(requests, request);
            request = chain;
        }
    }
    free(old);
    return true;
}

static void table_remove(struct requests *requests, struct request *request) {
    struct request **place = bucket(requests, request->number);
    while (*place != request) {
        place = &(*place)->chain;
    }
    *place = request->chain;
    request->chain = NULL;
}

/* ---- requests ---- */

struct request *requests_add(struct requests *requests, enum request_kind kind,
                             Zchat__V1__Command *command, bool urgent) {
    if (requests->open >= requests->bucket_count && !table_grow(requests) &&
        requests->bucket_count == 0) {
        return NULL;
    }
    command->request = requests->last_number + 1;
    size_t bytes = wire_element_size(&command->base);
    struct request *request = calloc(1, sizeof *request + bytes);
    if (!request) {
        return NULL;
    }
    requests->last_number++;
    request->number = command->request;
    request->kind = kind;
    request->bytes = wire_element_pack(WIRE_COMMANDS, &command->base, request->element);
    table_add(requests, request);
    requests->open++;
    requests->open_own += request_policy(kind)->own;
    (urgent ? list_prepend : list_append)(&requests->waiting, request);
    return request;
}

struct request *requests_find(const struct requests *requests, uint64_t number) {
    if (requests->bucket_count == 0) {
        return NULL;
    }
    struct request *request = *bucket(requests, number);
    while (request && request->number != number) {
        request = request->chain;
    }
    return request && request->sent ? request : NULL;
}

void requests_mark_sent(struct requests *requests, struct request *request) {
    assert(!request->sent);
    list_remove(&requests->waiting, request);
    request->sent = true;
    list_append(&requests->sent, request);
    requests->barriers += request_policy(request->kind)->barrier;
}

static void mark_waiting(struct requests *requests, struct request *request) {
    list_remove(&requests->sent, request);
    request->sent = false;
    request->repeated = true;
    list_prepend(&requests->waiting, request);
    requests->barriers -= request_policy(request->kind)->barrier;
}

void requests_take(struct requests *requests, struct request *request) {
    list_remove(list_of(requests, request), request);
    table_remove(requests, request);
    requests->open--;
    requests->open_own -= request_policy(request->kind)->own;
    if (request->sent) {
        requests->barriers -= request_policy(request->kind)->barrier;
    }
}

void request_free(struct request *request) {
    if (!request) {
        return;
    }
    if (request_policy(request->kind)->secret) {
        sodium_memzero(request->element, request->bytes);
    }
    login_free(request->login);
    free(request->title);
    free(request);
}

static void take_into(struct requests *requests, struct request *request,
                      struct request_list *list) {
    requests_take(requests, request);
    if (request_policy(request->kind)->own) {
        request_free(request);
    } else {
        list_append(list, request);
    }
}

/* The library's own that wait were meant for the lost connection, too. */
static void drop_own_waiting(struct requests *requests) {
    struct request *next;
    for (struct request *request = requests->waiting.first; request; request = next) {
        next = request->next;
        if (request_policy(request->kind)->own) {
            requests_take(requests, request);
            request_free(request);
        }
    }
}

void requests_requeue(struct requests *requests, struct request_list *unknown) {
    struct request *next;
    drop_own_waiting(requests);
    for (struct request *request = requests->sent.first; request; request = next) {
        next = request->next;
        if (!request_policy(request->kind)->repeat) {
            take_into(requests, request, unknown);
        }
    }
    while (requests->sent.last) {
        mark_waiting(requests, requests->sent.last);
    }
    assert(requests->barriers == 0);
}

void requests_take_sent(struct requests *requests, struct request_list *sent) {
    while (requests->sent.first) {
        take_into(requests, requests->sent.first, sent);
    }
}

void requests_take_all(struct requests *requests, struct request_list *all) {
    requests_take_sent(requests, all);
    while (requests->waiting.first) {
        take_into(requests, requests->waiting.first, all);
    }
    assert(requests->open == 0 && requests->open_own == 0);
}

static void drop_from(struct requests *requests, struct request *first, enum request_kind kind) {
    struct request *next;
    for (struct request *request = first; request; request = next) {
        next = request->next;
        if (request->kind == kind) {
            requests_take(requests, request);
            request_free(request);
        }
    }
}

void requests_drop(struct requests *requests, enum request_kind kind) {
    drop_from(requests, requests->sent.first, kind);
    drop_from(requests, requests->waiting.first, kind);
}

static bool list_has(const struct request_list *list, enum request_kind kind) {
    const struct request *request = list->first;
    while (request && request->kind != kind) {
        request = request->next;
    }
    return request != NULL;
}

bool requests_have(const struct requests *requests, enum request_kind kind) {
    return list_has(&requests->sent, kind) || list_has(&requests->waiting, kind);
}

void requests_release(struct requests *requests) {
    struct request_list all = {0};
    requests_take_all(requests, &all);
    for (struct request *request; (request = request_list_pop(&all));) {
        request_free(request);
    }
    free(requests->buckets);
    requests->buckets = NULL;
    requests->bucket_count = 0;
}
