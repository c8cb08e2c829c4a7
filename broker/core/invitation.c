/* Invitations to private chats: each is carried to its invitee and answered once. The broker tells
 * the inviter where to connect, and sees nothing of what follows. */
#include "command.h"
#include "field.h"
#include "memory.h"
#include "private.h"

#include <stdio.h>
#include <string.h>
#include <utlist.h>

#define ADDRESS_BYTES_MAX 255
#define ENDPOINT_BYTES    (ADDRESS_BYTES_MAX + 32)

/* ---- inviting ---- */

static void invite_private_check(struct call *call) {
    Zchat__V1__InvitePrivateRequest *invite = call->command->invite_private;

    if (!field_id_fits(call, &invite->id) || !field_name_fits(call, invite->user))
        return;
    if (invite->again.len != 0 && invite->again.len != ID_BYTES)
        call_fail(call, REASON(BAD_ID), "an id has %d bytes", ID_BYTES);
    else if (!call->session->private_chats)
        call_fail(call, REASON(PRIVATE_CHATS_OFF),
                  "this session takes no part in private chats: log in for them");
}

static void fail_unreached(struct call *call) {
    const char *user = call->result.invited.name;
    const struct member *member = member_find(&call->core->sessions, call->result.invited.account);

    if (member && member->online > 0)
        call_fail(call, REASON(NO_PRIVATE_CHATS),
                  "%s is online, but with no program that takes private chats", user);
    else
        call_fail(call, REASON(OFFLINE), "%s is not online", user);
}

/* A renewal goes only to the session that has the chat: no other program may answer for it. 0: that
 * session is not there, but may be back in a moment. */
static uint64_t holder_of(const struct call *call) {
    const struct chat *chat =
        private_chat(call->core->privates, &call->command->invite_private->again);
    int64_t invitee = call->result.invited.account;

    for (size_t i = 0; chat && i < 2; i++) {
        const struct session *session = private_session(call->core, invitee, chat->ends[i].session);

        if (chat->ends[i].account == invitee && session && session->private_chats &&
            chat->ends[1 - i].account == call->session->member->account)
            return session->number;
    }
    return 0;
}

static void tell_invited(struct core *core, struct invitation *invitation, struct session *session,
                         int64_t now_us) {
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    Zchat__V1__PrivateInvited invited = ZCHAT__V1__PRIVATE_INVITED__INIT;

    invited.id.data = invitation->id;
    invited.id.len = ID_BYTES;
    invited.user = invitation->inviter_name;
    invited.key.data = invitation->key;
    invited.key.len = KEY_BYTES;
    invited.again.data = invitation->again;
    invited.again.len = invitation->is_again ? ID_BYTES : 0;
    invited.expires_us = core_wall_us(core, invitation->expires_us);
    event.time_us = core_wall_us(core, now_us);
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_PRIVATE_INVITED;
    event.private_invited = &invited;
    outbox_event(core->outbox, &session->peer->line, &event);
}

static void tell_all_invited(struct core *core, struct invitation *invitation, int64_t now_us) {
    const struct member *member = member_find(&core->sessions, invitation->invitee);
    struct session *session;

    DL_FOREACH2(member->sessions, session, member_next) {
        if (private_asks(invitation, session))
            tell_invited(core, invitation, session, now_us);
    }
}

/* Two who invite each other both want the chat. The first invitation is the one to accept, so this
 * makes sure that who sent the second was told of it. */
static void fail_open(struct call *call, struct invitation *open) {
    if (open->invitee != call->session->member->account) {
        call_fail(call, REASON(ALREADY_INVITED), "an invitation to %s is open already",
                  open->invitee_name);
        return;
    }
    call_fail(call, REASON(INVITED_BY_THEM), "%s has invited you already: accept that",
              open->inviter_name);
    if (open->told < call->session->number)
        tell_invited(call->core, open, call->session, call->now_us);
}

static void check_new(struct call *call) {
    int64_t inviter = call->session->member->account, invitee = call->result.invited.account;
    const struct private_pair *pair = private_pair(call->core->privates, inviter, invitee);
    const struct private_party *party = private_party(call->core->privates, invitee);

    if (!private_reaches(member_find(&call->core->sessions, invitee)))
        fail_unreached(call);
    else if (pair && pair->open)
        fail_open(call, pair->open);
    else if (pair && pair->live > 0)
        call_fail(call, REASON(CHAT_OPEN), "a private chat with %s is open already",
                  call->result.invited.name);
    else if (party && party->got >= INVITATIONS_MAX)
        call_fail(call, REASON(QUOTA),
                  "%d invitations to %s wait for their answers: try again later", INVITATIONS_MAX,
                  call->result.invited.name);
}

