/* fuzz_discovery.c: any bytes as a node's announcement: taken with texts that end and that can be logged, or refused with nothing changed. */
#include <assert.h>
#include <string.h>

#include "discovery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t room)
{
    const char *end = memchr(text, 0, room);
    assert(end);
    for (; text < end; text++) assert((unsigned char)*text >= ' ' && *text != '|');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct announcement a, before;
    memset(&a, 'x', sizeof a);
    before = a;
    if (!discovery_read(slice_of(data, size), &a)) {
        assert(!memcmp(&a, &before, sizeof a));
        return 0;
    }
    check_text(a.cluster, sizeof a.cluster);
    check_text(a.id, sizeof a.id);
    check_text(a.host, sizeof a.host);
    assert(*a.id);
    discovery_fits(&a, "lab");
    return 0;
}
