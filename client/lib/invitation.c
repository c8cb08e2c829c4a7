/* What is said to the broker, and what it says. An invitation that was not answered when the
 * connection to the broker broke is gone: the broker drops it with the session. */
#include "invitation.h"

#include "handle.h"
#include "id.h"
#include "known_peers.h"
#include "reply.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)
/* The broker ends invitations by itself; this is for one that does not come back. */
#define ASKED_US ((INVITATION_S + 5) * SECOND_US)
/* Another program of the same user may know the chat that is to be renewed: it answers first. */
#define UNKNOWN_US (1 * SECOND_US)
/* How often activity is told: it is not seen later than after a quarter of the idle limit. */
#define ACTIVE_US         (60 * SECOND_US)
#define ACTIVE_IDLE_PARTS 4
/* Two invitations crossed, and the broker refused the second one: the first one comes by then. */
#define CROSSED_US (SECOND_US / 2)

/* ---- to the broker ---- */

static struct request *ask(zchat *z, command_number command, ProtobufCMessage *body,
                           const unsigned char *id) {
    struct request *request = handle_ask(z, REQUEST_CHATS, command, body);
    if (request && id) {
        memcpy(request->id, id, ID_BYTES);
    }
    return request;
}

void invitation_ask(zchat *z, struct chat *chat) {
    Zchat__V1__InvitePrivateRequest body = ZCHAT__V1__INVITE_PRIVATE_REQUEST__INIT;
    zchat_id id;
    zchat_id_new(&id);
    memcpy(chat->invitation, id.bytes, ID_BYTES);
    if (chat->opened) {
        body.again.data = chat->id;
        body.again.len = ID_BYTES;
    } else {
        memcpy(chat->id, id.bytes, ID_BYTES);
        chat->deadline_us = z->now_us + ASKED_US;
    }
    body.id.data = chat->invitation;
    body.id.len = ID_BYTES;
    body.user = chat->user;
    chat->asked = true;
    chat->left = false;
    chat->retry_us = WAKE_NEVER;
    if (!ask(z, COMMAND(INVITE_PRIVATE), &body.base, chat->invitation)) {
        chat_end(z, chat, ZCHAT_NO_MEMORY, "no memory for the invitation", NULL);
    }
}

void invitation_answer(zchat *z, struct chat *chat, enum invitation_word word) {
    Zchat__V1__AnswerPrivateRequest body = ZCHAT__V1__ANSWER_PRIVATE_REQUEST__INIT;
    body.id.data = chat->invitation;
    body.id.len = ID_BYTES;
    body.accept = word == INVITATION_ACCEPTED;
    body.unable = word == INVITATION_UNABLE;
    if (body.accept) {
        body.port = chat->link->port;
        body.address = z->settings.private_address;
        body.nonce.data = chat->link->nonce;
        body.nonce.len = NONCE_BYTES;
    }
    ask(z, COMMAND(ANSWER_PRIVATE), &body.base, chat->invitation); /* else it runs out of time */
}

void invitation_open(zchat *z, const struct chat *chat) {
    Zchat__V1__OpenPrivateRequest body = ZCHAT__V1__OPEN_PRIVATE_REQUEST__INIT;
    if (!z->session.live) {
        return; /* told with the resume */
    }
    body.id.data = (uint8_t *)chat->id;
    body.id.len = ID_BYTES;
    body.user = (char *)chat->user;
    ask(z, COMMAND(OPEN_PRIVATE), &body.base, chat->id);
}

static void close_at_broker(zchat *z, const unsigned char *id) {
    Zchat__V1__ClosePrivateRequest body = ZCHAT__V1__CLOSE_PRIVATE_REQUEST__INIT;
    body.id.data = (uint8_t *)id;
    body.id.len = ID_BYTES;
    ask(z, COMMAND(CLOSE_PRIVATE), &body.base, id);
}

/* A session that ends, or has ended, has closed all. */
void invitation_close(zchat *z, const struct chat *chat) {
    if (!z->session.live || !z->session.intended) {
        return;
    }
    bool is_again = memcmp(chat->id, chat->invitation, ID_BYTES) != 0;
    if (chat->mine && chat->asked && (is_again || !chat->opened)) {
        close_at_broker(z, chat->invitation);
    }
    if (chat->opened) {
        close_at_broker(z, chat->id);
    }
}

