/* The life of chats on this side, step by step: links, lines, files and time. */
#include "chats.h"

#include "chat.h"
#include "chat_link.h"
#include "invitation.h"
#include "limits.h"
#include "peer_files.h"
#include "peer_talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- freed ---- */

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

void chats_release(struct chats *chats) {
    for (struct chat *at = chats->list; at; at = at->next)
        at->over = true;
    sweep(chats);
}

/* ---- ended ---- */

void chats_leave(struct chats *chats) {
    for (struct chat *at = chats->list; at; at = at->next)
        at->leaving = true;
}

static void leave(struct chat *chat) {
    char bye[64];
    bool logout = !chat->stop_fn && !chat->client->session.intended;
    snprintf(bye, sizeof bye, logout ? "%s logged out" : "%s ended the private chat",
             chat->client->session.user);
    chat_end(chat, ZCHAT_OK, logout ? "you logged out" : "you ended the private chat", bye);
}

void chats_end_all(struct chats *chats, zchat_code code, const char *text) {
    char bye[64];
    snprintf(bye, sizeof bye, "%s left", chats->client->session.user);
    for (struct chat *at = chats->list; at; at = at->next)
        chat_end(at, code, text, bye);
}

/* ---- a link that was not made ---- */

static const char *why(const struct chat *chat) {
    switch (chat->link->end) {
    case LINK_DENIED:
        return "its program refused this device's key";
    case LINK_FOREIGN:
        return "what answers there did not prove the right key";
    case LINK_ENDLESS:
        return "its program does not keep to the protocol";
    case LINK_CLOSED:
        return "it closed the connection";
    case LINK_UNANSWERED:
        break;
    }
    return "nobody answers there";
}

static void unreachable(struct chat *chat, const char *reason) {
    char own[HOST_BYTES];
    char theirs[ENDPOINT_BYTES];
    const char *told = chat_host_told_address(chat->chats->host);
    struct fault fault;
    chat_host_own_address(chat->chats->host, link_tried(chat->link), own);
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
                  chat->user, told[0] ? told : own, (unsigned)chat->link->port);
    }
    chat_end(chat, ZCHAT_UNREACHABLE, fault.text, NULL);
}

static void link_failed(struct chat *chat, const char *reason) {
    if (chat->opened)
        chat_retry(chat);
    else
        unreachable(chat, reason);
}

/* ---- a step ---- */

static void step_link(struct chat *chat) {
    enum link_state before = chat->link->state;
    enum link_state state = link_step(chat->link, chat->client->now_us);
    if (state == LINK_UP && before != LINK_UP && chat->mine)
        peer_talk_hello(chat);
    if (state == LINK_UP)
        peer_talk_receive(chat);
    if (chat->over || !chat->link || chat->link->state != LINK_DEAD)
        return;
    if (chat->link->end == LINK_ENDLESS) {
        peer_talk_breach(chat);
    } else if (chat->state == CHAT_OPEN) {
        char text[128];
        snprintf(text, sizeof text, "the link to %s is dead", chat->user);
        chat_break(chat, text);
    } else {
        link_failed(chat, why(chat));
    }
}

/* The chat's time is over. */
static void expired(struct chat *chat) {
    char text[160];
    switch (chat->state) {
    case CHAT_ASKING:
        if (chat->refusal[0] != '\0') {
            chat->asked = false;
            chat_end(chat, ZCHAT_CONFLICT, chat->refusal, NULL);
            break;
        }
        snprintf(text, sizeof text, "%s did not answer within %d s", chat->user, INVITATION_S);
        chat_end(chat, ZCHAT_EXPIRED, text, NULL);
        break;
    case CHAT_ASKED:
        snprintf(text, sizeof text, "%s's invitation has expired", chat->user);
        chat_end(chat, ZCHAT_EXPIRED, text, NULL);
        break;
    case CHAT_UNKNOWN:
        invitation_answer(chat, INVITATION_UNABLE);
        chat_end(chat, ZCHAT_OK, "", NULL);
        break;
    case CHAT_LINKING:
        if (!chat->opened) {
            unreachable(chat, "no link came up within 10 s");
            break;
        }
        /* fall through */
    case CHAT_OPEN:
    case CHAT_BROKEN:
        if (chat->client->now_us >= chat->gone_us) {
            snprintf(text, sizeof text,
                     chat->strange ? "%s's program no longer knows the chat"
                                   : "%s's program is gone",
                     chat->user);
        } else {
            snprintf(text, sizeof text, "no new link to %s could be made within %d s", chat->user,
                     PRIVATE_AGAIN_S);
        }
        chat_end(chat, ZCHAT_UNREACHABLE, text, NULL);
        break;
    }
}

