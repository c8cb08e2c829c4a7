/* Reads inboxes in pages at the end, one account after the other on each of the senders'
 * connections: with --check, first the sender's own inbox; then those of the accounts without a
 * receiver, a sample or all. Marks them read, so that a later run on the same store begins behind
 * this one. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

#define CHECK_PATIENCE_US (600 * INT64_C(1000000))

struct check {
    struct run *run;  /* borrowed */
    uint64_t next;    /* of the sampled accounts */
    uint64_t sampled; /* how many are read */
    uint64_t readers; /* still at work */
};

/* One connection, and how far its reading is. */
struct reader {
    struct check *check;   /* borrowed */
    struct sender *sender; /* borrowed: its connection */
    bool own;              /* the inbox is the sender's */
    uint32_t account;
    uint64_t seq;
};

static void next_inbox(struct reader *reader);

static zchat *handle(const struct reader *reader) {
    return reader->sender->client.z;
}

static bool accepts(struct reader *reader, zchat_code code) {
    return client_accepts(&reader->sender->client, code, "an inbox can't be read");
}

static bool answered(struct reader *reader, const zchat_reply *reply) {
    return client_answered(&reader->sender->client, reply, "an inbox can't be read");
}

/* The account in a message's "to", which is a name that the bench made. */
static uint32_t account_of(const zchat_message *message) {
    return message->to[0] == 'u' ? (uint32_t)strtoul(message->to + 1, NULL, 10) : UINT32_MAX;
}

static void take_message(struct reader *reader, const zchat_message *message) {
    struct run *run = reader->check->run;
    uint32_t account = account_of(message);
    struct payload payload;
    if (!payload_read(message->text, &payload) || payload.run != run->tag ||
        payload.sender >= run->settings->senders || account >= run->settings->accounts)
        return;
    struct reading *reading = reader->own ? &run->own : &run->inboxes;
    if (!reading_take(reading, run_pair(run, payload.sender, account), payload.number))
        bench_fail(&run->bench, "no memory");
}

/* The inbox may have only what was sent to this account, or by this sender. */
static void close_inbox(struct reader *reader) {
    struct run *run = reader->check->run;
    struct reading *reading = reader->own ? &run->own : &run->inboxes;
    for (uint32_t sender = 0; !reader->own && sender < run->settings->senders; sender++) {
        size_t pair = run_pair(run, sender, reader->account);
        reading_close(reading, pair, run->acknowledged[pair], run->sent[pair]);
    }
    for (uint32_t account = 0; reader->own && account < run->settings->accounts; account++) {
        size_t pair = run_pair(run, reader->sender->number, account);
        reading_close(reading, pair, run->acknowledged[pair], run->sent[pair]);
    }
}

static void left(void *arg, const zchat_reply *reply) {
    if (answered(arg, reply))
        next_inbox(arg);
}

static void marked(void *arg, const zchat_reply *reply) {
    struct reader *reader = arg;
    if (answered(reader, reply))
        accepts(reader, zchat_logout(handle(reader), left, reader));
}

static void take_page(void *arg, const zchat_reply *reply) {
    struct reader *reader = arg;
    if (!answered(reader, reply))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        take_message(reader, &reply->messages[i]);
        reader->seq = reply->messages[i].seq;
    }
    if (reply->more) {
        accepts(reader, zchat_sync(handle(reader), reader->seq, 0, take_page, reader));
        return;
    }
    close_inbox(reader);
    if (reader->seq > 0)
        accepts(reader, zchat_ack(handle(reader), reader->seq, marked, reader));
    else
        accepts(reader, zchat_logout(handle(reader), left, reader));
}

static void entered(void *arg, const zchat_reply *reply) {
    struct reader *reader = arg;
    if (!answered(reader, reply))
        return;
    reader->seq = reply->cursor;
    accepts(reader, zchat_sync(handle(reader), reader->seq, 0, take_page, reader));
}

static void enter(struct reader *reader, const char *name) {
    const zchat_login_options login = {.user = name};
    accepts(reader, zchat_login(handle(reader), &login, entered, reader));
}

/* Sampled accounts are spread evenly over those without a receiver. */
static void next_inbox(struct reader *reader) {
    struct check *check = reader->check;
    const struct settings *settings = check->run->settings;
    uint64_t unread = settings->accounts - settings->receivers;
    char name[BENCH_NAME_BYTES];
    reader->own = false;
    if (check->next == check->sampled) {
        check->readers--;
        return;
    }
    reader->account = (uint32_t)(settings->receivers + check->next++ * unread / check->sampled);
    bench_account_name(reader->account, name);
    enter(reader, name);
}

/* The sender is logged in to its own account; its own inbox is read from where its cursor was at
 * the login. */
static void begin(struct reader *reader, struct check *check, struct sender *sender) {
    reader->check = check;
    reader->sender = sender;
    reader->own = check->run->settings->check;
    reader->seq = sender->client.cursor;
    if (reader->own)
        accepts(reader, zchat_sync(handle(reader), reader->seq, 0, take_page, reader));
    else
        accepts(reader, zchat_logout(handle(reader), left, reader));
}

static bool is_done(void *arg) {
    return ((struct check *)arg)->readers == 0;
}

static void close_received(struct run *run) {
    for (uint32_t sender = 0; sender < run->settings->senders; sender++) {
        for (uint32_t account = 0; account < run->settings->receivers; account++) {
            size_t pair = run_pair(run, sender, account);
            reading_close(&run->inboxes, pair, run->acknowledged[pair], run->sent[pair]);
        }
    }
}

bool check_inboxes(struct run *run, uint64_t *accounts_checked) {
    const struct settings *settings = run->settings;
    uint64_t unread = settings->accounts - settings->receivers;
    struct check check = {.run = run, .sampled = unread, .readers = settings->senders};
    run->readers = calloc(settings->senders, sizeof *run->readers);
    if (!settings->check && settings->sample < unread)
        check.sampled = settings->sample;
    close_received(run);
    if (!run->readers)
        bench_fail(&run->bench, "no memory");
    for (uint64_t i = 0; run->readers && i < settings->senders; i++)
        begin(&run->readers[i], &check, &run->senders[i]);
    *accounts_checked = settings->receivers + check.sampled;
    return bench_wait(&run->bench, CHECK_PATIENCE_US, is_done, &check, "reading the inboxes");
}
