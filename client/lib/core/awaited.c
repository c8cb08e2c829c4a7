/* See awaited.h. */
#include "awaited.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_US INT64_C(1000000)

void awaited_init(struct awaited *awaited, struct client *client) {
    *awaited = (struct awaited){.client = client, .retry_us = NEVER_US};
}

void awaited_stop(struct awaited *awaited) {
    free(awaited->list);
    awaited_init(awaited, awaited->client);
}

/* ---- the list ---- */

static size_t find(const struct awaited *awaited, const unsigned char *id) {
    size_t i = 0;
    while (i < awaited->count && memcmp(awaited->list[i], id, ID_BYTES) != 0)
        i++;
    return i;
}

static bool drop(struct awaited *awaited, const unsigned char *id) {
    size_t i = find(awaited, id);
    if (i == awaited->count)
        return false;
    memcpy(awaited->list[i], awaited->list[--awaited->count], ID_BYTES);
    return true;
}

/* Without memory it is not asked for again after a lost connection. */
static void add(struct awaited *awaited, const unsigned char *id) {
    if (find(awaited, id) < awaited->count)
        return;
    if (awaited->count == awaited->room) {
        size_t room = awaited->room > 0 ? 2 * awaited->room : 8;
        void *grown = realloc(awaited->list, room * sizeof *awaited->list);
        if (!grown)
            return;
        awaited->list = grown;
        awaited->room = room;
    }
    memcpy(awaited->list[awaited->count++], id, ID_BYTES);
}

void awaited_asked(struct awaited *awaited, const unsigned char id[ID_BYTES], bool waits) {
    if (waits)
        add(awaited, id);
    else
        (void)drop(awaited, id);
}

/* ---- asking again ---- */

static bool ask(struct awaited *awaited, unsigned char *id) {
    Zchat__V1__AwaitReadRequest body = ZCHAT__V1__AWAIT_READ_REQUEST__INIT;
    body.id = (ProtobufCBinaryData){.data = id, .len = ID_BYTES};
    body.wait = true;
    struct request *request =
        client_ask(awaited->client, REQUEST_AWAITED, COMMAND(AWAIT_READ), &body.base);
    if (request)
        memcpy(request->id, id, ID_BYTES);
    return request != NULL;
}

void awaited_resume(struct awaited *awaited) {
    awaited->retry_us = NEVER_US;
    for (size_t i = 0; i < awaited->count; i++)
        if (!ask(awaited, awaited->list[i]))
            awaited_retry(awaited);
}

void awaited_retry(struct awaited *awaited) {
    if (awaited->count > 0)
        awaited->retry_us = awaited->client->now_us + RETRY_US;
}

void awaited_tick(struct awaited *awaited) {
    if (awaited->client->now_us >= awaited->retry_us && awaited->client->session.live)
        awaited_resume(awaited);
}

int64_t awaited_deadline_us(const struct awaited *awaited) {
    return awaited->retry_us;
}

/* ---- telling ---- */

static void tell(const struct awaited *awaited, const unsigned char *id, char *user,
                 int64_t time_us) {
    zchat_event event = {.kind = ZCHAT_EVENT_MESSAGE_READ, .user = user, .time_us = time_us};
    memcpy(event.id.bytes, id, ID_BYTES);
    text_clean_line(user, strlen(user));
    client_tell(awaited->client, &event);
}

/* Whoever is not to know any more is told nothing, as by the broker. */
void awaited_reply(struct awaited *awaited, const struct request *request,
                   const Zchat__V1__Reply *reply) {
    bool read = !reply->error && reply->body_case == ZCHAT__V1__REPLY__BODY_AWAIT_READ &&
                reply->await_read->read;
    if (reply->error && reply->error->code == ZCHAT__V1__CODE__CODE_BUSY)
        awaited_retry(awaited);
    else if ((reply->error || read) && drop(awaited, request->id) && read)
        tell(awaited, request->id, reply->await_read->user, 0);
}

void awaited_event(struct awaited *awaited, const Zchat__V1__ServerEvent *event) {
    const Zchat__V1__MessageRead *body = event->message_read;
    if (body->id.len != ID_BYTES)
        return;
    (void)drop(awaited, body->id.data);
    tell(awaited, body->id.data, body->user, event->time_us);
}
