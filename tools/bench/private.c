/* Two handles, each with a device of its own, and a private chat between them. In a run one of them
 * sends from the main thread, and the other one receives in a thread of its own, as in the plain
 * pair. Each line begins with its number, so the receiver knows which line has to come next. The
 * side that finds something wrong ends the chat, and the fault is reported after the thread has
 * ended. */
#include "private.h"

#include "client.h"
#include "common/clock.h"
#include "curve_copy.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SENDER     "u0"
#define RECEIVER   "u1"
#define RUNS_MAX   99
#define LINE_BYTES (16 * 1024 + 1)
#define DIGITS     20

struct sender {
    struct client client;
    char line[LINE_BYTES]; /* the last one sent */
    uint64_t sent;
    uint64_t acknowledged;
    char wrong[256];
};

struct receiver {
    struct client client;  /* only for the thread while it runs */
    char line[LINE_BYTES]; /* the last one that came */
    uint64_t left;
    bool done; /* all came, or it makes no sense to go on */
    char wrong[256];
};

struct private {
    struct bench bench;
    const struct settings *settings; /* borrowed: from main */
    struct sender sender;
    struct receiver receiver;
    bool open;
    double chat_s[RUNS_MAX];
    double plain_s[RUNS_MAX];
};

/* ---- the lines ---- */

static void line_init(char line[LINE_BYTES], size_t bytes) {
    memset(line, 'x', bytes);
    memset(line, '0', DIGITS);
    line[bytes] = 0;
}

static void line_next(char line[LINE_BYTES]) {
    char *digit = line + DIGITS - 1;
    while (*digit == '9')
        *digit-- = '0';
    ++*digit;
}

static void line_came(struct receiver *receiver, const char *line) {
    if (receiver->wrong[0])
        return;
    line_next(receiver->line);
    if (strcmp(line, receiver->line) == 0) {
        receiver->left--;
        receiver->done = receiver->left == 0;
        return;
    }
    snprintf(receiver->wrong, sizeof receiver->wrong, "line %.*s was due, and %.*s came", DIGITS,
             receiver->line, DIGITS, line);
    receiver->done = true;
}

/* ---- the chat ---- */

static void opened(void *arg, const zchat_reply *reply) {
    struct private *private = arg;
    private->open =
        client_answered(&private->sender.client, reply, "the private chat") || private->open;
}

static void to_sender(void *arg, const zchat_event *event) {
    struct private *private = arg;
    if (event->kind == ZCHAT_EVENT_PRIVATE_BROKEN || event->kind == ZCHAT_EVENT_PRIVATE_CLOSED)
        snprintf(private->sender.wrong, sizeof private->sender.wrong, "%s", event->text);
}

static void to_receiver(void *arg, const zchat_event *event) {
    struct private *private = arg;
    struct receiver *receiver = &private->receiver;
    switch (event->kind) {
    case ZCHAT_EVENT_PRIVATE_INVITED:
        client_accepts(&receiver->client,
                       zchat_private_accept(receiver->client.z, event->user, NULL, NULL), "accept");
        break;
    case ZCHAT_EVENT_PRIVATE_LINE:
        line_came(receiver, event->text);
        break;
    case ZCHAT_EVENT_PRIVATE_BROKEN:
    case ZCHAT_EVENT_PRIVATE_CLOSED:
        if (!receiver->wrong[0])
            snprintf(receiver->wrong, sizeof receiver->wrong, "%s", event->text);
        receiver->done = true;
        break;
    default:
        break;
    }
}

static bool all_logged_in(void *arg) {
    const struct private *private = arg;
    return private->sender.client.logged_in && private->receiver.client.logged_in;
}

static bool is_open(void *arg) {
    const struct private *private = arg;
    return private->open;
}

static bool log_in(struct private *private) {
    const zchat_login_options login = {.online = true, .private_chats = true};
    struct client *sender = &private->sender.client, *receiver = &private->receiver.client;
    if (!client_open(sender, &private->bench, 0) || !client_open(receiver, &private->bench, 1))
        return false;
    sender->on_private = to_sender;
    receiver->on_private = to_receiver;
    sender->arg = receiver->arg = private;
    client_login(sender, SENDER, &login);
    client_login(receiver, RECEIVER, &login);
    return bench_wait(&private->bench, BENCH_PATIENCE_US, all_logged_in, private, "the login");
}

/* From here on only the receiver's thread processes its handle. */
static bool open_chat(struct private *private) {
    struct client *sender = &private->sender.client;
    if (!client_accepts(sender, zchat_private_start(sender->z, RECEIVER, opened, private),
                        "the invitation") ||
        !bench_wait(&private->bench, BENCH_PATIENCE_US, is_open, private, "the private chat"))
        return false;
    loop_remove(private->bench.loop, zchat_fd(private->receiver.client.z));
    return true;
}

/* ---- a run ---- */

static void send_more(struct private *private);

