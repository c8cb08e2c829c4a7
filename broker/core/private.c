/* What is known of invitations and open private chats, and what ends them: time, a session's end, a
 * block. */
#include "private.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct privates *privates_new(void) {
    return memory_new(sizeof(struct privates));
}

void private_drop_invitation(struct privates *privates, struct invitation *invitation) {
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
        private_drop_invitation(privates, invitation);
    }
    HASH_ITER(hh, privates->chats, chat, next_chat) {
        chat_drop(privates, chat);
    }
    free(privates);
}

struct invitation *private_invitation(const struct privates *privates,
                                      const ProtobufCBinaryData *id) {
    struct invitation *invitation = NULL;

    if (id->len == ID_BYTES)
        HASH_FIND(hh, privates->by_id, id->data, ID_BYTES, invitation);
    return invitation;
}

struct chat *private_chat(const struct privates *privates, const ProtobufCBinaryData *id) {
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

void private_tell_ended(struct core *core, struct session *session, const unsigned char *id,
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
void private_tell_invitee(struct core *core, const struct invitation *invitation,
                          const struct session *but, Zchat__V1__PrivateEnd reason) {
    const struct member *member = member_find(&core->sessions, invitation->invitee);
    struct session *session;

    if (!member)
        return;
    DL_FOREACH2(member->sessions, session, member_next) {
        if (session->private_chats && session != but)
            private_tell_ended(core, session, invitation->id, invitation->inviter_name, reason);
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
    struct session *inviter = session_numbered(core, invitation->inviter, invitation->session);
    Zchat__V1__Event event = ZCHAT__V1__EVENT__INIT;

    if (!inviter)
        return;
    event.time_us = core->now_us;
    event.body_case = ZCHAT__V1__EVENT__BODY_PRIVATE_ANSWERED;
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

bool private_is_between(int64_t a, int64_t b, int64_t x, int64_t y) {
    return (a == x && b == y) || (a == y && b == x);
}

/* Takes the session out of the chat, which is forgotten with its second end. */
void private_leave(struct privates *privates, struct chat *chat, uint64_t session) {
    for (size_t i = 0; i < 2; i++) {
        if (chat->ends[i].session == session)
            chat->ends[i].session = 0;
    }
    if (chat->ends[0].session == 0 && chat->ends[1].session == 0)
        chat_drop(privates, chat);
}

/* The far end learns that this session is no more. */
static void tell_gone(struct core *core, const struct chat *chat, uint64_t session) {
    for (size_t i = 0; i < 2; i++) {
        const struct chat_end *far = &chat->ends[1 - i];

        if (chat->ends[i].session == session)
            private_tell_ended(core, session_numbered(core, far->account, far->session), chat->id,
                               far->other, ZCHAT__V1__PRIVATE_END__PRIVATE_END_GONE);
    }
}

void private_session_ended(struct core *core, uint64_t session, int64_t account, bool replaced) {
    bool reachable = private_reaches(member_find(&core->sessions, account));
    struct invitation *invitation, *next_invitation;
    struct chat *chat, *next_chat;

    DL_FOREACH_SAFE(core->privates->in_time, invitation, next_invitation) {
        if (invitation->session == session) {
            if (!invitation->answered)
                private_tell_invitee(core, invitation, NULL,
                                     ZCHAT__V1__PRIVATE_END__PRIVATE_END_WITHDRAWN);
            private_drop_invitation(core->privates, invitation);
        } else if (invitation->invitee == account && !invitation->answered && !reachable) {
            private_tell_refused(core, invitation, ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_GONE);
            private_drop_invitation(core->privates, invitation);
        }
    }
    HASH_ITER(hh, core->privates->chats, chat, next_chat) {
        if (!replaced)
            tell_gone(core, chat, session);
        private_leave(core->privates, chat, session);
    }
}

void private_blocked(struct core *core, int64_t a, int64_t b) {
    struct invitation *invitation, *next_invitation;
    struct chat *chat, *next_chat;

    DL_FOREACH_SAFE(core->privates->in_time, invitation, next_invitation) {
        if (!private_is_between(invitation->inviter, invitation->invitee, a, b))
            continue;
        if (!invitation->answered) {
            private_tell_refused(core, invitation, ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_GONE);
            private_tell_invitee(core, invitation, NULL,
                                 ZCHAT__V1__PRIVATE_END__PRIVATE_END_WITHDRAWN);
        }
        private_drop_invitation(core->privates, invitation);
    }
    HASH_ITER(hh, core->privates->chats, chat, next_chat) {
        if (!private_is_between(chat->ends[0].account, chat->ends[1].account, a, b))
            continue;
        for (size_t i = 0; i < 2; i++)
            private_tell_ended(
                core, session_numbered(core, chat->ends[i].account, chat->ends[i].session),
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
            private_tell_refused(core, invitation,
                                 ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_EXPIRED);
            private_tell_invitee(core, invitation, NULL,
                                 ZCHAT__V1__PRIVATE_END__PRIVATE_END_EXPIRED);
        }
        private_drop_invitation(core->privates, invitation);
    }
}
