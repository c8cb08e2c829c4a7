/* What the broker counts: one row for each number, whose name says what it counts. Gauges are set
 * when somebody asks for the numbers. */
#ifndef STATS_H
#define STATS_H

#include <stddef.h>
#include <stdint.h>

/* In the order of their names, which is the order in which they are shown. */
#define STATS(X)                                                                                   \
    X(accounts)                                                                                    \
    X(admin_passwords_wrong_total)                                                                 \
    X(broadcasts_total)                                                                            \
    X(commands_busy_total)                                                                         \
    X(commands_disk_full_total)                                                                    \
    X(commands_faulty_total)                                                                       \
    X(commands_refused_total)                                                                      \
    X(commands_total)                                                                              \
    X(commands_unknown_total)                                                                      \
    X(commands_waiting_bytes)                                                                      \
    X(commit_us_total)                                                                             \
    X(commits_total)                                                                               \
    X(connections)                                                                                 \
    X(connections_crowded_total)                                                                   \
    X(connections_ended_total)                                                                     \
    X(connections_endless_total)                                                                   \
    X(connections_late_total)                                                                      \
    X(connections_unfinished_total)                                                                \
    X(descriptors)                                                                                 \
    X(descriptors_max)                                                                             \
    X(descriptors_short_total)                                                                     \
    X(disk_full)                                                                                   \
    X(entries_damaged_total)                                                                       \
    X(events_dropped_total)                                                                        \
    X(events_published_total)                                                                      \
    X(events_pushed_total)                                                                         \
    X(frames_in_total)                                                                             \
    X(frames_malformed_total)                                                                      \
    X(frames_out_total)                                                                            \
    X(frames_parts_total)                                                                          \
    X(frames_too_large_total)                                                                      \
    X(frames_too_many_total)                                                                       \
    X(frames_unknown_field_total)                                                                  \
    X(frames_unproved_total)                                                                       \
    X(frames_waited_total)                                                                         \
    X(greetings_late_total)                                                                        \
    X(greetings_refused_total)                                                                     \
    X(greetings_total)                                                                             \
    X(handshakes_failed_total)                                                                     \
    X(logins_failed_total)                                                                         \
    X(logins_locked_total)                                                                         \
    X(logins_total)                                                                                \
    X(messages_again_total)                                                                        \
    X(messages_quota_total)                                                                        \
    X(messages_stored)                                                                             \
    X(messages_total)                                                                              \
    X(password_queue)                                                                              \
    X(passwords_refused_total)                                                                     \
    X(peers_held_bytes)                                                                            \
    X(peers_unread_cut_total)                                                                      \
    X(pieces_damaged_total)                                                                        \
    X(publications_dropped_total)                                                                  \
    X(published_held_bytes)                                                                        \
    X(receipts_awaited)                                                                            \
    X(receipts_total)                                                                              \
    X(registrations_refused_total)                                                                 \
    X(registrations_total)                                                                         \
    X(replies_dropped_total)                                                                       \
    X(sessions)                                                                                    \
    X(sessions_idle_ended_total)                                                                   \
    X(strangers)                                                                                   \
    X(subscriptions)                                                                               \
    X(subscriptions_refused_total)                                                                 \
    X(turn_us_longest)                                                                             \
    X(turn_us_longest_lately)                                                                      \
    X(turns_long_total)                                                                            \
    X(turns_total)                                                                                 \
    X(unfinished_held_bytes)                                                                       \
    X(uptime_s)                                                                                    \
    X(users_online)                                                                                \
    X(zap_refused_total)

struct stats {
#define STATS_FIELD(name) uint64_t name;
    STATS(STATS_FIELD)
#undef STATS_FIELD
};

#endif
