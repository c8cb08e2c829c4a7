/* ping and stats. */
#include "verbs_admin.h"

#include "interrupt.h"

#include <inttypes.h>
#include <string.h>

static enum status print_ping(struct call *call, const zchat_reply *reply) {
    int64_t took_us = clock_us() - call->asked_us;
    if (call->output->json)
        return output_object(
            call->output, json_pack("{s:s, s:s, s:o, s:I}", "server", zchat_server(call->z),
                                    "software", reply->software, "time", value_time(reply->time_us),
                                    "round_trip_us", (json_int_t)took_us));
    output_format(call->output, "%s answers in %.3f ms; %s\n", zchat_server(call->z),
                  (double)took_us / 1000, reply->software);
    return STATUS_DONE;
}

enum status admin_ping(struct call *call) {
    enum status status = call_open(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call, zchat_ping(call->z, call_replied, call), print_ping);
}

static enum status print_stats_object(struct call *call, const zchat_reply *reply) {
    json_t *object = json_object();
    for (size_t i = 0; object && i < reply->count; i++) {
        if (json_object_set_new(object, reply->stats[i].name, value_big(reply->stats[i].value))) {
            json_decref(object);
            object = NULL;
        }
    }
    return output_object(call->output, object);
}

static enum status print_stats(struct call *call, const zchat_reply *reply) {
    int width = 0;
    if (call->output->json)
        return print_stats_object(call, reply);
    for (size_t i = 0; i < reply->count; i++)
        if ((int)strlen(reply->stats[i].name) > width)
            width = (int)strlen(reply->stats[i].name);
    for (size_t i = 0; i < reply->count; i++)
        output_format(call->output, "%-*s  %" PRIu64 "\n", width, reply->stats[i].name,
                      reply->stats[i].value);
    return STATUS_DONE;
}

enum status admin_stats(struct call *call) {
    enum status status = call_begin(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call, zchat_stats(call->z, call_replied, call), print_stats);
}
