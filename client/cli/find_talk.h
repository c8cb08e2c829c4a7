/* Pages of a conversation: what was sent to a user, and what they sent. */
#ifndef FIND_TALK_H
#define FIND_TALK_H

struct find_source;

extern const struct find_source find_talk_source;

#endif
