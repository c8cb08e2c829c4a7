/* Handing out the inbox.
 *
 * One page is under way at most. An event beyond the next one only raises `head`, and whatever
 * raises it above `position` leads to a fetch: so holes, lost last events and what was missed are
 * one case. The log is the truth: where a page begins later than asked, the entries before it are
 * gone for good, and where its head is lower than the position, a store was restored. */
#include "inbox.h"

#include "handle.h"

#include <string.h>

/* A received entry is acknowledged with the next frame, or after this. */
#define ACK_US (800 * INT64_C(1000))
/* A fetch that failed or told nothing is tried again after this. */
#define RETRY_US (1000 * INT64_C(1000))

static const char STREAM[] = "inbox";

void inbox_init(struct inbox *inbox) {
    memset(inbox, 0, sizeof *inbox);
    inbox->ack_us = inbox->retry_us = WAKE_NEVER;
}

static void fetch(zchat *z) {
    struct inbox *inbox = &z->inbox;
    if (!inbox->active || inbox->fetching || !z->session.live || inbox->position >= inbox->head ||
        inbox->retry_us != WAKE_NEVER) {
        return;
    }
    Zchat__V1__SyncRequest sync = ZCHAT__V1__SYNC_REQUEST__INIT;
    sync.stream = (char *)STREAM;
    sync.after_seq = inbox->position;
    sync.limit = SYNC_ENTRIES_MAX;
    if (handle_ask(z, REQUEST_INBOX, COMMAND(SYNC), &sync.base)) {
        inbox->fetching = true;
    } else {
        inbox_retry(z);
    }
}

static void ack_soon(zchat *z) {
    if (z->inbox.ack_us == WAKE_NEVER) {
        z->inbox.ack_us = z->now_us + ACK_US;
    }
}

static void tell_synced(zchat *z) {
    if (z->inbox.active && !z->inbox.synced && z->inbox.position >= z->inbox.missed) {
        z->inbox.synced = true;
        handle_tell(z, &(zchat_event){.kind = ZCHAT_EVENT_SYNCED});
    }
}

void inbox_start(zchat *z, const Zchat__V1__LoginResponse *reply) {
    const struct login *login = z->session.login;
    inbox_init(&z->inbox);
    z->inbox.active = login->inbox;
    z->inbox.head = z->inbox.missed = reply->inbox_head;
    z->inbox.read = reply->inbox_cursor;
    z->inbox.position = reply->inbox_cursor;
    if (login->from_seq_set) {
        z->inbox.position = login->from_seq > 0 ? login->from_seq - 1 : 0;
    }
    if (z->inbox.active) {
        ack_soon(z);
        tell_synced(z);
        fetch(z);
    }
}

/* The login asked to begin with an entry that does not exist yet. */
static bool waits_for_future(const zchat *z) {
    const struct login *login = z->session.login;
    return login->from_seq_set && z->inbox.position + 1 == login->from_seq;
}

void inbox_resume(zchat *z, const Zchat__V1__LoginResponse *reply) {
    struct inbox *inbox = &z->inbox;
    inbox->head = reply->inbox_head;
    inbox->acked = 0;
    inbox_cursor(z, reply->inbox_cursor);
    ack_soon(z);
    if (inbox->position > inbox->head && !waits_for_future(z)) {
        inbox->position = inbox->head;
    }
    fetch(z);
}

void inbox_stop(zchat *z) {
    requests_drop(&z->requests, REQUEST_INBOX);
    inbox_init(&z->inbox);
}

void inbox_lost(zchat *z) {
    z->inbox.fetching = false;
    z->inbox.retry_us = z->inbox.ack_us = WAKE_NEVER;
}

void inbox_retry(zchat *z) {
    z->inbox.fetching = false;
    z->inbox.retry_us = z->now_us + RETRY_US;
}

bool inbox_message(const zchat *z, const Zchat__V1__ServerEvent *event, zchat_message *message) {
    const Zchat__V1__MessageEvent *body = event->message;
    if (event->body_case == ZCHAT__V1__SERVER_EVENT__BODY__NOT_SET) {
        *message = (zchat_message){.seq = event->seq,
                                   .time_us = event->time_us,
                                   .from = "",
                                   .to = "",
                                   .text = "(damaged where the broker keeps it)",
                                   .missed = event->seq <= z->inbox.missed,
                                   .damaged = true};
        return true;
    }
    if (event->body_case != ZCHAT__V1__SERVER_EVENT__BODY_MESSAGE || body->id.len != ID_BYTES) {
        return false;
    }
    text_clean(body->text, strlen(body->text));
    text_clean_line(body->sender, strlen(body->sender));
    text_clean_line(body->to, strlen(body->to));
    *message = (zchat_message){.seq = event->seq,
                               .time_us = event->time_us,
                               .from = body->sender,
                               .to = body->to,
                               .text = body->text,
                               .sent = strcmp(body->sender, z->session.user) == 0,
                               .missed = event->seq <= z->inbox.missed};
    memcpy(message->id.bytes, body->id.data, ID_BYTES);
    return true;
}