static void check_again(struct call *call) {
    const char *user = call->result.invited.name;

    if (!private_reaches(member_find(&call->core->sessions, call->result.invited.account)))
        fail_unreached(call);
    else if (holder_of(call) == 0)
        call_fail(call, REASON(CHAT_AWAY),
                  "no program of %s has this private chat open at the moment", user);
}

static void charge(struct call *call) {
    struct limits *limits = call->core->limits;
    const int64_t accounts[2] = {call->session->member->account, call->result.invited.account};
    uint32_t cost = call->command->invite_private->again.len > 0 ? 1 : INVITATION_COST;
    uint32_t wait_s = 0;

    if (limit_spend(limits, LIMIT_INVITATIONS, accounts, sizeof accounts[0], 1, call->now_us,
                    &wait_s) &&
        limit_spend(limits, LIMIT_PAIR, accounts, sizeof accounts, cost, call->now_us, &wait_s))
        return;
    call->core->stats.commands_busy_total++;
    call_fail_later(call, REASON(RATE), wait_s,
                    "too many invitations to %s in a short time: try again in %u s",
                    call->result.invited.name, (unsigned)wait_s);
}

/* Checks that are made only for a new invitation, not for one that is there already. */
static void check_open(struct call *call) {
    const struct private_party *party =
        private_party(call->core->privates, call->session->member->account);

    if (party && party->made >= INVITATIONS_MAX)
        call_fail(call, REASON(QUOTA), "%d invitations wait for their answers: wait for one first",
                  INVITATIONS_MAX);
    else if (call->command->invite_private->again.len > 0)
        check_again(call);
    else
        check_new(call);
    if (!call_failed(call))
        charge(call);
}

static enum store_status invite_private_run(struct call *call) {
    const Zchat__V1__InvitePrivateRequest *invite = call->command->invite_private;
    const struct core *core = call->core;
    struct store_account *account = &call->result.invited;
    int64_t inviter = call->session->member->account;
    enum store_status status =
        call_store(call, store_account_find(core->store, invite->user, account));

    if (status != STORE_OK)
        return status;
    if (account->account == inviter)
        return STORE_SELF;
    if (store_block_is(core->store, inviter, account->account))
        return STORE_BLOCKED;
    if (store_block_is(core->store, account->account, inviter))
        return STORE_BLOCKED_BY;
    if (!private_invitation(core->privates, &invite->id))
        check_open(call);
    return STORE_OK;
}

static const char *invited_user(struct call *call) {
    return call->command->invite_private->user;
}

static const struct refusal invite_private_refusals[] = {
    {STORE_NOT_FOUND, REASON(NO_SUCH_USER), "there is no user %s", invited_user},
    {STORE_SELF, REASON(ONESELF), "one can't have a private chat with oneself", NULL},
    {STORE_BLOCKED, REASON(BLOCKED_BY_YOU), "you have blocked %s: unblock first to chat",
     invited_user},
    {STORE_BLOCKED_BY, REASON(BLOCKED_BY_THEM), "%s has blocked you", invited_user},
    {0},
};

static struct invitation *invitation_new(struct call *call) {
    const Zchat__V1__InvitePrivateRequest *invite = call->command->invite_private;
    struct invitation *invitation = memory_new(sizeof *invitation);

    memcpy(invitation->id, invite->id.data, ID_BYTES);
    invitation->is_again = invite->again.len > 0;
    if (invitation->is_again)
        memcpy(invitation->again, invite->again.data, ID_BYTES);
    invitation->session = call->session->number;
    invitation->inviter = call->session->member->account;
    invitation->invitee = call->result.invited.account;
    memcpy(invitation->key, call->peer->key, KEY_BYTES);
    strcpy(invitation->inviter_name, call->session->member->name);
    strcpy(invitation->invitee_name, call->result.invited.name);
    invitation->expires_us = call->now_us + INVITATION_S * 1000000LL;
    invitation->holder = invitation->is_again ? holder_of(call) : 0;
    invitation->told = call->core->sessions.number;
    private_add_invitation(call->core->privates, invitation);
    return invitation;
}

/* Whether the command is the one that made the invitation, sent again. */
static bool is_same_invitation(const struct call *call, const struct invitation *invitation) {
    const ProtobufCBinaryData *again = &call->command->invite_private->again;

    return invitation->session == call->session->number &&
           invitation->invitee == call->result.invited.account &&
           invitation->is_again == (again->len > 0) &&
           (again->len == 0 || memcmp(invitation->again, again->data, ID_BYTES) == 0);
}

static void invite_private_done(struct call *call) {
    struct invitation *invitation =
        private_invitation(call->core->privates, &call->command->invite_private->id);
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__InvitePrivateResponse invited = ZCHAT__V1__INVITE_PRIVATE_RESPONSE__INIT;

    if (invitation && !is_same_invitation(call, invitation)) {
        call_fail(call, REASON(ID_USED), "this id names another invitation: take a new one");
        return;
    }
    if (!invitation) {
        invitation = invitation_new(call);
        tell_all_invited(call->core, invitation, call->now_us);
    }
    invited.expires_us = core_wall_us(call->core, invitation->expires_us);
    reply.body_case = ZCHAT__V1__REPLY__BODY_INVITE_PRIVATE;
    reply.invite_private = &invited;
    call_reply(call, &reply);
}