void invitation_active(zchat *z) {
    Zchat__V1__ActiveRequest body = ZCHAT__V1__ACTIVE_REQUEST__INIT;
    z->chats.active_waits = z->session.live && z->now_us < z->chats.active_us;
    if (!z->session.live || z->chats.active_waits) {
        return;
    }
    ask(z, COMMAND(ACTIVE), &body.base, NULL);
    z->chats.active_us = z->now_us + z->chats.active_every_us;
}

void invitations_entered(zchat *z, uint32_t idle_timeout_s) {
    int64_t idle_us = (int64_t)idle_timeout_s * SECOND_US / ACTIVE_IDLE_PARTS;
    z->chats.active_every_us = idle_us > 0 && idle_us < ACTIVE_US ? idle_us : ACTIVE_US;
    z->chats.active_us = 0;
    z->chats.active_waits = false;
}

/* ---- they invite ---- */

static struct chat *find_invitation(const zchat *z, const ProtobufCBinaryData *id) {
    struct chat *at = id->len == ID_BYTES ? z->chats.list : NULL;
    while (at && (at->over || memcmp(at->invitation, id->data, ID_BYTES) != 0)) {
        at = at->next;
    }
    return at;
}

zchat_code invitation_accept(zchat *z, struct chat *chat, struct fault *fault) {
    bool known;
    zchat_code code = known_peers_check(z->settings.folder, chat->user, z->settings.name, chat->key,
                                        &known, fault);
    if (code == ZCHAT_OK) {
        code = chat_listen(z, chat, fault);
    }
    invitation_answer(z, chat, code == ZCHAT_OK ? INVITATION_ACCEPTED : INVITATION_UNABLE);
    return code;
}

static struct chat *find_again(zchat *z, const Zchat__V1__PrivateInvited *invited,
                               const char *user) {
    struct chat *chat = chats_find(z, user);
    bool fits = chat && chat->opened && !chat->mine &&
                memcmp(chat->id, invited->again.data, ID_BYTES) == 0 &&
                sodium_memcmp(chat->key, invited->key.data, KEY_BYTES) == 0;
    return fits ? chat : NULL;
}

/* A new link of a chat to which one has consented in this session. */
static void take_again(zchat *z, const Zchat__V1__PrivateInvited *invited, const char *user) {
    struct chat *chat = find_again(z, invited, user);
    struct fault fault;
    if (!chat) {
        chat = chats_add(z, user, CHAT_UNKNOWN);
        if (chat) {
            memcpy(chat->invitation, invited->id.data, ID_BYTES);
            chat->deadline_us = z->now_us + UNKNOWN_US;
        }
        return;
    }
    if (chat->state == CHAT_OPEN) {
        chat_break(z, chat, "the other side found the link dead");
    }
    if (chat->over || chat->leaving || z->doomed) {
        return;
    }
    memcpy(chat->invitation, invited->id.data, ID_BYTES);
    if (invitation_accept(z, chat, &fault) != ZCHAT_OK) {
        chat_end(z, chat, fault.code, fault.text, NULL);
    }
}

static size_t count_asked(const zchat *z) {
    size_t count = 0;
    for (const struct chat *at = z->chats.list; at; at = at->next) {
        count += !at->over && (at->state == CHAT_ASKED || at->state == CHAT_UNKNOWN);
    }
    return count;
}

/* What is left of a former chat gives way to a new invitation. One that is alive does not: its end
 * may be on its way over the link, or the person has to choose. */
static void make_room(zchat *z, const char *user) {
    struct chat *const former[] = {chats_asked(z, user), chats_find(z, user)};
    char text[128];
    snprintf(text, sizeof text, "%s began anew", user);
    for (size_t i = 0; i < 2 && !z->doomed; i++) {
        if (former[i] && (former[i]->state == CHAT_ASKED || former[i]->state == CHAT_BROKEN)) {
            chat_end(z, former[i], ZCHAT_UNREACHABLE, text, NULL);
        }
    }
}

static void begin_with(struct chat *chat, const Zchat__V1__PrivateInvited *invited) {
    memcpy(chat->id, invited->id.data, ID_BYTES);
    memcpy(chat->invitation, invited->id.data, ID_BYTES);
    memcpy(chat->key, invited->key.data, KEY_BYTES);
}

