/* fuzz_config.c: any bytes as a configuration file: accepted, or refused with ERR_CONFIG and a text. */
#include <assert.h>
#include <stdint.h>

#include "settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings *settings = NULL;
    struct err err = {0};
    if (settings_parse("fuzz.toml", slice_of(data, size), &settings, &err)) settings_free(settings);
    else assert(err.code == ERR_CONFIG && err.text[0]);
    return 0;
}
