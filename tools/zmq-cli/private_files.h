/* Files that the other one of a private chat offers: taken into the folder of --files-to, or
 * refused. */
#ifndef PRIVATE_FILES_H
#define PRIVATE_FILES_H

#include "private_state.h"

/* What is taken in a call. */
struct private_bounds private_files_bounds(const struct options *options);
/* Checks, before anybody is invited, that files can be put into the folder; NULL: no files are
 * taken. */
enum status private_files_check(const struct call *call, const char *path);
/* Answers an offer. While a file comes, chat->files counts it. */
void private_files_take(struct private_chat *chat, const zchat_event *event);

#endif
