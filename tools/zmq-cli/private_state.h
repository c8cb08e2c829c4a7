/* The state of the private chat that this process holds, for private_chat and private_files. */
#ifndef PRIVATE_STATE_H
#define PRIVATE_STATE_H

#include "call.h"
#include "output.h"
#include "private_input.h"

#define PRIVATE_USER_BYTES 64

/* What is taken of offered files, in a whole call: who offers them may do so as often as they like.
 */
struct private_bounds {
    uint64_t bytes_each;
    uint64_t bytes;
    uint64_t files;
};

struct private_chat {
    struct call *call;    /* borrowed: from main */
    const char *files_to; /* borrowed: from the options; NULL: offered files are refused */
    struct private_bounds bounds;
    struct private_bounds taken; /* of these, so far: whole ones, and those that were begun */
    int64_t linger_us;           /* -1: --wait was not given */
    bool bounded;                /* the call's limit ends it, whatever comes: --timeout was given */
    struct private_input input;
    struct bar bar; /* of a file that is sent */

    char (*inviting)[PRIVATE_USER_BYTES]; /* owned: those who invited, in order */
    size_t inviting_count;
    char wanted[PRIVATE_USER_BYTES]; /* from whom an invitation is awaited; "": anybody */
    bool invited;                    /* it has come, or will not come */

    char self[PRIVATE_USER_BYTES];
    bool more_follow;              /* later input from stdin is for another chat */
    char user[PRIVATE_USER_BYTES]; /* whom the chat is with; "": nobody */
    bool closed;
    bool said;      /* stdin brought a line in this chat */
    size_t waiting; /* lines without an acknowledgement */
    size_t files;   /* files that are on their way to us */
    size_t undelivered;
    bool heard;          /* a line or a file came in this chat */
    int64_t heard_us;    /* when the last one came, or the chat began */
    enum status trouble; /* why the chat can't go on, or what failed in it */
    bool stop;           /* it can't go on */
    char awaited[SENTENCE_BYTES];
};

#endif
