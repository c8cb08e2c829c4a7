/* The model is a list of messages, and for each account which of them are in its inbox, its cursor
 * and whom it blocked. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES_MAX = 60000, TEXT_MAX = 600 };

struct message {
    unsigned char id[ID_BYTES];
    size_t from;
    size_t to;
    size_t text; /* which one, see text_of; nothing where it takes another one back */
    enum store_about about;
    size_t original; /* which message it is about */
    size_t gone_by;  /* the last one that took this one back, if that is stored; 0: none */
    int64_t time_us;
    uint64_t from_seq;
    uint64_t to_seq;
};

/* Lengths and small things only: what they point to grows and never changes. */
struct state {
    size_t messages;
    size_t heads[MODEL_ACCOUNTS];
    size_t cursors[MODEL_ACCOUNTS];
    bool blocks[MODEL_ACCOUNTS][MODEL_ACCOUNTS];
};

struct model {
    struct fixture *fixture; /* borrowed: from the test */
    uint64_t random;
    int64_t accounts[MODEL_ACCOUNTS];
    char names[MODEL_ACCOUNTS][NAME_BYTES];
    struct message *messages;        /* owned */
    size_t *inboxes[MODEL_ACCOUNTS]; /* owned: messages, from sequence number 1 on */
    struct state now;
    struct state committed;
    bool amends_nothing;
};

static size_t below(struct model *model, size_t end) {
    model->random ^= model->random << 13;
    model->random ^= model->random >> 7;
    model->random ^= model->random << 17;
    return (size_t)(model->random % end);
}

/* The texts differ in length, so that some need overflow pages of the database. */
static void text_of(size_t number, char text[TEXT_MAX]) {
    int start = snprintf(text, TEXT_MAX, "text %zu ", number);
    size_t bytes = (size_t)start + number * 37 % (TEXT_MAX - 64);
    memset(text + start, 'x', bytes - (size_t)start);
    text[bytes] = '\0';
}

static void text_of_message(const struct message *message, char text[TEXT_MAX]) {
    text_of(message->text, text);
    if (message->about == STORE_RETRACTS)
        text[0] = '\0';
}

struct model *model_new(struct fixture *fixture, uint64_t seed) {
    struct model *model = calloc(1, sizeof *model);
    assert_non_null(model);
    model->fixture = fixture;
    model->random = seed * 2 + 1;
    model->messages = calloc(MESSAGES_MAX, sizeof *model->messages);
    assert_non_null(model->messages);
    for (size_t i = 0; i < MODEL_ACCOUNTS; i++) {
        model->inboxes[i] = calloc(MESSAGES_MAX, sizeof *model->inboxes[i]);
        assert_non_null(model->inboxes[i]);
        (void)snprintf(model->names[i], NAME_BYTES, "user%zu", i);
        model->accounts[i] = fixture_account(fixture, model->names[i]);
    }
    return model;
}

void model_free(struct model *model) {
    for (size_t i = 0; i < MODEL_ACCOUNTS; i++)
        free(model->inboxes[i]);
    free(model->messages);
    free(model);
}

void model_amend_nothing(struct model *model) {
    model->amends_nothing = true;
}

size_t model_messages(const struct model *model) {
    return model->now.messages;
}

/* ---- sending ---- */

/* What a message counts in a quota. */
static uint64_t bytes_of(const struct model *model, size_t number) {
    char text[TEXT_MAX];
    text_of_message(&model->messages[number], text);
    return INBOX_ENTRY_BYTES + strlen(text);
}

static uint64_t or_default(uint64_t option, uint64_t otherwise) {
    return option > 0 ? option : otherwise;
}

static enum store_status quota(const struct model *model, size_t from, size_t to) {
    const struct state *now = &model->now;
    size_t total = 0;
    size_t same = 0;
    uint64_t total_bytes = 0, same_bytes = 0;
    for (size_t seq = now->cursors[to] + 1; seq <= now->heads[to]; seq++) {
        size_t author = model->messages[model->inboxes[to][seq]].from;
        total += author != to;
        same += author != to && author == from;
        uint64_t bytes = bytes_of(model, model->inboxes[to][seq]);
        total_bytes += author != to ? bytes : 0;
        same_bytes += author != to && author == from ? bytes : 0;
    }
    const struct store_options *options = &model->fixture->options;
    if (total >= options->unread_max ||
        total_bytes >= or_default(options->unread_bytes_max, INBOX_UNREAD_BYTES_MAX))
        return STORE_QUOTA_INBOX;
    return same >= options->unread_per_sender_max ||
                   same_bytes >= or_default(options->unread_bytes_per_sender_max,
                                            INBOX_UNREAD_BYTES_PER_SENDER_MAX)
               ? STORE_QUOTA_SENDER
               : STORE_OK;
}

