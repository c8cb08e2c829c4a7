#include "gathered.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define BYTES_FIRST 4096
/* How many sessions at least are told a broadcast in a turn that has no room left: commands may
 * fill every turn. Presence has to wait, because the logins of a crowd are more urgent. */
#define BROADCAST_TOLD_LEAST 64

struct gathered_event {
    enum topic_name topic;
    int64_t about;
    size_t offset; /* in the bytes */
    size_t length;
    bool hidden; /* from some, because of a block */
};

/* Events are counted: `last` is the newest one's number, those before it follow each other. */
struct gathered {
    struct gathered_event *events; /* owned: room for GATHERED_MAX */
    uint8_t *bytes;                /* owned: theirs, one behind the other */
    size_t length;
    size_t capacity;
    size_t count;
    uint64_t last;          /* 0: there never was one */
    uint64_t last_hidden;   /* the newest that only some may see; 0: none ever was */
    uint64_t last_presence; /* the newest of its kind; 0: there never was one */
    uint64_t last_broadcast;
    uint64_t published;         /* up to here, what all may see is published */
    enum topic_name publishing; /* the topic of the last one published */
    uint64_t walked;            /* everybody has these, or will have at the end of the walk */
    int64_t told_us;            /* when the last walk began, */
    int64_t presence_us;        /* and the last walk that told who came or went */
    int64_t walk_us;            /* when it goes on; INT64_MAX: none is under way */
    bool broadcasts;            /* it tells broadcasts */
};

struct gathered *gathered_new(void) {
    struct gathered *gathered = memory_new(sizeof *gathered);

    gathered->events = memory_new(GATHERED_MAX * sizeof *gathered->events);
    gathered->capacity = BYTES_FIRST;
    gathered->bytes = memory_new(gathered->capacity);
    gathered->told_us = -BROADCAST_US_MAX;
    gathered->presence_us = -GATHER_US_MAX;
    gathered->walk_us = INT64_MAX;
    return gathered;
}

