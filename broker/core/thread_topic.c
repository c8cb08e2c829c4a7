#include "thread_topic.h"

#include "memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define DUE_FIRST 16

struct thread_topic {
    unsigned char id[ID_BYTES];
    char name[THREAD_TOPIC_BYTES];
    int64_t stream;
    uint64_t head;
    struct outbox_frame *waiting;     /* owned: its events that wait; NULL: none waits */
    size_t count;                     /* how many */
    size_t bytes;                     /* theirs */
    int64_t told_us;                  /* when its events were last told */
    int64_t due_us;                   /* when what waits, or else the head, is told */
    size_t place;                     /* in the heap, if something waits; */
    struct thread_topic *prev, *next; /* else in this list: first the one due first */
    UT_hash_handle hh;                /* by id */
};

struct thread_topics {
    struct thread_topic *by_id;  /* owned */
    struct thread_topic *silent; /* borrowed: those of which nothing waits */
    struct thread_topic **due;   /* owned: a heap of the others, the first due on top */
    size_t due_count;
    size_t due_room;
    size_t bytes; /* of all that waits */
};

struct thread_topics *thread_topics_new(void) {
    return memory_new(sizeof(struct thread_topics));
}

void thread_topics_free(struct thread_topics *topics, struct outbox *outbox) {
    struct thread_topic *topic, *next;

    if (!topics)
        return;
    HASH_ITER(hh, topics->by_id, topic, next) {
        outbox_drop_gathered(outbox, &topic->waiting);
        HASH_DEL(topics->by_id, topic);
        free(topic);
    }
    free(topics->due);
    free(topics);
}

/* ---- its name ---- */

void thread_topic_name(const unsigned char id[ID_BYTES], char name[THREAD_TOPIC_BYTES]) {
    static const char prefix[] = "thread/", digits[] = "0123456789abcdef";
    char *end = name + sizeof prefix - 1;

    memcpy(name, prefix, sizeof prefix);
    for (size_t i = 0; i < ID_BYTES; i++) {
        *end++ = digits[id[i] >> 4];
        *end++ = digits[id[i] & 15];
    }
    *end = '\0';
}

bool thread_topic_parse(const char *stream, unsigned char id[ID_BYTES]) {
    static const char prefix[] = "thread/";
    size_t prefix_bytes = sizeof prefix - 1;

    if (strncmp(stream, prefix, prefix_bytes) != 0 ||
        strspn(stream + prefix_bytes, "0123456789abcdef") != 2 * ID_BYTES ||
        stream[prefix_bytes + 2 * ID_BYTES] != '\0')
        return false;
    for (size_t i = 0; i < ID_BYTES; i++) {
        unsigned value;

        if (sscanf(stream + prefix_bytes + 2 * i, "%2x", &value) != 1)
            return false;
        id[i] = (unsigned char)value;
    }
    return true;
}

/* ---- the heap ---- */

static void put(struct thread_topics *topics, size_t place, struct thread_topic *topic) {
    topics->due[place] = topic;
    topic->place = place;
}

