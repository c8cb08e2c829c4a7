/* The life of a chat on this side: links come and go under it, lines and files pass through it, and
 * at its end everything that waited is answered in order before the end is told. */
#include "chat.h"

#include "handle.h"
#include "invitation.h"
#include "known_peers.h"
#include "peer_talk.h"
#include "probe.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)
/* The acceptor waits longer than the inviter tries. */
#define ACCEPT_MORE_US (2 * SECOND_US)
#define AGAIN_MORE_US  (5 * SECOND_US)
/* A session and a link that end together may be noticed that far apart. */
#define TOGETHER_US (30 * SECOND_US)
/* What was said last is given this long to be written. */
#define LINGER_MS    100
#define RETRY_MIN_MS 50
#define RETRY_MAX_MS 2000

/* ---- the list ---- */

static bool is_asked(const struct chat *chat) {
    return chat->state == CHAT_ASKED || chat->state == CHAT_UNKNOWN;
}

static bool is_of(const struct chat *chat, const char *user) {
    return !chat->over && !chat->leaving && strcmp(chat->user, user) == 0;
}

struct chat *chats_find(const zchat *z, const char *user) {
    struct chat *at = z->chats.list;
    while (at && (is_asked(at) || !is_of(at, user))) {
        at = at->next;
    }
    return at;
}

struct chat *chats_asked(const zchat *z, const char *user) {
    struct chat *at = z->chats.list;
    while (at && (at->state != CHAT_ASKED || !is_of(at, user))) {
        at = at->next;
    }
    return at;
}

struct chat *chats_add(zchat *z, const char *user, enum chat_state state) {
    struct chat *chat = calloc(1, sizeof *chat);
    if (!chat) {
        return NULL;
    }
    strcpy(chat->user, user);
    chat->state = state;
    chat->deadline_us = chat->retry_us = chat->left_us = chat->gone_us = WAKE_NEVER;
    struct chat **place = &z->chats.list;
    while (*place) {
        place = &(*place)->next;
    }
    *place = chat;
    if (!z->running) {
        wake_fire(z->wake);
    }
    return chat;
}

static void chat_free(struct chat *chat) {
    link_free(chat->link, 0);
    peer_files_release(&chat->files);
    lines_release(&chat->lines);
    free(chat);
}

static void sweep(struct chats *chats) {
    struct chat **place = &chats->list;
    while (*place) {
        struct chat *chat = *place;
        if (chat->over) {
            *place = chat->next;
            chat_free(chat);
        } else {
            place = &chat->next;
        }
    }
}

void chats_release(zchat *z) {
    for (struct chat *at = z->chats.list; at; at = at->next) {
        at->over = true;
    }
    sweep(&z->chats);
}

/* ---- the end ---- */

static void answer(zchat_reply_fn *fn, void *arg, const zchat_reply *reply) {
    if (fn) {
        fn(arg, reply);
    }
}

static void answer_call(struct chat *chat, zchat_code code, const char *text) {
    zchat_reply_fn *fn = chat->fn;
    chat->fn = NULL;
    answer(fn, chat->arg,
           &(zchat_reply){.code = code,
                          .reason = code == ZCHAT_OK ? ZCHAT_REASON_NONE : chat->reason,
                          .text = text,
                          .user = chat->user,
                          .software = ""});
}

static void drop_link(struct chat *chat, int linger_ms) {
    link_free(chat->link, linger_ms);
    chat->link = NULL;
}

static void say_bye(struct chat *chat, const char *bye) {
    Zchat__V1__PeerBye body = ZCHAT__V1__PEER_BYE__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    if (bye && chat->link) {
        body.reason = (char *)bye;
        message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_BYE;
        message.bye = &body;
        link_say(chat->link, &message);
    }
}

/* What the other side said last is not acknowledged any more, but was handed out: so it is told
 * with the farewell. */
static void say_last(zchat *z, struct chat *chat, const char *bye) {
    if (chat->link && chat->state == CHAT_OPEN) {
        peer_talk_flush(z, chat);
    }
    say_bye(chat, bye);
    drop_link(chat, bye ? LINGER_MS : 0);
}

