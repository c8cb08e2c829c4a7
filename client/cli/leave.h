/* Leaving the program, and the last things before it. */
#ifndef LEAVE_H
#define LEAVE_H

struct app;

/* Implements app_show(): writes what is to be shown, and tells the broker that it is read. */
void leave_show(struct app *app);

/* Implements app_leave(). */
void leave_begin(struct app *app, int exit_code);
/* Leaves because the user wants to: warns once if something waits to be sent. */
void leave_on_wish(struct app *app);

#endif
