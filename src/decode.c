/*
 * decode.c: `wolfctl binlog decode FILE…`: the changes in saved binlog files, printed as `wolfctl wal dump` prints them. The
 * decoder is capture's own. A file that ends inside an event (the server still writes it) ends there quietly only if the event is
 * the last thing in it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "decoder.h"
#include "program.h"
#include "render.h"

enum { EVENT_HEADER = 19, EVENT_SIZE_AT = 9, EVENT_MAX = 1 << 30, OUT_FLUSH = 1 << 16 };

struct decoding {
    struct render *render;
    struct decoder *decoder;
    struct buf line, event;
};

static const char usage[] =
    "Usage: wolfctl binlog decode FILE… [--json | --format text|json|csv]\n"
    "Prints the changes in binlog files of a MariaDB, in the order given. Columns are @1, @2, … where the file does not name them\n"
    "(binlog_row_metadata). JSON: the keys of man 1 wolfctl.\n";

static bool lines_out(struct decoding *d, struct err *err)
{
    if (d->line.size && fwrite(d->line.data, 1, d->line.size, stdout) != d->line.size)
        return err_set_number(err, ERR_STOP, (unsigned)errno, "standard output: %s", strerror(errno));
    buf_clear(&d->line);
    return true;
}

static bool on_change(void *context, const struct change *change, struct err *err)
{
    struct decoding *d = context;
    if (!render_change(d->render, change, &d->line, err)) return false;
    return d->line.size < OUT_FLUSH || lines_out(d, err);
}

/* True with size 0 at the end of the file. */
static bool event_read(FILE *in, struct buf *event, struct err *err)
{
    buf_clear(event);
    uint8_t *head = buf_reserve(event, EVENT_HEADER);
    size_t got = fread(head, 1, EVENT_HEADER, in);
    if (got < EVENT_HEADER) return true;
    struct cursor cursor = cursor_of(slice_of(head + EVENT_SIZE_AT, 4));
    size_t size = cursor_u32(&cursor);
    if (size < EVENT_HEADER || size > EVENT_MAX) return err_set(err, ERR_CORRUPT, "an event of %zu bytes", size);
    uint8_t *all = buf_reserve(event, size);
    if (!all) return err_set(err, ERR_LIMIT, "an event of %zu bytes", size);
    got = fread(all + EVENT_HEADER, 1, size - EVENT_HEADER, in);
    if (got == size - EVENT_HEADER) event->size = size;
    return true;
}

static bool file_decode(struct decoding *d, FILE *in, struct err *err)
{
    static const uint8_t magic[4] = {0xfe, 'b', 'i', 'n'};
    uint8_t found[4];
    enum decoder_note note;
    if (fread(found, 1, 4, in) != 4 || memcmp(found, magic, 4) != 0)
        return err_set(err, ERR_UNSUPPORTED, "not a binlog file (encrypted ones are not read)");
    for (;;) {
        long at = ftell(in);
        if (!event_read(in, &d->event, err)) return err_context(err, "offset %ld", at);
        if (!d->event.size) break;
        if (!decoder_event(d->decoder, buf_bytes(&d->event), &note, err)) return err_context(err, "offset %ld", at);
    }
    if (ferror(in)) return err_set_number(err, ERR_STOP, (unsigned)errno, "%s", strerror(errno));
    return lines_out(d, err);
}

static bool path_decode(struct decoding *d, const char *path, struct err *err)
{
    static struct source_pos pos; /* of the file's beginning */
    const char *slash = strrchr(path, '/');
    FILE *in = fopen(path, "rb");
    if (!in) return err_set_number(err, ERR_CONFIG, (unsigned)errno, "%s: %s", path, strerror(errno));
    memset(&pos, 0, sizeof pos);
    snprintf(pos.file, sizeof pos.file, "%s", slash ? slash + 1 : path);
    pos.offset = 4;
    struct decoder_options options = {.mariadb = true, .verify_checksums = true, .emit = on_change, .context = d};
    d->decoder = decoder_new(&options, &pos);
    bool good = file_decode(d, in, err);
    decoder_free(d->decoder);
    fclose(in);
    return good || err_context(err, "%s", path);
}

static bool format_read(int argc, char **argv, enum render_format *format, int *status)
{
    static const struct option known[] = {{"json", no_argument, NULL, 'j'}, {"format", required_argument, NULL, 'f'},
                                          {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    *format = RENDER_TEXT;
    for (int c; (c = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (c == 'j') *format = RENDER_JSON;
        if (c == 'f' && !render_format_parse(optarg, format)) c = '?';
        if (c != 'h' && c != '?') continue;
        fputs(usage, c == 'h' ? stdout : stderr);
        *status = c == 'h' ? PROGRAM_DONE : PROGRAM_USAGE;
        return false;
    }
    if (optind < argc) return true;
    fputs(usage, stderr);
    *status = PROGRAM_USAGE;
    return false;
}

int decode_main(int argc, char **argv)
{
    struct decoding d = {0};
    enum render_format format;
    struct err err = {0};
    int status = PROGRAM_DONE;
    if (!format_read(argc, argv, &format, &status)) return status;
    d.render = render_new(format);
    buf_init(&d.line, (size_t)EVENT_MAX * 4);
    buf_init(&d.event, EVENT_MAX);
    render_start(d.render, &d.line);
    for (int i = optind; i < argc && !status; i++) {
        if (path_decode(&d, argv[i], &err)) continue;
        (void)!lines_out(&d, NULL); /* what came before the fault is right */
        fprintf(stderr, "wolfctl: %s\n", err.text);
        status = err.code == ERR_CONFIG ? PROGRAM_USAGE : PROGRAM_UNMET;
    }
    buf_fini(&d.event);
    buf_fini(&d.line);
    render_free(d.render);
    return status;
}
