/* The connections that read what arrives in the first accounts' inboxes, and mark it read as a
 * client does. */
#include "common/clock.h"
#include "run.h"

#include <stdlib.h>

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

static bool all_logged_in(void *arg) {
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
    return run->receivers &&
           bench_wait(&run->bench, BENCH_PATIENCE_US, all_logged_in, run, "the receivers' login");
}

void receivers_close(struct run *run) {
    for (uint64_t i = 0; run->receivers && i < run->settings->receivers; i++)
        client_close(&run->receivers[i].client);
    free(run->receivers);
    run->receivers = NULL;
}
