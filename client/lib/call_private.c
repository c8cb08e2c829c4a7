/* The public calls of private chats, except those for files. Each looks at what there is, and
 * leaves the rest to the next turn, because only a turn calls callbacks. */
#include "call.h"
#include "chat_link.h"
#include "handle.h"
#include "invitation.h"

#include <string.h>

static zchat_code begin(zchat *z, const char *user, char name[NAME_BYTES]) {
    return call_check_name(z, user, name) && call_check_login(z) ? ZCHAT_OK : z->fault.code;
}

static bool is_open(const struct chat *chat) {
    return !chat->over && !chat->leaving && chat->opened;
}

static zchat_code no_invitation(zchat *z, const char *name) {
    return fault_set(&z->fault, ZCHAT_NOT_FOUND, "there is no invitation from %s", name);
}

static zchat_code no_chat(zchat *z, const char *name) {
    return fault_set(&z->fault, ZCHAT_NOT_FOUND, "there is no private chat with %s", name);
}

/* ---- invitations ---- */

static zchat_code check_start(zchat *z, const char *name) {
    const struct chat *chat = chats_find(&z->chats, name);
    size_t count = 0;
    for (const struct chat *at = z->chats.list; at; at = at->next)
        count += !at->over && at->state != CHAT_ASKED && at->state != CHAT_UNKNOWN;
    if (chat) {
        return fault_set(&z->fault, ZCHAT_CONFLICT,
                         chat->opened ? "a private chat with %s is open already"
                                      : "an invitation to %s is open already",
                         name);
    }
    if (count >= PRIVATE_CHATS_MAX) {
        return fault_set(&z->fault, ZCHAT_BUSY, "%d private chats are open, the most allowed",
                         PRIVATE_CHATS_MAX);
    }
    return ZCHAT_OK;
}

zchat_code zchat_private_start(zchat *z, const char *user, zchat_reply_fn *fn, void *arg) {
    char name[NAME_BYTES];
    zchat_code code = begin(z, user, name);
    if (code == ZCHAT_OK)
        code = check_start(z, name);
    if (code != ZCHAT_OK)
        return code;
    if (chats_asked(&z->chats, name))
        return zchat_private_accept(z, name, fn, arg);
    struct chat *chat = chats_add(&z->chats, name, CHAT_ASKING);
    if (!chat)
        return fault_set(&z->fault, ZCHAT_NO_MEMORY, "no memory for the private chat");
    chat->mine = true;
    chat->fn = fn;
    chat->arg = arg;
    return ZCHAT_OK;
}

zchat_code zchat_private_accept(zchat *z, const char *user, zchat_reply_fn *fn, void *arg) {
    char name[NAME_BYTES];
    struct fault fault;
    zchat_code code = begin(z, user, name);
    struct chat *chat = code == ZCHAT_OK ? chats_asked(&z->chats, name) : NULL;
    struct chat *former = code == ZCHAT_OK ? chats_find(&z->chats, name) : NULL;
    if (code != ZCHAT_OK)
        return code;
    if (!chat)
        return no_invitation(z, name);
    handle_look_at_clock(z);
    code = chat_accept(chat, &fault);
    if (code != ZCHAT_OK) {
        chat->over = true;
        return fault_set(&z->fault, code, "%s", fault.text);
    }
    chat->fn = fn;
    chat->arg = arg;
    if (former) { /* the new one replaces it */
        former->leaving = true;
        client_stir(&z->core.client);
    }
    return ZCHAT_OK;
}

/* Ends the chat; its answer comes in the next turn. */
static zchat_code leave(zchat *z, struct chat *chat, zchat_reply_fn *fn, void *arg) {
    if (chat->state == CHAT_ASKED)
        invitation_answer(chat, INVITATION_DECLINED);
    chat->leaving = true;
    chat->stop_fn = fn;
    chat->stop_arg = arg;
    client_stir(&z->core.client);
    return ZCHAT_OK;
}

zchat_code zchat_private_decline(zchat *z, const char *user, zchat_reply_fn *fn, void *arg) {
    char name[NAME_BYTES];
    zchat_code code = begin(z, user, name);
    struct chat *chat = code == ZCHAT_OK ? chats_asked(&z->chats, name) : NULL;
    if (code != ZCHAT_OK)
        return code;
    if (!chat)
        return no_invitation(z, name);
    return leave(z, chat, fn, arg);
}

/* ---- chats ---- */

zchat_code zchat_private_stop(zchat *z, const char *user, zchat_reply_fn *fn, void *arg) {
    char name[NAME_BYTES];
    zchat_code code = begin(z, user, name);
    struct chat *chat = code == ZCHAT_OK ? chats_find(&z->chats, name) : NULL;
    if (code != ZCHAT_OK)
        return code;
    if (!chat)
        chat = chats_asked(&z->chats, name);
    return chat ? leave(z, chat, fn, arg) : no_chat(z, name);
}

zchat_code zchat_private_send(zchat *z, const char *user, const char *text, zchat_reply_fn *fn,
                              void *arg) {
    char name[NAME_BYTES];
    zchat_code code = begin(z, user, name);
    if (code == ZCHAT_OK && !call_check_text(z, text))
        code = z->fault.code;
    struct chat *chat = code == ZCHAT_OK ? chats_find(&z->chats, name) : NULL;
    if (code != ZCHAT_OK)
        return code;
    if (!chat || !chat->opened)
        return no_chat(z, name);
    if (chat->lines.count >= PRIVATE_LINES_MAX) {
        return fault_set(&z->fault, ZCHAT_BUSY, "%d lines to %s wait already: wait for some first",
                         PRIVATE_LINES_MAX, name);
    }
    struct client *client = &z->core.client;
    if (!client->running)
        handle_look_at_clock(z);
    if (!lines_add(&chat->lines, client->now_us, client_wall_us(client), text, fn, arg))
        return fault_set(&z->fault, ZCHAT_NO_MEMORY, "no memory for the line");
    client_stir(client);
    return ZCHAT_OK;
}

size_t zchat_private_count(const zchat *z) {
    size_t count = 0;
    for (const struct chat *at = z->chats.list; at; at = at->next)
        count += is_open(at);
    return count;
}

const char *zchat_private_user(const zchat *z, size_t i) {
    for (const struct chat *at = z->chats.list; at; at = at->next)
        if (is_open(at) && i-- == 0)
            return at->user;
    return NULL;
}