/* Two who invite each other have consented, both: the broker refuses the second invitation, and
 * whose it is accepts the first. */
static void take_crossed(zchat *z, struct chat *chat, const Zchat__V1__PrivateInvited *invited) {
    struct fault fault;
    begin_with(chat, invited);
    chat->mine = chat->asked = false;
    chat->refusal[0] = '\0';
    if (invitation_accept(z, chat, &fault) != ZCHAT_OK) {
        chat_end(z, chat, fault.code, fault.text, NULL);
    }
}

/* Without memory it is not answered: nobody said no. */
static void take_new(zchat *z, const Zchat__V1__PrivateInvited *invited, const char *user) {
    char fingerprint[FINGERPRINT_TEXT];
    struct chat *chat = chats_find(z, user);
    if (chat && chat->state == CHAT_ASKING) {
        take_crossed(z, chat, invited);
        return;
    }
    make_room(z, user);
    chat = z->doomed ? NULL : chats_add(z, user, CHAT_ASKED);
    if (!chat) {
        return;
    }
    begin_with(chat, invited);
    chat->deadline_us = z->now_us + ASKED_US;
    key_fingerprint(chat->key, fingerprint);
    zchat_event event = {.kind = ZCHAT_EVENT_PRIVATE_INVITED, .user = user, .text = fingerprint};
    memcpy(event.id.bytes, chat->id, ID_BYTES);
    handle_tell(z, &event);
}

/* More than the broker allows, or one that is known, is not answered. */
static void take_invited(zchat *z, const Zchat__V1__PrivateInvited *invited) {
    char user[NAME_BYTES];
    if (invited->id.len != ID_BYTES || invited->key.len != KEY_BYTES ||
        !name_fold(invited->user, user) || find_invitation(z, &invited->id) ||
        count_asked(z) >= INVITATIONS_MAX) {
        return;
    }
    if (invited->again.len == ID_BYTES) {
        take_again(z, invited, user);
    } else {
        take_new(z, invited, user);
    }
}

/* ---- they answer ---- */

static struct chat *find_id(const zchat *z, const ProtobufCBinaryData *id) {
    struct chat *at = id->len == ID_BYTES ? z->chats.list : NULL;
    while (at && (at->over || memcmp(at->id, id->data, ID_BYTES) != 0)) {
        at = at->next;
    }
    return at;
}

static void take_accepted(zchat *z, struct chat *chat, const Zchat__V1__PrivateAnswered *answered) {
    struct fault fault;
    bool known;
    if (answered->key.len != KEY_BYTES || answered->nonce.len != NONCE_BYTES ||
        strncmp(answered->endpoint, "tcp://", 6) != 0 ||
        !address_parse(answered->endpoint, 0, &chat->address) || chat->address.port == 0) {
        chat_end(z, chat, ZCHAT_UNIMPLEMENTED, "the broker's word of the other side can't be read",
                 NULL);
        return;
    }
    memcpy(chat->key, answered->key.data, KEY_BYTES);
    zchat_code code = known_peers_check(z->settings.folder, chat->user, z->settings.name, chat->key,
                                        &known, &fault);
    if (code == ZCHAT_OK) {
        code = chat_dial(z, chat, answered->nonce.data, &fault);
    }
    if (code != ZCHAT_OK) {
        chat_end(z, chat, code, fault.text, NULL);
    }
}

static void take_refused(zchat *z, struct chat *chat, Zchat__V1__PrivateAnswer answer) {
    char text[200];
    zchat_code code = ZCHAT_FORBIDDEN;
    bool declined = answer == ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_DECLINED;
    bool unable = answer == ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_UNABLE;
    if (chat->opened && !declined && !unable) {
        chat_retry(z, chat);
        return;
    }
    if (chat->opened) {
        snprintf(text, sizeof text, "%s's program no longer knows the chat", chat->user);
    } else if (declined) {
        chat->reason = ZCHAT_REASON_DECLINED;
        snprintf(text, sizeof text, "%s declined", chat->user);
    } else if (unable) {
        snprintf(text, sizeof text,
                 "%s accepted, but their program could not: it says there why, as when this "
                 "device's key is not the one that is pinned",
                 chat->user);
    } else if (answer == ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_EXPIRED) {
        code = ZCHAT_EXPIRED;
        chat->reason = ZCHAT_REASON_NO_ANSWER;
        snprintf(text, sizeof text, "%s did not answer within %d s", chat->user, INVITATION_S);
    } else {
        snprintf(text, sizeof text, "%s went offline, or a block came between the two of you",
                 chat->user);
    }
    chat->asked = false;
    chat_end(z, chat, chat->opened ? ZCHAT_UNREACHABLE : code, text, NULL);
}