void chat_end(zchat *z, struct chat *chat, zchat_code code, const char *text, const char *bye) {
    struct fault told;
    bool is_told = chat->opened || (chat->state == CHAT_ASKED && !chat->leaving);
    zchat_code undelivered = code == ZCHAT_CANCELLED ? code : ZCHAT_UNREACHABLE;
    if (chat->over) {
        return;
    }
    fault_set(&told, code, "%s", text);
    say_last(z, chat, bye);
    invitation_close(z, chat);
    chat->over = true;
    lines_end(&chat->lines, undelivered, "the line was not delivered: the chat is over",
              chat->parted);
    peer_files_end(z, chat, undelivered);
    answer_call(chat, code == ZCHAT_OK ? ZCHAT_CANCELLED : code, told.text);
    answer(chat->stop_fn, chat->stop_arg,
           &(zchat_reply){.code = ZCHAT_OK, .text = "", .user = chat->user, .software = ""});
    if (is_told && !z->doomed) {
        zchat_event event = {.kind = ZCHAT_EVENT_PRIVATE_CLOSED,
                             .user = chat->user,
                             .text = told.text,
                             .online = chat->opened};
        memcpy(event.id.bytes, chat->id, ID_BYTES);
        handle_tell(z, &event);
    }
}

void chats_leave(zchat *z) {
    for (struct chat *at = z->chats.list; at; at = at->next) {
        at->leaving = true;
    }
}

static void leave(zchat *z, struct chat *chat) {
    char bye[64];
    bool logout = chat->stop_fn == NULL && !z->session.intended;
    snprintf(bye, sizeof bye, logout ? "%s logged out" : "%s ended the private chat",
             z->session.user);
    chat_end(z, chat, ZCHAT_OK, logout ? "you logged out" : "you ended the private chat", bye);
}

void chats_end_all(zchat *z, zchat_code code, const char *text) {
    char bye[64];
    snprintf(bye, sizeof bye, "%s left", z->session.user);
    for (struct chat *at = z->chats.list; at; at = at->next) {
        chat_end(z, at, code, text, bye);
    }
}

/* ---- links ---- */

static struct link_place place_of(const zchat *z) {
    return (struct link_place){
        .context = z->connection.context, .wake = z->wake, .device = z->device};
}

zchat_code chat_listen(zchat *z, struct chat *chat, struct fault *fault) {
    drop_link(chat, 0);
    chat->link = link_listen(place_of(z), chat->key, fault);
    if (!chat->link) {
        return fault->code;
    }
    chat->state = CHAT_LINKING;
    if (!chat->opened) {
        chat->deadline_us = z->now_us + PRIVATE_CONNECT_MS * INT64_C(1000) + ACCEPT_MORE_US;
    }
    return ZCHAT_OK;
}

zchat_code chat_dial(zchat *z, struct chat *chat, const unsigned char *nonce, struct fault *fault) {
    drop_link(chat, 0);
    chat->link = link_dial(place_of(z), &chat->address, chat->key, nonce, fault);
    if (!chat->link) {
        return fault->code;
    }
    chat->state = CHAT_LINKING;
    chat->retry_us = z->now_us + PRIVATE_CONNECT_MS * INT64_C(1000);
    if (!chat->opened) {
        chat->deadline_us = chat->retry_us;
    }
    return ZCHAT_OK;
}

void chat_retry(zchat *z, struct chat *chat) {
    uint32_t most_ms = 200u << (chat->attempts < 4 ? chat->attempts : 4);
    most_ms = most_ms < RETRY_MAX_MS ? most_ms : RETRY_MAX_MS;
    drop_link(chat, 0);
    chat->state = CHAT_BROKEN;
    chat->asked = false;
    chat->attempts++;
    if (chat->mine) {
        chat->retry_us = z->now_us + (RETRY_MIN_MS + (int64_t)randombytes_uniform(most_ms)) * 1000;
    }
}

