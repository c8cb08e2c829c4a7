/* Broadcasts, to everybody who is online and may hear the sender, and announcements, which
 * administrators make and no block hides; stored nowhere. The last ids are remembered, so that a
 * retry gets the first one's reply and nobody gets the broadcast twice. */
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
    bool is_announcement;
    uint32_t reached;
    uint32_t skipped;
    UT_hash_handle hh;
};

struct recent {
    struct sent *by_id;                   /* borrowed from the ring */
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

/* What a command wants everybody to hear. */
struct word {
    ProtobufCBinaryData id; /* borrowed: the command's, as the text */
    char *text;
    bool is_announcement;
};

static struct word word_of(const Zchat__V1__Command *command) {
    if (command->body_case == ZCHAT__V1__COMMAND__BODY_ANNOUNCE)
        return (struct word){command->announce->id, command->announce->text, true};
    return (struct word){command->broadcast->id, command->broadcast->text, false};
}

static void sent_key(struct sent *sent, const struct call *call, const struct word *word) {
    memset(&sent->key, 0, sizeof sent->key);
    sent->key.author = call->session->member->account;
    memcpy(sent->key.id, word->id.data, ID_BYTES);
}

static struct sent *recent_find(const struct call *call, const struct word *word) {
    struct sent wanted, *sent = NULL;

    sent_key(&wanted, call, word);
    HASH_FIND(hh, call->core->recent->by_id, &wanted.key, sizeof wanted.key, sent);
    return sent;
}

static void text_hash(const char *text, unsigned char out[HASH_BYTES]) {
    struct hash hash;

    hash_begin(&hash);
    hash_add(&hash, text, strlen(text));
    hash_end(&hash, out);
}

static bool is_same(const struct word *word, const struct sent *sent) {
    unsigned char text[HASH_BYTES];

    text_hash(word->text, text);
    return word->is_announcement == sent->is_announcement &&
           memcmp(text, sent->text, sizeof text) == 0;
}

static struct sent *recent_add(const struct call *call, const struct word *word) {
    struct recent *recent = call->core->recent;
    struct sent *sent = &recent->ring[recent->next];

    if (recent->full)
        HASH_DEL(recent->by_id, sent);
    recent->next = (recent->next + 1) % BROADCAST_IDS_KEPT;
    recent->full = recent->full || recent->next == 0;
    sent_key(sent, call, word);
    text_hash(word->text, sent->text);
    sent->is_announcement = word->is_announcement;
    HASH_ADD(hh, recent->by_id, key, sizeof sent->key, sent);
    return sent;
}

static void word_check(struct call *call) {
    struct word word = word_of(call->command);

    if (field_id_fits(call, &word.id))
        field_text_fits(call, word.text);
}

/* How many users are online, without the sender. */
static uint32_t others_online(const struct call *call) {
    return call->core->sessions.users_online - (call->session->member->online > 0 ? 1 : 0);
}

static void broadcast_send(struct call *call, const struct word *word, struct sent *sent) {
    const struct member *member = call->session->member;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    Zchat__V1__BroadcastEvent broadcast = ZCHAT__V1__BROADCAST_EVENT__INIT;

    broadcast.id = word->id;
    broadcast.sender = call->session->member->name;
    broadcast.text = word->text;
    event.time_us = core_wall_us(call->core, call->now_us);
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_BROADCAST;
    event.broadcast = &broadcast;
    sent->reached = presence_tell(call->core, TOPIC_BROADCAST, &event, member->account);
    sent->skipped = others_online(call) - sent->reached;
    call->core->stats.broadcasts_total++;
}

/* The event is about nobody, so that no block hides it. */
static void announcement_send(struct call *call, const struct word *word, struct sent *sent) {
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    Zchat__V1__NoticeEvent notice = ZCHAT__V1__NOTICE_EVENT__INIT;

    notice.sender = call->session->member->name;
    notice.text = word->text;
    event.time_us = core_wall_us(call->core, call->now_us);
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_NOTICE;
    event.notice = &notice;
    presence_tell(call->core, TOPIC_NOTICE, &event, 0);
    sent->reached = others_online(call);
    sent->skipped = 0;
    core_note(call->core, "announcement", "user=%s reached=%u", notice.sender,
              (unsigned)sent->reached);
}

/* A retry is not charged, because it interrupts nobody. */
static bool word_charge(struct call *call, const struct word *word) {
    const int64_t *account = &call->session->member->account;
    uint32_t wait_s = 0;

    if (limit_spend(call->core->limits, LIMIT_BROADCASTS, account, sizeof *account, 1, call->now_us,
                    &wait_s))
        return true;
    call->core->stats.commands_busy_total++;
    call_fail_later(call, REASON(RATE), wait_s, "too many %s in a short time: try again in %u s",
                    word->is_announcement ? "announcements" : "broadcasts", (unsigned)wait_s);
    return false;
}

/* What was sent, now or before; NULL: the call failed. */
static const struct sent *send_once(struct call *call) {
    struct word word = word_of(call->command);
    struct sent *sent = recent_find(call, &word);

    if (sent && !is_same(&word, sent)) {
        call_fail(call, REASON(ID_USED),
                  "this id names another broadcast or announcement: take a new one");
        return NULL;
    }
    if (sent || !word_charge(call, &word))
        return sent;
    sent = recent_add(call, &word);
    if (word.is_announcement)
        announcement_send(call, &word, sent);
    else
        broadcast_send(call, &word, sent);
    return sent;
}

static void broadcast_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__BroadcastResponse broadcast = ZCHAT__V1__BROADCAST_RESPONSE__INIT;
    const struct sent *sent = send_once(call);

    if (!sent)
        return;
    broadcast.reached = sent->reached;
    broadcast.skipped = sent->skipped;
    reply.body_case = ZCHAT__V1__REPLY__BODY_BROADCAST;
    reply.broadcast = &broadcast;
    call_reply(call, &reply);
}

const struct command_row broadcast_row = {
    .cost = 10,
    .check = word_check,
    .done = broadcast_done,
};

static void announce_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__AnnounceResponse announce = ZCHAT__V1__ANNOUNCE_RESPONSE__INIT;
    const struct sent *sent = send_once(call);

    if (!sent)
        return;
    announce.reached = sent->reached;
    reply.body_case = ZCHAT__V1__REPLY__BODY_ANNOUNCE;
    reply.announce = &announce;
    call_reply(call, &reply);
}

const struct command_row announce_row = {
    .state = COMMAND_ADMIN,
    .cost = 10,
    .check = word_check,
    .done = announce_done,
};
