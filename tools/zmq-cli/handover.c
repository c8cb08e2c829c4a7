/* Running the command of --exec, and acknowledging what it has accepted. */
#include "handover.h"

#include "interrupt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void handover_init(struct handover *handover, const struct call *call, bool patient) {
    *handover = (struct handover){
        .command = option_text(call->options, OPTION_EXEC),
        .patient = patient,
        .bounded = call_is_bounded(call, patient),
        .call = {.options = call->options, .config_dir = call->config_dir, .output = call->output},
    };
}

void handover_release(struct handover *handover) {
    call_close(&handover->call);
}

enum status handover_open(struct handover *handover) {
    const struct call_login how = {.hidden = true};
    call_begin_time(&handover->call);
    return call_login(&handover->call, &how);
}

static enum status tell(const struct call *call, int ended, int error, const char *stays) {
    const struct output *output = call->output;
    const char *behind = stays[0] ? "; " : "", *unread = stays[0] ? " stays unread" : "";
    if (ended == 0)
        return STATUS_DONE;
    if (interrupt_pending())
        return STATUS_INTERRUPTED;
    if (ended < 0 && error == ETIMEDOUT)
        return output_error(output, ZCHAT_EXPIRED, 0,
                            "the command did not end within the %s s of --timeout, and was ended"
                            "%s%s%s",
                            option_text(call->options, OPTION_TIMEOUT), behind, stays, unread);
    if (ended < 0)
        return output_error(output, ZCHAT_IO, 0, "cannot run the command: %s", strerror(error));
    return output_failure(output, "COMMAND_FAILED", "the command failed with status %d%s%s%s",
                          ended, behind, stays, unread);
}

enum status handover_run(struct handover *handover, const struct handover_item *item) {
    if (!item->line)
        return output_error(handover->call.output, ZCHAT_NO_MEMORY, 0,
                            "there is not enough memory");
    int ended = child_feed(handover->command, item->line, item->variables, item->variable_count,
                           handover->bounded ? handover->call.limit_us : NO_DEADLINE);
    int error = errno;
    free(item->line);
    return tell(&handover->call, ended, error, item->stays);
}

static zchat_code ask(struct call *call, const zchat_id *thread, uint64_t seq) {
    return thread ? zchat_thread_ack(call->z, thread, seq, call_replied, call)
                  : zchat_ack(call->z, seq, call_replied, call);
}

enum status handover_ack(struct handover *handover, const zchat_id *thread, uint64_t seq) {
    struct call *call = &handover->call;
    if (handover->bounded)
        call_last_deadline(call);
    else if (handover->patient)
        call->deadline_us = NO_DEADLINE;
    else
        call_renew_deadline(call);
    call->as_done = thread ? ZCHAT_NOT_FOUND : ZCHAT_OK;
    return call_answer(call, ask(call, thread, seq), NULL);
}
