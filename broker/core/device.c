/* The device keys that an account trusts. */
#include "command.h"
#include "presence.h"
#include "private.h"

#include <string.h>
#include <utlist.h>

static enum store_status list_devices_run(struct call *call) {
    return call_store(call,
                      store_device_list(call->core->store, call->session->member->account,
                                        call->result.device.devices, &call->result.device.count));
}

static void list_devices_done(struct call *call) {
    const Zchat__V1__ListDevicesRequest *wanted = call->command->list_devices;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__ListDevicesResponse list = ZCHAT__V1__LIST_DEVICES_RESPONSE__INIT;
    Zchat__V1__Device devices[DEVICES_MAX], *pointers[DEVICES_MAX];

    list.devices = pointers;
    for (size_t i = 0; i < call->result.device.count && !list.more; i++) {
        struct store_device *device = &call->result.device.devices[i];

        if (device->device <= wanted->after)
            continue;
        list.more = wanted->limit > 0 && list.n_devices == wanted->limit;
        if (list.more)
            continue;

        zchat__v1__device__init(&devices[i]);
        devices[i].number = device->device;
        devices[i].label = device->label;
        devices[i].key.data = device->key;
        devices[i].key.len = KEY_BYTES;
        devices[i].trusted_us = device->trusted_us;
        devices[i].used_us = device->used_us;
        devices[i].current = !memcmp(device->key, call->peer->key, KEY_BYTES);
        pointers[list.n_devices++] = &devices[i];
    }
    reply.body_case = ZCHAT__V1__REPLY__BODY_LIST_DEVICES;
    reply.list_devices = &list;
    call_reply(call, &reply);
}

const struct command_row list_devices_row = {
    .cost = 2,
    .run = list_devices_run,
    .done = list_devices_done,
};

static void revoke_device_check(struct call *call) {
    if (call->command->revoke_device->device == 0)
        call_fail(call, REASON(BAD_VALUE),
                  "which device? give its number from the list of devices");
}

static enum store_status revoke_device_run(struct call *call) {
    return call_store(call, store_device_revoke(call->core->store, call->session->member->account,
                                                call->command->revoke_device->device,
                                                call->result.device.key));
}

static const char *revoked_device(struct call *call) {
    return call_about_number(call, call->command->revoke_device->device);
}

static const struct refusal revoke_device_refusals[] = {
    {STORE_NOT_FOUND, REASON(NO_SUCH_DEVICE), "there is no device %s", revoked_device},
    {0},
};

/* Ends the key's sessions, the caller's own one last, because the member may end with it. */
static uint32_t revoke_sessions(struct call *call) {
    struct session *session, *next;
    uint32_t ended = 0;

    DL_FOREACH_SAFE2(call->session->member->sessions, session, next, member_next) {
        if (session == call->session ||
            memcmp(session->peer->key, call->result.device.key, KEY_BYTES) != 0)
            continue;
        presence_end_session(call->core, session, ZCHAT__V1__END_REASON__END_REASON_REVOKED,
                             "this device is trusted no more", call->now_us);
        ended++;
    }
    return ended;
}

static void revoke_device_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__RevokeDeviceResponse revoked = ZCHAT__V1__REVOKE_DEVICE_RESPONSE__INIT;
    bool own = !memcmp(call->peer->key, call->result.device.key, KEY_BYTES);

    revoked.sessions = revoke_sessions(call) + (own ? 1 : 0);
    private_revoked(call->core, call->session->member->account);
    reply.body_case = ZCHAT__V1__REPLY__BODY_REVOKE_DEVICE;
    reply.revoke_device = &revoked;
    call_reply(call, &reply);
    if (own)
        presence_end_session(call->core, call->session, ZCHAT__V1__END_REASON__END_REASON_REVOKED,
                             "this device is trusted no more", call->now_us);
}

const struct command_row revoke_device_row = {
    .cost = 2,
    .check = revoke_device_check,
    .run = revoke_device_run,
    .refusals = revoke_device_refusals,
    .done = revoke_device_done,
};
