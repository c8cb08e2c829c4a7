/* The broadcasts that were sent lately, so that none is sent twice. */
#ifndef BROADCAST_H
#define BROADCAST_H

struct recent;

struct recent *recent_new(void);
void recent_free(struct recent *recent);

#endif
