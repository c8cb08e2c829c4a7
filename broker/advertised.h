/* Whether people can dial what --advertise tells, as far as this machine knows. */
#ifndef ADVERTISED_H
#define ADVERTISED_H

/* Logs a warning where it does not resolve here: it may elsewhere. The resolver may take long, so a
 * thread of its own asks it; nobody waits for that. */
void advertised_check(const char *advertise);

#endif
