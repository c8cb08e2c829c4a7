/* See client.h. */
#include "client.h"

#include <string.h>

static void on_event(void *arg, const zchat_event *event) {
    struct client *client = arg;
    switch (event->kind) {
    case ZCHAT_EVENT_MESSAGE:
        if (client->on_message)
            client->on_message(client->arg, event->message);
        break;
    case ZCHAT_EVENT_LOST:
        client->lost_connections++;
        fprintf(stderr, "zchat-bench: %s\n", event->text);
        break;
    case ZCHAT_EVENT_REFUSED:
    case ZCHAT_EVENT_SESSION_ENDED:
        bench_fail(client->bench, "%s", event->text);
        break;
    case ZCHAT_EVENT_PRIVATE_INVITED:
    case ZCHAT_EVENT_PRIVATE_OPEN:
    case ZCHAT_EVENT_PRIVATE_LINE:
    case ZCHAT_EVENT_PRIVATE_BROKEN:
    case ZCHAT_EVENT_PRIVATE_CLOSED:
        if (client->on_private)
            client->on_private(client->arg, event);
        break;
    default:
        break;
    }
}

static void process(void *arg) {
    struct client *client = arg;
    zchat_process(client->z); /* REFUSED tells if it gives up */
}

bool client_open(struct client *client, struct bench *bench, uint64_t group) {
    char config_dir[BENCH_PATH_BYTES];
    bench_config_dir(bench, group, config_dir);
    const zchat_options options = {.server = bench->server,
                                   .config_dir = config_dir,
                                   .trust_new = true,
                                   .client = "zchat-bench",
                                   .device = "zchat-bench",
                                   .on_event = on_event,
                                   .arg = client};
    char error[512];
    memset(client, 0, sizeof *client);
    client->bench = bench;
    client->source = (struct loop_source){process, client};
    if (zchat_new(&client->z, &options, error, sizeof error) != ZCHAT_OK)
        bench_fail(bench, "%s", error);
    else if (!loop_add(bench->loop, zchat_fd(client->z), &client->source))
        bench_fail(bench, "a connection can't be watched");
    return !bench->failed;
}

void client_close(struct client *client) {
    if (client->z)
        loop_remove(client->bench->loop, zchat_fd(client->z));
    zchat_free(client->z);
    client->z = NULL;
}

bool client_accepts(struct client *client, zchat_code code, const char *what) {
    if (code != ZCHAT_OK)
        bench_fail(client->bench, "%s: %s: %s", what, zchat_code_name(code),
                   zchat_error(client->z));
    return code == ZCHAT_OK;
}

bool client_answered(struct client *client, const zchat_reply *reply, const char *what) {
    if (reply->code != ZCHAT_OK)
        bench_fail(client->bench, "%s: %s: %s", what, zchat_code_name(reply->code), reply->text);
    return reply->code == ZCHAT_OK;
}

static void logged_in(void *arg, const zchat_reply *reply) {
    struct client *client = arg;
    if (!client_answered(client, reply, "login"))
        return;
    client->cursor = reply->cursor;
    client->logged_in = true;
}

void client_login(struct client *client, const char *user, const zchat_login_options *options) {
    zchat_login_options login = *options;
    login.user = user;
    client_accepts(client, zchat_login(client->z, &login, logged_in, client), "login");
}

uint64_t clients_logged_in(const struct client *clients, size_t stride, uint64_t count) {
    uint64_t found = 0;
    for (uint64_t i = 0; i < count; i++)
        found +=
            ((const struct client *)(const void *)((const char *)clients + i * stride))->logged_in;
    return found;
}
