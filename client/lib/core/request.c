/* Open requests: two lists in the order of sending, and a hash table by number. Numbers grow by
 * one, so their low bits spread them evenly. If the table can't grow for lack of memory, it gets
 * slower but stays right. */
#include "request.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_MIN 64

bool request_fits(const struct request *request, const Zchat__V1__Reply *reply) {
    return (unsigned)reply->body_case == (unsigned)request->command;
}

bool request_was_done(const struct request *request, const Zchat__V1__CommandError *error) {
    Zchat__V1__Reason done = request->row->done;
    return request->repeated && done != ZCHAT__V1__REASON__REASON_UNSPECIFIED &&
           error->reason == done;
}

static bool is_own(const struct request *request) {
    return request->owner != REQUEST_CALL;
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
    if (request)
        list_remove(list, request);
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
    if (!buckets)
        return false;
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
    while (*place != request)
        place = &(*place)->chain;
    *place = request->chain;
    request->chain = NULL;
}

/* ---- requests ---- */

void requests_init(struct requests *requests, const struct command_row *rows) {
    memset(requests, 0, sizeof *requests);
    requests->rows = rows;
}

static bool has_room(struct requests *requests) {
    return requests->open < requests->bucket_count || table_grow(requests) ||
           requests->bucket_count > 0;
}

/* All members of Command's union are pointers to messages, which all begin with their base, so any
 * member of the union may be used to set the right one. */
static struct request *add(struct requests *requests, enum request_owner owner,
                           const struct command_row *row, command_number number,
                           ProtobufCMessage *body) {
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    command.request = requests->last_number + 1;
    command.body_case = number;
    command.ping = (Zchat__V1__PingRequest *)body;
    size_t bytes = wire_element_size(&command.base);
    struct request *request = has_room(requests) ? calloc(1, sizeof *request + bytes) : NULL;
    if (!request)
        return NULL;
    requests->last_number++;
    request->number = command.request;
    request->command = number;
    request->row = row;
    request->owner = owner;
    request->bytes = wire_element_pack(WIRE_COMMANDS, &command.base, request->element);
    assert(request->row->name);
    table_add(requests, request);
    requests->open++;
    requests->open_own += is_own(request);
    (owner == REQUEST_SESSION ? list_prepend : list_append)(&requests->waiting, request);
    return request;
}

struct request *requests_add(struct requests *requests, enum request_owner owner,
                             command_number number, ProtobufCMessage *body) {
    return add(requests, owner, &requests->rows[number], number, body);
}

struct request *requests_add_as(struct requests *requests, const struct command_row *row,
                                command_number number, ProtobufCMessage *body) {
    return add(requests, REQUEST_CALL, row, number, body);
}

struct request *requests_find(const struct requests *requests, uint64_t number) {
    if (requests->bucket_count == 0)
        return NULL;
    struct request *request = *bucket(requests, number);
    while (request && request->number != number)
        request = request->chain;
    return request && request->sent ? request : NULL;
}

void requests_mark_sent(struct requests *requests, struct request *request) {
    assert(!request->sent);
    list_remove(&requests->waiting, request);
    request->sent = true;
    list_append(&requests->sent, request);
    requests->barriers += request->row->barrier;
}

static void mark_waiting(struct requests *requests, struct request *request) {
    list_remove(&requests->sent, request);
    request->sent = false;
    request->repeated = true;
    list_prepend(&requests->waiting, request);
    requests->barriers -= request->row->barrier;
}

void requests_take(struct requests *requests, struct request *request) {
    list_remove(list_of(requests, request), request);
    table_remove(requests, request);
    requests->open--;
    requests->open_own -= is_own(request);
    if (request->sent)
        requests->barriers -= request->row->barrier;
}

void request_free(struct request *request) {
    if (!request)
        return;
    if (request->row->secret)
        sodium_memzero(request->element, request->bytes);
    login_free(request->login);
    free(request->about);
    free(request);
}

static void take_into(struct requests *requests, struct request *request,
                      struct request_list *list) {
    requests_take(requests, request);
    if (is_own(request))
        request_free(request);
    else
        list_append(list, request);
}

/* The library's own requests that still wait were meant for the lost connection, too. */
static void drop_own_waiting(struct requests *requests) {
    struct request *next;
    for (struct request *request = requests->waiting.first; request; request = next) {
        next = request->next;
        if (is_own(request)) {
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
        if (is_own(request) || !request->row->repeat)
            take_into(requests, request, unknown);
    }
    while (requests->sent.last)
        mark_waiting(requests, requests->sent.last);
    assert(requests->barriers == 0);
}

void requests_take_sent(struct requests *requests, struct request_list *sent) {
    while (requests->sent.first)
        take_into(requests, requests->sent.first, sent);
}

void requests_take_all(struct requests *requests, struct request_list *all) {
    requests_take_sent(requests, all);
    while (requests->waiting.first)
        take_into(requests, requests->waiting.first, all);
    assert(requests->open == 0 && requests->open_own == 0);
}

static void drop_from(struct requests *requests, struct request *first, enum request_owner owner) {
    struct request *next;
    for (struct request *request = first; request; request = next) {
        next = request->next;
        if (request->owner == owner) {
            requests_take(requests, request);
            request_free(request);
        }
    }
}

void requests_drop(struct requests *requests, enum request_owner owner) {
    assert(owner != REQUEST_CALL);
    drop_from(requests, requests->sent.first, owner);
    drop_from(requests, requests->waiting.first, owner);
}

static bool has_call(const struct request_list *list, command_number command) {
    const struct request *request = list->first;
    while (request && (is_own(request) || request->command != command))
        request = request->next;
    return request != NULL;
}

bool requests_have_call(const struct requests *requests, command_number command) {
    return has_call(&requests->sent, command) || has_call(&requests->waiting, command);
}

void requests_release(struct requests *requests) {
    struct request_list all = {0};
    requests_take_all(requests, &all);
    for (struct request *request; (request = request_list_pop(&all));)
        request_free(request);
    free(requests->buckets);
    requests->buckets = NULL;
    requests->bucket_count = 0;
}

/* ---- logins: the password in them leaves locked memory only for a frame ---- */

struct login *login_new(const zchat_login_options *options, const char *user) {
    struct login *login = sodium_malloc(sizeof *login);
    if (!login)
        return NULL;
    memset(login, 0, sizeof *login);
    strcpy(login->user, user);
    login->password_set = options->password != NULL;
    if (login->password_set)
        strcpy(login->password, options->password);
    login->no_trust = options->no_trust;
    login->online = options->online;
    login->inbox = options->inbox;
    login->from_seq_set = options->from_seq_set;
    login->from_seq = options->from_seq;
    login->threads = options->threads;
    login->private_chats = options->private_chats;
    login->public_events = options->public_events;
    return login;
}

void login_free(struct login *login) {
    sodium_free(login);
}

void login_forget_password(struct login *login) {
    sodium_memzero(login->password, sizeof login->password);
    login->password_set = false;
}
