/* See beside.h. Only the uploading thread uses its handle while it runs. A flag, at which the
 * sender's timer looks, tells that it has ended; its fault is reported after that. */
#include "beside.h"

#include "common/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECEIVER   "u0"
#define TEXT_BYTES 100

/* ---- the messages ---- */

struct stream {
    struct client *client;       /* borrowed: from the verb */
    struct histogram *histogram; /* borrowed: from the verb */
    struct ticking ticking;
    char text[TEXT_BYTES + 1];
    int64_t begin_us;
    double interval_us;
    uint64_t sent;
    uint64_t acknowledged;
};

struct sent {
    struct stream *stream; /* borrowed: whose it is */
    int64_t due_us;
};

static void acknowledged(void *arg, const zchat_reply *reply) {
    struct sent *sent = arg;
    struct stream *stream = sent->stream;
    if (client_answered(stream->client, reply, "a message was refused"))
        histogram_add(stream->histogram, clock_us() - sent->due_us);
    stream->acknowledged++;
    free(sent);
}

static bool send_one(struct stream *stream, int64_t due_us) {
    struct sent *sent = malloc(sizeof *sent);
    if (!sent) {
        bench_fail(stream->client->bench, "no memory");
        return false;
    }
    *sent = (struct sent){stream, due_us};
    if (!client_accepts(
            stream->client,
            zchat_send(stream->client->z, RECEIVER, stream->text, NULL, false, acknowledged, sent),
            "a message can't be sent")) {
        free(sent);
        return false;
    }
    stream->sent++;
    return true;
}

static void send_due(void *arg) {
    struct stream *stream = arg;
    int64_t now_us = clock_us(), due_us;
    do {
        due_us = stream->begin_us + (int64_t)((double)(stream->sent + 1) * stream->interval_us);
    } while (due_us <= now_us && send_one(stream, due_us));
}

static bool stream_begin(struct stream *stream, struct client *client,
                         struct histogram *histogram) {
    struct bench *bench = client->bench;
    *stream = (struct stream){.client = client,
                              .histogram = histogram,
                              .begin_us = clock_us(),
                              .interval_us = 1e6 / (double)bench->settings->rate};
    memset(stream->text, 'x', TEXT_BYTES);
    return bench_tick(bench, &stream->ticking, (int64_t)stream->interval_us, send_due, stream);
}

static bool all_acknowledged(void *arg) {
    const struct stream *stream = arg;
    return stream->acknowledged == stream->sent;
}

static bool stream_end(struct stream *stream) {
    struct bench *bench = stream->client->bench;
    loop_unset(bench->loop, &stream->ticking.timer);
    return bench_wait(bench, BENCH_PATIENCE_US, all_acknowledged, stream, "an acknowledgement");
}

static bool measure_idle(struct beside *beside, struct client *sender) {
    struct bench *bench = sender->bench;
    struct stream stream;
    if (!stream_begin(&stream, sender, &beside->idle))
        return false;
    int64_t end_us = stream.begin_us + (int64_t)(bench->settings->seconds * 1e6);
    if (loop_run(bench->loop, end_us, NULL, NULL) == LOOP_STOPPED)
        bench_fail(bench, "interrupted");
    return stream_end(&stream) && !bench->failed;
}

/* ---- the uploads ---- */

struct uploads {
    struct client *client; /* borrowed: from the verb; only for the thread while it runs */
    const char *title;     /* borrowed: from the verb */
    const char *path;      /* borrowed: from the verb */
    int64_t end_us;
    uint64_t count;
    bool answered;
    zchat_code code;
    char text[256];
    atomic_bool ended;
};

static void answered(void *arg, const zchat_reply *reply) {
    struct uploads *uploads = arg;
    uploads->answered = true;
    uploads->code = reply->code;
    snprintf(uploads->text, sizeof uploads->text, "%s", reply->text);
}

static void upload_one(struct uploads *uploads) {
    zchat *z = uploads->client->z;
    char name[BENCH_NAME_BYTES];
    snprintf(name, sizeof name, "beside-%llu", (unsigned long long)uploads->count);
    uploads->answered = false;
    uploads->code = zchat_file_put(z, uploads->title, uploads->path, name, NULL, answered, uploads);
    if (uploads->code == ZCHAT_OK &&
        zchat_run(z, BENCH_PATIENCE_US / 1000, &uploads->answered) == ZCHAT_OK)
        return;
    uploads->code = uploads->code == ZCHAT_OK ? ZCHAT_EXPIRED : uploads->code;
    snprintf(uploads->text, sizeof uploads->text, "%s", zchat_error(z));
}

static void *upload_all(void *arg) {
    struct uploads *uploads = arg;
    do {
        upload_one(uploads);
        uploads->count += uploads->code == ZCHAT_OK;
    } while (uploads->code == ZCHAT_OK && clock_us() < uploads->end_us);
    atomic_store(&uploads->ended, true);
    return NULL;
}

static bool have_ended(void *arg) {
    struct uploads *uploads = arg;
    return atomic_load(&uploads->ended);
}

/* Waits for the thread in any case: its last upload has a time limit of its own. */
static bool measure_loaded(struct beside *beside, struct client *sender, struct uploads *uploads) {
    struct bench *bench = sender->bench;
    struct stream stream;
    pthread_t thread;
    if (!stream_begin(&stream, sender, &beside->loaded))
        return false;
    int64_t duration_us = (int64_t)(bench->settings->seconds * 1e6);
    uploads->end_us = stream.begin_us + duration_us;
    if (pthread_create(&thread, NULL, upload_all, uploads) != 0) {
        bench_fail(bench, "no thread");
        return false;
    }
    bench_wait(bench, BENCH_PATIENCE_US + duration_us, have_ended, uploads, "the uploads");
    pthread_join(thread, NULL);
    if (uploads->code != ZCHAT_OK)
        bench_fail(bench, "an upload: %s: %s", zchat_code_name(uploads->code), uploads->text);
    beside->uploads = uploads->count;
    return stream_end(&stream) && !bench->failed;
}

bool beside_measure(struct beside *beside, struct client *sender, struct client *uploader,
                    const char *title, const char *path) {
    struct uploads uploads = {.client = uploader, .title = title, .path = path};
    if (!measure_idle(beside, sender))
        return false;
    loop_remove(sender->bench->loop, zchat_fd(uploader->z));
    return measure_loaded(beside, sender, &uploads);
}
