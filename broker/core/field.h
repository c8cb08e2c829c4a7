/* Fields that several commands carry, and what they must be. */
#ifndef FIELD_H
#define FIELD_H

#include "call.h"

/* Each makes the call fail with its sentence where the field is not valid. The text is cleaned in
 * place, the name is folded in place. */
bool field_text_fits(struct call *call, char *text);
bool field_id_fits(struct call *call, const ProtobufCBinaryData *id);
bool field_name_fits(struct call *call, char *user);
/* How many entries a page has where so many are asked for; 0: the most. */
size_t field_limit(uint32_t limit);

#endif