static void ask(struct chat *chat) {
    if (chat->client->session.live) {
        if (!invitation_ask(chat))
            chat_end(chat, ZCHAT_NO_MEMORY, "no memory for the invitation", NULL);
    } else if (!chat->client->session.intended && !chat->client->session.login) {
        chat_end(chat, ZCHAT_AUTH, "nobody is logged in", NULL);
    }
}

static void step_time(struct chat *chat) {
    if (chat->client->now_us >= chat->deadline_us || chat->client->now_us >= chat->gone_us)
        expired(chat);
    else if (chat->state == CHAT_ASKING && !chat->asked)
        ask(chat);
    else if (chat->state == CHAT_BROKEN && chat->client->now_us >= chat->retry_us &&
             chat->client->session.live)
        ask(chat);
    else if (chat->state == CHAT_LINKING && chat->opened && chat->client->now_us >= chat->retry_us)
        chat_retry(chat);
}

static void step(struct chat *chat) {
    if (chat->leaving) {
        leave(chat);
        return;
    }
    if (chat->link)
        step_link(chat);
    if (!chat->over && !chat->client->doomed)
        step_time(chat);
    if (!chat->over && !chat->client->doomed)
        peer_files_step(chat);
    if (!chat->over && !chat->client->doomed && chat->state == CHAT_OPEN)
        chat_flush(chat);
}

void chats_step(struct chats *chats) {
    for (struct chat *at = chats->list; at && !chats->client->doomed; at = at->next)
        if (!at->over)
            step(at);
    if (chats->active_waits && !chats->client->doomed)
        invitation_active(chats);
    if (!chats->client->doomed)
        sweep(chats);
}

static bool has_more(const struct chat *chat) {
    if (chat->leaving || (chat->link && link_is_ready(chat->link)))
        return true;
    return peer_files_wait(&chat->files) || (chat->state == CHAT_OPEN && lines_wait(&chat->lines));
}

bool chats_have_more(const struct chats *chats) {
    const struct chat *at = chats->list;
    while (at && (at->over || !has_more(at)))
        at = at->next;
    return at != NULL;
}

int64_t chats_deadline_us(const struct chats *chats) {
    int64_t soonest_us = chats->active_waits ? chats->active_us : NEVER_US;
    for (const struct chat *at = chats->list; at; at = at->next) {
        bool retries = at->state == CHAT_LINKING || chats->client->session.live;
        int64_t link_us = at->link ? link_deadline_us(at->link) : NEVER_US;
        int64_t times_us[] = {at->deadline_us, at->gone_us, retries ? at->retry_us : NEVER_US,
                              link_us};
        for (size_t i = 0; i < 4; i++)
            soonest_us = times_us[i] < soonest_us ? times_us[i] : soonest_us;
    }
    return soonest_us;
}

size_t chats_pending(const struct chats *chats) {
    size_t count = 0;
    for (const struct chat *at = chats->list; at; at = at->next) {
        if (!at->over) {
            count += at->lines.count + (at->fn ? 1 : 0) + (at->stop_fn ? 1 : 0) +
                     peer_files_pending(&at->files);
        }
    }
    return count;
}
