/* Messages, threads, posts and uploads as they are shown: to people, to programs, and to the
 * command of --exec. */
#ifndef PRINT_H
#define PRINT_H

#include "output.h"

/* Prints a message: as one object, or as text. */
enum status message_print(struct output *output, const zchat_message *message);

/* A message as the same object or, without --json, as the bare text, with a newline at its end.
 * Owned by the caller; NULL if there is no memory. */
char *message_line(const struct output *output, const zchat_message *message);
/* The same of any object, which it releases (NULL: there was no memory for it), and of any text. */
char *object_line(json_t *object /* owned */);
char *text_line(const char *text);

enum status thread_print(struct output *output, const zchat_thread *thread, int creator_width);

/* Prints a post with the number that it has for this user. */
enum status post_print(struct output *output, const zchat_post *post, uint64_t number);
/* Prints what is known of an entry that the broker can't read. */
enum status damaged_print(struct output *output, uint64_t seq);

/* Prints an upload among a thread's posts. */
enum status upload_print(struct output *output, const zchat_upload *upload);

/* The same as objects, for callers that add to them. */
json_t *message_object(const zchat_message *message);
json_t *post_object(const zchat_post *post, uint64_t number);
json_t *upload_object(const zchat_upload *upload);

#endif
