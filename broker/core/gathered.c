#include "gathered.h"
#include "handlers.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define BYTES_FIRST 4096

struct gathered_event {
    int64_t about;
    size_t offset; /* in the bytes */
    size_t length;
    bool hidden; /* from some, because of a block */
};

void gathered_init(struct gathered *gathered) {
    memset(gathered, 0, sizeof *gathered);
    gathered->events = memory_new(GATHERED_MAX * sizeof *gathered->events);
    gathered->capacity = BYTES_FIRST;
    gathered->bytes = memory_new(gathered->capacity);
    gathered->told_us = INT64_MIN;
    gathered->walk_us = INT64_MAX;
}

void gathered_release(struct gathered *gathered) {
    free(gathered->events);
    free(gathered->bytes);
}

static uint64_t first_of(const struct gathered *gathered) {
    return gathered->last - gathered->count + 1;
}

/* The oldest go. */
static void forget(struct gathered *gathered, size_t count) {
    size_t offset = count < gathered->count ? gathered->events[count].offset : gathered->length;

    gathered->count -= count;
    gathered->length -= offset;
    memmove(gathered->bytes, gathered->bytes + offset, gathered->length);
    memmove(gathered->events, gathered->events + count, gathered->count * sizeof *gathered->events);
    for (size_t i = 0; i < gathered->count; i++)
        gathered->events[i].offset -= offset;
}

static uint8_t *room_for(struct gathered *gathered, size_t bytes) {
    while (gathered->length + bytes > gathered->capacity) {
        gathered->capacity *= 2;
        gathered->bytes = memory_resize(gathered->bytes, gathered->capacity);
    }
    return gathered->bytes + gathered->length;
}

static void keep(struct gathered *gathered, const Zchat__V1__Event *event, int64_t about,
                 bool hidden) {
    struct gathered_event *kept = &gathered->events[gathered->count];

    kept->about = about;
    kept->offset = gathered->length;
    kept->length = wire_element_size(&event->base);
    kept->hidden = hidden;
    wire_element_pack_sized(WIRE_EVENTS, &event->base, kept->length,
                            room_for(gathered, kept->length));
    gathered->length += kept->length;
    gathered->count++;
    gathered->last++;
    if (hidden)
        gathered->last_hidden = gathered->last;
}

void gathered_add(struct core *core, Zchat__V1__Event *event, int64_t about) {
    struct gathered *gathered = &core->gathered;
    bool hidden = store_block_any(core->store, about);

    if (gathered->count == GATHERED_MAX) {
        gathered_publish(core);
        forget(gathered, GATHERED_MAX / 2);
    }
    event->seq = 0;
    if (!hidden)
        topic_note(&core->topics.topic[TOPIC_PRESENCE], event, about);
    keep(gathered, event, about, hidden);
}

void gathered_publish(struct core *core) {
    topic_publish_noted(&core->topics.topic[TOPIC_PRESENCE], core->outbox, core->now_us);
}

/* ---- to one session ---- */

void gathered_join(struct core *core, struct session *session) {
    struct outbox_line *line = &session->peer->line;

    line->taken = core->gathered.last;
    if (session->public_events)
        line->gathered = &core->gathered.last;
    else if (session->online)
        line->gathered = &core->gathered.last_hidden;
}

static bool may_see(const struct core *core, const struct session *session,
                    const struct gathered_event *event) {
    int64_t account = session->member->account;

    if (!event->hidden)
        return session->public_events;
    return account != event->about && !presence_hidden(core, account, event->about);
}

static void give_those_allowed(struct core *core, struct session *session, size_t from) {
    const struct gathered *gathered = &core->gathered;

    for (size_t i = from; i < gathered->count; i++) {
        const struct gathered_event *event = &gathered->events[i];

        if (may_see(core, session, event))
            outbox_events(core->outbox, &session->peer->line, gathered->bytes + event->offset,
                          event->length, 1);
    }
}

static void give(struct core *core, struct session *session, size_t from) {
    const struct gathered *gathered = &core->gathered;
    size_t offset = gathered->events[from].offset;

    if (!session->public_events || gathered->last_hidden >= first_of(gathered) + from)
        give_those_allowed(core, session, from);
    else
        outbox_events(core->outbox, &session->peer->line, gathered->bytes + offset,
                      gathered->length - offset, gathered->count - from);
}

void gathered_catch_up_line(void *arg, struct outbox_line *line) {
    struct core *core = arg;
    const struct gathered *gathered = &core->gathered;
    uint64_t next = line->taken + 1, first = first_of(gathered);

    if (next < first) {
        outbox_events_missed(core->outbox, line, first - next);
        next = first;
    }
    line->taken = gathered->last;
    if (next <= gathered->last)
        give(core, line->peer->session, next - first);
}

static void catch_up(struct core *core, struct session *session) {
    struct outbox_line *line = &session->peer->line;

    if (line->gathered && line->taken < *line->gathered)
        gathered_catch_up_line(core, line);
}

void gathered_catch_up(struct core *core, struct member *member) {
    struct session *session;

    if (!member)
        return;
    DL_FOREACH2(member->sessions, session, member_next) {
        catch_up(core, session);
    }
}

/* ---- to everybody ---- */

static bool walks(const struct gathered *gathered) {
    return gathered->walk_us != INT64_MAX;
}

static int64_t gather_us(const struct core *core) {
    int64_t us = (int64_t)core->sessions.hearers_count * GATHER_HEARER_US;

    return us < GATHER_US ? GATHER_US : us > GATHER_US_MAX ? GATHER_US_MAX : us;
}

int64_t gathered_deadline(const struct core *core) {
    const struct gathered *gathered = &core->gathered;

    if (walks(gathered))
        return gathered->walk_us;
    if (gathered->count == 0)
        return INT64_MAX;
    if (gathered->told_us == INT64_MIN || gathered->count >= GATHERED_MAX / 2)
        return 0;
    return gathered->told_us + gather_us(core);
}

static void walk_begin(struct core *core, int64_t now_us) {
    gathered_publish(core);
    core->gathered.walked = core->gathered.last;
    core->gathered.told_us = core->gathered.walk_us = now_us;
    core->sessions.next_hearer = core->sessions.hearers;
}

static void walk_end(struct gathered *gathered) {
    uint64_t first = first_of(gathered);

    gathered->walk_us = INT64_MAX;
    if (gathered->walked >= first)
        forget(gathered, gathered->walked - first + 1);
}

/* false: the slice is over before the walk. */
static bool walk(struct core *core) {
    struct sessions *sessions = &core->sessions;
    size_t before = outbox_queued(core->outbox);

    while (sessions->next_hearer) {
        struct session *session = sessions->next_hearer;

        if (!turn_has_room(core) || outbox_queued(core->outbox) - before >= GATHER_SLICE_BYTES)
            return false;
        sessions->next_hearer = session->hearer_next;
        catch_up(core, session);
    }
    return true;
}

void gathered_tick(struct core *core, int64_t now_us) {
    struct gathered *gathered = &core->gathered;

    if (now_us < gathered_deadline(core))
        return;
    if (!walks(gathered))
        walk_begin(core, now_us);
    if (walk(core))
        walk_end(gathered);
    else
        gathered->walk_us = now_us + GATHER_PAUSE_US;
}

void gathered_end(struct core *core) {
    struct session *session;

    DL_FOREACH2(core->sessions.hearers, session, hearer_next) {
        catch_up(core, session);
        session->peer->line.gathered = NULL;
    }
}
