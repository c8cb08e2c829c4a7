/* What Tab offers is what is known here. This asks the broker for more, without waiting: whom the
 * user wrote with, which threads there are, which files are in a thread. The answer is there for
 * the next Tab. Each is asked for only now and then; a failure only means that nothing is learned.
 */
#ifndef LEARN_H
#define LEARN_H

#include <stdbool.h>
#include <stdint.h>

struct app;

struct learn {         /* all zero: nothing was asked */
    bool people_asked; /* in this session */
    int64_t titles_ms; /* when it was asked; 0: never */
    char *title;       /* owned: whose files were asked for; NULL: no thread's */
    int64_t files_ms;
};

void learn_release(struct learn *learn);

void learn_people(struct app *app);
void learn_titles(struct app *app);
void learn_files(struct app *app, const char *title);

#endif
