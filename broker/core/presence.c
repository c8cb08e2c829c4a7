/* Who is online, who was, and what the others are told of it. What a block forbids somebody to see
 * is never published: then each of the others is told on his own connection. */
#include "handlers.h"
#include "private.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

bool presence_hidden(const struct core *core, int64_t a, int64_t b) {
    return store_block_is(core->store, a, b) || store_block_is(core->store, b, a);
}

static bool tell_member(struct core *core, struct member *member, const Zchat__V1__Event *event) {
    struct session *session;

    DL_FOREACH2(member->sessions, session, member_next) {
        if (session->online || session->public_events)
            outbox_event(core->outbox, &session->peer->line, event);
    }
    return member->online > 0;
}

static uint32_t tell_each(struct core *core, const Zchat__V1__Event *event, int64_t about) {
    struct member *member, *next;
    uint32_t told = 0;

    HASH_ITER(hh, core->sessions.members, member, next) {
        if (member->account == about || presence_hidden(core, member->account, about))
            continue;
        if (tell_member(core, member, event))
            told++;
    }
    return told;
}

static uint32_t tell_all(struct core *core, enum topic_name topic, Zchat__V1__Event *event,
                         int64_t about) {
    struct member *member = member_find(&core->sessions, about);
    struct session *session;

    topic_publish(&core->topics.topic[topic], core->outbox, event, about);
    DL_FOREACH2(core->sessions.with_public, session, inline_next) {
        outbox_event(core->outbox, &session->peer->line, event);
    }
    return core->sessions.users_online - (member && member->online > 0 ? 1 : 0);
}

uint32_t presence_tell(struct core *core, enum topic_name topic, Zchat__V1__Event *event,
                       int64_t about) {
    event->seq = 0;
    if (about != 0 && store_block_any(core->store, about))
        return tell_each(core, event, about);
    return tell_all(core, topic, event, about);
}

void presence_announce(struct core *core, int64_t account, const char *name, bool online,
                       int64_t now_us) {
    Zchat__V1__Event event = ZCHAT__V1__EVENT__INIT;
    Zchat__V1__PresenceEvent presence = ZCHAT__V1__PRESENCE_EVENT__INIT;

    presence.user = (char *)name;
    presence.online = online;
    event.time_us = core_wall_us(core, now_us);
    event.body_case = ZCHAT__V1__EVENT__BODY_PRESENCE;
    event.presence = &presence;
    presence_tell(core, TOPIC_PRESENCE, &event, account);
}

static void tell_end(struct core *core, struct session *session, Zchat__V1__EndReason reason,
                     const char *text, int64_t now_us) {
    Zchat__V1__Event event = ZCHAT__V1__EVENT__INIT;
    Zchat__V1__SessionEnded ended = ZCHAT__V1__SESSION_ENDED__INIT;

    ended.reason = reason;
    ended.text = (char *)text;
    event.time_us = core_wall_us(core, now_us);
    event.body_case = ZCHAT__V1__EVENT__BODY_SESSION_ENDED;
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
    char name[NAME_BYTES];

    strcpy(name, member->name);
    core_note(core, "session_end", "user=%s session=%llu reason=%s", name,
              (unsigned long long)session->number, end_reason_name(reason));
    if (reason != ZCHAT__V1__END_REASON__END_REASON_UNSPECIFIED)
        tell_end(core, session, reason, text, now_us);
    session_close(&core->sessions, session, now_us);
    if (core->options.session_ended)
        core->options.session_ended(core->options.note_arg, peer->owner, peer->key, peer->closing);
    private_session_ended(core, number, account,
                          reason == ZCHAT__V1__END_REASON__END_REASON_REPLACED);
    if (!last || reason == ZCHAT__V1__END_REASON__END_REASON_REPLACED || !core_begin(core))
        return;
    core_store(core, store_presence_end(core->store, account, core_wall_us(core, now_us)));
    presence_announce(core, account, name, false, now_us);
}

/* Lists of people are made in the call's memory, one array that grows by doubling. */
struct people {
    struct call *call; /* borrowed */
    Zchat__V1__Person **list;
    size_t count;
    size_t capacity;
    bool full; /* the reply's cap is reached */
};

