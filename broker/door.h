/* Who comes and goes at the three sockets: the greeter's guests; at the command and the event
 * socket what their monitors say, the links, who subscribes, and which event connections end since
 * their key's last session did. */
#ifndef DOOR_H
#define DOOR_H

#include "connection.h"
#include "greeter.h"
#include "sockets.h"
#include "subscription.h"

struct door;

struct door_options {
    void *context;           /* borrowed, as all of these */
    struct sockets *sockets; /* the greeter's is taken over */
    struct greeter_facts facts;
    struct core *core;
    struct connections *connections;
    struct pace *pace;
};

/* NULL: errno says why. Makes the connections' table ready, too, and raises the limit of
 * descriptors. All else that the broker holds open for good is open by now. */
struct door *door_new(const struct door_options *options);
/* Before the sockets are closed and the connections released. */
void door_free(struct door *door);

/* The two monitors' sockets and two descriptors, to be polled; the latter where door_watches. */
void *door_commands_monitor(const struct door *door);
void *door_events_monitor(const struct door *door);
int door_greeter_fd(const struct door *door);
int door_watch_fd(const struct door *door);
bool door_watches(const struct door *door);

/* Serves the greeter's guests. */
void door_greet(struct door *door);
/* Reads what the monitors say: before the frames of the turn are read. */
void door_take(struct door *door);
/* Whether both sockets are to be read even if nothing seems to be there: only then is it known who
 * sends without an end. */
bool door_doubts(const struct door *door);
/* Reads what came to the event socket; before anything is published as well. */
void door_take_subscriptions(struct door *door);
/* Whether that was done since this was asked last: it comes before everything that is published. */
bool door_used_events(struct door *door);
/* For core_options: a session ended. */
void door_session_ended(struct door *door, struct connection *connection,
                        const unsigned char key[KEY_BYTES], bool lost);
/* Cuts the event connections of keys without a session: before the turn's events go out. */
void door_end_keys(struct door *door);
/* So much memory is or will soon be free that libzmq's threads had. From DOOR_LEFT_BYTES on it is
 * given back to the kernel, some seconds later. */
#define DOOR_LEFT_BYTES (16 * 1024 * 1024)
void door_left(struct door *door, uint64_t bytes);
/* Cuts who is endless, late or too many, and gives memory back. */
void door_tick(struct door *door);
/* In how many microseconds door_end_keys or door_tick want to be called; INT64_MAX: not at all. */
int64_t door_wait_us(const struct door *door);

#endif
