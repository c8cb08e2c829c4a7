/* Running the command of --exec, and acknowledging what it has accepted. */
#include "handover.h"

#include "child.h"
#include "common/time_text.h"
#include "interrupt.h"
#include "print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void handover_init(struct handover *handover, const struct call *call, bool patient) {
    *handover = (struct handover){
        .command = option_text(call->options, OPTION_EXEC),
        .patient = patient,
        .bounded = option_is_given(call->options, OPTION_TIMEOUT),
        .call = {.options = call->options, .config_dir = call->config_dir, .output = call->output},
    };
}

void handover_release(struct handover *handover) {
    call_close(&handover->call);
}

static int feed(const struct handover *handover, const zchat_message *message, const char *input) {
    char id[ZCHAT_ID_TEXT], seq[24], time[TIME_TEXT];
    zchat_id_format(&message->id, id);
    snprintf(seq, sizeof seq, "%" PRIu64, message->seq);
    const struct child_variable variables[] = {
        {"ZCHAT_ID", id},
        {"ZCHAT_FROM", message->from},
        {"ZCHAT_TO", message->to},
        {"ZCHAT_SEQ", seq},
        {"ZCHAT_TIME", time_precise(message->time_us, time)},
    };
    return child_feed(handover->command, input, variables, sizeof variables / sizeof variables[0],
                      handover->bounded ? handover->call.limit_us : NO_DEADLINE);
}

enum status handover_open(struct handover *handover) {
    const struct call_login how = {.hidden = true};
    call_begin_time(&handover->call);
    return call_login(&handover->call, &how);
}

static enum status tell(const struct call *call, int ended, int error, uint64_t seq) {
    const struct output *output = call->output;
    if (ended == 0)
        return STATUS_DONE;
    if (interrupt_pending())
        return STATUS_INTERRUPTED;
    if (ended < 0 && error == ETIMEDOUT)
        return output_error(output, ZCHAT_EXPIRED, 0,
                            "the command did not end within the %s s of --timeout, and was ended; "
                            "entry %" PRIu64 " stays unread",
                            option_text(call->options, OPTION_TIMEOUT), seq);
    if (ended < 0)
        return output_error(output, ZCHAT_IO, 0, "cannot run the command: %s", strerror(error));
    return output_failure(output, "COMMAND_FAILED",
                          "the command failed with status %d; entry %" PRIu64 " stays unread",
                          ended, seq);
}

enum status handover_run(struct handover *handover, const zchat_message *message) {
    struct output *output = handover->call.output;
    char *input = message_line(output, message);
    if (!input)
        return output_error(output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
    int ended = feed(handover, message, input);
    int error = errno;
    free(input);
    return tell(&handover->call, ended, error, message->seq);
}

enum status handover_ack(struct handover *handover, uint64_t seq) {
    struct call *call = &handover->call;
    if (handover->bounded)
        call_last_deadline(call);
    else if (handover->patient)
        call->deadline_us = NO_DEADLINE;
    else
        call_renew_deadline(call);
    return call_answer(call, zchat_ack(call->z, seq, call_replied, call), NULL);
}