const struct command_row invite_private_row = {
    .cost = 10,
    .check = invite_private_check,
    .run = invite_private_run,
    .refusals = invite_private_refusals,
    .done = invite_private_done,
};

/* ---- answering ---- */

static bool address_fits(const char *address) {
    size_t bytes = strlen(address);

    return bytes <= ADDRESS_BYTES_MAX &&
           strspn(address, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%") ==
               bytes;
}

/* Whether this session gave the invitation the same answer before: the first reply may be lost. */
static bool is_same_answer(const struct call *call, const struct invitation *invitation) {
    const Zchat__V1__AnswerPrivateRequest *answer = call->command->answer_private;

    if (invitation->answer.session != call->session->number ||
        invitation->answer.accept != (bool)answer->accept)
        return false;
    if (!answer->accept)
        return invitation->answer.unable == (bool)answer->unable;
    return answer->port == invitation->answer.port && answer->nonce.len == NONCE_BYTES &&
           !memcmp(invitation->answer.nonce, answer->nonce.data, NONCE_BYTES);
}

static void keep_answer(const struct call *call, struct invitation *invitation) {
    const Zchat__V1__AnswerPrivateRequest *answer = call->command->answer_private;

    invitation->answer.session = call->session->number;
    invitation->answer.accept = answer->accept;
    invitation->answer.unable = answer->unable;
    invitation->answer.port = answer->port;
    if (answer->accept)
        memcpy(invitation->answer.nonce, answer->nonce.data, NONCE_BYTES);
}

static void answer_private_check(struct call *call) {
    const Zchat__V1__AnswerPrivateRequest *answer = call->command->answer_private;
    const struct invitation *invitation = private_invitation(call->core->privates, &answer->id);

    if (!invitation || invitation->invitee != call->session->member->account)
        call_fail(call, REASON(NO_SUCH_INVITATION),
                  "there is no such invitation: it has expired, or was taken back");
    else if (invitation->answered && is_same_answer(call, invitation))
        return;
    else if (invitation->answered)
        call_fail(call, REASON(ALREADY_ANSWERED), "the invitation is answered already");
    else if (!private_asks(invitation, call->session))
        call_fail(call, REASON(ANOTHER_SESSION),
                  "another program of yours has this private chat open: it answers");
    else if (!answer->accept)
        return;
    else if (answer->port == 0 || answer->port > 65535)
        call_fail(call, REASON(BAD_VALUE), "the port must be 1 to 65535");
    else if (answer->nonce.len != NONCE_BYTES)
        call_fail(call, REASON(BAD_VALUE), "a nonce has %d bytes", NONCE_BYTES);
    else if (!address_fits(answer->address))
        call_fail(call, REASON(BAD_VALUE), "the address is neither a host's name nor an address");
}

static void tell_accepted(struct call *call, const struct invitation *invitation) {
    const Zchat__V1__AnswerPrivateRequest *answer = call->command->answer_private;
    const char *address = answer->address[0] ? answer->address : call->peer->address;
    Zchat__V1__PrivateAnswered answered;
    char endpoint[ENDPOINT_BYTES];

    snprintf(endpoint, sizeof endpoint, strchr(address, ':') ? "tcp://[%s]:%u" : "tcp://%s:%u",
             address, (unsigned)answer->port);
    private_answered(&answered, invitation, ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_ACCEPTED);
    answered.endpoint = endpoint;
    answered.key.data = call->peer->key;
    answered.key.len = KEY_BYTES;
    answered.nonce = answer->nonce;
    private_tell_answered(call->core, invitation, &answered);
}

static void answer_private_done(struct call *call) {
    const Zchat__V1__AnswerPrivateRequest *answer = call->command->answer_private;
    struct invitation *invitation = private_invitation(call->core->privates, &answer->id);

    if (invitation->answered) { /* a retry */
        call_reply_response(call);
        return;
    }
    keep_answer(call, invitation);
    private_answer_invitation(call->core->privates, invitation);
    if (answer->accept)
        tell_accepted(call, invitation);
    else
        private_tell_refused(call->core, invitation,
                             answer->unable ? ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_UNABLE
                                            : ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_DECLINED);
    private_tell_invitee(call->core, invitation, call->session,
                         ZCHAT__V1__PRIVATE_END__PRIVATE_END_TAKEN);
    call_reply_response(call);
}

const struct command_row answer_private_row = {
    .cost = 2,
    .check = answer_private_check,
    .done = answer_private_done,
};
