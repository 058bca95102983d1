/* fuzz_http.c: any bytes as the answer of a REST server, the first one chooses its status. */
#include <assert.h>

#include "http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {200, 201, 307, 400, 413, 500, 503, 599};
    struct http_answer answer;
    if (!size) return 0;
    long status = statuses[data[0] % (sizeof statuses / sizeof *statuses)];
    enum http_fate fate = http_answer_read(status, slice_of(data + 1, size - 1), &answer);
    assert(fate != HTTP_STORED || (status < 300 && !answer.text[0]));
    assert(fate == HTTP_STORED || answer.text[0]);
    for (const char *c = answer.text; *c; c++) assert(*c >= 0x20 && *c < 0x7f);
    return 0;
}