void gathered_free(struct gathered *gathered) {
    if (!gathered)
        return;
    free(gathered->events);
    free(gathered->bytes);
    free(gathered);
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

static void keep(struct gathered *gathered, const struct gathered_event *event,
                 const struct outbox_packed *packed) {
    struct gathered_event *kept = &gathered->events[gathered->count];

    *kept = *event;
    kept->offset = gathered->length;
    kept->length = packed->length;
    memcpy(room_for(gathered, packed->length), packed->bytes, packed->length);
    gathered->length += packed->length;
    gathered->count++;
    gathered->last++;
    if (kept->hidden)
        gathered->last_hidden = gathered->last;
    if (kept->topic == TOPIC_PRESENCE)
        gathered->last_presence = gathered->last;
    else
        gathered->last_broadcast = gathered->last;
}

static void tell_now(struct core *core);

static void make_room(struct core *core, enum topic_name topic) {
    struct gathered *gathered = core->gathered;
    bool broadcasts = gathered->count > 0 && gathered->last_broadcast >= first_of(gathered);

    if (gathered->count < GATHERED_MAX &&
        (topic == TOPIC_PRESENCE || gathered->length < GATHERED_BYTES_MAX))
        return;
    gathered_publish(core);
    if (broadcasts || topic != TOPIC_PRESENCE)
        tell_now(core);
    else
        forget(gathered, GATHERED_MAX / 2);
}

size_t gathered_add(struct core *core, enum topic_name topic, Zchat__V1__ServerEvent *event,
                    int64_t about) {
    struct gathered_event added = {.topic = topic,
                                   .about = about,
                                   .hidden = about != 0 && store_block_any(core->store, about)};
    struct outbox_packed packed;

    make_room(core, topic);
    event->seq = 0;
    packed = added.hidden ? outbox_pack(core->outbox, event)
                          : topic_note(&core->topics.topic[topic], event, about);
    keep(core->gathered, &added, &packed);
    return packed.length;
}

/* Keeps the order of all topics: a frame grows only until an event of another topic follows. */
static void publish(struct core *core, const struct gathered_event *event) {
    struct gathered *gathered = core->gathered;
    const struct outbox_packed packed = {gathered->bytes + event->offset, event->length};

    if (event->topic != gathered->publishing)
        topic_break(&core->topics.topic[gathered->publishing]);
    gathered->publishing = event->topic;
    topic_publish(&core->topics.topic[event->topic], core->outbox, &packed, core->now_us);
}

void gathered_publish(struct core *core) {
    struct gathered *gathered = core->gathered;

    while (gathered->published < gathered->last) {
        const struct gathered_event *event =
            &gathered->events[++gathered->published - first_of(gathered)];

        if (!event->hidden)
            publish(core, event);
    }
}

/* ---- to one session ---- */

void gathered_join(struct core *core, struct session *session) {
    struct outbox_line *line = &session->peer->line;

    line->taken = core->gathered->last;
    if (session->public_events)
        line->gathered = &core->gathered->last;
    else if (session->online)
        line->gathered = &core->gathered->last_hidden;
}

static bool may_see(const struct core *core, const struct session *session,
                    const struct gathered_event *event) {
    int64_t account = session->member->account;

    if (!event->hidden)
        return session->public_events;
    return account != event->about && !core_is_hidden(core, account, event->about);
}

static void give_those_allowed(struct core *core, struct session *session, size_t from) {
    const struct gathered *gathered = core->gathered;

    for (size_t i = from; i < gathered->count; i++) {
        const struct gathered_event *event = &gathered->events[i];

        if (may_see(core, session, event))
            outbox_events(core->outbox, &session->peer->line, gathered->bytes + event->offset,
                          event->length, 1);
    }
}

static void give(struct core *core, struct session *session, size_t from) {
    const struct gathered *gathered = core->gathered;
    size_t offset = gathered->events[from].offset, bytes = gathered->length - offset;

    if (!session->public_events || gathered->last_hidden >= first_of(gathered) + from ||
        bytes > FRAME_BYTES_FULL)
        give_those_allowed(core, session, from);
    else
        outbox_events(core->outbox, &session->peer->line, gathered->bytes + offset, bytes,
                      gathered->count - from);
}

void gathered_catch_up_line(void *arg, struct outbox_line *line) {
    struct core *core = arg;
    const struct gathered *gathered = core->gathered;
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

static int64_t presence_deadline(const struct core *core) {
    int64_t us = (int64_t)core->sessions.hearers_count * GATHER_HEARER_US;

    if (core->gathered->last_presence <= core->gathered->walked)
        return INT64_MAX;
    us = us < GATHER_US ? GATHER_US : us > GATHER_US_MAX ? GATHER_US_MAX : us;
    return core->gathered->presence_us + us;
}

static int64_t broadcast_deadline(const struct core *core) {
    int64_t us = (int64_t)core->sessions.hearers_count * BROADCAST_HEARER_US;

    if (core->gathered->last_broadcast <= core->gathered->walked)
        return INT64_MAX;
    if (core->gathered->length >= BROADCAST_BYTES_FULL)
        return 0;
    return core->gathered->told_us + (us > BROADCAST_US_MAX ? BROADCAST_US_MAX : us);
}

int64_t gathered_deadline(const struct core *core) {
    int64_t presence = presence_deadline(core), broadcast = broadcast_deadline(core);

    if (walks(core->gathered))
        return core->gathered->walk_us;
    if (core->gathered->count >= GATHERED_MAX / 2)
        return 0;
    return presence < broadcast ? presence : broadcast;
}

static void walk_begin(struct core *core, int64_t now_us) {
    struct gathered *gathered = core->gathered;

    gathered_publish(core);
    gathered->broadcasts = gathered->last_broadcast > gathered->walked;
    if (gathered->last_presence > gathered->walked)
        gathered->presence_us = now_us;
    gathered->walked = gathered->last;
    gathered->told_us = gathered->walk_us = now_us;
    core->sessions.next_hearer = core->sessions.hearers;
}

static void walk_end(struct gathered *gathered) {
    uint64_t first = first_of(gathered);

    gathered->walk_us = INT64_MAX;
    if (gathered->walked >= first)
        forget(gathered, gathered->walked - first + 1);
}

static void walk_on(struct core *core) {
    struct session *session = core->sessions.next_hearer;

    core->sessions.next_hearer = session->hearer_next;
    catch_up(core, session);
}

/* What people say is worth more than who is there, so broadcasts may use most of the turn. */
static size_t slice_bytes(const struct gathered *gathered) {
    return gathered->broadcasts ? TURN_ANSWER_BYTES : GATHER_SLICE_BYTES;
}

/* false: the slice ended before the walk did. */
static bool walk(struct core *core) {
    size_t before = outbox_queued(core->outbox), most = slice_bytes(core->gathered);
    size_t least = core->gathered->broadcasts ? BROADCAST_TOLD_LEAST : 0;

    for (size_t told = 0; core->sessions.next_hearer; told++) {
        bool has_room = turn_has_room(&core->turn) || told < least;

        if (!has_room || outbox_queued(core->outbox) - before >= most)
            return false;
        walk_on(core);
    }
    return true;
}

/* Tells it without slices: otherwise more and more would wait. */
static void tell_now(struct core *core) {
    walk_begin(core, core->now_us);
    while (core->sessions.next_hearer)
        walk_on(core);
    walk_end(core->gathered);
}

void gathered_tick(struct core *core, int64_t now_us) {
    struct gathered *gathered = core->gathered;

    if (now_us < gathered_deadline(core))
        return;
    if (!walks(gathered))
        walk_begin(core, now_us);
    if (walk(core))
        walk_end(gathered);
    else
        gathered->walk_us = now_us + (gathered->broadcasts ? BROADCAST_PAUSE_US : GATHER_PAUSE_US);
}

void gathered_end(struct core *core) {
    struct session *session;

    DL_FOREACH2(core->sessions.hearers, session, hearer_next) {
        catch_up(core, session);
        session->peer->line.gathered = NULL;
    }
}
