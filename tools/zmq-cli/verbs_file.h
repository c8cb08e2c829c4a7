/* The verbs about the files in threads. */
#ifndef VERBS_FILE_H
#define VERBS_FILE_H

#include "call.h"

enum status file_put(struct call *call);
enum status file_get(struct call *call);
enum status file_list(struct call *call);

#endif
