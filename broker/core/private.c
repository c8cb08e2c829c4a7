/* See private.h. What ends invitations and private chats: time, a session's end, a block. */
#include "private.h"

#include <utlist.h>

/* How many invitations may expire in one turn; those left over are due at once. */
#define EXPIRED_A_TURN 1000

/* ---- telling ---- */

struct session *private_session(const struct core *core, int64_t account, uint64_t number) {
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
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    Zchat__V1__PrivateEnded ended = ZCHAT__V1__PRIVATE_ENDED__INIT;

    if (!session)
        return;
    ended.id.data = (uint8_t *)id;
    ended.id.len = ID_BYTES;
    ended.user = (char *)user;
    ended.reason = reason;
    event.time_us = core_wall_us(core, core->now_us);
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_PRIVATE_ENDED;
    event.private_ended = &ended;
    if (reason == ZCHAT__V1__PRIVATE_END__PRIVATE_END_BLOCKED ||
        reason == ZCHAT__V1__PRIVATE_END__PRIVATE_END_WITHDRAWN)
        outbox_event_kept(core->outbox, &session->peer->line, &event);
    else
        outbox_event(core->outbox, &session->peer->line, &event);
}

bool private_asks(const struct invitation *invitation, const struct session *session) {
    return session->private_chats &&
           (invitation->holder == 0 || invitation->holder == session->number);
}

void private_tell_invitee(struct core *core, const struct invitation *invitation,
                          const struct session *but, Zchat__V1__PrivateEnd reason) {
    const struct member *member = member_find(&core->sessions, invitation->invitee);
    struct session *session;

    if (!member)
        return;
    DL_FOREACH2(member->sessions, session, member_next) {
        if (private_asks(invitation, session) && session != but)
            tell_ended(core, session, invitation->id, invitation->inviter_name, reason);
    }
}

void private_answered(Zchat__V1__PrivateAnswered *answered, const struct invitation *invitation,
                      Zchat__V1__PrivateAnswer answer) {
    zchat__v1__private_answered__init(answered);
    answered->id.data = (uint8_t *)invitation->id;
    answered->id.len = ID_BYTES;
    answered->user = (char *)invitation->invitee_name;
    answered->answer = answer;
}

void private_tell_answered(struct core *core, const struct invitation *invitation,
                           Zchat__V1__PrivateAnswered *answered) {
    struct session *inviter = private_session(core, invitation->inviter, invitation->session);
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;

    if (!inviter)
        return;
    event.time_us = core_wall_us(core, core->now_us);
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_PRIVATE_ANSWERED;
    event.private_answered = answered;
    outbox_event(core->outbox, &inviter->peer->line, &event);
}

void private_tell_refused(struct core *core, const struct invitation *invitation,
                          Zchat__V1__PrivateAnswer answer) {
    Zchat__V1__PrivateAnswered answered;

    private_answered(&answered, invitation, answer);
    private_tell_answered(core, invitation, &answered);
}

/* ---- what ends them ---- */

bool private_reaches(const struct member *member) {
    const struct session *session;

    if (!member)
        return false;
    DL_FOREACH2(member->sessions, session, member_next) {
        if (session->private_chats)
            return true;
    }
    return false;
}

/* Tells the other end what became of this one. */
static void tell_far(struct core *core, const struct chat_end *end, Zchat__V1__PrivateEnd reason) {
    const struct chat *chat = end->chat;
    const struct chat_end *far = &chat->ends[end == &chat->ends[0] ? 1 : 0];

    tell_ended(core, private_session(core, far->account, far->session), chat->id, far->other,
               reason);
}

static void withdraw(struct core *core, struct invitation *invitation) {
    if (!invitation->answered)
        private_tell_invitee(core, invitation, NULL, ZCHAT__V1__PRIVATE_END__PRIVATE_END_WITHDRAWN);
    private_drop_invitation(core->privates, invitation);
}

static void refuse_gone(struct core *core, struct invitation *invitation) {
    private_tell_refused(core, invitation, ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_GONE);
    private_drop_invitation(core->privates, invitation);
}

/* Each step may free the holder, so it is looked up anew. */
static void end_holder(struct core *core, uint64_t session, Zchat__V1__EndReason reason) {
    bool revoked = reason == ZCHAT__V1__END_REASON__END_REASON_REVOKED;
    Zchat__V1__PrivateEnd end = revoked ? ZCHAT__V1__PRIVATE_END__PRIVATE_END_WITHDRAWN
                                        : ZCHAT__V1__PRIVATE_END__PRIVATE_END_GONE;
    struct private_holder *holder;

    while ((holder = private_holder(core->privates, session)) && holder->made)
        withdraw(core, holder->made);
    while ((holder = private_holder(core->privates, session)) && holder->ends) {
        if (reason != ZCHAT__V1__END_REASON__END_REASON_REPLACED)
            tell_far(core, holder->ends, end);
        private_leave(core->privates, holder->ends->chat, session);
    }
}

void private_session_ended(struct core *core, uint64_t session, int64_t account,
                           Zchat__V1__EndReason reason) {
    bool reachable = private_reaches(member_find(&core->sessions, account));
    const struct private_party *party;
    struct invitation *invitation, *next;

    end_holder(core, session, reason);
    party = private_party(core->privates, account);
    DL_FOREACH_SAFE2(party ? party->ask : NULL, invitation, next, got_next) {
        if (invitation->holder == session || !reachable)
            refuse_gone(core, invitation);
    }
}

/* For programs that never told the broker of their end of the chat, or lost their session
 * before. */
void private_revoked(struct core *core, int64_t account) {
    const struct chat *chat, *next;

    HASH_ITER(hh, core->privates->chats, chat, next) {
        for (size_t i = 0; i < 2; i++)
            if (chat->ends[i].account == account && chat->ends[i].session == 0)
                tell_far(core, &chat->ends[i], ZCHAT__V1__PRIVATE_END__PRIVATE_END_WITHDRAWN);
    }
}

static void block_chat(struct core *core, struct chat *chat) {
    for (size_t i = 0; i < 2; i++)
        tell_ended(core, private_session(core, chat->ends[i].account, chat->ends[i].session),
                   chat->id, chat->ends[i].other, ZCHAT__V1__PRIVATE_END__PRIVATE_END_BLOCKED);
    private_drop_chat(core->privates, chat);
}

void private_blocked(struct core *core, int64_t a, int64_t b) {
    struct private_pair *pair;

    while ((pair = private_pair(core->privates, a, b)) && pair->among) {
        if (!pair->among->answered)
            private_tell_refused(core, pair->among, ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_GONE);
        withdraw(core, pair->among);
    }
    while ((pair = private_pair(core->privates, a, b)) && pair->chats)
        block_chat(core, pair->chats);
}

int64_t private_deadline(const struct core *core) {
    return core->privates->in_time ? core->privates->in_time->expires_us : INT64_MAX;
}

void private_tick(struct core *core, int64_t now_us) {
    for (size_t i = 0; i < EXPIRED_A_TURN && now_us >= private_deadline(core); i++) {
        struct invitation *invitation = core->privates->in_time;

        if (!invitation->answered) {
            private_tell_refused(core, invitation,
                                 ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_EXPIRED);
            private_tell_invitee(core, invitation, NULL,
                                 ZCHAT__V1__PRIVATE_END__PRIVATE_END_EXPIRED);
        }
        private_drop_invitation(core->privates, invitation);
    }
}
