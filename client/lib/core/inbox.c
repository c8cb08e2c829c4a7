/* Handing out the inbox.
 *
 * At most one page is under way. An event beyond the next one only raises `head`, and whenever
 * `head` is above `position` a page is fetched: so holes, lost last events and missed ones are all
 * the same case. The broker's log decides: if a page begins later than asked, the entries before it
 * are gone for ever, and if its head is lower than the position, the store was restored from a
 * backup. */
#include "inbox.h"

#include "limits.h"
#include "text.h"

#include <string.h>

/* A received entry is acknowledged with the next frame, or after this time. */
#define ACK_US (800 * INT64_C(1000))
/* A fetch that failed or brought nothing is tried again after this time. */
#define RETRY_US (1000 * INT64_C(1000))

static const char STREAM[] = "inbox";

void inbox_init(struct inbox *inbox, struct client *client) {
    *inbox = (struct inbox){.client = client, .ack_us = NEVER_US, .retry_us = NEVER_US};
}

static void fetch(struct inbox *inbox) {
    if (!inbox->active || inbox->fetching || !inbox->client->session.live ||
        inbox->position >= inbox->head || inbox->retry_us != NEVER_US)
        return;
    Zchat__V1__SyncRequest sync = ZCHAT__V1__SYNC_REQUEST__INIT;
    sync.stream = (char *)STREAM;
    sync.after_seq = inbox->position;
    sync.limit = SYNC_ENTRIES_MAX;
    if (client_ask(inbox->client, REQUEST_INBOX, COMMAND(SYNC), &sync.base))
        inbox->fetching = true;
    else
        inbox_retry(inbox);
}

static void ack_soon(struct inbox *inbox) {
    if (inbox->ack_us == NEVER_US)
        inbox->ack_us = inbox->client->now_us + ACK_US;
}

static void tell_synced(struct inbox *inbox) {
    if (inbox->active && !inbox->synced && inbox->position >= inbox->missed) {
        inbox->synced = true;
        client_tell(inbox->client, &(zchat_event){.kind = ZCHAT_EVENT_SYNCED});
    }
}

void inbox_start(struct inbox *inbox, const Zchat__V1__LoginResponse *reply) {
    const struct login *login = inbox->client->session.login;
    inbox_init(inbox, inbox->client);
    inbox->active = login->inbox;
    inbox->head = inbox->missed = reply->inbox_head;
    inbox->read = reply->inbox_cursor;
    inbox->position = reply->inbox_cursor;
    if (login->from_seq_set)
        inbox->position = login->from_seq > 0 ? login->from_seq - 1 : 0;
    if (inbox->active) {
        ack_soon(inbox);
        tell_synced(inbox);
        fetch(inbox);
    }
}

/* Whether the login asked to begin with an entry that does not exist yet. */
static bool waits_for_future(const struct inbox *inbox) {
    const struct login *login = inbox->client->session.login;
    return login->from_seq_set && inbox->position + 1 == login->from_seq;
}

void inbox_resume(struct inbox *inbox, const Zchat__V1__LoginResponse *reply) {
    inbox->head = reply->inbox_head;
    inbox->acked = 0;
    inbox_cursor(inbox, reply->inbox_cursor);
    ack_soon(inbox);
    if (inbox->position > inbox->head && !waits_for_future(inbox))
        inbox->position = inbox->head;
    fetch(inbox);
}

void inbox_stop(struct inbox *inbox) {
    requests_drop(&inbox->client->requests, REQUEST_INBOX);
    inbox_init(inbox, inbox->client);
}

void inbox_lost(struct inbox *inbox) {
    inbox->fetching = false;
    inbox->retry_us = inbox->ack_us = NEVER_US;
}

void inbox_retry(struct inbox *inbox) {
    inbox->fetching = false;
    inbox->retry_us = inbox->client->now_us + RETRY_US;
}

static void fill_original(const Zchat__V1__MessageEvent *body, zchat_message *message) {
    bool corrects = body->corrects.len == ID_BYTES;
    if (!corrects && body->retracts.len != ID_BYTES)
        return;
    message->about = corrects ? ZCHAT_ABOUT_CORRECTS : ZCHAT_ABOUT_RETRACTS;
    memcpy(message->original.bytes, corrects ? body->corrects.data : body->retracts.data, ID_BYTES);
}

bool inbox_message(const struct inbox *inbox, const Zchat__V1__ServerEvent *event,
                   zchat_message *message) {
    const Zchat__V1__MessageEvent *body = event->message;
    if (event->body_case == ZCHAT__V1__SERVER_EVENT__BODY_DAMAGED) {
        *message = (zchat_message){.seq = event->seq,
                                   .time_us = event->time_us,
                                   .from = "",
                                   .to = "",
                                   .text = "(damaged where the broker keeps it)",
                                   .missed = event->seq <= inbox->missed,
                                   .damaged = true};
        return true;
    }
    if (event->body_case != ZCHAT__V1__SERVER_EVENT__BODY_MESSAGE || body->id.len != ID_BYTES)
        return false;
    text_clean(body->text, strlen(body->text));
    text_clean_line(body->sender, strlen(body->sender));
    text_clean_line(body->to, strlen(body->to));
    *message = (zchat_message){.seq = event->seq,
                               .time_us = event->time_us,
                               .from = body->sender,
                               .to = body->to,
                               .text = body->text,
                               .sent = strcmp(body->sender, inbox->client->session.user) == 0,
                               .missed = event->seq <= inbox->missed};
    memcpy(message->id.bytes, body->id.data, ID_BYTES);
    fill_original(body, message);
    return true;
}

