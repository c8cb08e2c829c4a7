/* Who comes and goes at the three sockets. At the greeter: its guests. At the command and the event
 * socket: what their monitors report, the links, who subscribes, and which event connections end
 * because their key's last session ended. */
#ifndef DOOR_H
#define DOOR_H

#include "connection.h"
#include "greeter.h"
#include "sockets.h"
#include "subscription.h"

struct door;

struct door_options {
    void *context;           /* borrowed, as all of the pointers */
    struct sockets *sockets; /* the door takes the greeter's over */
    struct greeter_facts facts;
    struct core *core;
    struct connections *connections;
    struct pace *pace;
};

/* NULL: errno says why. Also prepares the connections' table, and raises the limit of descriptors.
 * Everything else that the broker keeps open must be open by now. */
struct door *door_new(const struct door_options *options);
/* Call it before the sockets are closed and the connections released. */
void door_free(struct door *door);

/* The two monitors' sockets and two descriptors, to be polled; door_watch_fd only while
 * door_watches says so. */
void *door_commands_monitor(const struct door *door);
void *door_events_monitor(const struct door *door);
int door_greeter_fd(const struct door *door);
int door_watch_fd(const struct door *door);
bool door_watches(const struct door *door);

/* Serves the greeter's guests. */
void door_greet(struct door *door);
/* Reads what the monitors report. Called before the frames of the turn are read. */
void door_take(struct door *door);
/* Whether both sockets are to be read even if nothing seems to be there: only reading shows who
 * sends a message without an end. */
bool door_doubts(const struct door *door);
/* Reads what came to the event socket. Called also before anything is published. */
void door_take_subscriptions(struct door *door);
/* Whether that was done since this was last asked: it is done before everything that is
 * published. */
bool door_used_events(struct door *door);
/* For core_options: a session ended. */
void door_session_ended(struct door *door, struct connection *connection,
                        const unsigned char key[KEY_BYTES], bool lost);
/* Cuts the event connections of keys without a session. Called before the turn's events go out. */
void door_end_keys(struct door *door);
/* Notes that so much memory that libzmq's threads had is free, or will soon be. Once
 * DOOR_LEFT_BYTES have added up, free memory is given back to the kernel some seconds later. */
#define DOOR_LEFT_BYTES (16 * 1024 * 1024)
void door_left(struct door *door, uint64_t bytes);
/* Cuts connections that are endless, late or too many, and gives memory back. */
void door_tick(struct door *door);
/* In how many microseconds door_end_keys or door_tick want to be called; INT64_MAX: not at all. */
int64_t door_wait_us(const struct door *door);

#endif
