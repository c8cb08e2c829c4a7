/* Whether a message that is not complete is one large part, which is as long as a frame may be, or
 * many small ones, which the protocol has not and which cost a multiple of their bytes. A part's
 * head is readable whatever is encrypted; so some of what comes next is kept in the kernel for a
 * moment and looked at there. */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>

struct link;
struct links;

/* Begins, unless it goes on. */
void probe_begin(struct links *links, struct link *link);
void probe_end(struct links *links, struct link *link);
/* Looks at all that go on. `small` is called for those in which a part began: if that is still the
 * same message once all was read, it is one of many parts. */
void probes_look(struct links *links, void (*small)(struct links *links, struct link *link));

#endif
