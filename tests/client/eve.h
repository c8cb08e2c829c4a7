/* A peer of a private chat that may misbehave: "eve" is a PAIR socket of the test's own, and what
 * the broker says of her the fake broker says. */
#ifndef EVE_H
#define EVE_H

#include "stage.h"

struct eve {
    struct stage *stage; /* owned */
    void *context;       /* owned, like the socket */
    void *socket;
    void *other;              /* owned: who should not be heard; NULL: nobody */
    void *watch;              /* owned: the other one's monitor */
    struct wire_arena *arena; /* owned */
    unsigned char public_key[KEY_BYTES];
    unsigned char secret_key[KEY_BYTES];
    unsigned char chat[ID_BYTES];
    unsigned char nonce[NONCE_BYTES];
    unsigned port;
};

int eve_setup_idle(void **state, uint32_t idle_timeout_s);
int eve_setup(void **state);
int eve_teardown(void **state);
ProtobufCBinaryData eve_data(unsigned char *bytes, size_t count);
void eve_new_id(unsigned char id[ID_BYTES]);
void eve_say_invited(struct eve *eve, unsigned char *id, unsigned char *again);
void eve_say_ended(struct eve *eve, Zchat__V1__PrivateEnd reason);
/* eve invites; the client is told. */
void eve_invite(struct eve *eve);
void eve_hear_answer(struct eve *eve);
/* ... and accepts. */
void eve_be_accepted(struct eve *eve);
void *eve_plug(struct eve *eve, const unsigned char *public_key, const unsigned char *secret_key);
void eve_connect(const struct eve *eve, void *socket);
void *eve_dial(struct eve *eve, const unsigned char *public_key, const unsigned char *secret_key);
void eve_say(void *socket, Zchat__V1__PeerMessage *message);
void eve_say_hello(struct eve *eve, void *socket);
void eve_say_line(struct eve *eve, uint64_t number, const char *text);
/* The next message of that kind that eve hears. */
Zchat__V1__PeerMessage *eve_hear(struct eve *eve, Zchat__V1__PeerMessage__BodyCase body);
void eve_open_chat(struct eve *eve);
void eve_say_bye(struct eve *eve);

#endif
