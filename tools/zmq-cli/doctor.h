/* What is wrong between here and the broker, found by looking at one thing after the other. Each
 * check says one sentence; a check of what depends on something that failed is left out. */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "call.h"
#include "probe.h"

#include "zchat.h"

#include <stdbool.h>
#include <stdint.h>

enum finding { FINDING_OK, FINDING_WARNING, FINDING_FAIL };

/* What a check needs, and what it found to be there. */
enum {
    HAVE_HANDLE = 1,
    HAVE_ADDRESS = 2,
    HAVE_GREETER_PORT = 4,
    HAVE_GREETING = 8,
    HAVE_KEY = 16,
    HAVE_COMMANDS_PORT = 32,
    HAVE_BROKER = 64,
    HAVE_EVENTS_PORT = 128,
    HAVE_SESSION = 256,
};

struct doctor {
    struct call *call;  /* borrowed: from main */
    zchat *z;           /* owned */
    struct probe probe; /* of the greeter's port */
    const char *check;  /* borrowed: the name of the present check */
    unsigned have;
    enum status status; /* of the first thing that failed */
    enum status stop;   /* what ends it before the last check: nobody reads, an interrupt */

    bool connected;
    bool key_unknown;
    zchat_code refused;
    char why[SENTENCE_BYTES];

    bool answered;
    zchat_code code; /* of an answer */
    char text[SENTENCE_BYTES];
    int64_t broker_us; /* its clock */
    char software[64];
};

/* Says what the present check found; a code other than ZCHAT_OK of a failure becomes the exit
 * status. Each check says one such sentence. */
__attribute__((format(printf, 4, 5))) void doctor_say(struct doctor *doctor, enum finding finding,
                                                      zchat_code code, const char *format, ...);

/* ---- the checks of this machine: doctor_machine.c ---- */

void check_descriptors(struct doctor *doctor);
void check_folder(struct doctor *doctor);
void check_space(struct doctor *doctor);
void check_device_key(struct doctor *doctor);
void check_config_file(struct doctor *doctor);
void check_password(struct doctor *doctor);

/* ---- the checks of the session: doctor_session.c ---- */

void check_schema(struct doctor *doctor);
void check_clock(struct doctor *doctor);
void check_round_trip(struct doctor *doctor);
void check_login(struct doctor *doctor);
void check_events(struct doctor *doctor);

/* Lets the library work until *done, until the connection is given up or waits for a decision, or
 * until the deadline. False: *done is not true. */
bool doctor_work(struct doctor *doctor, const bool *done, int64_t deadline_us);
/* A part of the time that is left, so that what comes later has some, too. */
int64_t doctor_share_us(const struct doctor *doctor);
void doctor_answered(void *arg, const zchat_reply *reply);

#endif
