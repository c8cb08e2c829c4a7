/* Private chats, as far as the broker has to do with them: it carries an invitation and its one
 * answer, and knows who has a chat with whom, so that a block ends it. It never sees what is said.
 */
#include "private.h"

#include "handlers.h"
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define ADDRESS_BYTES_MAX 255
#define ENDPOINT_BYTES    (ADDRESS_BYTES_MAX + 32)

struct invitation {
    unsigned char id[ID_BYTES];
    unsigned char again[ID_BYTES];
    bool is_again;
    bool answered;
    uint64_t session; /* the inviter's */
    int64_t inviter;
    int64_t invitee;
    char inviter_name[NAME_BYTES];
    char invitee_name[NAME_BYTES];
    int64_t expires_us;
    struct invitation *prev, *next; /* the first to expire is first */
    UT_hash_handle hh;              /* by id */
};

struct chat_end {
    uint64_t session; /* 0: not there (any more) */
    int64_t account;
    char other[NAME_BYTES]; /* the name of the one at the other end */
};

struct chat {
    unsigned char id[ID_BYTES];
    struct chat_end ends[2];
    UT_hash_handle hh; /* by id */
};

struct privates {
    struct invitation *by_id;   /* owned */
    struct invitation *in_time; /* borrowed: the same */
    struct chat *chats;         /* owned, by id */
};

struct privates *privates_new(void) {
    return memory_new(sizeof(struct privates));
}

static void invitation_drop(struct privates *privates, struct invitation *invitation) {
    DL_DELETE(privates->in_time, invitation);
    HASH_DEL(privates->by_id, invitation);
    free(invitation);
}

static void chat_drop(struct privates *privates, struct chat *chat) {
    HASH_DEL(privates->chats, chat);
    free(chat);
}

void privates_free(struct privates *privates) {
    struct invitation *invitation, *next_invitation;
    struct chat *chat, *next_chat;

    if (!privates)
        return;
    HASH_ITER(hh, privates->by_id, invitation, next_invitation) {
        invitation_drop(privates, invitation);
    }
    HASH_ITER(hh, privates->chats, chat, next_chat) {
        chat_drop(privates, chat);
    }
    free(privates);
}

static struct invitation *invitation_find(const struct privates *privates,
                                          const ProtobufCBinaryData *id) {
    struct invitation *invitation = NULL;

    if (id->len == ID_BYTES)
        HASH_FIND(hh, privates->by_id, id->data, ID_BYTES, invitation);
    return invitation;
}

static struct chat *chat_find(const struct privates *privates, const ProtobufCBinaryData *id) {
    struct chat *chat = NULL;

    if (id->len == ID_BYTES)
        HASH_FIND(hh, privates->chats, id->data, ID_BYTES, chat);
    return chat;
}

/* ---- telling ---- */

static struct session *session_numbered(const struct core *core, int64_t account, uint64_t number) {
    const struct member *member = member_find(&core->sessions, account);
    struct session *session;

    if (!member || number == 0)
        return NULL;
    DL_FOREACH2(member->sessions, session, member_next) {
        if (session->number == number)
            return session;
    }
    return NULL;
}

static void tell_ended(struct core *core, struct session *session, const unsigned char *id,
                       const char *user, Zchat__V1__PrivateEnd reason) {
    Zchat__V1__Event event = ZCHAT__V1__EVENT__INIT;
    Zchat__V1__PrivateEnded ended = ZCHAT__V1__PRIVATE_ENDED__INIT;

    if (!session)
        return;
    ended.id.data = (uint8_t *)id;
    ended.id.len = ID_BYTES;
    ended.user = (char *)user;
    ended.reason = reason;
    event.time_us = core->now_us;
    event.body_case = ZCHAT__V1__EVENT__BODY_PRIVATE_ENDED;
    event.private_ended = &ended;
    outbox_event(core->outbox, &session->peer->line, &event);
}

/* Tells the invitee's sessions, but for one, that the invitation is over. */
static void tell_invitee(struct core *core, const struct invitation *invitation,
                         const struct session *but, Zchat__V1__PrivateEnd reason) {
    const struct member *member = member_find(&core->sessions, invitation->invitee);
    struct session *session;

    if (!member)
        return;
    DL_FOREACH2(member->sessions, session, member_next) {
        if (session->private_chats && session != but)
            tell_ended(core, session, invitation->id, invitation->inviter_name, reason);
    }
}

