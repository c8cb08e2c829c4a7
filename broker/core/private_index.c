/* Where invitations and chats are found: by id, by the session that made them, by the account that
 * is invited, and by the two accounts that they are between. A record is freed with the last thing
 * in it. */
#include "private_index.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* ---- all of it ---- */

struct privates *privates_new(void) {
    return memory_new(sizeof(struct privates));
}

void privates_free(struct privates *privates) {
    struct invitation *invitation, *next_invitation;
    struct chat *chat, *next_chat;

    if (!privates)
        return;
    HASH_ITER(hh, privates->by_id, invitation, next_invitation) {
        private_drop_invitation(privates, invitation);
    }
    HASH_ITER(hh, privates->chats, chat, next_chat) {
        private_drop_chat(privates, chat);
    }
    free(privates);
}

/* ---- by session ---- */

struct private_holder *private_holder(const struct privates *privates, uint64_t session) {
    struct private_holder *holder = NULL;

    HASH_FIND(hh, privates->holders, &session, sizeof session, holder);
    return holder;
}

static struct private_holder *holder_use(struct privates *privates, uint64_t session) {
    struct private_holder *holder = private_holder(privates, session);

    if (holder)
        return holder;
    holder = memory_new(sizeof *holder);
    holder->session = session;
    HASH_ADD(hh, privates->holders, session, sizeof holder->session, holder);
    return holder;
}

static void holder_release(struct privates *privates, struct private_holder *holder) {
    if (holder->made || holder->ends)
        return;
    HASH_DEL(privates->holders, holder);
    free(holder);
}

/* ---- by account ---- */

struct private_party *private_party(const struct privates *privates, int64_t account) {
    struct private_party *party = NULL;

    HASH_FIND(hh, privates->parties, &account, sizeof account, party);
    return party;
}

static struct private_party *party_use(struct privates *privates, int64_t account) {
    struct private_party *party = private_party(privates, account);

    if (party)
        return party;
    party = memory_new(sizeof *party);
    party->account = account;
    HASH_ADD(hh, privates->parties, account, sizeof party->account, party);
    return party;
}

static void party_release(struct privates *privates, struct private_party *party) {
    if (party->made > 0 || party->ask)
        return;
    HASH_DEL(privates->parties, party);
    free(party);
}

/* ---- by pair ---- */

struct private_pair *private_pair(const struct privates *privates, int64_t a, int64_t b) {
    const int64_t accounts[2] = {a < b ? a : b, a < b ? b : a};
    struct private_pair *pair = NULL;

    HASH_FIND(hh, privates->pairs, accounts, sizeof accounts, pair);
    return pair;
}

static struct private_pair *pair_use(struct privates *privates, int64_t a, int64_t b) {
    struct private_pair *pair = private_pair(privates, a, b);

    if (pair)
        return pair;
    pair = memory_new(sizeof *pair);
    pair->accounts[0] = a < b ? a : b;
    pair->accounts[1] = a < b ? b : a;
    HASH_ADD(hh, privates->pairs, accounts, sizeof pair->accounts, pair);
    return pair;
}

static void pair_release(struct privates *privates, struct private_pair *pair) {
    if (pair->among || pair->chats)
        return;
    HASH_DEL(privates->pairs, pair);
    free(pair);
}

/* ---- invitations ---- */

struct invitation *private_invitation(const struct privates *privates,
                                      const ProtobufCBinaryData *id) {
    struct invitation *invitation = NULL;

    if (id->len == ID_BYTES)
        HASH_FIND(hh, privates->by_id, id->data, ID_BYTES, invitation);
    return invitation;
}

