/* Who is online, who was, and what the others are told of it. What a block forbids somebody to see
 * is never published: then each of the others is told on his own connection. */
#include "handlers.h"
#include "memory.h"
#include "private.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

bool presence_hidden(const struct core *core, int64_t a, int64_t b) {
    return store_block_is(core->store, a, b) || store_block_is(core->store, b, a);
}

/* Users online but this one, without those who may not see them. */
static uint32_t count_each(const struct core *core, int64_t about) {
    struct member *member, *next;
    uint32_t count = 0;

    HASH_ITER(hh, core->sessions.members, member, next) {
        count += member->online > 0 && member->account != about &&
                 !presence_hidden(core, member->account, about);
    }
    return count;
}

static uint32_t count_all(const struct core *core, int64_t about) {
    const struct member *member = member_find(&core->sessions, about);

    return core->sessions.users_online - (member && member->online > 0 ? 1 : 0);
}

/* Whoever causes it is charged for all that are told, though they are told later. */
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
    session_close(&core->sessions, session, now_us);
    if (core->options.session_ended)
        core->options.session_ended(core->options.note_arg, peer->owner, peer->key, peer->closing);
    private_session_ended(core, number, account, reason);
    if (!last || reason == ZCHAT__V1__END_REASON__END_REASON_REPLACED || !core_begin(core))
        return;
    core_store(core, store_presence_end(core->store, account, core_wall_us(core, now_us)));
    presence_announce(core, account, name, false, now_us);
}

/* ---- lists of people ---- */

/* Somebody who is online, to be put in order before as many as fit become the answer. */
struct present {
    const struct member *member; /* borrowed: the table's */
    int64_t seen_us;
};

struct people {
    struct call *call;       /* borrowed */
    struct present *present; /* owned */
    size_t present_count;
    Zchat__V1__Person **list; /* the answer's, `limit` of them at most */
    size_t count;
    size_t limit;
    bool more;
};

static bool people_init(struct people *people, struct call *call, uint32_t limit) {
    memset(people, 0, sizeof *people);
    people->call = call;
    people->limit = limit == 0 || limit > PEOPLE_MAX ? PEOPLE_MAX : limit;
    people->list = call_memory(call, people->limit * sizeof(Zchat__V1__Person *));
    if (!people->list)
        call_fail(call, REASON(NO_MEMORY), "the list is too long for one answer");
    return people->list != NULL;
}

/* false: no more fit. */
static bool people_add(struct people *people, const char *name, bool online, int64_t last_seen_us) {
    size_t name_bytes = strlen(name) + 1;
    Zchat__V1__Person *person = NULL;

    if (people->count < people->limit)
        person = call_memory(people->call, sizeof *person + name_bytes);
    people->more = !person;
    if (!person)
        return false;
    zchat__v1__person__init(person);
    person->user = memcpy(person + 1, name, name_bytes);
    person->online = online;
    person->last_seen_us = last_seen_us;
    people->list[people->count++] = person;
    return true;
}

static int64_t member_seen_us(const struct member *member) {
    const struct session *session;
    int64_t seen_us = 0;

    DL_FOREACH2(member->sessions, session, member_next) {
        if (session->online && session->command_us > seen_us)
            seen_us = session->command_us;
    }
    return seen_us;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct present *)a)->member->name,
                  ((const struct present *)b)->member->name);
}

/* Those online after that name ("": all) that the asker may see, by name. */
static void people_add_online(struct people *people, const char *after) {
    struct core *core = people->call->core;
    int64_t asker = people->call->session->member->account;
    struct member *member, *next;
    bool fits = true;

    people->present = memory_new((core->sessions.users_online + 1) * sizeof *people->present);
    HASH_ITER(hh, core->sessions.members, member, next) {
        if (member->online > 0 && member->account != asker && strcmp(member->name, after) > 0 &&
            !store_block_is(core->store, member->account, asker))
            people->present[people->present_count++] =
                (struct present){member, member_seen_us(member)};
    }
    call_read(people->call, HASH_COUNT(core->sessions.members));
    qsort(people->present, people->present_count, sizeof *people->present, by_name);
    for (size_t i = 0; i < people->present_count && fits; i++)
        fits = people_add(people, people->present[i].member->name, true,
                          core_wall_us(core, people->present[i].seen_us));
    free(people->present);
    people->present = NULL;
}

void who_done(struct call *call) {
    const Zchat__V1__WhoRequest *wanted = call->command->who;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__WhoResponse who = ZCHAT__V1__WHO_RESPONSE__INIT;
    struct people people;

    if (!people_init(&people, call, wanted->limit))
        return;
    people_add_online(&people, wanted->after);
    who.people = people.list;
    who.n_people = people.count;
    who.more = people.more;
    reply.body_case = ZCHAT__V1__REPLY__BODY_WHO;
    reply.who = &who;
    call_reply(call, &reply);
}

void since_check(struct call *call) {
    if (call->command->since->seconds == 0)
        call_fail(call, REASON(BAD_VALUE), "the seconds must be a number above 0");
}

static bool since_add(void *arg, int64_t account, const char *name, int64_t last_seen_us) {
    struct people *people = arg;
    const struct core *core = people->call->core;
    const struct member *member = member_find(&core->sessions, account);
    int64_t asker = people->call->session->member->account;

    call_read(people->call, 1);
    if (account == asker || (member && member->online > 0) ||
        store_block_is(core->store, account, asker))
        return true;
    return people_add(people, name, false, last_seen_us);
}

void since_done(struct call *call) {
    const Zchat__V1__SinceRequest *wanted = call->command->since;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__SinceResponse since = ZCHAT__V1__SINCE_RESPONSE__INIT;
    struct store_seen place = {INT64_MAX, ""};
    struct people people;
    int64_t from_us = 0, wall_us = core_wall_us(call->core, call->now_us);

    if (wanted->seconds < (uint64_t)wall_us / 1000000)
        from_us = wall_us - (int64_t)wanted->seconds * 1000000;
    if (!people_init(&people, call, wanted->limit))
        return;
    if (wanted->after_seen_us == 0)
        people_add_online(&people, wanted->after);
    else
        place = (struct store_seen){wanted->after_seen_us, wanted->after};
    if (!people.more && call_store(call, store_presence_since(call->core->store, from_us, &place,
                                                              since_add, &people)))
        return;
    since.people = people.list;
    since.n_people = people.count;
    since.more = people.more;
    reply.body_case = ZCHAT__V1__REPLY__BODY_SINCE;
    reply.since = &since;
    call_reply(call, &reply);
}
