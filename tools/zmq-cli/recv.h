/* inbox and recv: what arrived, printed or handed on, and counted as read where that is wanted.
 *
 * Nothing is ever acknowledged that was not written, or that its command did not accept: who is
 * killed in between gets it again. */
#ifndef RECV_H
#define RECV_H

#include "call.h"

enum status recv_inbox(struct call *call);
enum status recv_run(struct call *call);

#endif
