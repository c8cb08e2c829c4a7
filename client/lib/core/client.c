/* What all parts build on: asking the broker, telling and answering the caller. */
#include "client.h"

#include "limits.h"

#include <stdlib.h>

void client_init(struct client *client, const struct command_row *rows) {
    requests_init(&client->requests, rows);
}

void client_forget_session(struct client *client) {
    struct session *session = &client->session;
    login_free(session->login);
    session->login = NULL;
    session->live = false;
    session->user[0] = '\0';
}

void client_release(struct client *client) {
    client_forget_session(client);
    requests_release(&client->requests);
    free(client->buffer);
    client->buffer = NULL;
}

/* ---- the caller ---- */

int64_t client_wall_us(const struct client *client) {
    return client->now_us + client->wall_ahead_us;
}

void client_tell(struct client *client, const zchat_event *event) {
    if (!client->on_event)
        return;
    if (event->text && event->user) {
        client->on_event(client->arg, event);
        return;
    }
    zchat_event told = *event;
    told.text = told.text ? told.text : "";
    told.user = told.user ? told.user : "";
    client->on_event(client->arg, &told);
}

void client_answer(struct request *request, const zchat_reply *reply) {
    zchat_reply told = *reply;
    told.text = told.text ? told.text : "";
    told.user = told.user ? told.user : "";
    told.software = told.software ? told.software : "";
    if (request->fn)
        request->fn(request->arg, &told);
    request_free(request);
}

void client_answer_all(struct client *client, zchat_code code, const char *text) {
    struct request_list all = {0};
    const zchat_reply reply = {.code = code, .text = text};
    requests_take_all(&client->requests, &all);
    for (struct request *request; (request = request_list_pop(&all));)
        client_answer(request, &reply);
}

/* ---- the broker ---- */

struct request *client_ask(struct client *client, enum request_owner owner, command_number command,
                           ProtobufCMessage *body) {
    struct request *request = requests_add(&client->requests, owner, command, body);
    if (request)
        client_stir(client);
    return request;
}

struct request *client_ask_as(struct client *client, const struct command_row *row,
                              command_number command, ProtobufCMessage *body) {
    struct request *request = requests_add_as(&client->requests, row, command, body);
    if (request)
        client_stir(client);
    return request;
}

/* If there is no memory for it, the next one comes in KEEP_ALIVE_S. */
void client_keep_alive(struct client *client) {
    Zchat__V1__KeepAliveRequest body = ZCHAT__V1__KEEP_ALIVE_REQUEST__INIT;
    client_ask(client, REQUEST_HEADS, COMMAND(KEEP_ALIVE), &body.base);
    client->last_sent_us = client->now_us;
}

unsigned char *client_buffer(struct client *client) {
    if (!client->buffer)
        client->buffer = malloc(CHUNK_BYTES_MAX);
    return client->buffer;
}

/* ---- the host ---- */

void client_stir(struct client *client) {
    if (client->host && !client->running)
        client->host->stir(client->host_arg);
}

void client_break_off(struct client *client, zchat_code code, const char *reason) {
    if (client->host)
        client->host->break_off(client->host_arg, code, reason);
}

void client_expect_end(struct client *client) {
    if (client->host)
        client->host->expect_end(client->host_arg);
}

void client_stop(struct client *client, zchat_code code, const char *text) {
    client->over = code;
    client->connected = false;
    if (client->host)
        client->host->stop(client->host_arg, code, text);
}

void client_listen(struct client *client) {
    if (client->host)
        client->host->listen(client->host_arg);
}

void client_unlisten(struct client *client) {
    if (client->host)
        client->host->unlisten(client->host_arg);
}

bool client_subscribe(struct client *client, const uint8_t *prefix, size_t prefix_bytes) {
    return client->listening && client->host->subscribe(client->host_arg, prefix, prefix_bytes);
}

void client_unsubscribe(struct client *client, const uint8_t *prefix, size_t prefix_bytes) {
    if (client->listening)
        client->host->unsubscribe(client->host_arg, prefix, prefix_bytes);
}