void chat_break(zchat *z, struct chat *chat, const char *text) {
    chat_retry(z, chat);
    chat->deadline_us = z->now_us + PRIVATE_AGAIN_S * SECOND_US + (chat->mine ? 0 : AGAIN_MORE_US);
    if (chat->left_us != WAKE_NEVER && z->now_us - chat->left_us < TOGETHER_US) {
        chat->gone_us = z->now_us + PRIVATE_GONE_S * SECOND_US;
    }
    peer_files_unlink(chat);
    handle_tell(
        z, &(zchat_event){.kind = ZCHAT_EVENT_PRIVATE_BROKEN, .user = chat->user, .text = text});
}

void chat_left(zchat *z, struct chat *chat) {
    chat->left_us = z->now_us;
    chat->left = true;
    if (chat->opened && chat->state != CHAT_OPEN) {
        chat->gone_us = z->now_us + PRIVATE_GONE_S * SECOND_US;
    }
}

bool chat_say(struct chat *chat, Zchat__V1__PeerMessage *message) {
    return chat->link && link_say(chat->link, message);
}

/* ---- a link that was not made ---- */

static const char *why(const struct chat *chat) {
    switch (chat->link->end) {
    case CHANNEL_DENIED:
        return "its program refused this device's key";
    case CHANNEL_FOREIGN:
        return "what answers there did not prove the right key";
    case CHANNEL_BROKEN:
    case CHANNEL_CLOSED:
        return "it closed the connection";
    default:
        return "nobody answers there";
    }
}

/* This side's address as the other one would see it; without a way there, as the broker does. */
static void find_own(const zchat *z, const struct chat *chat, char own[HOST_BYTES]) {
    const char *theirs = link_tried(chat->link);
    if (!(theirs && probe_own_address(theirs, own)) &&
        !probe_own_address(z->connection.host, own)) {
        strcpy(own, "this machine");
    }
}

static void unreachable(zchat *z, struct chat *chat, const char *reason) {
    char own[HOST_BYTES];
    char theirs[ENDPOINT_BYTES];
    struct fault fault;
    find_own(z, chat, own);
    if (chat->mine) {
        address_endpoint(&chat->address, theirs);
        fault_set(&fault, ZCHAT_UNREACHABLE,
                  "no link to %s could be made: from here (%s) to %s %s; does a firewall let that "
                  "port through? --private-address of %s tells another address",
                  chat->user, own, theirs, reason, chat->user);
    } else {
        fault_set(&fault, ZCHAT_UNREACHABLE,
                  "no link to %s could be made: nobody came from there to %s, port %u; if that is "
                  "no address at which others reach you, give another as --private-address",
                  chat->user, z->settings.private_address[0] ? z->settings.private_address : own,
                  (unsigned)chat->link->port);
    }
    chat_end(z, chat, ZCHAT_UNREACHABLE, fault.text, NULL);
}

static void link_failed(zchat *z, struct chat *chat, const char *reason) {
    if (chat->opened) {
        chat_retry(z, chat);
    } else {
        unreachable(z, chat, reason);
    }
}

/* ---- a step ---- */

static void step_link(zchat *z, struct chat *chat) {
    enum link_state before = chat->link->state;
    enum link_state state = link_step(chat->link, z->now_us);
    if (state == LINK_UP && before != LINK_UP && chat->mine) {
        peer_talk_hello(z, chat);
    }
    if (state == LINK_UP) {
        peer_talk_receive(z, chat);
    }
    if (chat->over || !chat->link || chat->link->state != LINK_DEAD) {
        return;
    }
    if (chat->state == CHAT_OPEN) {
        char text[128];
        snprintf(text, sizeof text, "the link to %s is dead", chat->user);
        chat_break(z, chat, text);
    } else {
        link_failed(z, chat, why(chat));
    }
}

