/* What all that tell about stored messages share. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "store.h"
#include "wire.h"

/* Says in the event which earlier message it is about, if it is about one; the id is borrowed. */
void message_about(Zchat__V1__MessageEvent *event, enum store_about about,
                   unsigned char original[ID_BYTES]);

#endif