static void answered_begin(Zchat__V1__PrivateAnswered *answered,
                           const struct invitation *invitation, Zchat__V1__PrivateAnswer answer) {
    zchat__v1__private_answered__init(answered);
    answered->id.data = (uint8_t *)invitation->id;
    answered->id.len = ID_BYTES;
    answered->user = (char *)invitation->invitee_name;
    answered->answer = answer;
}

static void tell_answered(struct core *core, const struct invitation *invitation,
                          Zchat__V1__PrivateAnswered *answered) {
    struct session *inviter = session_numbered(core, invitation->inviter, invitation->session);
    Zchat__V1__Event event = ZCHAT__V1__EVENT__INIT;

    if (!inviter)
        return;
    event.time_us = core->now_us;
    event.body_case = ZCHAT__V1__EVENT__BODY_PRIVATE_ANSWERED;
    event.private_answered = answered;
    outbox_event(core->outbox, &inviter->peer->line, &event);
}

static void tell_not_accepted(struct core *core, const struct invitation *invitation,
                              Zchat__V1__PrivateAnswer answer) {
    Zchat__V1__PrivateAnswered answered;

    answered_begin(&answered, invitation, answer);
    tell_answered(core, invitation, &answered);
}

/* ---- inviting ---- */

static bool member_takes_invitations(const struct member *member) {
    const struct session *session;

    if (!member)
        return false;
    DL_FOREACH2(member->sessions, session, member_next) {
        if (session->private_chats)
            return true;
    }
    return false;
}

static bool is_between(int64_t a, int64_t b, int64_t x, int64_t y) {
    return (a == x && b == y) || (a == y && b == x);
}

/* Whether this session and that user have an invitation open or a chat. */
static bool is_open_already(const struct core *core, const struct session *session, int64_t other) {
    const struct invitation *invitation;
    const struct chat *chat;

    DL_FOREACH(core->privates->in_time, invitation) {
        if (!invitation->answered && !invitation->is_again &&
            is_between(invitation->inviter, invitation->invitee, session->member->account, other))
            return true;
    }
    for (chat = core->privates->chats; chat; chat = chat->hh.next) {
        for (size_t i = 0; i < 2; i++) {
            if (chat->ends[i].session == session->number && chat->ends[1 - i].account == other &&
                chat->ends[1 - i].session != 0)
                return true;
        }
    }
    return false;
}

static size_t invitations_of(const struct privates *privates, uint64_t session) {
    const struct invitation *invitation;
    size_t count = 0;

    DL_FOREACH(privates->in_time, invitation) {
        if (invitation->session == session && !invitation->answered)
            count++;
    }
    return count;
}

void invite_private_check(struct call *call) {
    Zchat__V1__InvitePrivate *invite = call->command->invite_private;

    if (!message_id_fits(call, &invite->id) || !message_name_fits(call, invite->user))
        return;
    if (invite->again.len != 0 && invite->again.len != ID_BYTES)
        call_fail(call, ZCHAT__V1__CODE__CODE_INVALID, "an id has %d bytes", ID_BYTES);
    else if (!call->session->private_chats)
        call_fail(call, ZCHAT__V1__CODE__CODE_INVALID,
                  "this session takes no part in private chats: log in for them");
    else if (invitations_of(call->core->privates, call->session->number) >= INVITATIONS_MAX)
        call_fail(call, ZCHAT__V1__CODE__CODE_BUSY,
                  "%d invitations wait for their answers: wait for one first", INVITATIONS_MAX);
}

void invite_private_run(struct call *call) {
    const Zchat__V1__InvitePrivate *invite = call->command->invite_private;
    const struct core *core = call->core;
    struct store_account *account = &call->result.invited;
    int64_t inviter = call->session->member->account;

    if (call_store(call, store_account_find(core->store, invite->user, account)) == STORE_NOT_FOUND)
        call_fail(call, ZCHAT__V1__CODE__CODE_NOT_FOUND, "there is no user %s", invite->user);
    else if (account->account == inviter)
        call_fail(call, ZCHAT__V1__CODE__CODE_INVALID,
                  "one can't have a private chat with oneself");
    else if (store_block_is(core->store, inviter, account->account))
        call_fail(call, ZCHAT__V1__CODE__CODE_FORBIDDEN,
                  "you have blocked %s: unblock first to chat", invite->user);
    else if (store_block_is(core->store, account->account, inviter))
        call_fail(call, ZCHAT__V1__CODE__CODE_FORBIDDEN, "%s has blocked you", invite->user);
    else if (!member_takes_invitations(member_find(&core->sessions, account->account)))
        call_fail(call, ZCHAT__V1__CODE__CODE_FORBIDDEN, "%s is not online", invite->user);
    else if (invite->again.len == 0 && !invitation_find(core->privates, &invite->id) &&
             is_open_already(core, call->session, account->account))
        call_fail(call, ZCHAT__V1__CODE__CODE_CONFLICT,
                  "a private chat with %s is open already, or an invitation is", invite->user);
}