void private_add_invitation(struct privates *privates, struct invitation *invitation) {
    invitation->maker = holder_use(privates, invitation->session);
    invitation->from = party_use(privates, invitation->inviter);
    invitation->to = party_use(privates, invitation->invitee);
    invitation->pair = pair_use(privates, invitation->inviter, invitation->invitee);
    invitation->from->made++;
    if (!invitation->is_again) {
        invitation->to->got++;
        invitation->pair->open = invitation;
    }
    HASH_ADD(hh, privates->by_id, id, ID_BYTES, invitation);
    DL_APPEND(privates->in_time, invitation);
    DL_APPEND2(invitation->maker->made, invitation, made_prev, made_next);
    DL_APPEND2(invitation->to->ask, invitation, got_prev, got_next);
    DL_APPEND2(invitation->pair->among, invitation, pair_prev, pair_next);
}

void private_answer_invitation(struct privates *privates, struct invitation *invitation) {
    if (invitation->answered)
        return;
    invitation->answered = true;
    invitation->from->made--;
    DL_DELETE2(invitation->to->ask, invitation, got_prev, got_next);
    if (!invitation->is_again) {
        invitation->to->got--;
        invitation->pair->open = NULL;
    }
    party_release(privates, invitation->from);
    party_release(privates, invitation->to);
    invitation->from = invitation->to = NULL;
}

void private_drop_invitation(struct privates *privates, struct invitation *invitation) {
    private_answer_invitation(privates, invitation);
    DL_DELETE(privates->in_time, invitation);
    DL_DELETE2(invitation->maker->made, invitation, made_prev, made_next);
    DL_DELETE2(invitation->pair->among, invitation, pair_prev, pair_next);
    HASH_DEL(privates->by_id, invitation);
    holder_release(privates, invitation->maker);
    pair_release(privates, invitation->pair);
    free(invitation);
}

/* ---- chats ---- */

struct chat *private_chat(const struct privates *privates, const ProtobufCBinaryData *id) {
    struct chat *chat = NULL;

    if (id->len == ID_BYTES)
        HASH_FIND(hh, privates->chats, id->data, ID_BYTES, chat);
    return chat;
}

struct chat *private_add_chat(struct privates *privates, const unsigned char *id) {
    struct chat *chat = memory_new(sizeof *chat);

    memcpy(chat->id, id, ID_BYTES);
    chat->ends[0].chat = chat->ends[1].chat = chat;
    HASH_ADD(hh, privates->chats, id, ID_BYTES, chat);
    return chat;
}

static bool is_live(const struct chat *chat) {
    return chat->ends[0].session != 0 && chat->ends[1].session != 0;
}

static void leave(struct privates *privates, struct chat_end *end) {
    if (!end->holder)
        return;
    end->chat->pair->live -= is_live(end->chat);
    DL_DELETE(end->holder->ends, end);
    end->holder->chats--;
    holder_release(privates, end->holder);
    end->holder = NULL;
    end->session = 0;
}

void private_enter(struct privates *privates, struct chat_end *end, uint64_t session) {
    struct chat *chat = end->chat;

    leave(privates, end);
    end->session = session;
    end->holder = holder_use(privates, session);
    end->holder->chats++;
    DL_APPEND(end->holder->ends, end);
    if (!chat->pair) {
        chat->pair = pair_use(privates, chat->ends[0].account, chat->ends[1].account);
        DL_APPEND2(chat->pair->chats, chat, pair_prev, pair_next);
    }
    chat->pair->live += is_live(chat);
}

void private_drop_chat(struct privates *privates, struct chat *chat) {
    leave(privates, &chat->ends[0]);
    leave(privates, &chat->ends[1]);
    if (chat->pair) {
        DL_DELETE2(chat->pair->chats, chat, pair_prev, pair_next);
        pair_release(privates, chat->pair);
    }
    HASH_DEL(privates->chats, chat);
    free(chat);
}

void private_leave(struct privates *privates, struct chat *chat, uint64_t session) {
    for (size_t i = 0; i < 2; i++)
        if (chat->ends[i].session == session)
            leave(privates, &chat->ends[i]);
    if (chat->ends[0].session == 0 && chat->ends[1].session == 0)
        private_drop_chat(privates, chat);
}