/* A crash may have taken back what took it back. */
static bool is_gone(const struct model *model, size_t number) {
    size_t by = model->messages[number].gone_by;
    return by > 0 && by < model->now.messages && model->messages[by].about == STORE_RETRACTS &&
           model->messages[by].original == number;
}

static enum store_status original_status(const struct model *model, const struct message *message) {
    const struct message *original = &model->messages[message->original];
    if (original->from != message->from && original->to != message->from)
        return STORE_NO_MESSAGE;
    if (original->from != message->from)
        return STORE_NOT_OWNER;
    if (original->to != message->to)
        return STORE_OTHER_PERSON;
    if (original->about)
        return STORE_NO_ORIGINAL;
    return is_gone(model, message->original) ? STORE_RETRACTED : STORE_OK;
}

static enum store_status expected(const struct model *model, const struct message *message) {
    if (message->from == message->to)
        return STORE_SELF;
    if (model->now.blocks[message->from][message->to])
        return STORE_BLOCKED;
    if (model->now.blocks[message->to][message->from])
        return STORE_BLOCKED_BY;
    enum store_status status = message->about ? original_status(model, message) : STORE_OK;
    if (status != STORE_OK)
        return status;
    return quota(model, message->from, message->to);
}

static enum store_status send(struct model *model, const struct message *message,
                              struct store_message_stored *stored) {
    char text[TEXT_MAX];
    text_of_message(message, text);
    struct store_message_new new = {
        .id = message->id,
        .author = model->accounts[message->from],
        .to = model->names[message->to],
        .text = text,
        .text_bytes = strlen(text),
        .time_us = ++model->fixture->now_us,
        .about = message->about,
        .original = message->about ? model->messages[message->original].id : NULL,
    };
    return store_message_append(model->fixture->store, &new, stored);
}

static uint64_t enter(struct model *model, size_t account, size_t number) {
    size_t seq = ++model->now.heads[account];
    model->inboxes[account][seq] = number;
    return seq;
}

/* What it is about may be anything; mostly it is from and to those whom that one was. */
static void be_about_some(struct model *model, struct message *message) {
    if (model->amends_nothing || model->now.messages == 0 || below(model, 5) > 0)
        return;
    message->original = below(model, model->now.messages);
    message->about = below(model, 3) == 0 ? STORE_RETRACTS : STORE_CORRECTS;
    if (below(model, 10) > 0) {
        message->from = model->messages[message->original].from;
        message->to = model->messages[message->original].to;
    }
}

/* false: the store failed, and what is expected of it stays as it was. */
static bool send_new(struct model *model) {
    struct store_message_stored stored;
    struct message message = {.from = below(model, MODEL_ACCOUNTS),
                              .to = below(model, MODEL_ACCOUNTS),
                              .text = below(model, 1000)};
    fixture_id(model->fixture, message.id);
    be_about_some(model, &message);
    if (model->now.messages == MESSAGES_MAX - 1)
        return true;
    enum store_status expects = expected(model, &message);
    enum store_status is = send(model, &message, &stored);
    if (is == STORE_FAILED)
        return false;
    assert_int_equal(is, expects);
    if (is != STORE_OK)
        return true;
    size_t *cursor = &model->now.cursors[message.from];
    *cursor += *cursor == model->now.heads[message.from];
    message.to_seq = enter(model, message.to, model->now.messages);
    message.from_seq = enter(model, message.from, model->now.messages);
    message.time_us = model->fixture->now_us;
    if (message.about == STORE_RETRACTS)
        model->messages[message.original].gone_by = model->now.messages;
    model->messages[model->now.messages++] = message;
    assert_false(stored.again);
    assert_int_equal(stored.author_seq, message.from_seq);
    assert_int_equal(stored.recipient_seq, message.to_seq);
    assert_int_equal(stored.time_us, message.time_us);
    assert_int_equal(stored.recipient, model->accounts[message.to]);
    return true;
}

