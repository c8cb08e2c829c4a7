/* The broker's configuration: one value for each option. The table of options in option.c says
 * everything about each option; config_load.c fills the values in. */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stdint.h>

enum config_registration {
    REGISTRATION_OPEN,
    REGISTRATION_CLOSED,
};

enum config_identity {
    IDENTITY_KEEP,
    IDENTITY_NEW,
};

/* The config owns the strings, which are never NULL. Options that HUP may change are marked: read
 * them again after config_reload, and don't keep their pointers. */
struct config {
    char *config;              /* owned; "": no file */
    char *bind;                /* owned; an address without "tcp://" and port, "*": all */
    char *advertise;           /* owned; "": the host that the client dialled */
    char *data;                /* owned; a folder */
    char *admin_password_file; /* owned; HUP; "": no admin password */
    uint32_t identity;         /* enum config_identity */
    bool accept_loss;
    uint32_t port;               /* the greeter's; 0: three free ones */
    uint32_t block_duration_s;   /* HUP */
    uint32_t timeout_s;          /* HUP; 0: never */
    uint32_t registration;       /* HUP; enum config_registration */
    uint32_t sessions_per_user;  /* HUP */
    uint32_t log_level;          /* HUP; enum log_level */
    uint32_t rate_account;       /* HUP; commands/s, as the next two; 0: no limit */
    uint32_t rate_key;           /* HUP */
    uint32_t rate_address;       /* HUP */
    uint32_t rate_passwords;     /* HUP; attempts/s; 0: no limit */
    uint32_t rate_registrations; /* HUP; accounts/h; 0: no limit */
    uint32_t file_mib;           /* HUP */
    uint32_t files_mib;          /* HUP; 0: no limit, as the next three */
    uint32_t files_user_mib;     /* HUP */
    uint32_t posts_user_mib;     /* HUP */
    uint32_t threads_user;       /* HUP */
    uint32_t password_workers;
    uint32_t io_threads;
    char **argv; /* borrowed: from the caller of config_load */
};

#endif
