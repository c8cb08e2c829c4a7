/* What replies and events tell of threads, as the caller sees it. Texts are cleaned in place. */
#ifndef THREAD_REPLY_H
#define THREAD_REPLY_H

#include "wire.h"
#include "zchat.h"

/* The bodies of replies about threads and files; others are left alone. */
void thread_reply_fill(zchat *z, const Zchat__V1__Reply *reply, zchat_reply *out);

void thread_post_fill(const Zchat__V1__Post *post, zchat_post *out);
void thread_upload_fill(const Zchat__V1__Upload *upload, zchat_upload *out);
/* 16 bytes; what is none becomes zeros. */
void thread_id_fill(const ProtobufCBinaryData *id, zchat_id *out);

#endif