/* What the time ends. */
static void expired(zchat *z, struct chat *chat) {
    char text[160];
    switch (chat->state) {
    case CHAT_ASKING:
        if (chat->refusal[0] != '\0') {
            chat->asked = false;
            chat_end(z, chat, ZCHAT_CONFLICT, chat->refusal, NULL);
            break;
        }
        snprintf(text, sizeof text, "%s did not answer within %d s", chat->user, INVITATION_S);
        chat_end(z, chat, ZCHAT_EXPIRED, text, NULL);
        break;
    case CHAT_ASKED:
        snprintf(text, sizeof text, "%s's invitation has expired", chat->user);
        chat_end(z, chat, ZCHAT_EXPIRED, text, NULL);
        break;
    case CHAT_UNKNOWN:
        invitation_answer(z, chat, INVITATION_UNABLE);
        chat_end(z, chat, ZCHAT_OK, "", NULL);
        break;
    case CHAT_LINKING:
        if (!chat->opened) {
            unreachable(z, chat, "no link came up within 10 s");
            break;
        }
        /* fall through */
    case CHAT_OPEN:
    case CHAT_BROKEN:
        if (z->now_us >= chat->gone_us) {
            snprintf(text, sizeof text,
                     chat->strange ? "%s's program no longer knows the chat"
                                   : "%s's program is gone",
                     chat->user);
        } else {
            snprintf(text, sizeof text, "no new link to %s could be made within %d s", chat->user,
                     PRIVATE_AGAIN_S);
        }
        chat_end(z, chat, ZCHAT_UNREACHABLE, text, NULL);
        break;
    }
}

static void ask(zchat *z, struct chat *chat) {
    if (z->session.live) {
        invitation_ask(z, chat);
    } else if (!z->session.intended && !z->session.login) {
        chat_end(z, chat, ZCHAT_AUTH, "nobody is logged in", NULL);
    }
}

static void step_time(zchat *z, struct chat *chat) {
    if (z->now_us >= chat->deadline_us || z->now_us >= chat->gone_us) {
        expired(z, chat);
    } else if (chat->state == CHAT_ASKING && !chat->asked) {
        ask(z, chat);
    } else if (chat->state == CHAT_BROKEN && z->now_us >= chat->retry_us && z->session.live) {
        ask(z, chat);
    } else if (chat->state == CHAT_LINKING && chat->opened && z->now_us >= chat->retry_us) {
        chat_retry(z, chat);
    }
}

static void step(zchat *z, struct chat *chat) {
    if (chat->leaving) {
        leave(z, chat);
        return;
    }
    if (chat->link) {
        step_link(z, chat);
    }
    if (!chat->over && !z->doomed) {
        step_time(z, chat);
    }
    if (!chat->over && !z->doomed) {
        peer_files_step(z, chat);
    }
    if (!chat->over && !z->doomed && chat->state == CHAT_OPEN) {
        peer_talk_flush(z, chat);
    }
}

void chats_step(zchat *z) {
    for (struct chat *at = z->chats.list; at && !z->doomed; at = at->next) {
        if (!at->over) {
            step(z, at);
        }
    }
    if (z->chats.active_waits && !z->doomed) {
        invitation_active(z);
    }
    if (!z->doomed) {
        sweep(&z->chats);
    }
}

static bool has_more(const struct chat *chat) {
    if (chat->leaving || (chat->link && link_is_ready(chat->link))) {
        return true;
    }
    return peer_files_wait(&chat->files) || (chat->state == CHAT_OPEN && lines_wait(&chat->lines));
}

bool chats_have_more(const zchat *z) {
    const struct chat *at = z->chats.list;
    while (at && (at->over || !has_more(at))) {
        at = at->next;
    }
    return at != NULL;
}

int64_t chats_deadline_us(const zchat *z) {
    int64_t soonest_us = z->chats.active_waits ? z->chats.active_us : WAKE_NEVER;
    for (const struct chat *at = z->chats.list; at; at = at->next) {
        bool retries = at->state == CHAT_LINKING || z->session.live;
        int64_t link_us = at->link ? link_deadline_us(at->link) : WAKE_NEVER;
        int64_t times_us[] = {at->deadline_us, at->gone_us, retries ? at->retry_us : WAKE_NEVER,
                              link_us};
        for (size_t i = 0; i < 4; i++) {
            soonest_us = times_us[i] < soonest_us ? times_us[i] : soonest_us;
        }
    }
    return soonest_us;
}

size_t chats_pending(const zchat *z) {
    size_t count = 0;
    for (const struct chat *at = z->chats.list; at; at = at->next) {
        if (!at->over) {
            count += at->lines.count + (at->fn ? 1 : 0) + (at->stop_fn ? 1 : 0) +
                     peer_files_pending(&at->files);
        }
    }
    return count;
}