static struct invitation *invitation_new(struct call *call) {
    const Zchat__V1__InvitePrivate *invite = call->command->invite_private;
    struct privates *privates = call->core->privates;
    struct invitation *invitation = memory_new(sizeof *invitation);

    memcpy(invitation->id, invite->id.data, ID_BYTES);
    invitation->is_again = invite->again.len > 0;
    if (invitation->is_again)
        memcpy(invitation->again, invite->again.data, ID_BYTES);
    invitation->session = call->session->number;
    invitation->inviter = call->session->member->account;
    invitation->invitee = call->result.invited.account;
    strcpy(invitation->inviter_name, call->session->member->name);
    strcpy(invitation->invitee_name, call->result.invited.name);
    invitation->expires_us = call->now_us + INVITATION_S * 1000000LL;
    HASH_ADD(hh, privates->by_id, id, ID_BYTES, invitation);
    DL_APPEND(privates->in_time, invitation);
    return invitation;
}

static void tell_invited(struct call *call, struct invitation *invitation) {
    const struct member *member = member_find(&call->core->sessions, invitation->invitee);
    Zchat__V1__Event event = ZCHAT__V1__EVENT__INIT;
    Zchat__V1__PrivateInvited invited = ZCHAT__V1__PRIVATE_INVITED__INIT;
    struct session *session;

    invited.id.data = invitation->id;
    invited.id.len = ID_BYTES;
    invited.user = invitation->inviter_name;
    invited.key.data = call->peer->key;
    invited.key.len = KEY_BYTES;
    invited.again.data = invitation->again;
    invited.again.len = invitation->is_again ? ID_BYTES : 0;
    invited.expires_us = invitation->expires_us;
    event.time_us = call->now_us;
    event.body_case = ZCHAT__V1__EVENT__BODY_PRIVATE_INVITED;
    event.private_invited = &invited;
    DL_FOREACH2(member->sessions, session, member_next) {
        if (session->private_chats)
            outbox_event(call->core->outbox, &session->peer->line, &event);
    }
}

void invite_private_done(struct call *call) {
    struct invitation *invitation =
        invitation_find(call->core->privates, &call->command->invite_private->id);
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__InvitePrivateReply invited = ZCHAT__V1__INVITE_PRIVATE_REPLY__INIT;

    if (invitation && invitation->session != call->session->number) {
        call_fail(call, ZCHAT__V1__CODE__CODE_CONFLICT, "this id names another invitation");
        return;
    }
    if (!invitation) {
        invitation = invitation_new(call);
        tell_invited(call, invitation);
    }
    invited.expires_us = invitation->expires_us;
    reply.body_case = ZCHAT__V1__REPLY__BODY_INVITE_PRIVATE;
    reply.invite_private = &invited;
    call_reply(call, &reply);
}

/* ---- answering ---- */

