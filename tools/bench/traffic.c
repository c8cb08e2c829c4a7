/* Who sends and who reads in a run of `send`: each sender keeps its window full, or as full as the
 * rate asks for; the receivers read what arrives in the inboxes of the first accounts, and mark it
 * read as a client does. */
#include "common/clock.h"
#include "pace.h"
#include "random.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>

/* ---- senders ---- */

/* Chooses an account; the same seed gives the same choices. */
static uint32_t choose(struct sender *sender) {
    return (uint32_t)random_below(&sender->random, sender->run->settings->accounts);
}

static struct slot *take_slot(struct sender *sender) {
    struct slot *slot = sender->free;
    if (slot)
        sender->free = slot->next;
    return slot;
}

static void give_slot(struct slot *slot) {
    slot->next = slot->sender->free;
    slot->sender->free = slot;
}

/* When the sender's next message is due. */
static int64_t next_due_us(const struct sender *sender, int64_t now_us) {
    const struct run *run = sender->run;
    return pace_due_us(run->begin_us, sender->sent, sender->number, run->settings->senders,
                       (double)run->settings->rate, now_us);
}

static void pump(struct sender *sender);

static void acknowledged(void *arg, const zchat_reply *reply) {
    struct slot *slot = arg;
    struct sender *sender = slot->sender;
    struct run *run = sender->run;
    if (!client_answered(&sender->client, reply, "a message was refused"))
        return;
    run->last_us = clock_us();
    histogram_add(&run->acknowledgement, run->last_us - slot->due_us);
    run->acknowledged[run_pair(run, sender->number, slot->account)]++;
    run->acknowledged_total++;
    run->deliveries_due += slot->account < run->settings->receivers;
    sender->acknowledged++;
    give_slot(slot);
    pump(sender);
}

static void send_one(struct sender *sender, struct slot *slot, int64_t due_us) {
    struct run *run = sender->run;
    char name[BENCH_NAME_BYTES];
    slot->account = choose(sender);
    slot->due_us = due_us;
    struct payload payload = {
        .run = run->tag,
        .sender = sender->number,
        .number = ++run->sent[run_pair(run, sender->number, slot->account)],
        .due_us = (uint64_t)due_us,
    };
    payload_write(&payload, sender->text);
    bench_account_name(slot->account, name);
    sender->sent++;
    client_accepts(
        &sender->client,
        zchat_send(sender->client.z, name, sender->text, NULL, false, acknowledged, slot),
        "a message can't be sent");
}

static void pump(struct sender *sender) {
    struct run *run = sender->run;
    int64_t now_us = clock_us();
    while (sender->free && now_us < run->end_us && !run->bench.failed) {
        int64_t due_us = next_due_us(sender, now_us);
        if (due_us > now_us)
            return;
        send_one(sender, take_slot(sender), due_us);
    }
}

void senders_pump(void *arg) {
    struct run *run = arg;
    for (uint64_t i = 0; i < run->settings->senders; i++)
        pump(&run->senders[i]);
}

void senders_begin(struct run *run, int64_t duration_us) {
    run->begin_us = run->last_us = clock_us();
    run->end_us = run->begin_us + duration_us;
    senders_pump(run);
}

bool senders_are_idle(void *arg) {
    struct run *run = arg;
    if (clock_us() < run->end_us)
        return false;
    for (uint64_t i = 0; i < run->settings->senders; i++)
        if (run->senders[i].acknowledged < run->senders[i].sent)
            return false;
    return true;
}

static bool sender_init(struct sender *sender, struct run *run, uint32_t number) {
    const struct settings *settings = run->settings;
    sender->run = run;
    sender->number = number;
    sender->random = random_begin(settings->seed, number);
    sender->text = malloc(settings->size_bytes + 1);
    sender->slots = calloc(settings->window, sizeof *sender->slots);
    if (!sender->text || !sender->slots)
        return false;
    memset(sender->text, 'x', settings->size_bytes);
    sender->text[settings->size_bytes] = 0;
    for (uint64_t i = 0; i < settings->window; i++) {
        sender->slots[i].sender = sender;
        give_slot(&sender->slots[i]);
    }
    return true;
}

static bool senders_logged_in(void *arg) {
    struct run *run = arg;
    return clients_logged_in(&run->senders->client, sizeof *run->senders, run->settings->senders) ==
           run->settings->senders;
}

bool senders_open(struct run *run) {
    const zchat_login_options login = {0};
    char name[BENCH_NAME_BYTES];
    run->senders = calloc(run->settings->senders, sizeof *run->senders);
    for (uint32_t i = 0; run->senders && i < run->settings->senders; i++) {
        struct sender *sender = &run->senders[i];
        if (!client_open(&sender->client, &run->bench, 0))
            return false;
        if (!sender_init(sender, run, i)) {
            bench_fail(&run->bench, "no memory");
            return false;
        }
        bench_sender_name(i, name);
        client_login(&sender->client, name, &login);
    }
    return run->senders &&
           bench_wait(&run->bench, BENCH_PATIENCE_US, senders_logged_in, run, "the senders' login");
}

void senders_close(struct run *run) {
    for (uint64_t i = 0; run->senders && i < run->settings->senders; i++) {
        client_close(&run->senders[i].client);
        free(run->senders[i].text);
        free(run->senders[i].slots);
    }
    free(run->senders);
    run->senders = NULL;
}

/* ---- receivers ---- */

static void take_message(void *arg, const zchat_message *message) {
    struct receiver *receiver = arg;
    struct run *run = receiver->run;
    struct payload payload;
    zchat_ack(receiver->client.z, message->seq, NULL, NULL);
    if (!payload_read(message->text, &payload) || payload.run != run->tag ||
        payload.sender >= run->settings->senders)
        return;
    histogram_add(&run->delivery, clock_us() - (int64_t)payload.due_us);
    run->delivered_total++;
    if (!reading_take(&run->inboxes, run_pair(run, payload.sender, receiver->account),
                      payload.number))
        bench_fail(&run->bench, "no memory");
}

static bool receivers_logged_in(void *arg) {
    struct run *run = arg;
    return clients_logged_in(&run->receivers->client, sizeof *run->receivers,
                             run->settings->receivers) == run->settings->receivers;
}

bool receivers_have_all(void *arg) {
    const struct run *run = arg;
    return run->delivered_total >= run->deliveries_due;
}

bool receivers_open(struct run *run) {
    const zchat_login_options login = {.online = true, .inbox = true};
    char name[BENCH_NAME_BYTES];
    run->receivers = calloc(run->settings->receivers + 1, sizeof *run->receivers);
    for (uint32_t i = 0; run->receivers && i < run->settings->receivers; i++) {
        struct receiver *receiver = &run->receivers[i];
        if (!client_open(&receiver->client, &run->bench, 0))
            return false;
        receiver->run = run;
        receiver->account = i;
        receiver->client.on_message = take_message;
        receiver->client.arg = receiver;
        bench_account_name(i, name);
        client_login(&receiver->client, name, &login);
    }
    return run->receivers && bench_wait(&run->bench, BENCH_PATIENCE_US, receivers_logged_in, run,
                                        "the receivers' login");
}

void receivers_close(struct run *run) {
    for (uint64_t i = 0; run->receivers && i < run->settings->receivers; i++)
        client_close(&run->receivers[i].client);
    free(run->receivers);
    run->receivers = NULL;
}