static void take_answered(zchat *z, const Zchat__V1__PrivateAnswered *answered) {
    struct chat *chat = find_invitation(z, &answered->id);
    if (!chat || !chat->asked || chat->leaving ||
        (chat->state != CHAT_ASKING && chat->state != CHAT_BROKEN)) {
        return;
    }
    if (answered->answer == ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_ACCEPTED) {
        take_accepted(z, chat, answered);
    } else {
        take_refused(z, chat, answered->answer);
    }
}

/* ---- it ends ---- */

static void take_blocked(zchat *z, struct chat *chat) {
    char text[128];
    snprintf(text, sizeof text, "a block came between you and %s", chat->user);
    chat_end(z, chat, ZCHAT_UNREACHABLE, text, "a block came between the two of you");
}

/* The far end may go on with the link, but is no more who it was. */
static void take_revoked(zchat *z, struct chat *chat) {
    char text[160];
    snprintf(text, sizeof text,
             "the broker ended the session of %s: their device, password or account is no longer "
             "valid",
             chat->user);
    chat_end(z, chat, ZCHAT_UNREACHABLE, text, "the broker ended your session");
}

static void take_ended(zchat *z, const Zchat__V1__PrivateEnded *ended) {
    char text[128];
    struct chat *chat = find_id(z, &ended->id);
    if (ended->reason == ZCHAT__V1__PRIVATE_END__PRIVATE_END_BLOCKED) {
        if (chat) {
            take_blocked(z, chat);
        }
        return;
    }
    if (ended->reason == ZCHAT__V1__PRIVATE_END__PRIVATE_END_GONE) {
        if (chat) {
            chat_left(z, chat);
        }
        return;
    }
    struct chat *open = chat;
    chat = find_invitation(z, &ended->id);
    if (!chat || (chat->state != CHAT_ASKED && chat->state != CHAT_UNKNOWN)) {
        if (open && ended->reason == ZCHAT__V1__PRIVATE_END__PRIVATE_END_WITHDRAWN) {
            take_revoked(z, open);
        }
        return;
    }
    if (ended->reason == ZCHAT__V1__PRIVATE_END__PRIVATE_END_TAKEN) {
        snprintf(text, sizeof text, "another of your programs answered %s's invitation",
                 chat->user);
    } else if (ended->reason == ZCHAT__V1__PRIVATE_END__PRIVATE_END_EXPIRED) {
        snprintf(text, sizeof text, "%s's invitation has expired", chat->user);
    } else {
        snprintf(text, sizeof text, "%s took the invitation back", chat->user);
    }
    chat_end(z, chat, ZCHAT_EXPIRED, text, NULL);
}

bool invitations_event(zchat *z, const Zchat__V1__ServerEvent *event) {
    switch (event->body_case) {
    case ZCHAT__V1__SERVER_EVENT__BODY_PRIVATE_INVITED:
        take_invited(z, event->private_invited);
        return true;
    case ZCHAT__V1__SERVER_EVENT__BODY_PRIVATE_ANSWERED:
        take_answered(z, event->private_answered);
        return true;
    case ZCHAT__V1__SERVER_EVENT__BODY_PRIVATE_ENDED:
        take_ended(z, event->private_ended);
        return true;
    default:
        return false;
    }
}

/* ---- what the broker refuses ---- */

static void refused(zchat *z, struct chat *chat, const Zchat__V1__CommandError *error) {
    zchat_reply reply = {.code = ZCHAT_OK};
    reply_refuse(error, &reply);
    chat->asked = false;
    chat->reason = reply.reason;
    chat_end(z, chat, reply.code, reply.text, NULL);
}

/* The other one's invitation was first, and has come or is on its way. */
static void crossed(zchat *z, struct chat *chat, const Zchat__V1__CommandError *error) {
    text_clean_line(error->message, strlen(error->message));
    snprintf(chat->refusal, sizeof chat->refusal, "%.150s", error->message);
    chat->reason = (zchat_reason)error->reason;
    chat->deadline_us = z->now_us + CROSSED_US;
}

