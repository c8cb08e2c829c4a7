/* See settings.h. */
#include "settings.h"

#include "config_load.h"
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define MIB (UINT64_C(1024) * 1024)

static void fill_core(struct settings *settings) {
    const struct config *config = settings->config;
    struct core_options *core = &settings->core;

    core->idle_timeout_us = (int64_t)config->timeout_s * 1000000;
    core->block_duration_us = (int64_t)config->block_duration_s * 1000000;
    core->registration_open = config->registration == REGISTRATION_OPEN;
    core->sessions_per_user = config->sessions_per_user;
    core->password_workers = config->password_workers;
    core->rates = (struct core_rates){.account = config->rate_account,
                                      .key = config->rate_key,
                                      .address = config->rate_address,
                                      .passwords = config->rate_passwords,
                                      .registrations = config->rate_registrations};
    core->file_bytes_max = config->file_mib * MIB;
    core->files_bytes_max = config->files_mib * MIB;
    core->quotas = (struct store_quotas){.post_bytes = config->posts_user_mib * MIB,
                                         .threads = config->threads_user,
                                         .file_bytes = config->files_user_mib * MIB};
    core->admin_password = settings->admin_password;
    core->software = SETTINGS_SOFTWARE;
}

/* If the file can't be read there is no admin password, and `error` says why. */
static bool read_admin_password(struct settings *settings, char *error, size_t error_bytes) {
    const char *path = settings->config->admin_password_file;

    password_wipe(settings->admin_password, sizeof settings->admin_password);
    return !path[0] || password_read_file(path, settings->admin_password, error, error_bytes);
}

bool settings_open(struct settings *settings, struct config *config, char *error,
                   size_t error_bytes) {
    settings->config = config;
    if (getrandom(settings->core.run, RUN_BYTES, 0) != RUN_BYTES) {
        snprintf(error, error_bytes, "there are no random bytes: %s", strerror(errno));
        return false;
    }
    fill_core(settings);
    return read_admin_password(settings, error, error_bytes);
}

static void reload_admin_password(struct settings *settings) {
    char error[512];

    if (config_is_pipe(settings->config->admin_password_file))
        log_warn("admin_password_kept", "reason=\"%s is a pipe: it is read at the start alone\"",
                 settings->config->admin_password_file);
    else if (!read_admin_password(settings, error, sizeof error))
        log_reason(LOG_LEVEL_ERROR, "admin_password_refused", error);
}

bool settings_reload(struct settings *settings) {
    struct config *config = settings->config;
    char restart[256], error[512];

    if (config_is_pipe(config->config)) {
        log_error("config_refused", "reason=\"%s is a pipe: it is read at the start alone\"",
                  config->config);
        return false;
    }
    if (config_reload(config, restart, sizeof restart, error, sizeof error) != CONFIG_RUN) {
        log_reason(LOG_LEVEL_ERROR, "config_refused", error);
        return false;
    }
    reload_admin_password(settings);
    fill_core(settings);
    log_set_level((enum log_level)config->log_level);
    log_info("config_read", "needs_restart=\"%s\"", restart);
    return true;
}

void settings_wipe(struct settings *settings) {
    password_wipe(settings->admin_password, sizeof settings->admin_password);
}