static void move_up(struct thread_topics *topics, size_t place, struct thread_topic *topic) {
    while (place > 0 && topics->due[(place - 1) / 2]->due_us > topic->due_us) {
        put(topics, place, topics->due[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(topics, place, topic);
}

static void move_down(struct thread_topics *topics, size_t place, struct thread_topic *topic) {
    for (size_t child; (child = 2 * place + 1) < topics->due_count; place = child) {
        if (child + 1 < topics->due_count &&
            topics->due[child + 1]->due_us < topics->due[child]->due_us)
            child++;
        if (topics->due[child]->due_us >= topic->due_us)
            break;
        put(topics, place, topics->due[child]);
    }
    put(topics, place, topic);
}

static void due_join(struct thread_topics *topics, struct thread_topic *topic) {
    if (topics->due_count == topics->due_room) {
        topics->due_room = topics->due_room ? 2 * topics->due_room : DUE_FIRST;
        topics->due = memory_resize(topics->due, topics->due_room * sizeof(struct thread_topic *));
    }
    move_up(topics, topics->due_count++, topic);
}

static void due_leave(struct thread_topics *topics, struct thread_topic *topic) {
    size_t place = topic->place;
    struct thread_topic *last = topics->due[--topics->due_count];

    assert(topics->due[place] == topic || last == topic);
    if (last == topic)
        return;
    if (last->due_us < topic->due_us)
        move_up(topics, place, last);
    else
        move_down(topics, place, last);
}

/* ---- a topic ---- */

static struct thread_topic *topic_find_id(const struct thread_topics *topics,
                                          const unsigned char id[ID_BYTES]) {
    struct thread_topic *topic = NULL;

    HASH_FIND(hh, topics->by_id, id, ID_BYTES, topic);
    return topic;
}

static struct thread_topic *topic_of(struct thread_topics *topics,
                                     const struct store_thread *thread) {
    struct thread_topic *topic = topic_find_id(topics, thread->id);

    if (topic)
        return topic;
    topic = memory_new(sizeof *topic);
    memcpy(topic->id, thread->id, ID_BYTES);
    topic->stream = thread->stream;
    topic->told_us = -THREAD_US_MAX;
    thread_topic_name(topic->id, topic->name);
    HASH_ADD(hh, topics->by_id, id, ID_BYTES, topic);
    DL_APPEND(topics->silent, topic);
    return topic;
}

static void push(struct core *core, const struct thread_topic *topic,
                 const struct outbox_packed *events) {
    struct session *session;

    if (!session_followers(&core->sessions, topic->stream))
        return;
    DL_FOREACH2(core->sessions.with_public, session, inline_next) {
        if (member_follows(session->member, topic->stream))
            outbox_events(core->outbox, &session->peer->line, events->bytes, events->length,
                          topic->count);
    }
}

static void tell(struct core *core, struct thread_topic *topic) {
    struct thread_topics *topics = core->thread_topics;
    struct outbox_packed events =
        outbox_publish_gathered(core->outbox, &topic->waiting, topic->name, topic->count);

    push(core, topic, &events);
    due_leave(topics, topic);
    topics->bytes -= topic->bytes;
    topic->count = topic->bytes = 0;
    topic->told_us = core->now_us;
    topic->due_us = core->now_us + HEAD_REPEAT_US;
    DL_APPEND(topics->silent, topic);
}

static void wait_begin(struct core *core, struct thread_topic *topic) {
    const struct followers *followers = session_followers(&core->sessions, topic->stream);
    int64_t wait_us = followers ? (int64_t)followers->members * THREAD_FOLLOWER_US : 0;

    DL_DELETE(core->thread_topics->silent, topic);
    topic->due_us = topic->told_us + (wait_us > THREAD_US_MAX ? THREAD_US_MAX : wait_us);
    due_join(core->thread_topics, topic);
}

static void gather(struct core *core, const struct store_thread *thread, uint64_t seq,
                   const struct outbox_packed *event) {
    struct thread_topics *topics = core->thread_topics;
    struct thread_topic *topic = topic_of(topics, thread);

    if (topic->waiting && !outbox_may_gather(core->outbox, topic->waiting, event))
        tell(core, topic);
    if (!topic->waiting)
        wait_begin(core, topic);
    outbox_gather(core->outbox, &topic->waiting, topic->name, event);
    topic->head = seq;
    topic->count++;
    topic->bytes += event->length;
    topics->bytes += event->length;
    if (topic->bytes >= THREAD_BYTES_FULL)
        tell(core, topic);
    while (topics->bytes > THREADS_BYTES_MAX)
        tell(core, topics->due[0]);
}

/* Who causes the event is charged for all whom it is told, though they are told later. */
void thread_topic_add(struct core *core, const struct store_thread *thread,
                      Zchat__V1__ServerEvent *event) {
    const struct followers *followers = session_followers(&core->sessions, thread->stream);
    struct outbox_packed packed = outbox_pack(core->outbox, event);

    if (followers)
        outbox_charge(core->outbox, packed.length * followers->with_public);
    gather(core, thread, event->seq, &packed);
}

void thread_topic_tell(struct core *core, const unsigned char id[ID_BYTES]) {
    struct thread_topic *topic = topic_find_id(core->thread_topics, id);

    if (topic && topic->waiting)
        tell(core, topic);
}

void thread_topics_tell(struct core *core) {
    while (core->thread_topics->due_count > 0)
        tell(core, core->thread_topics->due[0]);
}

static int64_t waiting_deadline(const struct thread_topics *topics) {
    return topics->due_count > 0 ? topics->due[0]->due_us : INT64_MAX;
}

static int64_t silent_deadline(const struct thread_topics *topics) {
    return topics->silent ? topics->silent->due_us : INT64_MAX;
}

/* Tells at least one topic, and no more than the turn has room for. */
void thread_topics_end_turn(struct core *core) {
    struct thread_topics *topics = core->thread_topics;
    size_t before = outbox_queued(core->outbox);

    while (core->now_us >= waiting_deadline(topics)) {
        tell(core, topics->due[0]);
        if (outbox_queued(core->outbox) - before >= TURN_ANSWER_BYTES)
            return;
    }
}

/* None while the turn before this one is on its way to the disk: what waits leaves with this turn,
 * which can't end sooner. */
int64_t thread_topics_deadline(const struct core *core) {
    int64_t silent = silent_deadline(core->thread_topics);
    int64_t waiting = core->committing ? INT64_MAX : waiting_deadline(core->thread_topics);

    return silent < waiting ? silent : waiting;
}

void thread_topics_tick(struct core *core, int64_t now_us) {
    struct thread_topics *topics = core->thread_topics;

    while (now_us >= silent_deadline(topics)) {
        struct thread_topic *topic = topics->silent;

        outbox_publish_head(core->outbox, topic->name, topic->head);
        DL_DELETE(topics->silent, topic);
        HASH_DEL(topics->by_id, topic);
        free(topic);
    }
}
