#include "town.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct town *town_new(void) {
    struct town *town = calloc(1, sizeof *town);

    if (!town)
        abort();
    return town;
}

void town_free(struct town *town) {
    if (!town)
        return;
    for (int i = 0; i < ACCOUNTS_MAX; i++)
        free(town->inbox[i]);
    forum_release(&town->forum);
    free(town->messages);
    free(town->broadcasts);
    free(town);
}

static void *grown(void *array, size_t count, size_t element_bytes) {
    void *new = realloc(array, count * element_bytes);

    if (!new)
        abort();
    return new;
}

uint32_t town_message_new(struct town *town, const unsigned char id[ID_BYTES], int author, int to,
                          uint32_t text_bytes, uint64_t sent_by) {
    struct message *message;

    if (town->message_count == town->message_max) {
        town->message_max = town->message_max ? 2 * town->message_max : 256;
        town->messages = grown(town->messages, town->message_max, sizeof *town->messages);
    }
    message = &town->messages[town->message_count];
    memset(message, 0, sizeof *message);
    memcpy(message->id, id, ID_BYTES);
    message->author = author;
    message->to = to;
    message->text_bytes = text_bytes;
    message->sent_by = sent_by;
    return town->message_count++;
}

void town_message_about(struct town *town, enum store_about about, uint32_t original) {
    struct message *message = &town->messages[town->message_count - 1];

    message->about = about;
    message->original = original;
    if (about == STORE_RETRACTS)
        message->text_bytes = 0;
}

uint32_t town_broadcast_new(struct town *town, const unsigned char id[ID_BYTES], int author) {
    struct broadcast *broadcast;

    if (town->broadcast_count == town->broadcast_max) {
        town->broadcast_max = town->broadcast_max ? 2 * town->broadcast_max : 64;
        town->broadcasts = grown(town->broadcasts, town->broadcast_max, sizeof *town->broadcasts);
    }
    broadcast = &town->broadcasts[town->broadcast_count];
    memset(broadcast, 0, sizeof *broadcast);
    memcpy(broadcast->id, id, ID_BYTES);
    broadcast->author = author;
    return town->broadcast_count++;
}

bool town_is_stored(const struct town *town, const struct town_state *state, uint32_t item) {
    const struct message *message = &town->messages[item];
    uint64_t seq = message->author_seq;

    return seq != 0 && seq <= state->head[message->author] &&
           town->inbox[message->author][seq - 1] == item;
}

bool town_is_gone(const struct town *town, const struct town_state *state, uint32_t item) {
    uint32_t by = town->messages[item].gone_by;

    return town->messages[by].about == STORE_RETRACTS && town->messages[by].original == item &&
           town_is_stored(town, state, by);
}

static uint64_t inbox_add(struct town *town, int account, uint32_t item) {
    uint64_t seq = ++town->now.head[account];

    if (seq > town->inbox_max[account]) {
        town->inbox_max[account] = town->inbox_max[account] ? 2 * town->inbox_max[account] : 256;
        town->inbox[account] =
            grown(town->inbox[account], town->inbox_max[account], sizeof *town->inbox[account]);
    }
    town->inbox[account][seq - 1] = item;
    return seq;
}

void town_store(struct town *town, uint32_t item, int64_t time_us) {
    struct message *message = &town->messages[item];
    struct town_state *now = &town->now;
    bool has_read_all = now->cursor[message->author] == now->head[message->author];

    message->time_us = time_us;
    message->recipient_seq = inbox_add(town, message->to, item);
    message->author_seq = inbox_add(town, message->author, item);
    if (message->about == STORE_RETRACTS)
        town->messages[message->original].gone_by = item;
    if (has_read_all)
        now->cursor[message->author] = now->head[message->author];
}

