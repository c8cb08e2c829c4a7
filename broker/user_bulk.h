/* Many accounts from a stream of lines, for user.c alone. Blank lines and those that begin with
 * '#' are passed over. Accounts that exist are left as they are and named on stderr; so are bad
 * lines, with their number. The other accounts are added in any case. */
#ifndef USER_BULK_H
#define USER_BULK_H

#include "target.h"
#include "user_exit.h"

#include <stdbool.h>
#include <stdio.h>

/* The label of a device that `zchatd user` made trusted. */
#define USER_DEVICE_LABEL "zchatd user add"
/* The rule for names, as error texts tell it. */
#define USER_NAME_RULE "a name is 1 to 32 of a-z, 0-9, '_', '.' and '-'"

/* Whether a password is text, not empty and not too long. */
bool user_password_fits(const char *password, size_t password_bytes);

/* Lines "NAME": adds accounts that can be entered only with the key. */
enum user_exit user_bulk_add(struct target *target, FILE *lines, const unsigned char key[KEY_BYTES],
                             bool admin);
/* Lines "NAME PASSWORD"; the password is everything behind the first space or tab. */
enum user_exit user_bulk_import(struct target *target, FILE *lines);

#endif
