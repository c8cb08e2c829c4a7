#include "session.h"

#include "memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct live_key {
    unsigned char key[KEY_BYTES];
    uint32_t sessions;
    UT_hash_handle hh;
};

void sessions_init(struct sessions *sessions, struct limits *limits) {
    memset(sessions, 0, sizeof *sessions);
    sessions->limits = limits;
}

static struct followed *followed_find(const struct member *member, int64_t stream) {
    struct followed *followed = NULL;

    HASH_FIND(hh, member->followed, &stream, sizeof stream, followed);
    return followed;
}

bool member_follows(const struct member *member, int64_t stream) {
    return followed_find(member, stream) != NULL;
}

static struct followers *followers_find(const struct sessions *sessions, int64_t stream) {
    struct followers *followers = NULL;

    HASH_FIND(hh, sessions->followers, &stream, sizeof stream, followers);
    return followers;
}

const struct followers *session_followers(const struct sessions *sessions, int64_t stream) {
    return followers_find(sessions, stream);
}

static struct followers *followers_join(struct sessions *sessions, const struct member *member,
                                        int64_t stream) {
    struct followers *followers = followers_find(sessions, stream);

    if (!followers) {
        followers = memory_new(sizeof *followers);
        followers->stream = stream;
        HASH_ADD(hh, sessions->followers, stream, sizeof followers->stream, followers);
    }
    followers->members++;
    followers->with_public += member->with_public;
    return followers;
}

static void followers_leave(struct sessions *sessions, const struct member *member,
                            struct followers *followers) {
    followers->with_public -= member->with_public;
    if (--followers->members > 0)
        return;
    HASH_DEL(sessions->followers, followers);
    free(followers);
}

void member_follow(struct sessions *sessions, struct member *member, int64_t stream) {
    struct followed *followed;

    if (member_follows(member, stream))
        return;
    followed = memory_new(sizeof *followed);
    followed->stream = stream;
    followed->followers = followers_join(sessions, member, stream);
    HASH_ADD(hh, member->followed, stream, sizeof followed->stream, followed);
}

static void followed_drop(struct sessions *sessions, struct member *member,
                          struct followed *followed) {
    followers_leave(sessions, member, followed->followers);
    HASH_DEL(member->followed, followed);
    free(followed);
}

void member_unfollow(struct sessions *sessions, struct member *member, int64_t stream) {
    struct followed *followed = followed_find(member, stream);

    if (followed)
        followed_drop(sessions, member, followed);
}

/* Counts a session with public events that comes or goes. */
static void with_public_count(struct sessions *sessions, struct member *member, int change) {
    struct followed *followed, *next;

    sessions->with_public_count += (uint32_t)change;
    member->with_public += (uint32_t)change;
    HASH_ITER(hh, member->followed, followed, next) {
        followed->followers->with_public += (uint32_t)change;
    }
}

static void key_count(struct sessions *sessions, const unsigned char key[KEY_BYTES], int change) {
    struct live_key *live = NULL;

    HASH_FIND(hh, sessions->keys, key, KEY_BYTES, live);
    if (!live) {
        live = memory_new(sizeof *live);
        memcpy(live->key, key, KEY_BYTES);
        HASH_ADD(hh, sessions->keys, key, KEY_BYTES, live);
    }
    live->sessions += (uint32_t)change;
    if (live->sessions == 0) {
        HASH_DEL(sessions->keys, live);
        free(live);
    }
}

bool session_key_is_live(const struct sessions *sessions, const unsigned char key[KEY_BYTES]) {
    struct live_key *live = NULL;

    HASH_FIND(hh, sessions->keys, key, KEY_BYTES, live);
    return live != NULL;
}

struct member *member_find(const struct sessions *sessions, int64_t account) {
    struct member *member = NULL;

    HASH_FIND(hh, sessions->members, &account, sizeof account, member);
    return member;
}

struct member *member_find_name(const struct sessions *sessions, const char *name) {
    struct member *member = NULL;

    HASH_FIND(by_name, sessions->members_by_name, name, strlen(name), member);
    return member;
}

static struct member *member_of(struct sessions *sessions, const struct session_new *new,
                                int64_t now_us) {
    struct member *member = member_find(sessions, new->account);

    if (member)
        return member;
    member = memory_new(sizeof *member);
    member->account = new->account;
    strcpy(member->name, new->name);
    member->budget = limit_use(sessions->limits, LIMIT_ACCOUNT, &member->account,
                               sizeof member->account, now_us);
    HASH_ADD(hh, sessions->members, account, sizeof member->account, member);
    HASH_ADD_KEYPTR(by_name, sessions->members_by_name, member->name, strlen(member->name), member);
    return member;
}

static void hearer_join(struct sessions *sessions, struct session *session) {
    if (!session->public_events && !session->online)
        return;
    DL_APPEND2(sessions->hearers, session, hearer_prev, hearer_next);
    sessions->hearers_count++;
}

static void session_link(struct sessions *sessions, struct session *session) {
    struct member *member = session->member;

    DL_APPEND2(member->sessions, session, member_prev, member_next);
    if (session->public_events) {
        DL_APPEND2(sessions->with_public, session, inline_prev, inline_next);
        with_public_count(sessions, member, +1);
    }
    hearer_join(sessions, session);
    DL_APPEND2(sessions->idle, session, idle_prev, idle_next);
    if (session->online) {
        if (member->online++ == 0)
            sessions->users_online++;
    } else {
        member->scripts++;
    }
    sessions->count++;
    key_count(sessions, session->peer->key, +1);
}