static void retry(struct model *model, const struct message *message) {
    struct store_message_stored stored;
    assert_ok(send(model, message, &stored));
    assert_true(stored.again);
    assert_int_equal(stored.author_seq, message->from_seq);
    assert_int_equal(stored.recipient_seq, message->to_seq);
    assert_int_equal(stored.time_us, message->time_us);
    assert_int_equal(stored.recipient, model->accounts[message->to]);
}

static void retry_some(struct model *model) {
    if (model->now.messages > 0)
        retry(model, &model->messages[below(model, model->now.messages)]);
}

static void reuse_some(struct model *model) {
    struct store_message_stored stored;
    if (model->now.messages == 0)
        return;
    struct message message = model->messages[below(model, model->now.messages)];
    if (message.about && below(model, 2) == 0) {
        message.about = message.about == STORE_CORRECTS ? STORE_RETRACTS : STORE_CORRECTS;
    } else if (message.about != STORE_RETRACTS && below(model, 2) == 0) {
        message.text++;
    } else {
        size_t from = message.from;
        message.from = message.to;
        message.to = from;
    }
    assert_int_equal(send(model, &message, &stored), STORE_ID_REUSED);
}

/* ---- reading ---- */

struct reading {
    const struct model *model;
    size_t account;
    size_t seq;
    size_t left;
};

static bool read_one(void *arg, const struct store_message *is) {
    struct reading *reading = arg;
    const struct model *model = reading->model;
    char text[TEXT_MAX];
    assert_int_equal(is->seq, ++reading->seq);
    assert_true(is->seq <= model->now.heads[reading->account]);
    const struct message *message = &model->messages[model->inboxes[reading->account][is->seq]];
    text_of_message(message, text);
    assert_int_equal(is->about, message->about);
    if (message->about)
        assert_memory_equal(is->original, model->messages[message->original].id, ID_BYTES);
    assert_memory_equal(is->id, message->id, ID_BYTES);
    assert_string_equal(is->from, model->names[message->from]);
    assert_string_equal(is->to, model->names[message->to]);
    assert_int_equal(is->time_us, message->time_us);
    assert_int_equal(is->text_bytes, strlen(text));
    assert_memory_equal(is->text, text, is->text_bytes);
    return --reading->left > 0;
}

/* Half of the time `each` ends the page, half of the time the limit does. */
static size_t read_page(struct model *model, size_t account, size_t after, size_t limit) {
    struct reading reading = {model, account, after, limit};
    bool by_limit = below(model, 2) == 0;
    reading.left += by_limit;
    assert_ok(store_inbox_read(model->fixture->store, model->accounts[account], after,
                               by_limit ? limit : limit + 5, read_one, &reading));
    size_t there = model->now.heads[account] - after;
    assert_int_equal(reading.seq - after, there < limit ? there : limit);
    return reading.seq;
}

static void read_some(struct model *model) {
    size_t account = below(model, MODEL_ACCOUNTS);
    read_page(model, account, below(model, model->now.heads[account] + 1), 1 + below(model, 60));
}

/* ---- cursors and blocks ---- */

static void move_cursor(struct model *model) {
    size_t account = below(model, MODEL_ACCOUNTS);
    size_t head = model->now.heads[account];
    size_t to = below(model, 3) == 0 ? below(model, head + 5) : head - below(model, head / 8 + 1);
    size_t *cursor = &model->now.cursors[account];
    uint64_t is = 0;
    assert_ok(store_cursor_move(model->fixture->store, model->accounts[account], to, &is));
    to = to > head ? head : to;
    *cursor = to > *cursor ? to : *cursor;
    assert_int_equal(is, *cursor);
}