static bool address_fits(const char *address) {
    size_t bytes = strlen(address);

    return bytes <= ADDRESS_BYTES_MAX &&
           strspn(address, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%") ==
               bytes;
}

void answer_private_check(struct call *call) {
    const Zchat__V1__AnswerPrivate *answer = call->command->answer_private;
    const struct invitation *invitation = invitation_find(call->core->privates, &answer->id);

    if (!invitation || invitation->invitee != call->session->member->account)
        call_fail(call, ZCHAT__V1__CODE__CODE_NOT_FOUND,
                  "there is no such invitation: it has expired, or was taken back");
    else if (invitation->answered)
        call_fail(call, ZCHAT__V1__CODE__CODE_CONFLICT, "the invitation is answered already");
    else if (!answer->accept)
        return;
    else if (answer->port == 0 || answer->port > 65535)
        call_fail(call, ZCHAT__V1__CODE__CODE_INVALID, "the port must be 1 to 65535");
    else if (answer->nonce.len != NONCE_BYTES)
        call_fail(call, ZCHAT__V1__CODE__CODE_INVALID, "a nonce has %d bytes", NONCE_BYTES);
    else if (!address_fits(answer->address))
        call_fail(call, ZCHAT__V1__CODE__CODE_INVALID,
                  "the address is neither a host's name nor an address");
}

static void tell_accepted(struct call *call, const struct invitation *invitation) {
    const Zchat__V1__AnswerPrivate *answer = call->command->answer_private;
    const char *address = answer->address[0] ? answer->address : call->peer->address;
    Zchat__V1__PrivateAnswered answered;
    char endpoint[ENDPOINT_BYTES];

    snprintf(endpoint, sizeof endpoint, strchr(address, ':') ? "tcp://[%s]:%u" : "tcp://%s:%u",
             address, (unsigned)answer->port);
    answered_begin(&answered, invitation, ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_ACCEPTED);
    answered.endpoint = endpoint;
    answered.key.data = call->peer->key;
    answered.key.len = KEY_BYTES;
    answered.nonce = answer->nonce;
    tell_answered(call->core, invitation, &answered);
}

void answer_private_done(struct call *call) {
    const Zchat__V1__AnswerPrivate *answer = call->command->answer_private;
    struct invitation *invitation = invitation_find(call->core->privates, &answer->id);
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__AnswerPrivateReply done = ZCHAT__V1__ANSWER_PRIVATE_REPLY__INIT;

    invitation->answered =
        true; /* and known until it expires, so that a second answer is told so */
    if (answer->accept)
        tell_accepted(call, invitation);
    else
        tell_not_accepted(call->core, invitation,
                          ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_DECLINED);
    tell_invitee(call->core, invitation, call->session, ZCHAT__V1__PRIVATE_END__PRIVATE_END_TAKEN);
    reply.body_case = ZCHAT__V1__REPLY__BODY_ANSWER_PRIVATE;
    reply.answer_private = &done;
    call_reply(call, &reply);
}

/* ---- what is open ---- */

static size_t chats_of(const struct privates *privates, uint64_t session) {
    const struct chat *chat;
    size_t count = 0;

    for (chat = privates->chats; chat; chat = chat->hh.next)
        count += (chat->ends[0].session == session) + (chat->ends[1].session == session);
    return count;
}

void open_private_check(struct call *call) {
    Zchat__V1__OpenPrivate *open = call->command->open_private;

    if (message_id_fits(call, &open->id) && message_name_fits(call, open->user) &&
        chats_of(call->core->privates, call->session->number) >= PRIVATE_CHATS_MAX)
        call_fail(call, ZCHAT__V1__CODE__CODE_BUSY, "%d private chats are open, the most allowed",
                  PRIVATE_CHATS_MAX);
}

void open_private_run(struct call *call) {
    const Zchat__V1__OpenPrivate *open = call->command->open_private;

    if (call_store(call, store_account_find(call->core->store, open->user,
                                            &call->result.invited)) == STORE_NOT_FOUND)
        call_fail(call, ZCHAT__V1__CODE__CODE_NOT_FOUND, "there is no user %s", open->user);
    else if (presence_hidden(call->core, call->session->member->account,
                             call->result.invited.account))
        call_fail(call, ZCHAT__V1__CODE__CODE_FORBIDDEN,
                  "a block came between you and %s: the private chat is over", open->user);
}

static struct chat *chat_of(struct privates *privates, const unsigned char *id) {
    struct chat *chat = NULL;

    HASH_FIND(hh, privates->chats, id, ID_BYTES, chat);
    if (!chat) {
        chat = memory_new(sizeof *chat);
        memcpy(chat->id, id, ID_BYTES);
        HASH_ADD(hh, privates->chats, id, ID_BYTES, chat);
    }
    return chat;
}

/* The end of the chat that is this account's, or a free one; NULL: it is others' chat. */
static struct chat_end *end_of(struct chat *chat, int64_t account, int64_t other) {
    for (size_t i = 0; i < 2; i++) {
        struct chat_end *end = &chat->ends[i], *far = &chat->ends[1 - i];

        if ((end->account == account || end->account == 0) &&
            (far->account == other || far->account == 0))
            return end;
    }
    return NULL;
}

void open_private_done(struct call *call) {
    const Zchat__V1__OpenPrivate *open = call->command->open_private;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__OpenPrivateReply opened = ZCHAT__V1__OPEN_PRIVATE_REPLY__INIT;
    struct chat *chat = chat_of(call->core->privates, open->id.data);
    struct chat_end *end =
        end_of(chat, call->session->member->account, call->result.invited.account);

    if (!end) {
        call_fail(call, ZCHAT__V1__CODE__CODE_CONFLICT, "this id names another chat");
        return;
    }
    end->session = call->session->number;
    end->account = call->session->member->account;
    strcpy(end->other, call->result.invited.name);
    (end == &chat->ends[0] ? &chat->ends[1] : &chat->ends[0])->account =
        call->result.invited.account;
    reply.body_case = ZCHAT__V1__REPLY__BODY_OPEN_PRIVATE;
    reply.open_private = &opened;
    call_reply(call, &reply);
}

/* Takes the session out of the chat, which is forgotten with its second end. */
static void chat_leave(struct privates *privates, struct chat *chat, uint64_t session) {
    for (size_t i = 0; i < 2; i++) {
        if (chat->ends[i].session == session)
            chat->ends[i].session = 0;
    }
    if (chat->ends[0].session == 0 && chat->ends[1].session == 0)
        chat_drop(privates, chat);
}

void close_private_done(struct call *call) {
    const ProtobufCBinaryData *id = &call->command->close_private->id;
    struct privates *privates = call->core->privates;
    struct invitation *invitation = invitation_find(privates, id);
    struct chat *chat = chat_find(privates, id);
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__ClosePrivateReply closed = ZCHAT__V1__CLOSE_PRIVATE_REPLY__INIT;

    if (chat)
        chat_leave(privates, chat, call->session->number);
    if (invitation && invitation->session == call->session->number) {
        if (!invitation->answered)
            tell_invitee(call->core, invitation, NULL,
                         ZCHAT__V1__PRIVATE_END__PRIVATE_END_WITHDRAWN);
        invitation_drop(privates, invitation);
    }
    reply.body_case = ZCHAT__V1__REPLY__BODY_CLOSE_PRIVATE;
    reply.close_private = &closed;
    call_reply(call, &reply);
}

void active_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__ActiveReply active = ZCHAT__V1__ACTIVE_REPLY__INIT;

    reply.body_case = ZCHAT__V1__REPLY__BODY_ACTIVE;
    reply.active = &active;
    call_reply(call, &reply);
}