static bool people_grow(struct people *people) {
    size_t capacity = people->capacity ? 2 * people->capacity : 64;
    Zchat__V1__Person **list = call_memory(people->call, capacity * sizeof *list);

    if (!list)
        return false;
    if (people->count > 0)
        memcpy(list, people->list, people->count * sizeof *list);
    people->list = list;
    people->capacity = capacity;
    return true;
}

static void people_add(struct people *people, const char *name, bool online, int64_t last_seen_us) {
    size_t name_bytes = strlen(name) + 1;
    Zchat__V1__Person *person = call_memory(people->call, sizeof *person + name_bytes);

    if (!person || (people->count == people->capacity && !people_grow(people))) {
        people->full = true;
        return;
    }
    zchat__v1__person__init(person);
    person->user = memcpy(person + 1, name, name_bytes);
    person->online = online;
    person->last_seen_us = last_seen_us;
    people->list[people->count++] = person;
}

static void people_add_online(struct people *people) {
    struct core *core = people->call->core;
    int64_t asker = people->call->session->member->account;
    struct member *member, *next;

    HASH_ITER(hh, core->sessions.members, member, next) {
        struct session *session;
        int64_t seen_us = 0;

        if (member->online == 0 || member->account == asker ||
            store_block_is(core->store, member->account, asker))
            continue;
        DL_FOREACH2(member->sessions, session, member_next) {
            if (session->online && session->command_us > seen_us)
                seen_us = session->command_us;
        }
        people_add(people, member->name, true, seen_us);
    }
}

static int by_name(const void *a, const void *b) {
    return strcmp((*(Zchat__V1__Person *const *)a)->user, (*(Zchat__V1__Person *const *)b)->user);
}

static int by_last_seen(const void *a, const void *b) {
    const Zchat__V1__Person *p = *(Zchat__V1__Person *const *)a;
    const Zchat__V1__Person *q = *(Zchat__V1__Person *const *)b;

    if (p->online != q->online)
        return p->online ? -1 : 1;
    if (p->last_seen_us != q->last_seen_us)
        return p->last_seen_us > q->last_seen_us ? -1 : 1;
    return strcmp(p->user, q->user);
}

static bool people_fit(struct call *call, const struct people *people) {
    if (people->full)
        call_fail(call, ZCHAT__V1__CODE__CODE_BUSY, "the list is too long for one answer");
    return !people->full;
}

void who_done(struct call *call) {
    struct people people = {.call = call};
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__WhoReply who = ZCHAT__V1__WHO_REPLY__INIT;

    people_add_online(&people);
    if (!people_fit(call, &people))
        return;
    if (people.count > 0)
        qsort(people.list, people.count, sizeof *people.list, by_name);
    who.people = people.list;
    who.n_people = people.count;
    reply.body_case = ZCHAT__V1__REPLY__BODY_WHO;
    reply.who = &who;
    call_reply(call, &reply);
}

void since_check(struct call *call) {
    if (call->command->since->seconds == 0)
        call_fail(call, ZCHAT__V1__CODE__CODE_INVALID, "the seconds must be a number above 0");
}

static void since_add(void *arg, int64_t account, const char *name, int64_t last_seen_us) {
    struct people *people = arg;
    const struct core *core = people->call->core;
    const struct member *member = member_find(&core->sessions, account);
    int64_t asker = people->call->session->member->account;

    if (account == asker || (member && member->online > 0) ||
        store_block_is(core->store, account, asker))
        return;
    people_add(people, name, false, last_seen_us);
}

void since_done(struct call *call) {
    struct people people = {.call = call};
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__SinceReply since = ZCHAT__V1__SINCE_REPLY__INIT;
    uint64_t seconds = call->command->since->seconds;
    int64_t from_us = 0, wall_us = core_wall_us(call->core, call->now_us);

    if (seconds < (uint64_t)wall_us / 1000000)
        from_us = wall_us - (int64_t)seconds * 1000000;
    people_add_online(&people);
    if (call_store(call, store_presence_since(call->core->store, from_us, since_add, &people)))
        return;
    if (!people_fit(call, &people))
        return;
    if (people.count > 0)
        qsort(people.list, people.count, sizeof *people.list, by_last_seen);
    since.people = people.list;
    since.n_people = people.count;
    reply.body_case = ZCHAT__V1__REPLY__BODY_SINCE;
    reply.since = &since;
    call_reply(call, &reply);
}
