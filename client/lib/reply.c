/* From the schema's replies to zchat_reply. An answer that does not fit its question is a fault of
 * the broker, and becomes an error. */
#include "reply.h"

#include "handle.h"
#include "thread_reply.h"

#include <string.h>

void *reply_room(zchat *z, size_t count, size_t bytes, zchat_reply *out) {
    void *list = wire_arena_take(z->arena, count > 0 ? count * bytes : 1);
    if (!list) {
        *out = (zchat_reply){.code = ZCHAT_NO_MEMORY, .text = "the answer is too large"};
        return NULL;
    }
    out->count = count;
    return list;
}

static void fill_people(zchat *z, Zchat__V1__Person *const *people, size_t count,
                        zchat_reply *out) {
    zchat_person *list = reply_room(z, count, sizeof *list, out);
    for (size_t i = 0; list && i < count; i++) {
        text_clean_line(people[i]->user, strlen(people[i]->user));
        list[i] = (zchat_person){.user = people[i]->user,
                                 .online = people[i]->online,
                                 .last_seen_us = people[i]->last_seen_us};
    }
    out->people = list;
}

static const char *fingerprint(zchat *z, const ProtobufCBinaryData *key) {
    char *text = wire_arena_take(z->arena, FINGERPRINT_TEXT);
    if (!text || key->len != KEY_BYTES) {
        return "";
    }
    key_fingerprint(key->data, text);
    return text;
}

static void fill_devices(zchat *z, const Zchat__V1__ListDevicesResponse *reply, zchat_reply *out) {
    zchat_device *list = reply_room(z, reply->n_devices, sizeof *list, out);
    for (size_t i = 0; list && i < reply->n_devices; i++) {
        const Zchat__V1__Device *device = reply->devices[i];
        text_clean_line(device->label, strlen(device->label));
        list[i] = (zchat_device){.device = device->number,
                                 .label = device->label,
                                 .fingerprint = fingerprint(z, &device->key),
                                 .trusted_us = device->trusted_us,
                                 .used_us = device->used_us,
                                 .current = device->current};
    }
    out->devices = list;
}

static void fill_users(zchat *z, const Zchat__V1__ListBlockedResponse *reply, zchat_reply *out) {
    const char **list = reply_room(z, reply->n_users, sizeof *list, out);
    for (size_t i = 0; list && i < reply->n_users; i++) {
        text_clean_line(reply->users[i], strlen(reply->users[i]));
        list[i] = reply->users[i];
    }
    out->users = list;
}

static void fill_stats(zchat *z, const Zchat__V1__GetStatsResponse *reply, zchat_reply *out) {
    zchat_stat *list = reply_room(z, reply->n_stats, sizeof *list, out);
    for (size_t i = 0; list && i < reply->n_stats; i++) {
        text_clean_line(reply->stats[i]->name, strlen(reply->stats[i]->name));
        list[i] = (zchat_stat){.name = reply->stats[i]->name, .value = reply->stats[i]->value};
    }
    out->stats = list;
}

static void fill_page(zchat *z, const Zchat__V1__SyncResponse *reply, zchat_reply *out) {
    zchat_message *list = reply_room(z, reply->n_events, sizeof *list, out);
    if (!list) {
        return;
    }
    out->count = 0;
    for (size_t i = 0; i < reply->n_events; i++) {
        out->count += inbox_message(z, reply->events[i], &list[out->count]);
    }
    out->messages = list;
    out->head = reply->head;
    out->more = reply->more;
}

static void fill_login(const Zchat__V1__LoginResponse *reply, zchat_reply *out) {
    text_clean_line(reply->user, strlen(reply->user));
    out->user = reply->user;
    out->trusted = reply->trusted;
    out->admin = reply->admin;
    out->idle_timeout_s = reply->idle_timeout_s;
    out->head = reply->inbox_head;
    out->cursor = reply->inbox_cursor;
    out->time_us = reply->time_us;
}

static void fill_body(zchat *z, const Zchat__V1__Reply *reply, zchat_reply *out) {
    switch (reply->body_case) {
    case ZCHAT__V1__REPLY__BODY_LOGIN:
        fill_login(reply->login, out);
        break;
    case ZCHAT__V1__REPLY__BODY_REGISTER_ACCOUNT:
        text_clean_line(reply->register_account->user, strlen(reply->register_account->user));
        out->user = reply->register_account->user;
        break;
    case ZCHAT__V1__REPLY__BODY_LIST_DEVICES:
        fill_devices(z, reply->list_devices, out);
        break;
    case ZCHAT__V1__REPLY__BODY_REVOKE_DEVICE:
        out->sessions = reply->revoke_device->sessions;
        break;
    case ZCHAT__V1__REPLY__BODY_SEND_MESSAGE:
        out->seq = reply->send_message->seq;
        out->time_us = reply->send_message->time_us;
        out->delivered = reply->send_message->delivered;
        break;
    case ZCHAT__V1__REPLY__BODY_BROADCAST:
        out->reached = reply->broadcast->reached;
        out->skipped = reply->broadcast->skipped;
        break;
    case ZCHAT__V1__REPLY__BODY_WHO:
        fill_people(z, reply->who->people, reply->who->n_people, out);
        out->more = reply->who->more;
        break;
    case ZCHAT__V1__REPLY__BODY_SINCE:
        fill_people(z, reply->since->people, reply->since->n_people, out);
        out->more = reply->since->more;
        break;
    case ZCHAT__V1__REPLY__BODY_LIST_BLOCKED:
        fill_users(z, reply->list_blocked, out);
        break;
    case ZCHAT__V1__REPLY__BODY_SYNC:
        fill_page(z, reply->sync, out);
        break;
    case ZCHAT__V1__REPLY__BODY_ACK:
        out->cursor = reply->ack->cursor;
        break;
    case ZCHAT__V1__REPLY__BODY_PING:
        text_clean_line(reply->ping->software, strlen(reply->ping->software));
        out->time_us = reply->ping->time_us;
        out->software = reply->ping->software;
        break;
    case ZCHAT__V1__REPLY__BODY_GET_STATS:
        fill_stats(z, reply->get_stats, out);
        break;
    default: /* the others are about threads, or tell only that it is done */
        thread_reply_fill(z, reply, out);
        break;
    }
}

void reply_refuse(const Zchat__V1__CommandError *error, zchat_reply *out) {
    bool known = error->code >= ZCHAT__V1__CODE__CODE_INVALID &&
                 error->code <= ZCHAT__V1__CODE__CODE_EXPIRED;
    text_clean_line(error->message, strlen(error->message));
    out->code = known ? (zchat_code)error->code : ZCHAT_UNIMPLEMENTED;
    out->reason = (zchat_reason)error->reason;
    out->text = error->message;
    out->retry_after_s = error->retry_after_s;
}

void reply_fill(zchat *z, const struct request *request, const Zchat__V1__Reply *reply,
                zchat_reply *out) {
    *out = (zchat_reply){.code = ZCHAT_OK, .text = ""};
    memcpy(out->id.bytes, request->id, ID_BYTES);
    if (reply->error && request_was_done(request, reply->error)) {
        return;
    }
    if (reply->error) {
        reply_refuse(reply->error, out);
    } else if (reply->body_case != request_policy(request->kind)->reply) {
        out->code = ZCHAT_UNIMPLEMENTED;
        out->text = "the broker's answer does not fit the question";
    } else {
        fill_body(z, reply, out);
    }
}
