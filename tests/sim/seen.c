/* See person.h: what the client core hands out. In order, without holes, each once, and nothing but
 * what is committed. */
#include "person.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

/* ---- the inbox ---- */

static bool is_about(const struct town *town, const struct message *should,
                     const zchat_message *message) {
    zchat_about about = should->about == STORE_CORRECTS   ? ZCHAT_ABOUT_CORRECTS
                        : should->about == STORE_RETRACTS ? ZCHAT_ABOUT_RETRACTS
                                                          : ZCHAT_ABOUT_NONE;

    return message->about == about &&
           (!about ||
            !memcmp(message->original.bytes, town->messages[should->original].id, ID_BYTES));
}

static bool is_entry(const struct town *town, int account, const zchat_message *message) {
    char text[TEXT_BYTES_MAX + 1];
    const struct message *should;
    uint32_t item;

    if (message->seq == 0 || message->seq > town->committed.head[account] ||
        !town_item_of(message->id.bytes, ID_BYTES, &item) ||
        town->inbox[account][message->seq - 1] != item)
        return false;
    should = &town->messages[item];
    message_text(item, should->text_bytes, text);
    return message->time_us == should->time_us && !strcmp(message->text, text) &&
           account_of_name(message->from) == should->author &&
           account_of_name(message->to) == should->to &&
           message->sent == (should->author == account) && !message->damaged &&
           is_about(town, should, message);
}

void seen_entry(struct person *person, int account, const zchat_message *message) {
    struct box *box = person_box(person, account);

    if (message->seq != box->have + 1)
        world_fail(person->world, "person %d is handed entry %llu of u%d's inbox after %llu",
                   person->number, (unsigned long long)message->seq, account,
                   (unsigned long long)box->have);
    if (!is_entry(person->world->town, account, message))
        world_fail(person->world, "person %d is handed what is not entry %llu of u%d's inbox",
                   person->number, (unsigned long long)message->seq, account);
    box->have = message->seq;
    person->world->handed_out++;
}

static void synced(const struct person *person, const struct box *box) {
    if (box->have < person->missed)
        world_fail(person->world, "person %d has all that it missed, but only %llu of %llu",
                   person->number, (unsigned long long)box->have,
                   (unsigned long long)person->missed);
}

void person_check_ack(struct person *person, const struct link *link, const struct asked *asked) {
    const struct box *box = person_box(person, link->seat.account);

    if (person->link == link && link->seat.open &&
        (asked->received > box->have || asked->read > box->read_wanted))
        world_fail(person->world, "person %d acknowledges %llu, read %llu; has %llu, read %llu",
                   person->number, (unsigned long long)asked->received,
                   (unsigned long long)asked->read, (unsigned long long)box->have,
                   (unsigned long long)box->read_wanted);
}

/* ---- topics ---- */

static void make_room(struct person *person, uint32_t item) {
    uint32_t max = item + 64;

    if (item < person->heard_max)
        return;
    person->heard = realloc(person->heard, max * sizeof *person->heard);
    if (!person->heard)
        abort();
    memset(person->heard + person->heard_max, 0, (max - person->heard_max) * sizeof *person->heard);
    person->heard_max = max;
}

static void hear(struct person *person, const zchat_event *event) {
    uint32_t item = 0;

    town_item_of(event->id.bytes, ID_BYTES, &item);
    if (item >= person->world->town->broadcast_count)
        world_fail(person->world, "person %d hears what nobody broadcast", person->number);
    make_room(person, item);
    if (person->heard[item] == person->session)
        world_fail(person->world, "person %d hears broadcast m%u twice in a session",
                   person->number, (unsigned)item);
    person->heard[item] = person->session;
}

bool seen_broadcast(const struct person *person, uint32_t item) {
    return item < person->heard_max && person->heard[item] == person->session;
}

static void news(struct person *person, int stream, const zchat_event *event) {
    int account = account_of_name(event->user);

    if (event->seq != 0 && event->seq <= person->told[stream])
        world_fail(person->world, "person %d hears event %llu of %s after %llu", person->number,
                   (unsigned long long)event->seq, stream_names[stream],
                   (unsigned long long)person->told[stream]);
    if (event->seq != 0)
        person->told[stream] = event->seq;
    if (account < 0 || account == person->session_as)
        world_fail(person->world, "person %d hears of %s", person->number, event->user);
    if ((person->blocked >> account & 1) != 0)
        world_fail(person->world, "person %d hears of u%d, whom it blocked", person->number,
                   account);
}

/* ---- threads ---- */

static void posted(struct person *person, const zchat_event *event) {
    const struct town *town = person->world->town;
    int thread = forum_of_id(&town->forum, event->thread->id.bytes, ID_BYTES);

    if (event->post->number != event->seq ||
        !forum_fits(town, thread, event->seq, event->post->id.bytes, event->time_us,
                    event->post->user, event->post->text))
        world_fail(person->world, "person %d is handed what is not event %llu of thread %d",
                   person->number, (unsigned long long)event->seq, thread);
    if (person->followed[thread] != 0 && event->seq != person->followed[thread] + 1)
        world_fail(person->world, "person %d is handed event %llu of thread %d after %llu",
                   person->number, (unsigned long long)event->seq, thread,
                   (unsigned long long)person->followed[thread]);
    person->followed[thread] = event->seq;
    person->world->handed_out++;
}

/* ---- events ---- */

static void connected(struct person *person) {
    struct world *world = person->world;

    if (world_chance(world, 50))
        errand_ask(errand_new(person, random_chance(&world->random, 500) ? KIND(PING) : KIND(WHO)));
    person->login_us = world->now_us;
}

static void session_over(struct person *person) {
    struct world *world = person->world;

    say(world, "person %lld: its session ended", person->number, 0, 0, 0);
    person->login_us = world->now_us + random_between(&world->random, 0, 200000);
}

/* What another run of the broker is sent again, it tells again. */
static void resumed(struct person *person) {
    person->backoff_us = 0;
    if (person->link->run != person->run)
        person->session++;
    person->run = person->link->run;
}

void seen_event(void *arg, const zchat_event *event) {
    struct person *person = arg;

    switch (event->kind) {
    case ZCHAT_EVENT_CONNECTED:
        connected(person);
        break;
    case ZCHAT_EVENT_RESUMED:
        resumed(person);
        break;
    case ZCHAT_EVENT_SESSION_ENDED:
        session_over(person);
        break;
    case ZCHAT_EVENT_MESSAGE:
        seen_entry(person, person->session_as, event->message);
        break;
    case ZCHAT_EVENT_SYNCED:
        synced(person, person_box(person, person->session_as));
        break;
    case ZCHAT_EVENT_PRESENCE:
        news(person, STREAM_PRESENCE, event);
        break;
    case ZCHAT_EVENT_BROADCAST:
        news(person, STREAM_BROADCAST, event);
        hear(person, event);
        break;
    case ZCHAT_EVENT_POSTED:
        posted(person, event);
        break;
    case ZCHAT_EVENT_READ:
    case ZCHAT_EVENT_THREADS_SYNCED:
    case ZCHAT_EVENT_NOTICE:
    case ZCHAT_EVENT_REFUSED:
        break;
    default:
        world_fail(person->world, "person %d is told event %d: %s", person->number,
                   (int)event->kind, event->text);
    }
}
