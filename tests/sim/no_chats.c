/* What the client core asks of private chats, without any. */
#include "chats.h"

void chats_release(struct chats *chats) {
    (void)chats;
}

void chats_entered(struct chats *chats, uint32_t idle_timeout_s) {
    (void)chats;
    (void)idle_timeout_s;
}

void chats_lost(struct chats *chats) {
    (void)chats;
}

void chats_resume(struct chats *chats) {
    (void)chats;
}

void chats_leave(struct chats *chats) {
    (void)chats;
}

void chats_end_all(struct chats *chats, zchat_code code, const char *text) {
    (void)chats;
    (void)code;
    (void)text;
}

bool chats_event(struct chats *chats, const Zchat__V1__ServerEvent *event) {
    (void)chats;
    (void)event;
    return false;
}

void chats_reply(struct chats *chats, const struct request *request,
                 const Zchat__V1__Reply *reply) {
    (void)chats;
    (void)request;
    (void)reply;
}

void chats_step(struct chats *chats) {
    (void)chats;
}

bool chats_have_more(const struct chats *chats) {
    (void)chats;
    return false;
}

int64_t chats_deadline_us(const struct chats *chats) {
    (void)chats;
    return INT64_MAX;
}

size_t chats_pending(const struct chats *chats) {
    (void)chats;
    return 0;
}
