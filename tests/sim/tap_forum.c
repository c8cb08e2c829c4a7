/* See tap.h: what the core says of threads. */
#include "tap.h"
#include "world.h"

#include <string.h>

static bool is_entry(const struct world *world, const Zchat__V1__ServerEvent *event, int thread) {
    const Zchat__V1__ThreadEvent *about = event->thread;

    return event->body_case == ZCHAT__V1__SERVER_EVENT__BODY_THREAD &&
           forum_of_id(&world->town->forum, about->thread.data, about->thread.len) == thread &&
           thread >= 0 && !strcmp(about->title, forum_titles[thread]) &&
           about->body_case == ZCHAT__V1__THREAD_EVENT__BODY_POSTED &&
           about->posted->number == event->seq && about->posted->id.len == ID_BYTES &&
           about->posted->edited_us == 0 && about->posted->time_us == event->time_us &&
           forum_fits(world->town, thread, event->seq, about->posted->id.data, event->time_us,
                      about->posted->user, about->posted->text);
}

/* ---- replies ---- */

static void check_posted(struct world *world, const struct link *link, const struct asked *asked,
                         const Zchat__V1__PostToThreadResponse *posted) {
    const struct forum *forum = &world->town->forum;
    const struct forum_state *state = &world->town->committed.forum;
    uint64_t seq = forum_seq(forum, state, asked->item);
    int64_t time_us;

    if (seq == 0 && asked->thread == DUST)
        return; /* it was removed in the same turn */
    if (seq == 0)
        tap_wrong(world, link, asked, "a post that is not committed", asked->item, 0);
    time_us = forum_time(forum, state, asked->thread, seq);
    if (posted->seq != seq || posted->number != seq)
        tap_wrong(world, link, asked, "the post's place", posted->seq, seq);
    if (posted->time_us != time_us ||
        memcmp(posted->id.data, forum->posts[asked->item].id, ID_BYTES) != 0)
        tap_wrong(world, link, asked, "the post's time or id", (uint64_t)posted->time_us,
                  (uint64_t)time_us);
}

static void check_followed(struct world *world, const struct link *link, const struct asked *asked,
                           const Zchat__V1__FollowedThread *followed) {
    if (forum_of_title(followed->title) != asked->thread ||
        forum_of_id(&world->town->forum, followed->id.data, followed->id.len) != asked->thread)
        tap_wrong(world, link, asked, "the thread that is followed", 0, (uint64_t)asked->thread);
    if (followed->head != asked->value[0])
        tap_wrong(world, link, asked, "the thread's head", followed->head, asked->value[0]);
}

static void check_list(struct world *world, const struct link *link, const struct asked *asked,
                       const Zchat__V1__ListFollowedResponse *list) {
    uint32_t is = 0;

    for (size_t i = 0; i < list->n_threads; i++) {
        int thread = forum_of_title(list->threads[i]->title);

        if (thread < 0 || list->threads[i]->head != asked->heads[thread])
            tap_wrong(world, link, asked, "the head of a followed thread", list->threads[i]->head,
                      thread < 0 ? 0 : asked->heads[thread]);
        is |= UINT32_C(1) << thread;
    }
    if (is != asked->threads)
        tap_wrong(world, link, asked, "the set of followed threads", is, asked->threads);
}

void tap_thread_reply(struct world *world, const struct link *link, const struct asked *asked,
                      const Zchat__V1__Reply *reply) {
    const Zchat__V1__ThreadInfo *made;

    switch (asked->kind) {
    case KIND(CREATE_THREAD):
        made = reply->create_thread->thread;
        if ((!world->town->committed.forum.made[asked->thread] && asked->thread != DUST) ||
            memcmp(made->id.data, asked->id, ID_BYTES) != 0 ||
            forum_of_title(made->title) != asked->thread)
            tap_wrong(world, link, asked, "the thread that was made", 0, (uint64_t)asked->thread);
        break;
    case KIND(POST_TO_THREAD):
        check_posted(world, link, asked, reply->post_to_thread);
        break;
    case KIND(FOLLOW_THREAD):
        check_followed(world, link, asked, reply->follow_thread->followed);
        break;
    default: /* LIST_FOLLOWED */
        check_list(world, link, asked, reply->list_followed);
        break;
    }
}

void tap_thread_page(struct world *world, const struct link *link, const struct asked *asked,
                     const Zchat__V1__SyncResponse *page) {
    uint64_t next = asked->after_seq + 1;

    if (forum_of_stream(&world->town->forum, page->stream) != asked->thread)
        world_fail(world, "a page of %s instead of %s", page->stream, forum_titles[asked->thread]);
    if (page->head != asked->value[0])
        tap_wrong(world, link, asked, "a page's head", page->head, asked->value[0]);
    for (size_t i = 0; i < page->n_events; i++, next++)
        if (page->events[i]->seq != next || !is_entry(world, page->events[i], asked->thread))
            tap_wrong(world, link, asked, "an event of a thread's page", page->events[i]->seq,
                      next);
    if (page->n_events == 0 && next <= page->head)
        tap_wrong(world, link, asked, "an empty page's first number", 0, next);
    if ((page->more != 0) != (page->n_events > 0 && next <= page->head))
        tap_wrong(world, link, asked, "a page's more", page->more ? 1 : 0, page->more ? 0 : 1);
}

/* ---- events ---- */

void tap_thread_event(struct world *world, const Zchat__V1__ServerEvent *event) {
    const ProtobufCBinaryData *id = &event->thread->thread;
    int thread = forum_of_id(&world->town->forum, id->data, id->len);

    if (!is_entry(world, event, thread))
        world_fail(world, "event %llu of thread %d is not what stands there",
                   (unsigned long long)event->seq, thread);
}

/* Each event of a run, in order; the first one may be any. */
void tap_thread_publication(struct world *world, const Zchat__V1__Publication *publication) {
    int thread = forum_of_stream(&world->town->forum, publication->topic);
    uint64_t *head = &world->broker.thread_head[thread < 0 ? 0 : thread];

    if (thread < 0)
        world_fail(world, "a publication of %s", publication->topic);
    if (thread == DUST) /* which one of them it was is not followed */
        return;
    for (size_t i = 0; i < publication->n_events; i++) {
        if (*head != 0 && publication->events[i]->seq != *head + 1)
            world_fail(world, "event %llu of thread %d after %llu",
                       (unsigned long long)publication->events[i]->seq, thread,
                       (unsigned long long)*head);
        *head = publication->events[i]->seq;
        tap_thread_event(world, publication->events[i]);
    }
    if (publication->head > world->town->committed.forum.head[thread])
        world_fail(world, "thread %d tells the head %llu", thread,
                   (unsigned long long)publication->head);
}
