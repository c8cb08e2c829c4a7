/* What the broker says about private chats. If the connection to the broker breaks before an
 * invitation is answered, the invitation is gone: the broker drops it with the session. */
#include "chat_link.h"
#include "chats.h"
#include "crypto.h"
#include "invitation.h"
#include "limits.h"
#include "reply.h"
#include "text.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)
/* How long to wait because another program of the same user may have the chat that is to be
 * renewed: it gets time to answer first. */
#define UNKNOWN_US (1 * SECOND_US)
/* How often activity is told: at the latest after a quarter of the idle limit. */
#define ACTIVE_US         (60 * SECOND_US)
#define ACTIVE_IDLE_PARTS 4
/* If two invitations crossed and the broker refused the second one, the first one comes within this
 * time. */
#define CROSSED_US (SECOND_US / 2)

/* ---- they invite ---- */

static struct chat *find_again(struct chats *chats, const Zchat__V1__PrivateInvited *invited,
                               const char *user) {
    struct chat *chat = chats_find(chats, user);
    bool fits = chat && chat->opened && !chat->mine &&
                memcmp(chat->id, invited->again.data, ID_BYTES) == 0 &&
                sodium_memcmp(chat->key, invited->key.data, KEY_BYTES) == 0;
    return fits ? chat : NULL;
}

/* Takes the invitation to a new link of a chat to which the user consented in this session. */
static void take_again(struct chats *chats, const Zchat__V1__PrivateInvited *invited,
                       const char *user) {
    struct chat *chat = find_again(chats, invited, user);
    struct fault fault;
    if (!chat) {
        chat = chats_add(chats, user, CHAT_UNKNOWN);
        if (chat) {
            memcpy(chat->invitation, invited->id.data, ID_BYTES);
            chat->deadline_us = chats->client->now_us + UNKNOWN_US;
        }
        return;
    }
    if (chat->state == CHAT_OPEN)
        chat_break(chat, "the other side found the link dead");
    if (chat->over || chat->leaving || chats->client->doomed)
        return;
    memcpy(chat->invitation, invited->id.data, ID_BYTES);
    if (chat_accept(chat, &fault) != ZCHAT_OK)
        chat_end(chat, fault.code, fault.text, NULL);
}

static size_t count_asked(const struct chats *chats) {
    size_t count = 0;
    for (const struct chat *at = chats->list; at; at = at->next)
        count += !at->over && (at->state == CHAT_ASKED || at->state == CHAT_UNKNOWN);
    return count;
}

/* What is left of an earlier chat gives way to a new invitation. A live chat does not: its end may
 * be on its way over the link, or the person has to choose. */
static void make_room(struct chats *chats, const char *user) {
    struct chat *const former[] = {chats_asked(chats, user), chats_find(chats, user)};
    char text[128];
    snprintf(text, sizeof text, "%s began anew", user);
    for (size_t i = 0; i < 2 && !chats->client->doomed; i++)
        if (former[i] && (former[i]->state == CHAT_ASKED || former[i]->state == CHAT_BROKEN))
            chat_end(former[i], ZCHAT_UNREACHABLE, text, NULL);
}

static void begin_with(struct chat *chat, const Zchat__V1__PrivateInvited *invited) {
    memcpy(chat->id, invited->id.data, ID_BYTES);
    memcpy(chat->invitation, invited->id.data, ID_BYTES);
    memcpy(chat->key, invited->key.data, KEY_BYTES);
}

/* If two invite each other, both have consented: the broker refuses the second invitation, and who
 * sent it accepts the first one. */
static void take_crossed(struct chat *chat, const Zchat__V1__PrivateInvited *invited) {
    struct fault fault;
    begin_with(chat, invited);
    chat->mine = chat->asked = false;
    chat->refusal[0] = '\0';
    if (chat_accept(chat, &fault) != ZCHAT_OK)
        chat_end(chat, fault.code, fault.text, NULL);
}

/* If there is no memory, the invitation is not answered: nobody said no. */
static void take_new(struct chats *chats, const Zchat__V1__PrivateInvited *invited,
                     const char *user) {
    char fingerprint[FINGERPRINT_TEXT];
    struct chat *chat = chats_find(chats, user);
    if (chat && chat->state == CHAT_ASKING) {
        take_crossed(chat, invited);
        return;
    }
    make_room(chats, user);
    chat = chats->client->doomed ? NULL : chats_add(chats, user, CHAT_ASKED);
    if (!chat)
        return;
    begin_with(chat, invited);
    chat->deadline_us = chats->client->now_us + INVITATION_LATE_US;
    key_fingerprint(chat->key, fingerprint);
    zchat_event event = {.kind = ZCHAT_EVENT_PRIVATE_INVITED, .user = user, .text = fingerprint};
    memcpy(event.id.bytes, chat->id, ID_BYTES);
    client_tell(chats->client, &event);
}

