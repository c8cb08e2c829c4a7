/* The checks that ask the broker. */
#include "doctor.h"

#include "common/clock.h"
#include "interrupt.h"
#include "password.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PINGS       3
#define SLOW_US     500000  /* of one round trip: typing is no pleasure any more */
#define CLOCK_US    2000000 /* two clocks that are set by the network differ by less */
#define MS(time_us) ((double)(time_us) / 1000)

void check_schema(struct doctor *doctor) {
    unsigned theirs = zchat_broker_schema(doctor->z), ours = zchat_schema();
    if (theirs == ours)
        doctor_say(doctor, FINDING_OK, ZCHAT_OK, "both sides have number %u", ours);
    else if (theirs == 0)
        doctor_say(doctor, FINDING_WARNING, ZCHAT_OK,
                   "the broker does not tell its number, this program has %u: update zchatd", ours);
    else if (theirs < ours)
        doctor_say(doctor, FINDING_WARNING, ZCHAT_OK,
                   "the broker has number %u, this program %u: some commands are refused until "
                   "zchatd is updated",
                   theirs, ours);
    else
        doctor_say(doctor, FINDING_WARNING, ZCHAT_OK,
                   "the broker has number %u, this program %u: update zmq-cli to use what is new",
                   theirs, ours);
}

/* Asks once. False: it has been told that there was no answer. */
static bool ping(struct doctor *doctor, int64_t *took_us) {
    int64_t began_us = clock_us();
    doctor->answered = false;
    zchat_code code = zchat_ping(doctor->z, doctor_answered, doctor);
    bool answered =
        code == ZCHAT_OK && doctor_work(doctor, &doctor->answered, doctor_share_us(doctor));
    *took_us = clock_us() - began_us;
    if (answered && doctor->code == ZCHAT_OK)
        return true;
    if (doctor->refused || code || answered)
        doctor_say(doctor, FINDING_FAIL,
                   doctor->refused ? doctor->refused
                   : code          ? code
                                   : doctor->code,
                   "%s",
                   doctor->refused ? doctor->why
                   : code          ? zchat_error(doctor->z)
                                   : doctor->text);
    else
        doctor_say(doctor, FINDING_FAIL, ZCHAT_EXPIRED,
                   "no answer came within a part of --timeout: give more");
    return false;
}

void check_round_trip(struct doctor *doctor) {
    int64_t least_us = INT64_MAX, most_us = 0, took_us;
    for (int i = 0; i < PINGS; i++) {
        if (!ping(doctor, &took_us))
            return;
        least_us = took_us < least_us ? took_us : least_us;
        most_us = took_us > most_us ? took_us : most_us;
    }
    doctor_say(doctor, least_us > SLOW_US ? FINDING_WARNING : FINDING_OK, ZCHAT_OK,
               "%s answers in %.1f to %.1f ms%s", doctor->software, MS(least_us), MS(most_us),
               least_us > SLOW_US ? ": the way is long or crowded; give a larger --timeout" : "");
}

void check_clock(struct doctor *doctor) {
    int64_t took_us;
    if (!ping(doctor, &took_us))
        return;
    int64_t ahead_us = clock_wall_us() - took_us / 2 - doctor->broker_us;
    int64_t apart_us = ahead_us < 0 ? -ahead_us : ahead_us;
    if (apart_us <= CLOCK_US + took_us)
        doctor_say(doctor, FINDING_OK, ZCHAT_OK, "this machine and the broker agree to %.1f s",
                   (double)apart_us / 1e6);
    else
        doctor_say(doctor, FINDING_WARNING, ZCHAT_OK,
                   "this machine is %.0f s %s the broker: times that are shown are wrong here or "
                   "there; set the clock, as with timedatectl set-ntp true",
                   (double)apart_us / 1e6, ahead_us > 0 ? "ahead of" : "behind");
}

/* ---- the login ---- */

static bool try_login(struct doctor *doctor, const char *password) {
    const zchat_login_options how = {
        .user = option_text(doctor->call->options, OPTION_USER),
        .password = password,
        .no_trust = true,
        .public_events = ZCHAT_PUBLIC_SUB,
    };
    doctor->answered = false;
    doctor->code = zchat_login(doctor->z, &how, doctor_answered, doctor);
    if (doctor->code) {
        snprintf(doctor->text, sizeof doctor->text, "%s", zchat_error(doctor->z));
        return false;
    }
    if (!doctor_work(doctor, &doctor->answered, doctor_share_us(doctor))) {
        doctor->code = doctor->refused ? doctor->refused : ZCHAT_EXPIRED;
        snprintf(doctor->text, sizeof doctor->text, "%s",
                 doctor->refused ? doctor->why : "no answer came within a part of --timeout");
    }
    return doctor->code == ZCHAT_OK;
}

/* The device's key is tried first, as every verb does: a wrong password counts, three lock. */
void check_login(struct doctor *doctor) {
    static const struct password_source source = {OPTION_PASSWORD_FILE, OPTION_PASSWORD_CMD, "",
                                                  false};
    const char *user = option_text(doctor->call->options, OPTION_USER);
    if (!user) {
        doctor_say(doctor, FINDING_OK, ZCHAT_OK, "not tried, because --user names nobody");
        return;
    }
    bool by_key = try_login(doctor, NULL), done = by_key;
    bool given = password_is_given(doctor->call->options, &source);
    if (!done && doctor->code == ZCHAT_AUTH && given) {
        if (call_password(doctor->call) != STATUS_DONE) {
            doctor_say(doctor, FINDING_FAIL, ZCHAT_IO,
                       "the password can't be read: stderr says why");
            return;
        }
        done = try_login(doctor, doctor->call->password.text);
    }
    if (!done) {
        doctor_say(doctor, FINDING_FAIL, doctor->code, "cannot log in as %s: %s%s", user,
                   doctor->text,
                   doctor->code == ZCHAT_AUTH && !given ? "; give --password-file" : "");
        return;
    }
    doctor->have |= HAVE_SESSION;
    doctor_say(doctor, FINDING_OK, ZCHAT_OK, "%s can log in by %s", user,
               by_key ? "the key of this device" : "the password");
}

void check_events(struct doctor *doctor) {
    int64_t deadline_us = doctor_share_us(doctor);
    enum wait_result result = WAIT_READY;
    while (!zchat_events_ready(doctor->z) && !doctor->refused && result == WAIT_READY) {
        zchat_code code = zchat_process(doctor->z);
        if (code)
            doctor->refused = code;
        else if (!zchat_events_ready(doctor->z))
            result = interrupt_wait(zchat_fd(doctor->z), deadline_us);
    }
    if (result == WAIT_INTERRUPTED)
        doctor->stop = STATUS_INTERRUPTED;
    if (zchat_events_ready(doctor->z))
        doctor_say(doctor, FINDING_OK, ZCHAT_OK,
                   "the connection for events is encrypted, and stands");
    else
        doctor_say(
            doctor, FINDING_FAIL, doctor->refused ? doctor->refused : ZCHAT_UNREACHABLE,
            "the connection for events does not come about%s%s: messages arrive, but not who "
            "comes and goes; is %s open in the firewall?",
            doctor->refused ? ", because " : "", doctor->refused ? doctor->why : "",
            zchat_events_at(doctor->z));
}
