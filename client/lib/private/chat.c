/* The list of chats, and what can be done with a chat whatever its state. */
#include "chat.h"

#include "id.h"
#include "limits.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_US    INT64_C(1000000)
#define RETRY_MIN_MS 50
#define RETRY_MAX_MS 2000

void chats_init(struct chats *chats, struct client *client, const struct chat_host *host) {
    *chats = (struct chats){.client = client, .host = host};
}

/* ---- the list ---- */

static bool is_asked(const struct chat *chat) {
    return chat->state == CHAT_ASKED || chat->state == CHAT_UNKNOWN;
}

static bool is_of(const struct chat *chat, const char *user) {
    return !chat->over && !chat->leaving && strcmp(chat->user, user) == 0;
}

struct chat *chats_find(const struct chats *chats, const char *user) {
    struct chat *at = chats->list;
    while (at && (is_asked(at) || !is_of(at, user)))
        at = at->next;
    return at;
}

struct chat *chats_asked(const struct chats *chats, const char *user) {
    struct chat *at = chats->list;
    while (at && (at->state != CHAT_ASKED || !is_of(at, user)))
        at = at->next;
    return at;
}

struct chat *chats_add(struct chats *chats, const char *user, enum chat_state state) {
    struct chat *chat = calloc(1, sizeof *chat);
    if (!chat)
        return NULL;
    chat->chats = chats;
    chat->client = chats->client;
    strcpy(chat->user, user);
    chat->state = state;
    chat->deadline_us = chat->retry_us = chat->left_us = chat->gone_us = NEVER_US;
    struct chat **place = &chats->list;
    while (*place)
        place = &(*place)->next;
    *place = chat;
    client_stir(chats->client);
    return chat;
}

struct chat *chats_find_invitation(const struct chats *chats, const ProtobufCBinaryData *id) {
    struct chat *at = id->len == ID_BYTES ? chats->list : NULL;
    while (at && (at->over || memcmp(at->invitation, id->data, ID_BYTES) != 0))
        at = at->next;
    return at;
}

struct chat *chats_find_id(const struct chats *chats, const ProtobufCBinaryData *id) {
    struct chat *at = id->len == ID_BYTES ? chats->list : NULL;
    while (at && (at->over || memcmp(at->id, id->data, ID_BYTES) != 0))
        at = at->next;
    return at;
}

/* ---- one of them ---- */

bool chat_is_linked(const struct chat *chat) {
    return !chat->client->doomed && !chat->over && chat->link && chat->link->state == LINK_UP;
}

bool chat_say(struct chat *chat, Zchat__V1__PeerMessage *message) {
    if (!chat->link || chat->link->state != LINK_UP)
        return false;
    uint8_t *frame = link_frame(chat->link, wire_element_size(&message->base));
    if (!frame)
        return false;
    wire_element_pack(WIRE_MESSAGES, &message->base, frame);
    return link_send(chat->link);
}

void chat_new_id(const struct chat *chat, unsigned char id[ID_BYTES]) {
    unsigned char random[10];
    randombytes_buf(random, sizeof random);
    id_make(id, (uint64_t)client_wall_us(chat->client) / 1000, random);
}

void chat_drop_link(struct chat *chat, int linger_ms) {
    link_free(chat->link, linger_ms);
    chat->link = NULL;
}

void chat_retry(struct chat *chat) {
    uint32_t most_ms = 200u << (chat->attempts < 4 ? chat->attempts : 4);
    most_ms = most_ms < RETRY_MAX_MS ? most_ms : RETRY_MAX_MS;
    chat_drop_link(chat, 0);
    chat->state = CHAT_BROKEN;
    chat->asked = false;
    chat->attempts++;
    if (chat->mine) {
        chat->retry_us =
            chat->client->now_us + (RETRY_MIN_MS + (int64_t)randombytes_uniform(most_ms)) * 1000;
    }
}

void chat_left(struct chat *chat) {
    chat->left_us = chat->client->now_us;
    chat->left = true;
    if (chat->opened && chat->state != CHAT_OPEN)
        chat->gone_us = chat->client->now_us + PRIVATE_GONE_S * SECOND_US;
}

void chat_answer_call(struct chat *chat, zchat_code code, const char *text) {
    zchat_reply_fn *fn = chat->fn;
    chat->fn = NULL;
    if (!fn)
        return;
    fn(chat->arg, &(zchat_reply){.code = code,
                                 .reason = code == ZCHAT_OK ? ZCHAT_REASON_NONE : chat->reason,
                                 .text = text,
                                 .user = chat->user,
                                 .software = ""});
}