/* An invitation beyond what the broker allows, or one that is known already, is not answered. */
static void take_invited(struct chats *chats, const Zchat__V1__PrivateInvited *invited) {
    char user[NAME_BYTES];
    if (invited->id.len != ID_BYTES || invited->key.len != KEY_BYTES ||
        !name_fold(invited->user, user) || chats_find_invitation(chats, &invited->id) ||
        count_asked(chats) >= INVITATIONS_MAX)
        return;
    if (invited->again.len == ID_BYTES)
        take_again(chats, invited, user);
    else
        take_new(chats, invited, user);
}

/* ---- they answer ---- */

static void take_accepted(struct chat *chat, const Zchat__V1__PrivateAnswered *answered) {
    struct fault fault;
    bool known;
    if (answered->key.len != KEY_BYTES || answered->nonce.len != NONCE_BYTES ||
        strncmp(answered->endpoint, "tcp://", 6) != 0 ||
        !address_parse(answered->endpoint, 0, &chat->address) || chat->address.port == 0) {
        chat_end(chat, ZCHAT_UNIMPLEMENTED, "the broker's word of the other side can't be read",
                 NULL);
        return;
    }
    memcpy(chat->key, answered->key.data, KEY_BYTES);
    zchat_code code = chat_host_check(chat->chats->host, chat->user, chat->key, &known, &fault);
    if (code == ZCHAT_OK)
        code = chat_dial(chat, answered->nonce.data, &fault);
    if (code != ZCHAT_OK)
        chat_end(chat, code, fault.text, NULL);
}

