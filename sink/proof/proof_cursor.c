/*
 * proof_cursor.c: how far the round is, beside the log: "<wal.dir>.proof-<sink>". Lines of words: the round, the table and key (as hex), what each
 * node's counts were. A file that is damaged, or of other nodes, costs no more than a round begun anew.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "file.h"
#include "log.h"
#include "prover.h"

static const char title[] = "wolfcdc proof 1";

static bool path_of(struct prover *p, char dir[FILE_PATH_MAX], const char **name)
{
    const struct proof_options *all = proof_options_of(p->proof);
    const char *sink = all->sink->cluster ? all->sink->cluster : all->sink->name, *wal = all->all->wal.dir;
    size_t size = wal ? strlen(wal) : 0;
    while (size > 1 && wal[size - 1] == '/') size--;
    if (!size || snprintf(dir, FILE_PATH_MAX, "%.*s.proof-%s", (int)size, wal, sink) >= FILE_PATH_MAX) return false;
    char *slash = strrchr(dir, '/');
    *name = slash ? slash + 1 : dir;
    if (slash) *slash = 0;
    return slash != NULL;
}

static void put_hex(struct buf *out, struct slice bytes)
{
    buf_u8(out, ' ');
    for (size_t i = 0; i < bytes.size; i++) buf_printf(out, "%02x", bytes.data[i]);
    buf_text(out, bytes.size ? "" : "-");
}

static bool take_hex(const char *word, struct buf *out)
{
    buf_clear(out);
    if (strcmp(word, "-") == 0) return true;
    for (; isxdigit((unsigned char)word[0]) && isxdigit((unsigned char)word[1]); word += 2) {
        char pair[3] = {word[0], word[1], 0};
        buf_u8(out, (uint8_t)strtoul(pair, NULL, 16));
    }
    return !*word;
}

void proof_cursor_save(struct prover *p, const struct proof_cursor *cursor)
{
    const struct proof_options *all = proof_options_of(p->proof);
    char dir[FILE_PATH_MAX];
    const char *name;
    struct buf text;
    struct err err = {0};
    if (!path_of(p, dir, &name)) return;
    buf_init(&text, 1 << 20);
    buf_printf(&text, "%s\nlog %s\nround %llu %d", title, all->log_uuid, (unsigned long long)cursor->round, cursor->at);
    put_hex(&text, buf_bytes(&cursor->database));
    put_hex(&text, buf_bytes(&cursor->table));
    put_hex(&text, buf_bytes(&cursor->key));
    buf_u8(&text, '\n');
    for (size_t i = 0; i < p->count; i++) {
        const struct tally *t = &p->tally[i];
        buf_printf(&text, "node %s %llu %llu %llu %llu %llu", all->names[i], (unsigned long long)t->rows, (unsigned long long)t->tables,
                   (unsigned long long)t->differences, (unsigned long long)t->in_flight, (unsigned long long)t->missed);
        put_hex(&text, slice_text(t->reason));
        buf_u8(&text, '\n');
    }
    buf_text(&text, "end\n");
    if (!file_replace(file_system_real(), dir, name, buf_bytes(&text), &err)) log_warning("sink.proof", "text=\"%s\"", err.text);
    buf_fini(&text);
}

static bool take_node(struct prover *p, const char *line)
{
    const struct proof_options *all = proof_options_of(p->proof);
    char name[300], reason[700] = "-";
    unsigned long long n[5];
    struct buf text;
    if (sscanf(line, "node %299s %llu %llu %llu %llu %llu %699s", name, &n[0], &n[1], &n[2], &n[3], &n[4], reason) != 7) return false;
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->names[i], name) != 0) continue;
        struct tally *t = &p->tally[i];
        t->rows = n[0], t->tables = n[1], t->differences = n[2], t->in_flight = n[3], t->missed = n[4];
        buf_init(&text, sizeof t->reason - 1);
        if (take_hex(reason, &text)) snprintf(t->reason, sizeof t->reason, "%s", buf_cstr(&text));
        buf_fini(&text);
        return true;
    }
    return false;
}

static bool take_lines(struct prover *p, struct proof_cursor *cursor, char *text)
{
    const struct proof_options *all = proof_options_of(p->proof);
    char *rest = text, *line;
    size_t nodes = 0;
    bool ended = false;
    unsigned long long round;
    int at;
    if (!(line = strsep(&rest, "\n")) || strcmp(line, title) != 0 || !(line = strsep(&rest, "\n")) || strncmp(line, "log ", 4) != 0 ||
        strcmp(line + 4, all->log_uuid) != 0 || !(line = strsep(&rest, "\n"))) return false;
    char *words = calloc(3, strlen(line) + 1);
    size_t room = strlen(line) + 1;
    char form[80];
    if (!words) abort();
    snprintf(form, sizeof form, "round %%llu %%d %%%zus %%%zus %%%zus", room - 1, room - 1, room - 1);
    bool ok = sscanf(line, form, &round, &at, words, words + room, words + 2 * room) == 5 && take_hex(words, &cursor->database) &&
              take_hex(words + room, &cursor->table) && take_hex(words + 2 * room, &cursor->key);
    free(words);
    while (ok && rest && (line = strsep(&rest, "\n")) && *line) {
        ended = strcmp(line, "end") == 0;
        if (!ended) nodes += take_node(p, line);
    }
    cursor->round = ok ? round : 0;
    cursor->at = ok && at && ended && nodes == p->count;
    return cursor->at;
}

void proof_cursor_load(struct prover *p, struct proof_cursor *cursor)
{
    enum { FILE_MAX = 1 << 20 };
    char dir[FILE_PATH_MAX], path[FILE_PATH_MAX * 2];
    const char *name;
    struct file file = {0};
    size_t got = 0;
    if (!path_of(p, dir, &name)) return;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    char *text = calloc(1, FILE_MAX + 1);
    if (!text) abort();
    bool whole = strlen(path) < FILE_PATH_MAX && file_open(&file, file_system_real(), path, 0, NULL) && file_read(&file, text, FILE_MAX, 0, &got, NULL);
    file_close(&file);
    if (!whole || !got || !take_lines(p, cursor, text)) {
        memset(p->tally, 0, sizeof p->tally);
        buf_clear(&cursor->database);
        buf_clear(&cursor->table);
        buf_clear(&cursor->key);
    }
    free(text);
}
