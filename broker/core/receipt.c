/* See receipt.h. For each account whose reading somebody waits for there is a heap, with the first
 * message in its inbox on top: an Ack costs one look if nobody waits, and otherwise only as much as
 * there is to tell, however many wait for later messages. */
#include "receipt.h"

#include "memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* Somebody whose reading is waited for. */
struct reader {
    int64_t account;
    struct awaited **heap; /* owned; the waits: of the sessions */
    size_t count;
    size_t room;
    UT_hash_handle hh; /* by account */
};

/* A message that a session waits for. */
struct awaited {
    struct session *session; /* borrowed: has it in its list */
    struct reader *reader;   /* borrowed: the table's */
    uint64_t seq;            /* in the reader's inbox */
    unsigned char id[ID_BYTES];
    size_t at; /* in the reader's heap */
    struct awaited *next, *prev;
};

struct receipts {
    struct stats *stats;    /* borrowed: the core's */
    struct reader *readers; /* owned; only those with waits */
};

struct receipts *receipts_new(struct stats *stats) {
    struct receipts *receipts = memory_new(sizeof *receipts);

    receipts->stats = stats;
    return receipts;
}

void receipts_free(struct receipts *receipts) {
    assert(!receipts || !receipts->readers);
    free(receipts);
}

/* ---- the heap of one reader ---- */

static void heap_put(struct reader *reader, size_t at, struct awaited *awaited) {
    reader->heap[at] = awaited;
    awaited->at = at;
}

static void heap_up(struct reader *reader, struct awaited *awaited) {
    size_t at = awaited->at;

    for (; at > 0 && awaited->seq < reader->heap[(at - 1) / 2]->seq; at = (at - 1) / 2)
        heap_put(reader, at, reader->heap[(at - 1) / 2]);
    heap_put(reader, at, awaited);
}

static void heap_down(struct reader *reader, struct awaited *awaited) {
    size_t at = awaited->at, child;

    for (; (child = 2 * at + 1) < reader->count; at = child) {
        if (child + 1 < reader->count && reader->heap[child + 1]->seq < reader->heap[child]->seq)
            child++;
        if (awaited->seq <= reader->heap[child]->seq)
            break;
        heap_put(reader, at, reader->heap[child]);
    }
    heap_put(reader, at, awaited);
}

static void heap_add(struct reader *reader, struct awaited *awaited) {
    if (reader->count == reader->room) {
        reader->room = reader->room > 0 ? 2 * reader->room : 4;
        reader->heap = memory_resize(reader->heap, reader->room * sizeof *reader->heap);
    }
    awaited->at = reader->count++;
    heap_up(reader, awaited);
}

static void heap_remove(struct reader *reader, const struct awaited *awaited) {
    struct awaited *last = reader->heap[--reader->count];

    if (last == awaited)
        return;
    last->at = awaited->at;
    heap_up(reader, last);
    heap_down(reader, last);
}

/* ---- waits ---- */

static struct reader *reader_find(const struct receipts *receipts, int64_t account) {
    struct reader *reader = NULL;

    HASH_FIND(hh, receipts->readers, &account, sizeof account, reader);
    return reader;
}

static struct reader *reader_use(struct receipts *receipts, int64_t account) {
    struct reader *reader = reader_find(receipts, account);

    if (reader)
        return reader;
    reader = memory_new(sizeof *reader);
    reader->account = account;
    HASH_ADD(hh, receipts->readers, account, sizeof reader->account, reader);
    return reader;
}

/* Ends the wait; and forgets its reader, if that was their last one. */
static void awaited_end(struct receipts *receipts, struct awaited *awaited) {
    struct session *session = awaited->session;
    struct reader *reader = awaited->reader;

    heap_remove(reader, awaited);
    DL_DELETE(session->awaited, awaited);
    session->awaited_count--;
    receipts->stats->receipts_awaited--;
    free(awaited);
    if (reader->count > 0)
        return;
    HASH_DEL(receipts->readers, reader);
    free(reader->heap);
    free(reader);
}

static struct awaited *awaited_find(const struct session *session,
                                    const unsigned char id[ID_BYTES]) {
    struct awaited *awaited;

    DL_FOREACH(session->awaited, awaited) {
        if (!memcmp(awaited->id, id, ID_BYTES))
            break;
    }
    return awaited;
}

bool receipts_await(struct receipts *receipts, struct session *session,
                    const struct store_message_sent *sent) {
    struct awaited *awaited;

    if (awaited_find(session, sent->id))
        return true;
    if (session->awaited_count == AWAITED_MAX)
        return false;
    awaited = memory_new(sizeof *awaited);
    awaited->session = session;
    awaited->reader = reader_use(receipts, sent->recipient);
    awaited->seq = sent->recipient_seq;
    memcpy(awaited->id, sent->id, ID_BYTES);
    DL_APPEND(session->awaited, awaited);
    session->awaited_count++;
    receipts->stats->receipts_awaited++;
    heap_add(awaited->reader, awaited);
    return true;
}

void receipts_no_longer(struct receipts *receipts, struct session *session,
                        const unsigned char id[ID_BYTES]) {
    struct awaited *awaited = awaited_find(session, id);

    if (awaited)
        awaited_end(receipts, awaited);
}

void receipts_session_ends(struct receipts *receipts, struct session *session) {
    while (session->awaited)
        awaited_end(receipts, session->awaited);
}

void receipts_reader_ends(struct receipts *receipts, int64_t account) {
    struct reader *reader;

    while ((reader = reader_find(receipts, account)))
        awaited_end(receipts, reader->heap[0]);
}

static void tell(struct core *core, const struct member *reader, struct awaited *awaited,
                 int64_t now_us) {
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    Zchat__V1__MessageRead read = ZCHAT__V1__MESSAGE_READ__INIT;

    read.id.data = awaited->id;
    read.id.len = ID_BYTES;
    read.user = (char *)reader->name;
    event.time_us = core_wall_us(core, now_us);
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_MESSAGE_READ;
    event.message_read = &read;
    core->stats.receipts_total++;
    outbox_event_kept(core->outbox, &awaited->session->peer->line, &event);
}

void receipts_read(struct core *core, const struct member *reader, uint64_t cursor,
                   int64_t now_us) {
    struct reader *waited;

    while ((waited = reader_find(core->receipts, reader->account)) &&
           waited->heap[0]->seq <= cursor) {
        struct awaited *awaited = waited->heap[0];

        if (!core_is_hidden(core, awaited->session->member->account, reader->account))
            tell(core, reader, awaited, now_us);
        awaited_end(core->receipts, awaited);
    }
}
