/* What passwd has been told so far, between its questions. */
#ifndef ACCOUNT_H
#define ACCOUNT_H

struct passwd_dialogue;

/* Wipes and frees it; NULL is fine. */
void passwd_dialogue_free(struct passwd_dialogue *passwd);

#endif
