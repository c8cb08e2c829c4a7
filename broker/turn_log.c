#include "turn_log.h"

#include "log.h"

#define SINCE(field) ((unsigned long long)(now->field - log->before.field))

void turn_log_write(struct turn_log *log, const struct stats *now) {
    if (!log_is_on(LOG_LEVEL_DEBUG))
        return;
    if (SINCE(frames_in_total) + SINCE(frames_out_total) + SINCE(commits_total) > 0)
        log_debug("turn",
                  "frames_in=%llu commands=%llu refused=%llu frames_out=%llu commits=%llu "
                  "commit_us=%llu sessions=%llu",
                  SINCE(frames_in_total), SINCE(commands_total), SINCE(commands_refused_total),
                  SINCE(frames_out_total), SINCE(commits_total), SINCE(commit_us_total),
                  (unsigned long long)now->sessions);
    log->before = *now;
}
