/* See presence.h. */
#include "presence.h"

#include "backup.h"
#include "gathered.h"
#include "private.h"
#include "receipt.h"

#include <string.h>
#include <utlist.h>

/* Counts the users online without this one and without those who may not see this one. */
static uint32_t count_each(const struct core *core, int64_t about) {
    struct member *member, *next;
    uint32_t count = 0;

    HASH_ITER(hh, core->sessions.members, member, next) {
        count += member->online > 0 && member->account != about &&
                 !core_is_hidden(core, member->account, about);
    }
    return count;
}

static uint32_t count_all(const struct core *core, int64_t about) {
    const struct member *member = member_find(&core->sessions, about);

    return core->sessions.users_online - (member && member->online > 0 ? 1 : 0);
}

/* Who causes the event is charged for all whom it is told, though they are told later. */
uint32_t presence_tell(struct core *core, enum topic_name topic, Zchat__V1__ServerEvent *event,
                       int64_t about) {
    size_t bytes = gathered_add(core, topic, event, about);
    bool hidden = event->seq == 0;

    outbox_charge(core->outbox, bytes * (hidden ? core->sessions.hearers_count
                                                : core->sessions.with_public_count));
    return hidden ? count_each(core, about) : count_all(core, about);
}

void presence_announce(struct core *core, int64_t account, const char *name, bool online,
                       int64_t now_us) {
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    Zchat__V1__PresenceEvent presence = ZCHAT__V1__PRESENCE_EVENT__INIT;

    presence.user = (char *)name;
    presence.online = online;
    event.time_us = core_wall_us(core, now_us);
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_PRESENCE;
    event.presence = &presence;
    gathered_add(core, TOPIC_PRESENCE, &event, account);
}

static void tell_end(struct core *core, struct session *session, Zchat__V1__EndReason reason,
                     const char *text, int64_t now_us) {
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    Zchat__V1__SessionEnded ended = ZCHAT__V1__SESSION_ENDED__INIT;

    ended.reason = reason;
    ended.text = (char *)text;
    event.time_us = core_wall_us(core, now_us);
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_SESSION_ENDED;
    event.session_ended = &ended;
    outbox_event_kept(core->outbox, &session->peer->line, &event);
}

static const char *end_reason_name(Zchat__V1__EndReason reason) {
    switch (reason) {
    case ZCHAT__V1__END_REASON__END_REASON_IDLE:
        return "idle";
    case ZCHAT__V1__END_REASON__END_REASON_REVOKED:
        return "revoked";
    case ZCHAT__V1__END_REASON__END_REASON_REPLACED:
        return "replaced";
    case ZCHAT__V1__END_REASON__END_REASON_SHUTDOWN:
        return "shutdown";
    default:
        return "left";
    }
}

void presence_end_session(struct core *core, struct session *session, Zchat__V1__EndReason reason,
                          const char *text, int64_t now_us) {
    struct member *member = session->member;
    int64_t account = member->account;
    uint64_t number = session->number;
    struct peer *peer = session->peer;
    bool last = session->online && member->online == 1;
    char name[NAME_BYTES], source[SESSION_SOURCE_BYTES];

    strcpy(name, member->name);
    core_note_rarely(core, "session_end", session_source(session, source),
                     "user=%s session=%llu reason=%s", name, (unsigned long long)session->number,
                     end_reason_name(reason));
    if (reason != ZCHAT__V1__END_REASON__END_REASON_UNSPECIFIED)
        tell_end(core, session, reason, text, now_us);
    receipts_session_ends(core->receipts, session);
    backup_session_ends(core, session);
    session_close(&core->sessions, session, now_us);
    if (core->options.session_ended)
        core->options.session_ended(core->options.note_arg, peer->owner, peer->key, peer->closing);
    private_session_ended(core, number, account, reason);
    if (!last || reason == ZCHAT__V1__END_REASON__END_REASON_REPLACED || !core_begin(core))
        return;
    core_store(core, store_presence_end(core->store, account, core_wall_us(core, now_us)));
    presence_announce(core, account, name, false, now_us);
}