/* An entry of a kind that is newer than this library counts, but is not handed out. */
static void hand_out(struct inbox *inbox, const Zchat__V1__ServerEvent *event) {
    zchat_message message;
    inbox->position = event->seq;
    ack_soon(inbox);
    if (inbox_message(inbox, event, &message)) {
        client_tell(inbox->client, &(zchat_event){.kind = ZCHAT_EVENT_MESSAGE,
                                                  .seq = message.seq,
                                                  .time_us = message.time_us,
                                                  .id = message.id,
                                                  .user = message.from,
                                                  .text = message.text,
                                                  .message = &message});
    }
    tell_synced(inbox);
}

static void raise_head(struct inbox *inbox, uint64_t head) {
    if (head > inbox->head)
        inbox->head = head;
    fetch(inbox);
}

void inbox_event(struct inbox *inbox, const Zchat__V1__ServerEvent *event) {
    if (!inbox->active || event->seq <= inbox->position)
        return;
    if (event->seq == inbox->position + 1)
        hand_out(inbox, event);
    raise_head(inbox, event->seq);
}

void inbox_cursor(struct inbox *inbox, uint64_t cursor) {
    if (cursor > inbox->read) {
        inbox->read = cursor;
        client_tell(inbox->client, &(zchat_event){.kind = ZCHAT_EVENT_READ, .seq = cursor});
    }
}

void inbox_heads(struct inbox *inbox, const Zchat__V1__Heads *heads) {
    inbox_cursor(inbox, heads->cursor);
    if (inbox->active)
        raise_head(inbox, heads->inbox);
}

void inbox_page(struct inbox *inbox, const Zchat__V1__Reply *reply) {
    uint64_t before = inbox->position;
    inbox->fetching = false;
    if (reply->error || reply->body_case != ZCHAT__V1__REPLY__BODY_SYNC) {
        inbox_retry(inbox);
        return;
    }
    const Zchat__V1__SyncResponse *page = reply->sync;
    for (size_t i = 0; i < page->n_events && inbox->active; i++)
        if (page->events[i]->seq > inbox->position)
            hand_out(inbox, page->events[i]);
    if (!inbox->active)
        return;
    if (!page->more && inbox->position >= page->head) {
        inbox->missed = inbox->position < inbox->missed ? inbox->position : inbox->missed;
        tell_synced(inbox);
    } else if (inbox->position == before) {
        inbox->retry_us = inbox->client->now_us + RETRY_US;
    }
    raise_head(inbox, page->head);
}

/* ---- acknowledging ---- */

void inbox_want_read(struct inbox *inbox, uint64_t seq) {
    if (seq > inbox->read_wanted) {
        inbox->read_wanted = seq;
        ack_soon(inbox);
    }
}

/* The entries that this program has; a position that waits for a future entry does not count. */
static uint64_t have(const struct inbox *inbox) {
    return inbox->position < inbox->head ? inbox->position : inbox->head;
}

bool inbox_ack(const struct inbox *inbox, bool flush, Zchat__V1__AckRequest *ack) {
    bool due = flush || inbox->client->now_us >= inbox->ack_us - ACK_US / 2;
    if (inbox->ack_us == NEVER_US || !inbox->client->session.live)
        return false;
    ack->received = 0;
    ack->read = inbox->read_wanted;
    if (inbox->active && due && have(inbox) > inbox->acked)
        ack->received = have(inbox);
    return ack->received != 0 || ack->read != 0;
}

void inbox_acked(struct inbox *inbox, const Zchat__V1__AckRequest *ack) {
    if (ack->received != 0)
        inbox->acked = ack->received;
    inbox->read_wanted = 0;
    if (have(inbox) <= inbox->acked || !inbox->active)
        inbox->ack_us = NEVER_US;
    inbox_cursor(inbox, ack->read);
}

/* ---- time ---- */

void inbox_tick(struct inbox *inbox) {
    Zchat__V1__AckRequest ack;
    if (inbox->client->now_us >= inbox->ack_us && !inbox_ack(inbox, false, &ack))
        inbox->ack_us = NEVER_US;
    if (inbox->client->now_us >= inbox->retry_us) {
        inbox->retry_us = NEVER_US;
        fetch(inbox);
    }
}

int64_t inbox_deadline_us(const struct inbox *inbox) {
    return inbox->ack_us < inbox->retry_us ? inbox->ack_us : inbox->retry_us;
}