const char *session_source(const struct session *session, char source[SESSION_SOURCE_BYTES]) {
    snprintf(source, SESSION_SOURCE_BYTES, "%s%s", session->member->name,
             session->online ? "" : " script");
    return source;
}

struct session *session_open(struct sessions *sessions, struct peer *peer,
                             const struct session_new *new, int64_t now_us) {
    struct session *session = memory_new(sizeof *session);

    assert(!peer->session);
    session->number = ++sessions->number;
    session->peer = peer;
    session->member = member_of(sessions, new, now_us);
    session->member->head = new->head;
    session->admin = new->admin;
    session->online = new->online;
    session->inbox = new->inbox;
    session->public_events = new->public_events;
    session->private_chats = new->private_chats;
    session->has_instance = new->instance != NULL;
    if (new->instance)
        memcpy(session->instance, new->instance, INSTANCE_BYTES);
    session->command_us = now_us;
    session->received = new->cursor;
    peer->session = session;
    session_link(sessions, session);
    if (session->inbox && session->received < new->head)
        session_lags(sessions, session, now_us);
    return session;
}

static void lag_leave(struct sessions *sessions, struct session *session) {
    DL_DELETE2(sessions->lagging[session->lag_times], session, lag_prev, lag_next);
}

static void lag_wait(struct sessions *sessions, struct session *session, int64_t now_us) {
    session->lag_us = now_us + ((int64_t)HEAD_REPEAT_US << session->lag_times);
    DL_APPEND2(sessions->lagging[session->lag_times], session, lag_prev, lag_next);
}

static void lag_end(struct sessions *sessions, struct session *session) {
    if (session->lag_us == 0)
        return;
    lag_leave(sessions, session);
    session->lag_us = 0;
}

static void hearer_leave(struct sessions *sessions, struct session *session) {
    if (!session->public_events && !session->online)
        return;
    if (sessions->next_hearer == session)
        sessions->next_hearer = session->hearer_next;
    DL_DELETE2(sessions->hearers, session, hearer_prev, hearer_next);
    sessions->hearers_count--;
}

void session_close(struct sessions *sessions, struct session *session, int64_t now_us) {
    struct member *member = session->member;
    struct followed *followed, *next;

    lag_end(sessions, session);
    DL_DELETE2(member->sessions, session, member_prev, member_next);
    if (session->public_events) {
        DL_DELETE2(sessions->with_public, session, inline_prev, inline_next);
        with_public_count(sessions, member, -1);
    }
    hearer_leave(sessions, session);
    session->peer->line.gathered = NULL;
    DL_DELETE2(sessions->idle, session, idle_prev, idle_next);
    if (session->online) {
        if (--member->online == 0)
            sessions->users_online--;
    } else {
        member->scripts--;
    }
    sessions->count--;
    key_count(sessions, session->peer->key, -1);
    session->peer->session = NULL;
    free(session);
    if (member->sessions)
        return;
    HASH_DEL(sessions->members, member);
    HASH_ITER(hh, member->followed, followed, next) {
        followed_drop(sessions, member, followed);
    }
    HASH_DELETE(by_name, sessions->members_by_name, member);
    limit_release(sessions->limits, member->budget, now_us);
    free(member);
}

struct session *session_of_instance(const struct member *member, const unsigned char key[KEY_BYTES],
                                    const unsigned char *instance) {
    struct session *session;

    if (!member || !instance)
        return NULL;
    DL_FOREACH2(member->sessions, session, member_next) {
        if (session->has_instance && !memcmp(session->peer->key, key, KEY_BYTES) &&
            !memcmp(session->instance, instance, INSTANCE_BYTES))
            return session;
    }
    return NULL;
}

void session_active(struct sessions *sessions, struct session *session, int64_t now_us) {
    session->command_us = now_us;
    DL_DELETE2(sessions->idle, session, idle_prev, idle_next);
    DL_APPEND2(sessions->idle, session, idle_prev, idle_next);
}

void session_lags(struct sessions *sessions, struct session *session, int64_t now_us) {
    if (session->lag_us != 0)
        return;
    session->lag_times = 0;
    lag_wait(sessions, session, now_us);
}

void session_received(struct sessions *sessions, struct session *session, uint64_t seq) {
    if (seq > session->member->head)
        seq = session->member->head;
    if (seq > session->received)
        session->received = seq;
    if (session->received == session->member->head)
        lag_end(sessions, session);
}

int64_t session_lag_deadline(const struct sessions *sessions) {
    int64_t deadline_us = INT64_MAX;

    for (size_t i = 0; i < LAG_QUEUES; i++) {
        const struct session *first = sessions->lagging[i];

        if (first && first->lag_us < deadline_us)
            deadline_us = first->lag_us;
    }
    return deadline_us;
}

struct session *session_lag_due(struct sessions *sessions, int64_t now_us) {
    for (size_t i = 0; i < LAG_QUEUES; i++) {
        struct session *session = sessions->lagging[i];

        if (!session || session->lag_us > now_us)
            continue;
        lag_leave(sessions, session);
        if (session->lag_times + 1 < LAG_QUEUES)
            session->lag_times++;
        lag_wait(sessions, session, now_us);
        return session;
    }
    return NULL;
}
