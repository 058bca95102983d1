/*
 * decode.c: the decoder alone, over a binary log file in memory: decode FILE [ROUNDS]. Prints one JSON object, of the best round:
 * checksums verified, every row checked and summed up, changes given to a function that counts them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "decoder.h"

static uint8_t *data;
static size_t size;

static bool count(void *context, const struct change *change, struct err *err)
{
    uint64_t *changes = context;
    (void)change, (void)err;
    ++*changes;
    return true;
}

static void load(const char *path)
{
    FILE *in = fopen(path, "rb");
    if (!in || fseek(in, 0, SEEK_END)) perror(path), exit(1);
    size = (size_t)ftell(in);
    rewind(in);
    data = malloc(size);
    if (!data || fread(data, 1, size, in) != size) perror(path), exit(1);
    fclose(in);
}

static double decode(struct decoder_stats *stats)
{
    uint64_t changes = 0;
    struct decoder_options options = {.mariadb = true, .verify_checksums = true, .emit = count, .context = &changes};
    struct source_pos pos = {.offset = 4, .file = "bench"};
    struct decoder *decoder = decoder_new(&options, &pos);
    struct err err = {0};
    enum decoder_note note;
    uint64_t begun = clock_us();
    for (size_t at = 4; at + 19 <= size;) {
        struct cursor length = cursor_of(slice_of(data + at + 9, 4));
        uint32_t n = cursor_u32(&length);
        if (n < 19 || n > size - at) break; /* the file is still being written */
        if (!decoder_event(decoder, slice_of(data + at, n), &note, &err)) fprintf(stderr, "%s\n", err.text), exit(1);
        at += n;
    }
    double seconds = (double)(clock_us() - begun) / 1e6;
    *stats = *decoder_stats(decoder);
    decoder_free(decoder);
    return seconds;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: decode FILE [ROUNDS]\n");
        return 2;
    }
    struct decoder_stats stats;
    double best = 1e9;
    load(argv[1]);
    for (int rounds = argc > 2 ? atoi(argv[2]) : 3; rounds > 0; rounds--) {
        double seconds = decode(&stats);
        if (seconds < best) best = seconds;
    }
    printf("{\"seconds\":%.4f,\"bytes\":%" PRIu64 ",\"events\":%" PRIu64 ",\"rows\":%" PRIu64 ",\"transactions\":%" PRIu64 "}\n", best, stats.bytes,
           stats.events, stats.rows, stats.transactions);
    return 0;
}
