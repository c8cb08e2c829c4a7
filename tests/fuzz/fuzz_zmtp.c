/* The greeter's ZMTP: the first byte says in what pieces the rest arrives. */
#include "fuzz.h"

#include "zmtp.h"

#include <assert.h>
#include <string.h>

static void take(struct zmtp *zmtp) {
    uint8_t out[ZMTP_BUFFER_BYTES + ZMTP_OVERHEAD_BYTES];
    struct zmtp_news news;

    while ((news = zmtp_next(zmtp)).event == ZMTP_REQUEST || news.event == ZMTP_PING) {
        assert(news.length <= GREETING_BYTES_MAX);
        assert(news.bytes >= zmtp->bytes && news.bytes + news.length <= zmtp->bytes + zmtp->used);
        if (news.event == ZMTP_REQUEST)
            zmtp_message(out, news.bytes, news.length, news.delimited);
        else
            zmtp_pong(out, news.bytes, news.length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct zmtp zmtp;
    size_t piece = size > 0 ? (size_t)data[0] + 1 : 1;

    zmtp_init(&zmtp);
    for (size_t at = 1; at < size && zmtp.state != ZMTP_OVER;) {
        size_t room, some = size - at < piece ? size - at : piece;
        uint8_t *to = zmtp_room(&zmtp, &room);

        assert(room > 0);
        some = some < room ? some : room;
        memcpy(to, data + at, some);
        zmtp_add(&zmtp, some);
        at += some;
        take(&zmtp);
    }
    return 0;
}