void town_unread(const struct town *town, int account, int author, uint64_t *all,
                 uint64_t *of_author) {
    *all = *of_author = 0;
    for (uint64_t seq = town->now.cursor[account] + 1; seq <= town->now.head[account]; seq++) {
        const struct message *message = &town->messages[town->inbox[account][seq - 1]];

        *all += message->author != account;
        *of_author += message->author == author;
    }
}

bool town_item_of(const unsigned char *id, size_t id_bytes, uint32_t *item) {
    if (id_bytes != ID_BYTES)
        return false;
    memcpy(item, id + 12, sizeof *item);
    return true;
}

bool town_blocks(const struct town_state *state, int account, int other) {
    return state->block_until_us[account][other] == INT64_MAX;
}

bool town_hidden(const struct town_state *state, int a, int b) {
    return town_blocks(state, a, b) || town_blocks(state, b, a);
}

bool town_blocks_any(const struct town_state *state, int account) {
    for (int i = 0; i < ACCOUNTS_MAX; i++)
        if (town_hidden(state, account, i))
            return true;
    return false;
}

static bool stood(const struct town_state *state, int a, int b, int64_t at_us) {
    return state->block_from_us[a][b] < at_us && at_us < state->block_until_us[a][b];
}

bool town_was_hidden(const struct town_state *state, int a, int b, int64_t at_us) {
    return stood(state, a, b, at_us) || stood(state, b, a, at_us);
}

void message_text(uint32_t item, uint32_t bytes, char *text) {
    uint32_t length = bytes == 0 ? 0 : (uint32_t)sprintf(text, "m%u", (unsigned)item);

    for (; length < bytes; length++)
        text[length] = (char)('a' + length % 26);
    text[length] = '\0';
}

/* ---- the comparison with the store ---- */

struct reading {
    const struct town *town;
    int account;
    uint64_t seq;
    char *why;
    size_t why_bytes;
    bool fits;
};

static void differs(struct reading *reading, const char *what, uint64_t is, uint64_t should) {
    reading->fits = false;
    snprintf(reading->why, reading->why_bytes, "u%d: %s is %llu in the store, should be %llu",
             reading->account, what, (unsigned long long)is, (unsigned long long)should);
}

static bool entry_fits(void *arg, const struct store_message *entry) {
    struct reading *reading = arg;
    char text[TEXT_BYTES_MAX + 1];
    const struct message *message;
    uint32_t item, should = reading->town->inbox[reading->account][reading->seq];

    reading->seq++;
    message = &reading->town->messages[should];
    message_text(should, message->text_bytes, text);
    if (entry->seq != reading->seq)
        differs(reading, "a number in the inbox", entry->seq, reading->seq);
    else if (!town_item_of(entry->id, ID_BYTES, &item) || item != should)
        differs(reading, "the message at a place in the inbox", item, should);
    else if (entry->time_us != message->time_us || entry->text_bytes != message->text_bytes ||
             memcmp(entry->text, text, entry->text_bytes) != 0 || entry->about != message->about ||
             (message->about &&
              memcmp(entry->original, reading->town->messages[message->original].id, ID_BYTES) !=
                  0) ||
             account_of_name(entry->from) != message->author ||
             account_of_name(entry->to) != message->to)
        differs(reading, "what a message holds differs, whose number", item, should);
    return reading->fits;
}

static void inbox_fits(struct reading *reading, const struct town_state *state, struct store *store,
                       int64_t account) {
    uint64_t head = 0, cursor = 0;

    if (store_inbox_state(store, account, &head, &cursor))
        differs(reading, "the state of the inbox", 0, 1);
    else if (head != state->head[reading->account])
        differs(reading, "the inbox's head", head, state->head[reading->account]);
    else if (cursor != state->cursor[reading->account])
        differs(reading, "the cursor", cursor, state->cursor[reading->account]);
    else if (store_inbox_read(store, account, 0, SIZE_MAX, entry_fits, reading))
        differs(reading, "the reading of the inbox", 0, 1);
    else if (reading->fits && reading->seq != head)
        differs(reading, "the last entry of the inbox", reading->seq, head);
}

