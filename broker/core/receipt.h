/* Who waits for a message of theirs to be read. A wait belongs to one session, and ends with it, or
 * when the message is read. */
#ifndef RECEIPT_H
#define RECEIPT_H

#include "state.h"

/* `stats` is the core's, and borrowed. */
struct receipts *receipts_new(struct stats *stats);
/* All sessions must have ended. */
void receipts_free(struct receipts *receipts);

/* The session waits for the message, or does so already. false: it has AWAITED_MAX waits. */
bool receipts_await(struct receipts *receipts, struct session *session,
                    const struct store_message_sent *sent);
/* The session does not wait for the message, or no longer. */
void receipts_no_longer(struct receipts *receipts, struct session *session,
                        const unsigned char id[ID_BYTES]);
/* The session's waits end. */
void receipts_session_ends(struct receipts *receipts, struct session *session);
/* All waits for what the account reads end: it tells nobody any more. */
void receipts_reader_ends(struct receipts *receipts, int64_t account);
/* The account has read its inbox up to there: tells those who waited for that. */
void receipts_read(struct core *core, const struct member *reader, uint64_t cursor, int64_t now_us);

#endif