static void take_refused(struct chat *chat, Zchat__V1__PrivateAnswer answer) {
    char text[200];
    zchat_code code = ZCHAT_FORBIDDEN;
    bool declined = answer == ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_DECLINED;
    bool unable = answer == ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_UNABLE;
    if (chat->opened && !declined && !unable) {
        chat_retry(chat);
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
    chat_end(chat, chat->opened ? ZCHAT_UNREACHABLE : code, text, NULL);
}

static void take_answered(struct chats *chats, const Zchat__V1__PrivateAnswered *answered) {
    struct chat *chat = chats_find_invitation(chats, &answered->id);
    if (!chat || !chat->asked || chat->leaving ||
        (chat->state != CHAT_ASKING && chat->state != CHAT_BROKEN))
        return;
    if (answered->answer == ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_ACCEPTED)
        take_accepted(chat, answered);
    else
        take_refused(chat, answered->answer);
}

/* ---- it ends ---- */

static void take_blocked(struct chat *chat) {
    char text[128];
    snprintf(text, sizeof text, "a block came between you and %s", chat->user);
    chat_end(chat, ZCHAT_UNREACHABLE, text, "a block came between the two of you");
}

/* The other end may still use the link, but it no longer is that user. */
static void take_revoked(struct chat *chat) {
    char text[160];
    snprintf(text, sizeof text,
             "the broker ended the session of %s: their device, password or account is no longer "
             "valid",
             chat->user);
    chat_end(chat, ZCHAT_UNREACHABLE, text, "the broker ended your session");
}

static void take_ended(struct chats *chats, const Zchat__V1__PrivateEnded *ended) {
    char text[128];
    struct chat *chat = chats_find_id(chats, &ended->id);
    if (ended->reason == ZCHAT__V1__PRIVATE_END__PRIVATE_END_BLOCKED) {
        if (chat)
            take_blocked(chat);
        return;
    }
    if (ended->reason == ZCHAT__V1__PRIVATE_END__PRIVATE_END_GONE) {
        if (chat)
            chat_left(chat);
        return;
    }
    struct chat *open = chat;
    chat = chats_find_invitation(chats, &ended->id);
    if (!chat || (chat->state != CHAT_ASKED && chat->state != CHAT_UNKNOWN)) {
        if (open && ended->reason == ZCHAT__V1__PRIVATE_END__PRIVATE_END_WITHDRAWN)
            take_revoked(open);
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
    chat_end(chat, ZCHAT_EXPIRED, text, NULL);
}

bool chats_event(struct chats *chats, const Zchat__V1__ServerEvent *event) {
    switch (event->body_case) {
    case ZCHAT__V1__SERVER_EVENT__BODY_PRIVATE_INVITED:
        take_invited(chats, event->private_invited);
        return true;
    case ZCHAT__V1__SERVER_EVENT__BODY_PRIVATE_ANSWERED:
        take_answered(chats, event->private_answered);
        return true;
    case ZCHAT__V1__SERVER_EVENT__BODY_PRIVATE_ENDED:
        take_ended(chats, event->private_ended);
        return true;
    default:
        return false;
    }
}

/* ---- what the broker refuses ---- */

static void refused(struct chat *chat, const Zchat__V1__CommandError *error) {
    zchat_reply reply = {.code = ZCHAT_OK};
    reply_refuse(error, &reply);
    chat->asked = false;
    chat->reason = reply.reason;
    chat_end(chat, reply.code, reply.text, NULL);
}

/* Their invitation was first, and has come or is on its way. */
static void crossed(struct chat *chat, const Zchat__V1__CommandError *error) {
    text_clean_line(error->message, strlen(error->message));
    snprintf(chat->refusal, sizeof chat->refusal, "%.150s", error->message);
    chat->reason = (zchat_reason)error->reason;
    chat->deadline_us = chat->client->now_us + CROSSED_US;
}

static void retry_later(struct chat *chat, const Zchat__V1__CommandError *error) {
    int64_t from_us = chat->client->now_us + (int64_t)error->retry_after_s * SECOND_US;
    chat->strange = error->code == ZCHAT__V1__CODE__CODE_CONFLICT;
    if (chat->strange && chat->gone_us == NEVER_US)
        chat->gone_us = chat->client->now_us + PRIVATE_GONE_S * SECOND_US;
    chat_retry(chat);
    chat->retry_us = chat->retry_us < from_us ? from_us : chat->retry_us;
}

static void invite_refused(struct chat *chat, const Zchat__V1__CommandError *error) {
    bool passes = error->code != ZCHAT__V1__CODE__CODE_NOT_FOUND &&
                  error->code != ZCHAT__V1__CODE__CODE_INVALID;
    if (chat->state == CHAT_BROKEN && passes)
        retry_later(chat, error);
    else if (chat->state == CHAT_ASKING && error->code == ZCHAT__V1__CODE__CODE_CONFLICT)
        crossed(chat, error);
    else if (chat->state == CHAT_BROKEN || chat->state == CHAT_ASKING)
        refused(chat, error);
}

/* Our answer was to an invitation that is gone. If that was for a new link, another invitation will
 * follow. */
static void answer_refused(struct chat *chat, const Zchat__V1__CommandError *error) {
    if (chat->state == CHAT_LINKING && !chat->opened)
        refused(chat, error);
}

static void open_refused(struct chat *chat, const Zchat__V1__CommandError *error) {
    if (error->code == ZCHAT__V1__CODE__CODE_FORBIDDEN ||
        error->code == ZCHAT__V1__CODE__CODE_NOT_FOUND) {
        text_clean_line(error->message, strlen(error->message));
        chat_end(chat, ZCHAT_UNREACHABLE, error->message, "a block came between the two of you");
    }
}

void chats_reply(struct chats *chats, const struct request *request,
                 const Zchat__V1__Reply *reply) {
    const ProtobufCBinaryData id = {.data = (uint8_t *)request->id, .len = ID_BYTES};
    struct chat *chat = request->command == COMMAND(OPEN_PRIVATE)
                            ? chats_find_id(chats, &id)
                            : chats_find_invitation(chats, &id);
    if (chat && !reply->error && request->command == COMMAND(INVITE_PRIVATE) && !chat->left)
        chat->gone_us = NEVER_US; /* they are there */
    if (!chat || !reply->error)
        return;
    switch (request->command) {
    case COMMAND(INVITE_PRIVATE):
        invite_refused(chat, reply->error);
        break;
    case COMMAND(ANSWER_PRIVATE):
        answer_refused(chat, reply->error);
        break;
    case COMMAND(OPEN_PRIVATE):
        open_refused(chat, reply->error);
        break;
    default:
        break;
    }
}

/* ---- the session comes and goes ---- */

void chats_entered(struct chats *chats, uint32_t idle_timeout_s) {
    int64_t idle_us = (int64_t)idle_timeout_s * SECOND_US / ACTIVE_IDLE_PARTS;
    chats->active_every_us = idle_us > 0 && idle_us < ACTIVE_US ? idle_us : ACTIVE_US;
    chats->active_us = 0;
    chats->active_waits = false;
}

static void lost(struct chat *chat) {
    char text[160];
    chat->left_us = chat->gone_us = NEVER_US; /* they may be back, and nobody would say so */
    switch (chat->state) {
    case CHAT_ASKING:
    case CHAT_ASKED:
    case CHAT_UNKNOWN:
        if (chat->state != CHAT_ASKING || chat->asked) {
            snprintf(text, sizeof text,
                     "the connection to the broker broke, and with it the invitation %s %s",
                     chat->mine ? "to" : "of", chat->user);
            chat_end(chat, ZCHAT_UNREACHABLE, text, NULL);
        }
        break;
    case CHAT_BROKEN:
        if (chat->mine)
            chat_retry(chat);
        break;
    case CHAT_LINKING:
    case CHAT_OPEN:
        break;
    }
}

void chats_lost(struct chats *chats) {
    chats->active_waits = false;
    for (struct chat *at = chats->list; at && !chats->client->doomed; at = at->next)
        if (!at->over)
            lost(at);
}

void chats_resume(struct chats *chats) {
    for (struct chat *at = chats->list; at; at = at->next)
        if (!at->over && at->opened)
            invitation_open(at);
}
