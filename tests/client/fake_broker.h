/* A broker as far as a client sees one, under a test's control: it listens on ports of its own
 * choice, keeps every command that comes, and says what it is told to say. It has no thread: it
 * does its part whenever fake_step is called. Faults end the test. */
#ifndef FAKE_BROKER_H
#define FAKE_BROKER_H

#include "wire.h"

#include <stdbool.h>
#include <stddef.h>

struct fake {
    void *context; /* owned, like the sockets */
    void *greeter;
    void *commands;
    void *events;
    struct wire_arena *arena; /* owned: all that was received, until the end */
    Zchat__V1__Command *received[4096];
    size_t received_count;
    size_t taken_count;     /* of those: passed by fake_next */
    size_t frames;          /* that held commands */
    unsigned char peer[64]; /* the routing id of the last frame */
    size_t peer_bytes;
    unsigned char public_key[KEY_BYTES];
    unsigned char secret_key[KEY_BYTES];
    int greeter_port;
    char greeter_address[64]; /* "127.0.0.1:port" */
    char commands_endpoint[64];
    char events_endpoint[64];
    /* what it does by itself */
    bool greeter_silent;
    bool pings_silent;
    bool logins_silent;
    uint32_t idle_timeout_s;
    unsigned protocol; /* of the Greeting */
    unsigned char greeting_key[KEY_BYTES];
    uint64_t inbox_head; /* of the LoginReply */
    uint64_t inbox_cursor;
    uint64_t topic_head; /* of all topics in LoginReply and KeepAlive's Heads */
    bool trusted;
    size_t logins;
    size_t greetings;
};

struct fake *fake_new(void);
void fake_free(struct fake *fake);

/* Ends the commands' and events' sockets, as a dying broker does, and opens them at new ports. */
void fake_break(struct fake *fake);
/* Ends only the events' socket, and opens it again at its old port. */
void fake_break_events(struct fake *fake);
/* Ends all sockets; fake_open opens them again, the greeter at its old port. */
void fake_close(struct fake *fake);
void fake_open(struct fake *fake);

/* Reads what there is, and answers greetings, Pings, KeepAlives and logins by itself. */
void fake_step(struct fake *fake);

/* The next command of that kind that was not yet looked at; those before it are passed over. NULL:
 * there is none yet. */
Zchat__V1__Command *fake_next(struct fake *fake, Zchat__V1__Command__BodyCase body);

/* Says something to the client that last said something. */
void fake_frame(struct fake *fake, const void *frame, size_t frame_bytes);
void fake_reply(struct fake *fake, Zchat__V1__Reply *reply);
void fake_event(struct fake *fake, Zchat__V1__ServerEvent *event);
void fake_error(struct fake *fake, uint64_t request, Zchat__V1__Code code, const char *text);
/* Pushes a message of the inbox, from `from`, its text "m<seq>". */
void fake_message(struct fake *fake, uint64_t seq, const char *from);
/* Answers a Sync of the inbox with the messages first..last, all "m<seq>". */
void fake_page(struct fake *fake, const Zchat__V1__Command *sync, uint64_t first, uint64_t last,
               uint64_t head);
/* Publishes on the event socket; an event's seq of 0: only the head is told. */
void fake_publish(struct fake *fake, const char *topic, Zchat__V1__ServerEvent *event,
                  uint64_t head);

#endif