/* ---- what ends them ---- */

void private_session_ended(struct core *core, uint64_t session, int64_t account) {
    bool reachable = member_takes_invitations(member_find(&core->sessions, account));
    struct invitation *invitation, *next_invitation;
    struct chat *chat, *next_chat;

    DL_FOREACH_SAFE(core->privates->in_time, invitation, next_invitation) {
        if (invitation->session == session) {
            if (!invitation->answered)
                tell_invitee(core, invitation, NULL, ZCHAT__V1__PRIVATE_END__PRIVATE_END_WITHDRAWN);
            invitation_drop(core->privates, invitation);
        } else if (invitation->invitee == account && !invitation->answered && !reachable) {
            tell_not_accepted(core, invitation, ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_GONE);
            invitation_drop(core->privates, invitation);
        }
    }
    HASH_ITER(hh, core->privates->chats, chat, next_chat) {
        chat_leave(core->privates, chat, session);
    }
}

void private_blocked(struct core *core, int64_t a, int64_t b) {
    struct invitation *invitation, *next_invitation;
    struct chat *chat, *next_chat;

    DL_FOREACH_SAFE(core->privates->in_time, invitation, next_invitation) {
        if (!is_between(invitation->inviter, invitation->invitee, a, b))
            continue;
        if (!invitation->answered) {
            tell_not_accepted(core, invitation, ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_GONE);
            tell_invitee(core, invitation, NULL, ZCHAT__V1__PRIVATE_END__PRIVATE_END_WITHDRAWN);
        }
        invitation_drop(core->privates, invitation);
    }
    HASH_ITER(hh, core->privates->chats, chat, next_chat) {
        if (!is_between(chat->ends[0].account, chat->ends[1].account, a, b))
            continue;
        for (size_t i = 0; i < 2; i++)
            tell_ended(core, session_numbered(core, chat->ends[i].account, chat->ends[i].session),
                       chat->id, chat->ends[i].other, ZCHAT__V1__PRIVATE_END__PRIVATE_END_BLOCKED);
        chat_drop(core->privates, chat);
    }
}

int64_t private_deadline(const struct core *core) {
    return core->privates->in_time ? core->privates->in_time->expires_us : INT64_MAX;
}

void private_tick(struct core *core, int64_t now_us) {
    while (now_us >= private_deadline(core)) {
        struct invitation *invitation = core->privates->in_time;

        if (!invitation->answered) {
            tell_not_accepted(core, invitation, ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_EXPIRED);
            tell_invitee(core, invitation, NULL, ZCHAT__V1__PRIVATE_END__PRIVATE_END_EXPIRED);
        }
        invitation_drop(core->privates, invitation);
    }
}