/* An entry of a kind that this library is too old for counts, but is not handed out. */
static void hand_out(zchat *z, const Zchat__V1__ServerEvent *event) {
    zchat_message message;
    z->inbox.position = event->seq;
    ack_soon(z);
    if (inbox_message(z, event, &message)) {
        handle_tell(z, &(zchat_event){.kind = ZCHAT_EVENT_MESSAGE,
                                      .seq = message.seq,
                                      .time_us = message.time_us,
                                      .id = message.id,
                                      .user = message.from,
                                      .text = message.text,
                                      .message = &message});
    }
    tell_synced(z);
}

static void raise_head(zchat *z, uint64_t head) {
    if (head > z->inbox.head) {
        z->inbox.head = head;
    }
    fetch(z);
}

void inbox_event(zchat *z, const Zchat__V1__ServerEvent *event) {
    if (!z->inbox.active || event->seq <= z->inbox.position) {
        return;
    }
    if (event->seq == z->inbox.position + 1) {
        hand_out(z, event);
    }
    raise_head(z, event->seq);
}

void inbox_cursor(zchat *z, uint64_t cursor) {
    if (cursor > z->inbox.read) {
        z->inbox.read = cursor;
        handle_tell(z, &(zchat_event){.kind = ZCHAT_EVENT_READ, .seq = cursor});
    }
}

void inbox_heads(zchat *z, const Zchat__V1__Heads *heads) {
    inbox_cursor(z, heads->cursor);
    if (z->inbox.active) {
        raise_head(z, heads->inbox);
    }
}

void inbox_page(zchat *z, const Zchat__V1__Reply *reply) {
    struct inbox *inbox = &z->inbox;
    uint64_t before = inbox->position;
    inbox->fetching = false;
    if (reply->error || reply->body_case != ZCHAT__V1__REPLY__BODY_SYNC) {
        inbox_retry(z);
        return;
    }
    const Zchat__V1__SyncResponse *page = reply->sync;
    for (size_t i = 0; i < page->n_events && inbox->active; i++) {
        if (page->events[i]->seq > inbox->position) {
            hand_out(z, page->events[i]);
        }
    }
    if (!inbox->active) {
        return;
    }
    if (!page->more && inbox->position >= page->head) {
        inbox->missed = inbox->position < inbox->missed ? inbox->position : inbox->missed;
        tell_synced(z);
    } else if (inbox->position == before) {
        inbox->retry_us = z->now_us + RETRY_US;
    }
    raise_head(z, page->head);
}

/* ---- acknowledging ---- */

void inbox_want_read(zchat *z, uint64_t seq) {
    if (seq > z->inbox.read_wanted) {
        z->inbox.read_wanted = seq;
        ack_soon(z);
    }
}

/* A position that waits for a future entry is nothing that one has. */
static uint64_t have(const struct inbox *inbox) {
    return inbox->position < inbox->head ? inbox->position : inbox->head;
}

bool inbox_ack(const zchat *z, bool flush, Zchat__V1__AckRequest *ack) {
    const struct inbox *inbox = &z->inbox;
    bool due = flush || z->now_us >= inbox->ack_us - ACK_US / 2;
    if (inbox->ack_us == WAKE_NEVER || !z->session.live) {
        return false;
    }
    ack->received = 0;
    ack->read = inbox->read_wanted;
    if (inbox->active && due && have(inbox) > inbox->acked) {
        ack->received = have(inbox);
    }
    return ack->received != 0 || ack->read != 0;
}

void inbox_acked(zchat *z, const Zchat__V1__AckRequest *ack) {
    struct inbox *inbox = &z->inbox;
    if (ack->received != 0) {
        inbox->acked = ack->received;
    }
    inbox->read_wanted = 0;
    if (have(inbox) <= inbox->acked || !inbox->active) {
        inbox->ack_us = WAKE_NEVER;
    }
    inbox_cursor(z, ack->read);
}

/* ---- time ---- */

void inbox_tick(zchat *z) {
    Zchat__V1__AckRequest ack;
    if (z->now_us >= z->inbox.ack_us && !inbox_ack(z, false, &ack)) {
        z->inbox.ack_us = WAKE_NEVER;
    }
    if (z->now_us >= z->inbox.retry_us) {
        z->inbox.retry_us = WAKE_NEVER;
        fetch(z);
    }
}

int64_t inbox_deadline_us(const struct inbox *inbox) {
    return inbox->ack_us < inbox->retry_us ? inbox->ack_us : inbox->retry_us;
}
