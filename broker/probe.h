/* Finds out whether a message that is not complete is one large part, which may be as long as a
 * frame, or many small parts, which the protocol does not have and which cost a multiple of their
 * bytes. A part's header is readable even if the rest is encrypted, so a little of what comes next
 * is kept in the kernel for a moment and looked at there. */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>

struct link;
struct links;

/* Begins a probe of the link, unless one is going on. */
void probe_begin(struct links *links, struct link *link);
void probe_end(struct links *links, struct link *link);
/* Looks at all probes that are going on. `small` is called for links in which a part began: if it
 * still belongs to the same message once all was read, the message has many parts. */
void probes_look(struct links *links, void (*small)(struct links *links, struct link *link));

#endif