static void block_seen(void *arg, const char *name) {
    *(uint32_t *)arg |= UINT32_C(1) << account_of_name(name);
}

static void blocks_fit(struct reading *reading, const struct town_state *state, struct store *store,
                       int64_t account) {
    uint32_t is = 0, should = 0;

    for (int i = 0; i < ACCOUNTS_MAX; i++)
        should |= town_blocks(state, reading->account, i) ? UINT32_C(1) << i : 0;
    if (store_block_list(store, account, block_seen, &is) || is != should)
        differs(reading, "the set of the blocked", is, should);
}

static void devices_fit(struct reading *reading, const struct town_state *state,
                        struct store *store, int64_t account,
                        unsigned char keys[KEYS_MAX][KEY_BYTES]) {
    struct store_device devices[DEVICES_MAX];
    size_t count = 0, trusted = 0;

    if (store_device_list(store, account, devices, &count))
        differs(reading, "the list of devices", 0, 1);
    for (int key = 0; key < KEYS_MAX; key++) {
        uint64_t should = state->device[reading->account][key], is = 0;

        for (size_t i = 0; i < count; i++)
            if (!memcmp(devices[i].key, keys[key], KEY_BYTES))
                is = devices[i].device;
        if (is != should)
            differs(reading, "a device's number", is, should);
        trusted += should != 0;
    }
    if (count != trusted)
        differs(reading, "the number of devices", count, trusted);
}

static void lock_fits(struct reading *reading, const struct town_state *state, struct store *store,
                      const char *name, int64_t now_us) {
    uint32_t failures = 0;
    int64_t locked_until_us = 0, should_us = state->locked_until_us[reading->account];

    if (store_login_state(store, name, now_us, &failures, &locked_until_us))
        differs(reading, "the state of logins", 0, 1);
    if (failures != state->failures[reading->account])
        differs(reading, "the count of wrong passwords", failures,
                state->failures[reading->account]);
    if (locked_until_us != (should_us > now_us ? should_us : 0))
        differs(reading, "the end of the lock", (uint64_t)locked_until_us, (uint64_t)should_us);
}

static void account_fits(struct reading *reading, const struct town_state *state,
                         struct store *store, unsigned char keys[KEYS_MAX][KEY_BYTES],
                         int64_t now_us) {
    struct store_account account;
    char name[NAME_TEXT], hash[PASSWORD_TEXT];
    enum store_status status;

    account_name(reading->account, name);
    lock_fits(reading, state, store, name, now_us);
    status = store_account_find(store, name, &account);
    if ((status == STORE_OK) != state->exists[reading->account])
        differs(reading, "the account", status == STORE_OK, state->exists[reading->account]);
    if (!reading->fits || status != STORE_OK)
        return;
    password_hash(state->password[reading->account], hash, sizeof hash);
    if (strcmp(account.password_hash, hash) != 0)
        differs(reading, "the password's hash differs; its number", 0,
                (uint64_t)state->password[reading->account]);
    if (reading->fits)
        inbox_fits(reading, state, store, account.account);
    if (reading->fits)
        blocks_fit(reading, state, store, account.account);
    if (reading->fits)
        devices_fit(reading, state, store, account.account, keys);
}

bool town_is_in(const struct town *town, const struct town_state *state, struct store *store,
                unsigned char keys[KEYS_MAX][KEY_BYTES], int64_t now_us, char *why,
                size_t why_bytes) {
    struct reading reading = {.town = town, .why = why, .why_bytes = why_bytes, .fits = true};

    for (int i = 0; i < ACCOUNTS_MAX && reading.fits; i++) {
        reading.account = i;
        reading.seq = 0;
        account_fits(&reading, state, store, keys, now_us);
    }
    return reading.fits && forum_is_in(&town->forum, &state->forum, store, why, why_bytes);
}
