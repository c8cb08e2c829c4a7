/* Lists of people: who is online, and who was. */
#include "command.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* Somebody who is online. They are sorted before as many as fit become the answer. */
struct present {
    const struct member *member; /* borrowed: the table's */
    int64_t seen_us;
};

struct people {
    struct call *call;       /* borrowed */
    struct present *present; /* owned */
    size_t present_count;
    Zchat__V1__Person **list; /* the answer's, at most `limit` of them */
    size_t count;
    size_t limit;
    bool more;
};

static bool people_init(struct people *people, struct call *call, uint32_t limit) {
    memset(people, 0, sizeof *people);
    people->call = call;
    people->limit = limit == 0 || limit > PEOPLE_MAX ? PEOPLE_MAX : limit;
    people->list = call_need(call, people->limit * sizeof(Zchat__V1__Person *));
    return people->list != NULL;
}

/* Adds one. false: no more fit. */
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

/* Adds those online whose names come after `after` ("": all) and whom the asker may see, by
 * name. */
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

static enum store_status who_run(struct call *call) {
    const Zchat__V1__WhoRequest *wanted = call->command->who;
    Zchat__V1__WhoResponse *who = call_response(call);
    struct people people;

    if (!people_init(&people, call, wanted->limit))
        return STORE_OK;
    people_add_online(&people, wanted->after);
    who->people = people.list;
    who->n_people = people.count;
    who->more = people.more;
    return STORE_OK;
}

const struct command_row who_row = {
    .cost = 10,
    .run = who_run,
    .done = call_reply_response,
};

static void since_check(struct call *call) {
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

static enum store_status since_run(struct call *call) {
    const Zchat__V1__SinceRequest *wanted = call->command->since;
    Zchat__V1__SinceResponse *since = call_response(call);
    struct store_seen place = {INT64_MAX, ""};
    enum store_status status = STORE_OK;
    struct people people;
    int64_t from_us = 0, wall_us = core_wall_us(call->core, call->now_us);

    if (wanted->seconds < (uint64_t)wall_us / 1000000)
        from_us = wall_us - (int64_t)wanted->seconds * 1000000;
    if (!people_init(&people, call, wanted->limit))
        return STORE_OK;
    if (wanted->after_seen_us == 0)
        people_add_online(&people, wanted->after);
    else
        place = (struct store_seen){wanted->after_seen_us, wanted->after};
    if (!people.more)
        status = call_store(
            call, store_presence_since(call->core->store, from_us, &place, since_add, &people));
    since->people = people.list;
    since->n_people = people.count;
    since->more = people.more;
    return status;
}

const struct command_row since_row = {
    .cost = 10,
    .check = since_check,
    .run = since_run,
    .done = call_reply_response,
};
