/* The verbs about accounts and devices. */
#ifndef VERBS_ACCOUNT_H
#define VERBS_ACCOUNT_H

#include "call.h"

enum status account_register(struct call *call);
enum status account_login(struct call *call);
enum status account_logout(struct call *call);
enum status account_passwd(struct call *call);
enum status account_devices(struct call *call);
enum status account_revoke(struct call *call);

#endif
