#include "topic.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

void topics_init(struct topics *topics, int64_t now_us) {
    static const char *const names[TOPICS] = {
        [TOPIC_PRESENCE] = "presence",
        [TOPIC_BROADCAST] = "broadcast",
        [TOPIC_NOTICE] = "notice",
    };

    memset(topics, 0, sizeof *topics);
    for (size_t i = 0; i < TOPICS; i++) {
        topics->topic[i].name = names[i];
        topics->topic[i].first = (uint64_t)now_us;
        topics->topic[i].head = topics->topic[i].published = (uint64_t)now_us - 1;
        topics->topic[i].repeat_us = INT64_MAX;
    }
}

void topics_release(struct topics *topics) {
    for (size_t i = 0; i < TOPICS; i++)
        for (size_t k = 0; k < TOPIC_EVENTS_KEPT; k++)
            free(topics->topic[i].kept[k].bytes);
}

struct topic *topic_find(struct topics *topics, const char *name) {
    for (size_t i = 0; i < TOPICS; i++)
        if (!strcmp(topics->topic[i].name, name))
            return &topics->topic[i];
    return NULL;
}

static void topic_keep(struct topic *topic, const Zchat__V1__ServerEvent *event, int64_t about) {
    struct topic_event *kept = &topic->kept[event->seq % TOPIC_EVENTS_KEPT];
    size_t bytes = wire_element_size(&event->base);

    kept->about = about;
    kept->length = bytes;
    kept->bytes = memory_resize(kept->bytes, bytes);
    wire_element_pack_sized(WIRE_EVENTS, &event->base, bytes, kept->bytes);
}

struct outbox_packed topic_note(struct topic *topic, Zchat__V1__ServerEvent *event, int64_t about) {
    const struct topic_event *kept;

    topic->head++;
    event->seq = topic->head;
    topic_keep(topic, event, about);
    kept = topic_event(topic, topic->head);
    return (struct outbox_packed){kept->bytes, kept->length};
}

void topic_publish(struct topic *topic, struct outbox *outbox, const struct outbox_packed *noted,
                   int64_t now_us) {
    topic->published++;
    topic->repeat_us = now_us + HEAD_REPEAT_US;
    outbox_publish(outbox, &topic->open, topic->name, noted);
}

void topic_break(struct topic *topic) {
    outbox_break(topic->open);
}

uint64_t topic_oldest(const struct topic *topic) {
    if (topic->head - topic->first + 1 <= TOPIC_EVENTS_KEPT)
        return topic->first;
    return topic->head - TOPIC_EVENTS_KEPT + 1;
}

const struct topic_event *topic_event(const struct topic *topic, uint64_t seq) {
    if (seq > topic->head || seq < topic_oldest(topic))
        return NULL;
    return &topic->kept[seq % TOPIC_EVENTS_KEPT];
}

int64_t topics_deadline(const struct topics *topics) {
    int64_t deadline = INT64_MAX;

    for (size_t i = 0; i < TOPICS; i++)
        if (topics->topic[i].repeat_us < deadline)
            deadline = topics->topic[i].repeat_us;
    return deadline;
}

void topics_tick(struct topics *topics, struct outbox *outbox, int64_t now_us) {
    for (size_t i = 0; i < TOPICS; i++) {
        struct topic *topic = &topics->topic[i];

        if (now_us < topic->repeat_us)
            continue;
        outbox_publish_head(outbox, topic->name, topic->published);
        topic->repeat_us = INT64_MAX;
    }
}