static void retry_later(zchat *z, struct chat *chat, const Zchat__V1__CommandError *error) {
    int64_t from_us = z->now_us + (int64_t)error->retry_after_s * SECOND_US;
    chat->strange = error->code == ZCHAT__V1__CODE__CODE_CONFLICT;
    if (chat->strange && chat->gone_us == WAKE_NEVER) {
        chat->gone_us = z->now_us + PRIVATE_GONE_S * SECOND_US;
    }
    chat_retry(z, chat);
    chat->retry_us = chat->retry_us < from_us ? from_us : chat->retry_us;
}

static void invite_refused(zchat *z, struct chat *chat, const Zchat__V1__CommandError *error) {
    bool passes = error->code != ZCHAT__V1__CODE__CODE_NOT_FOUND &&
                  error->code != ZCHAT__V1__CODE__CODE_INVALID;
    if (chat->state == CHAT_BROKEN && passes) {
        retry_later(z, chat, error);
    } else if (chat->state == CHAT_ASKING && error->code == ZCHAT__V1__CODE__CODE_CONFLICT) {
        crossed(z, chat, error);
    } else if (chat->state == CHAT_BROKEN || chat->state == CHAT_ASKING) {
        refused(z, chat, error);
    }
}

/* An answer to an invitation that is gone: a new link's is followed by another one. */
static void answer_refused(zchat *z, struct chat *chat, const Zchat__V1__CommandError *error) {
    if (chat->state == CHAT_LINKING && !chat->opened) {
        refused(z, chat, error);
    }
}

static void open_refused(zchat *z, struct chat *chat, const Zchat__V1__CommandError *error) {
    if (error->code == ZCHAT__V1__CODE__CODE_FORBIDDEN ||
        error->code == ZCHAT__V1__CODE__CODE_NOT_FOUND) {
        text_clean_line(error->message, strlen(error->message));
        chat_end(z, chat, ZCHAT_UNREACHABLE, error->message, "a block came between the two of you");
    }
}

void invitations_reply(zchat *z, const struct request *request, const Zchat__V1__Reply *reply) {
    const ProtobufCBinaryData id = {.data = (uint8_t *)request->id, .len = ID_BYTES};
    struct chat *chat =
        request->command == COMMAND(OPEN_PRIVATE) ? find_id(z, &id) : find_invitation(z, &id);
    if (chat && !reply->error && request->command == COMMAND(INVITE_PRIVATE) && !chat->left) {
        chat->gone_us = WAKE_NEVER; /* they are there */
    }
    if (!chat || !reply->error) {
        return;
    }
    switch (request->command) {
    case COMMAND(INVITE_PRIVATE):
        invite_refused(z, chat, reply->error);
        break;
    case COMMAND(ANSWER_PRIVATE):
        answer_refused(z, chat, reply->error);
        break;
    case COMMAND(OPEN_PRIVATE):
        open_refused(z, chat, reply->error);
        break;
    default:
        break;
    }
}

/* ---- the session comes and goes ---- */

static void lost(zchat *z, struct chat *chat) {
    char text[160];
    z->chats.active_waits = false;
    chat->left_us = chat->gone_us = WAKE_NEVER; /* he may be back, and nobody would tell */
    switch (chat->state) {
    case CHAT_ASKING:
    case CHAT_ASKED:
    case CHAT_UNKNOWN:
        if (chat->state != CHAT_ASKING || chat->asked) {
            snprintf(text, sizeof text,
                     "the connection to the broker broke, and with it the invitation %s %s",
                     chat->mine ? "to" : "of", chat->user);
            chat_end(z, chat, ZCHAT_UNREACHABLE, text, NULL);
        }
        break;
    case CHAT_BROKEN:
        if (chat->mine) {
            chat_retry(z, chat);
        }
        break;
    case CHAT_LINKING:
    case CHAT_OPEN:
        break;
    }
}

void invitations_lost(zchat *z) {
    for (struct chat *at = z->chats.list; at && !z->doomed; at = at->next) {
        if (!at->over) {
            lost(z, at);
        }
    }
}

void invitations_resume(zchat *z) {
    for (struct chat *at = z->chats.list; at; at = at->next) {
        if (!at->over && at->opened) {
            invitation_open(z, at);
        }
    }
}
