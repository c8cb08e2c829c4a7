/* A fake broker and a client in one thread, and a record of what the client was told. Waiting means
 * letting both do their part until something holds; every wait is bounded. */
#ifndef STAGE_H
#define STAGE_H

#include "fake_broker.h"
#include "zchat.h"

struct told { /* an event or an answer */
    int kind; /* zchat_event_kind; 0: an answer */
    zchat_code code;
    char text[512];
    char user[64];
    uint64_t seq;
    bool online;
    bool missed;
    bool sent;
    uint32_t retry_ms;
    zchat_id id;
    size_t count;
    long arg; /* of the call */
};

struct stage {
    struct fake *fake; /* owned */
    zchat *z;          /* owned */
    zchat_options options;
    char folder[64];
    struct told told[8192];
    size_t told_count;
};

/* A fake broker, a folder, and options with trust_new; the client comes with stage_connect. */
struct stage *stage_new(void);
void stage_free(struct stage *stage);

/* Makes the client. */
void stage_open(struct stage *stage);
/* ... and waits until it is connected. */
void stage_connect(struct stage *stage);
/* ... and logged in as "me", with those options. */
void stage_login(struct stage *stage, zchat_public_events public_events, bool inbox);

/* The record's function for calls; arg is (void *)(intptr_t)number. */
void stage_answer(void *arg, const zchat_reply *reply);

/* Both do their part, for a moment. False when the bound of this stage is used up. */
bool stage_step(struct stage *stage);
/* How often an event of that kind (or answers: 0) was told. */
size_t stage_count(const struct stage *stage, int kind);
/* The nth of that kind, from 0. */
const struct told *stage_told(const struct stage *stage, int kind, size_t nth);
/* Waits until that many events of that kind were told, and gives the last of these. */
const struct told *stage_await(struct stage *stage, int kind, size_t count);
/* Waits for the next command of that kind. */
Zchat__V1__Command *stage_command(struct stage *stage, Zchat__V1__Command__BodyCase body);
/* Lets both do their part until what was said so far has been heard: a Ping's way there and back.
 */
void stage_settle(struct stage *stage);

/* The answers and the current stage share this: tests run one stage at a time. */
#define STAGE_UNTIL(stage, condition)                                                              \
    do {                                                                                           \
        while (!(condition))                                                                       \
            assert_true(stage_step(stage));                                                        \
    } while (0)

#endif
