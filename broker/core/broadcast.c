/* Broadcasts: to everybody who is online and may hear the sender, stored nowhere. The last ids are
 * remembered, so that a retry gets the first one's reply and is not sent twice. */
#include "broadcast.h"

#include "command.h"
#include "crypto.h"
#include "field.h"
#include "memory.h"
#include "presence.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct sent {
    struct {
        int64_t author;
        unsigned char id[ID_BYTES];
    } key;
    unsigned char text[HASH_BYTES]; /* its hash */
    uint32_t reached;
    uint32_t skipped;
    UT_hash_handle hh;
};

struct recent {
    struct sent *by_id;                   /* borrowed: of the ring */
    struct sent ring[BROADCAST_IDS_KEPT]; /* the oldest is written over */
    size_t next;
    bool full;
};

struct recent *recent_new(void) {
    return memory_new(sizeof(struct recent));
}

void recent_free(struct recent *recent) {
    if (!recent)
        return;
    HASH_CLEAR(hh, recent->by_id);
    free(recent);
}

static void sent_key(struct sent *sent, const struct call *call) {
    memset(&sent->key, 0, sizeof sent->key);
    sent->key.author = call->session->member->account;
    memcpy(sent->key.id, call->command->broadcast->id.data, ID_BYTES);
}

static struct sent *recent_find(const struct recent *recent, const struct call *call) {
    struct sent wanted, *sent = NULL;

    sent_key(&wanted, call);
    HASH_FIND(hh, recent->by_id, &wanted.key, sizeof wanted.key, sent);
    return sent;
}

static void text_hash(const struct call *call, unsigned char out[HASH_BYTES]) {
    const char *text = call->command->broadcast->text;
    struct hash hash;

    hash_begin(&hash);
    hash_add(&hash, text, strlen(text));
    hash_end(&hash, out);
}

static bool is_same_text(const struct call *call, const struct sent *sent) {
    unsigned char text[HASH_BYTES];

    text_hash(call, text);
    return memcmp(text, sent->text, sizeof text) == 0;
}

static struct sent *recent_add(struct recent *recent, const struct call *call) {
    struct sent *sent = &recent->ring[recent->next];

    if (recent->full)
        HASH_DEL(recent->by_id, sent);
    recent->next = (recent->next + 1) % BROADCAST_IDS_KEPT;
    recent->full = recent->full || recent->next == 0;
    sent_key(sent, call);
    text_hash(call, sent->text);
    HASH_ADD(hh, recent->by_id, key, sizeof sent->key, sent);
    return sent;
}

static void broadcast_check(struct call *call) {
    Zchat__V1__BroadcastRequest *broadcast = call->command->broadcast;

    if (field_id_fits(call, &broadcast->id))
        field_text_fits(call, broadcast->text);
}

static void broadcast_send(struct call *call, struct sent *sent) {
    const struct member *member = call->session->member;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    Zchat__V1__BroadcastEvent broadcast = ZCHAT__V1__BROADCAST_EVENT__INIT;
    uint32_t others = call->core->sessions.users_online - (member->online > 0 ? 1 : 0);

    broadcast.id = call->command->broadcast->id;
    broadcast.sender = call->session->member->name;
    broadcast.text = call->command->broadcast->text;
    event.time_us = core_wall_us(call->core, call->now_us);
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_BROADCAST;
    event.broadcast = &broadcast;
    sent->reached = presence_tell(call->core, TOPIC_BROADCAST, &event, member->account);
    sent->skipped = others - sent->reached;
    call->core->stats.broadcasts_total++;
}

/* A retry costs nothing: it interrupts nobody. */
static bool broadcast_charge(struct call *call) {
    const int64_t *account = &call->session->member->account;
    uint32_t wait_s = 0;

    if (limit_spend(call->core->limits, LIMIT_BROADCASTS, account, sizeof *account, 1, call->now_us,
                    &wait_s))
        return true;
    call->core->stats.commands_busy_total++;
    call_fail_later(call, REASON(RATE), wait_s,
                    "too many broadcasts in a short time: try again in %u s", (unsigned)wait_s);
    return false;
}

static void broadcast_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__BroadcastResponse broadcast = ZCHAT__V1__BROADCAST_RESPONSE__INIT;
    struct sent *sent = recent_find(call->core->recent, call);

    if (sent && !is_same_text(call, sent)) {
        call_fail(call, REASON(ID_USED), "this id names another broadcast: take a new one");
        return;
    }
    if (!sent && !broadcast_charge(call))
        return;
    if (!sent) {
        sent = recent_add(call->core->recent, call);
        broadcast_send(call, sent);
    }
    broadcast.reached = sent->reached;
    broadcast.skipped = sent->skipped;
    reply.body_case = ZCHAT__V1__REPLY__BODY_BROADCAST;
    reply.broadcast = &broadcast;
    call_reply(call, &reply);
}

const struct command_row broadcast_row = {
    .cost = 10,
    .check = broadcast_check,
    .done = broadcast_done,
};