static void acknowledged(void *arg, const zchat_reply *reply) {
    struct private *private = arg;
    struct sender *sender = &private->sender;
    if (reply->code == ZCHAT_OK) {
        sender->acknowledged++;
        send_more(private);
    } else if (!sender->wrong[0]) {
        snprintf(sender->wrong, sizeof sender->wrong, "%s", reply->text);
    }
}

static void send_more(struct private *private) {
    const struct settings *settings = private->settings;
    struct sender *sender = &private->sender;
    while (sender->sent < settings->lines &&
           sender->sent - sender->acknowledged < settings->window) {
        line_next(sender->line);
        sender->sent++;
        zchat_code code =
            zchat_private_send(sender->client.z, RECEIVER, sender->line, acknowledged, private);
        if (!client_accepts(&sender->client, code, "a line can't be sent"))
            return;
    }
}

static bool all_acknowledged(void *arg) {
    const struct private *private = arg;
    const struct sender *sender = &private->sender;
    return sender->acknowledged == private->settings->lines || sender->wrong[0];
}

static void *receive(void *arg) {
    struct receiver *receiver = arg;
    zchat *z = receiver->client.z;
    if (zchat_run(z, BENCH_PATIENCE_US / 1000, &receiver->done) != ZCHAT_OK)
        snprintf(receiver->wrong, sizeof receiver->wrong, "receiving: %s", zchat_error(z));
    if (receiver->wrong[0] && zchat_private_stop(z, SENDER, NULL, NULL) == ZCHAT_OK)
        zchat_process(z);
    return NULL;
}

static bool through_chat(struct private *private, double *took_s) {
    struct receiver *receiver = &private->receiver;
    struct sender *sender = &private->sender;
    pthread_t thread;
    sender->sent = sender->acknowledged = 0;
    receiver->left = private->settings->lines;
    receiver->done = false;
    if (pthread_create(&thread, NULL, receive, receiver) != 0) {
        bench_fail(&private->bench, "no thread");
        return false;
    }
    int64_t begin_us = clock_us();
    send_more(private);
    if (!bench_wait(&private->bench, BENCH_PATIENCE_US, all_acknowledged, private, "acknowledging"))
        client_close(&sender->client);
    *took_s = (double)(clock_us() - begin_us) / 1e6;
    pthread_join(thread, NULL);
    if (receiver->wrong[0] || sender->wrong[0])
        bench_fail(&private->bench, "%s", receiver->wrong[0] ? receiver->wrong : sender->wrong);
    return !private->bench.failed;
}

static bool through_plain_pair(struct private *private, double *took_s) {
    const struct settings *settings = private->settings;
    int64_t took_us;
    if (!curve_pair(settings->lines, settings->size_bytes, settings->batch, &took_us)) {
        bench_fail(&private->bench, "the plain pair failed");
        return false;
    }
    *took_s = (double)took_us / 1e6;
    return true;
}

/* ---- the whole ---- */

static int compare(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

/* The rate of the median run; sorts the times. */
static double lines_per_s(const struct settings *settings, double *times_s) {
    size_t runs = (size_t)settings->runs;
    qsort(times_s, runs, sizeof *times_s, compare);
    return (double)settings->lines / ((times_s[(runs - 1) / 2] + times_s[runs / 2]) / 2);
}

static void print_report(struct private *private) {
    const struct settings *settings = private->settings;
    double chat = lines_per_s(settings, private->chat_s);
    double plain = lines_per_s(settings, private->plain_s);
    printf("{\"bench\":\"private\",\"lines_per_s\":%.0f,\"plain_lines_per_s\":%.0f,"
           "\"ratio\":%.3f,\"lines\":%" PRIu64 ",\"size_bytes\":%" PRIu64 ",\"window\":%" PRIu64
           ",\"batch\":%" PRIu64 ",\"runs\":%" PRIu64 ",\"pin\":%s}\n",
           chat, plain, chat / plain, settings->lines, settings->size_bytes, settings->window,
           settings->batch, settings->runs, settings->pin ? "true" : "false");
}

static bool go(struct private *private) {
    const struct settings *settings = private->settings;
    line_init(private->sender.line, settings->size_bytes);
    line_init(private->receiver.line, settings->size_bytes);
    const struct bench_accounts accounts = {.accounts = 2, .accounts_per_key = 1};
    if (!bench_init(&private->bench, settings, &accounts) || !log_in(private) ||
        !open_chat(private))
        return false;
    for (uint64_t run = 0; run < settings->runs; run++)
        if (!through_plain_pair(private, &private->plain_s[run]) ||
            !through_chat(private, &private->chat_s[run]))
            return false;
    print_report(private);
    return true;
}

int private_main(const struct settings *settings) {
    struct private *private = calloc(1, sizeof *private);
    if (!private) {
        fputs("zchat-bench: no memory\n", stderr);
        return 1;
    }
    private->settings = settings;
    bool good = go(private) && !private->bench.failed;
    client_close(&private->sender.client);
    client_close(&private->receiver.client);
    bench_release(&private->bench);
    free(private);
    return good && fflush(stdout) == 0 ? 0 : 1;
}