static void block_or_unblock(struct model *model) {
    size_t account = below(model, MODEL_ACCOUNTS);
    size_t other = below(model, MODEL_ACCOUNTS);
    bool *blocked = &model->now.blocks[account][other];
    int64_t is = 0;
    if (account == other)
        return;
    enum store_status added = store_block_add(model->fixture->store, model->accounts[account],
                                              model->names[other], 1, &is);
    assert_int_equal(added, *blocked ? STORE_EXISTS : STORE_OK);
    if (*blocked || below(model, 4) > 0) {
        assert_ok(store_block_remove(model->fixture->store, model->accounts[account],
                                     model->names[other]));
        *blocked = false;
    } else {
        *blocked = true;
    }
}

/* ---- the run ---- */

static void operate(struct model *model) {
    size_t dice = below(model, 100);
    if (dice < 70)
        assert_true(send_new(model));
    else if (dice < 77)
        retry_some(model);
    else if (dice < 80)
        reuse_some(model);
    else if (dice < 88)
        move_cursor(model);
    else if (dice < 97)
        read_some(model);
    else
        block_or_unblock(model);
}

void model_begin_some(struct model *model) {
    fixture_begin(model->fixture);
    for (size_t left = 1 + below(model, 40); left > 0; left--)
        operate(model);
}

static void maintain(struct model *model) {
    bool more;
    assert_ok(store_maintain(model->fixture->store, &more));
}

void model_run(struct model *model, size_t operations) {
    for (size_t done = 0; done < operations; done += 20) {
        model_begin_some(model);
        if (below(model, 2) == 0)
            maintain(model);
        fixture_commit(model->fixture);
        model->committed = model->now;
        if (below(model, 2) == 0)
            maintain(model);
        if (below(model, 60) == 0)
            fixture_reopen(model->fixture);
    }
}

enum store_status model_try(struct model *model) {
    enum store_status status = store_begin(model->fixture->store);
    for (size_t left = 1 + below(model, 40); status == STORE_OK && left > 0; left--)
        status = send_new(model) ? STORE_OK : STORE_FAILED;
    bool more;
    if (status == STORE_OK)
        status = store_maintain(model->fixture->store, &more);
    enum store_status committed = store_commit(model->fixture->store);
    assert_true(status == STORE_OK || committed == STORE_FAILED);
    if (committed == STORE_OK)
        model->committed = model->now;
    return committed;
}

static void check_blocks(struct model *model, size_t account) {
    bool any = false;
    for (size_t other = 0; other < MODEL_ACCOUNTS; other++) {
        bool blocked = model->now.blocks[account][other];
        any = any || blocked || model->now.blocks[other][account];
        assert_int_equal(
            store_block_is(model->fixture->store, model->accounts[account], model->accounts[other]),
            blocked);
    }
    assert_int_equal(store_block_any(model->fixture->store, model->accounts[account]), any);
}

void model_check(struct model *model) {
    for (size_t account = 0; account < MODEL_ACCOUNTS; account++) {
        fixture_expect_state(model->fixture, model->accounts[account], model->now.heads[account],
                             model->now.cursors[account]);
        for (size_t seq = 0; seq < model->now.heads[account];)
            seq = read_page(model, account, seq, 1 + below(model, 500));
        check_blocks(model, account);
    }
    assert_int_equal(store_message_count(model->fixture->store), model->now.messages);
    fixture_begin(model->fixture);
    for (size_t i = 0; i < model->now.messages; i++)
        retry(model, &model->messages[i]);
    fixture_commit(model->fixture);
}

void model_roll_back(struct model *model) {
    model->now = model->committed;
}

void model_resolve(struct model *model) {
    struct store *store = model->fixture->store;
    bool kept = store_message_count(store) == model->now.messages;
    for (size_t account = 0; account < MODEL_ACCOUNTS && kept; account++) {
        uint64_t head = 0;
        uint64_t cursor = 0;
        assert_ok(store_inbox_state(store, model->accounts[account], &head, &cursor));
        kept = head == model->now.heads[account] && cursor == model->now.cursors[account];
    }
    for (size_t pair = 0; pair < MODEL_ACCOUNTS * MODEL_ACCOUNTS && kept; pair++) {
        size_t account = pair / MODEL_ACCOUNTS;
        size_t other = pair % MODEL_ACCOUNTS;
        kept = store_block_is(store, model->accounts[account], model->accounts[other]) ==
               model->now.blocks[account][other];
    }
    if (kept)
        model->committed = model->now;
    else
        model->now = model->committed;
}
