/* Invitations to private chats: carried to whom they are for, answered once. The broker hands the
 * inviter where to connect, and sees nothing of what follows. */
#include "handlers.h"
#include "memory.h"
#include "private.h"

#include <stdio.h>
#include <string.h>
#include <utlist.h>

#define ADDRESS_BYTES_MAX 255
#define ENDPOINT_BYTES    (ADDRESS_BYTES_MAX + 32)

/* Whether this session and that user have an invitation open or a chat. */
static bool is_open_already(const struct core *core, const struct session *session, int64_t other) {
    const struct invitation *invitation;
    const struct chat *chat;

    DL_FOREACH(core->privates->in_time, invitation) {
        if (!invitation->answered && !invitation->is_again &&
            private_is_between(invitation->inviter, invitation->invitee, session->member->account,
                               other))
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
    else if (!private_reaches(member_find(&core->sessions, account->account)))
        call_fail(call, ZCHAT__V1__CODE__CODE_FORBIDDEN, "%s is not online", invite->user);
    else if (invite->again.len == 0 && !private_invitation(core->privates, &invite->id) &&
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
        private_invitation(call->core->privates, &call->command->invite_private->id);
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
    const struct invitation *invitation = private_invitation(call->core->privates, &answer->id);

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
    private_answered(&answered, invitation, ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_ACCEPTED);
    answered.endpoint = endpoint;
    answered.key.data = call->peer->key;
    answered.key.len = KEY_BYTES;
    answered.nonce = answer->nonce;
    private_tell_answered(call->core, invitation, &answered);
}

void answer_private_done(struct call *call) {
    const Zchat__V1__AnswerPrivate *answer = call->command->answer_private;
    struct invitation *invitation = private_invitation(call->core->privates, &answer->id);

    invitation->answered =
        true; /* and known until it expires, so that a second answer is told so */
    if (answer->accept)
        tell_accepted(call, invitation);
    else
        private_tell_refused(call->core, invitation,
                             ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_DECLINED);
    private_tell_invitee(call->core, invitation, call->session,
                         ZCHAT__V1__PRIVATE_END__PRIVATE_END_TAKEN);
    call_reply_empty(call);
}
