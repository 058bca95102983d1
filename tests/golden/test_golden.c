/*
 * test_golden: recorded binlogs (record.sh) decoded and applied to tables in memory, which must then hold what the server that wrote
 * the log itself said is in its tables; and statements as reviewed. `test_golden --write NAME` prints NAME's statements.
 */
#include "unit.h"

#include <inttypes.h>

#include "decoder.h"
#include "layout.h"
#include "render.h"
#include "schema.h"
#include "value.h"

enum { TABLES = 32, ROWS = 512, FIELDS = 64, LINE_MAX_BYTES = 65536 };

struct image { char *fields[FIELDS]; }; /* NULL: no such row */
struct store { char name[80]; uint32_t columns; enum column_kind kinds[FIELDS]; struct image rows[ROWS]; };

struct golden {
    const char *name;
    struct store stores[TABLES];
    size_t count;
    struct buf statements;
    uint64_t begins, ends, rows;
};

static char *path_of(const char *name, const char *suffix)
{
    static char path[1024];
    const char *top = getenv("srcdir");
    snprintf(path, sizeof path, "%s/tests/golden/%s%s", top ? top : ".", name, suffix);
    return path;
}

static struct store *store_of(struct golden *g, const char *name, size_t size)
{
    for (size_t i = 0; i < g->count; i++)
        if (strlen(g->stores[i].name) == size && !memcmp(g->stores[i].name, name, size)) return &g->stores[i];
    assert_true(g->count < TABLES);
    snprintf(g->stores[g->count].name, sizeof g->stores->name, "%.*s", (int)size, name);
    return &g->stores[g->count++];
}

/* ---- a value as record.sh has the server print it */

static char *hex_of(struct slice s)
{
    char *text = malloc(2 * s.size + 1), *at = text;
    for (size_t i = 0; i < s.size; i++) at += sprintf(at, "%02X", s.data[i]);
    *at = 0;
    return text;
}

static char *set_text(const struct column *c, uint64_t bits)
{
    struct buf out;
    buf_init(&out, LINE_MAX_BYTES);
    for (uint32_t i = 0; i < c->label_count; i++) {
        if (!(bits >> i & 1)) continue;
        if (out.size) buf_u8(&out, ',');
        buf_slice(&out, c->labels[i]);
    }
    char *text = hex_of(buf_bytes(&out));
    buf_fini(&out);
    return text;
}

/* UUID, INET4 and INET6 look like BINARY in the log: the column's name tells the test. */
static bool named(const struct column *c, const char *prefix)
{
    return c->name.size > strlen(prefix) && !memcmp(c->name.data, prefix, strlen(prefix));
}

static char *fixed_text(const struct column *column, struct slice bytes)
{
    char text[VALUE_TEXT_MAX];
    size_t n = value_text(column, bytes, text);
    assert_int_equal(n, strlen(text));
    return strdup(text);
}

static char *padded_text(const struct column *column, struct slice bytes)
{
    static const struct { const char *prefix; enum column_kind kind; } kinds[] = {
        {"uuid_", COLUMN_UUID}, {"inet4_", COLUMN_INET4}, {"inet6_", COLUMN_INET6}};
    struct column c = *column;
    for (size_t i = 0; i < 3; i++)
        if (named(&c, kinds[i].prefix)) {
            c.kind = kinds[i].kind;
            return fixed_text(&c, bytes);
        }
    struct buf out;
    buf_init(&out, LINE_MAX_BYTES);
    value_padded(column, bytes, &out);
    char *text = hex_of(buf_bytes(&out));
    buf_fini(&out);
    return text;
}

static char *bits_text(const struct column *c, struct slice bytes)
{
    char text[32];
    bool negative;
    snprintf(text, sizeof text, "%" PRIu64, value_integer(c, bytes, &negative));
    return strdup(text);
}

static char *text_of(const struct column *c, const struct value *value)
{
    bool negative;
    if (value->state == VALUE_NULL) return strdup("NULL");
    switch (c->kind) {
    case COLUMN_BIT: return bits_text(c, value->bytes);
    case COLUMN_ENUM: return hex_of(value_label(c, value_integer(c, value->bytes, &negative)));
    case COLUMN_SET: return set_text(c, value_integer(c, value->bytes, &negative));
    case COLUMN_BINARY: return padded_text(c, value->bytes);
    default: return column_has_prefix(c->kind) ? hex_of(value->bytes) : fixed_text(c, value->bytes);
    }
}

/* ---- apply */

static uint32_t id_of(const struct table *table, const struct value *values)
{
    bool negative;
    int column = table_column(table, slice_text("id"));
    column = column < 0 ? 0 : column;
    assert_int_equal(values[column].state, VALUE_PRESENT);
    uint64_t id = value_integer(&table->columns[column], values[column].bytes, &negative);
    assert_true(id < ROWS);
    return (uint32_t)id;
}

static void put(struct store *store, const struct table *table, uint32_t id, const struct value *values)
{
    assert_true(table->column_count <= FIELDS);
    store->columns = table->column_count;
    for (uint32_t i = 0; i < table->column_count; i++) {
        store->kinds[i] = table->columns[i].kind;
        if (values[i].state == VALUE_ABSENT) continue;
        free(store->rows[id].fields[i]);
        store->rows[id].fields[i] = text_of(&table->columns[i], &values[i]);
    }
}

static void clear(struct image *row)
{
    for (size_t i = 0; i < FIELDS; i++) {
        free(row->fields[i]);
        row->fields[i] = NULL;
    }
}

/* The row moves when the update changes its id. */
static void update(struct store *store, const struct table *t, const struct value *before, const struct value *after)
{
    uint32_t from = id_of(t, before), to = from;
    int id = table_column(t, slice_text("id"));
    if (after[id < 0 ? 0 : id].state == VALUE_PRESENT) to = id_of(t, after);
    struct image row = store->rows[from];
    store->rows[from] = store->rows[to];
    store->rows[to] = row;
    put(store, t, to, after);
}

static void apply(struct golden *g, const struct change *change)
{
    static struct value before[COLUMN_COUNT_MAX], after[COLUMN_COUNT_MAX];
    const struct table *t = change->table;
    struct store *store = store_of(g, (const char *)t->name.data, t->name.size);
    if (change->kind != CHANGE_INSERT) assert_true(row_values(t, &change->before, before));
    if (change->kind != CHANGE_DELETE) assert_true(row_values(t, &change->after, after));
    if (change->kind == CHANGE_INSERT) put(store, t, id_of(t, after), after);
    else if (change->kind == CHANGE_UPDATE) update(store, t, before, after);
    else clear(&store->rows[id_of(t, before)]);
    g->rows++;
}

static void note_statement(struct golden *g, const struct change *change)
{
    const struct statement *s = change->statement;
    struct cursor in = cursor_of(s->tables);
    struct slice database, table;
    buf_printf(&g->statements, "%s%s|%.*s|", statement_kind_name(s->kind), s->own_commit ? "" : " (in transaction)", SLICE_ARG(s->database));
    while (statement_tables_next(&in, &database, &table)) buf_printf(&g->statements, " %.*s.%.*s", SLICE_ARG(database), SLICE_ARG(table));
    assert_false(in.failed || cursor_left(&in));
    buf_printf(&g->statements, "|mode %" PRIu64 " charset %u,%u context %x insert_id %" PRIu64 " us %u zone %.*s vars %zu|", s->sql_mode,
               s->charset_client, s->collation_connection, s->context & ~(unsigned)CONTEXT_MICROSECONDS, s->context & CONTEXT_INSERT_ID ? s->insert_id : 0,
               change->timestamp < 1700000010 ? s->microseconds : 0, SLICE_ARG(s->time_zone), s->user_vars.size);
    for (size_t i = 0; i < s->text.size; i++) buf_u8(&g->statements, s->text.data[i] == '\n' ? ' ' : s->text.data[i]);
    buf_u8(&g->statements, '\n');
}

static bool take(void *context, const struct change *change, struct err *err)
{
    struct golden *g = context;
    (void)err;
    switch (change->kind) {
    case CHANGE_BEGIN: g->begins++; break;
    case CHANGE_COMMIT: case CHANGE_ABORT: g->ends++; break;
    case CHANGE_STATEMENT: note_statement(g, change); break;
    default: apply(g, change); break;
    }
    return true;
}

/* ---- the dictionary of a log without names */

/* The dictionary's line: table, column, data type, unsigned, and of MySQL: nullable, collation, octets, full type with ~ for a blank. */
struct line {
    char table[80], column[80], type[40], nullable[8], full[400];
    int is_unsigned, fields;
    unsigned collation;
    uint64_t octets;
};

static bool take_line(FILE *in, struct line *line)
{
    char text[800];
    if (!fgets(text, sizeof text, in)) return false;
    line->fields = sscanf(text, "%79s %79s %39s %d %7s %u %" SCNu64 " %399[^\n]", line->table, line->column, line->type, &line->is_unsigned, line->nullable,
                          &line->collation, &line->octets, line->full);
    assert_true(line->fields == 4 || line->fields == 8);
    for (char *at = line->full; line->fields == 8 && (at = strchr(at, '~'));) *at = ' ';
    return true;
}

/* A column of a MariaDB, of which only the name and the sign are recorded. */
static void name_column(const struct line *line, struct column *column, struct arena *arena)
{
    column->name = arena_copy(arena, slice_text(line->column));
    column->is_unsigned = line->is_unsigned;
    if (column->kind != COLUMN_ENUM) return;
    column->labels = arena_alloc(arena, 2 * sizeof *column->labels); /* the one ENUM of changes.sql */
    column->labels[0] = slice_text("p");
    column->labels[1] = slice_text("q");
    column->label_count = 2;
}

static void define_column(const struct line *line, struct column *column, struct arena *arena)
{
    struct schema_column from = {.name = line->column, .data_type = line->type, .column_type = line->full, .nullable = !strcmp(line->nullable, "YES"),
                                 .collation = line->collation, .octets = line->octets};
    const char *reason = "";
    if (!schema_apply(&from, column, arena, &reason)) fail_msg("%s.%s: %s", line->table, line->column, reason);
}

/* A log with all metadata still does not say how many digits MariaDB's old temporal types have: the columns' names do, as in t_3. */
static bool name_fractions(struct table *draft)
{
    bool any = false;
    for (uint32_t i = 0; i < draft->column_count; i++) {
        struct column *c = &draft->columns[i];
        if (c->layout == LAYOUT_SAME || c->scale != LAYOUT_FSP_UNKNOWN) continue;
        c->scale = (uint8_t)(c->name.data[2] - '0');
        any = true;
    }
    return any;
}

static bool answer(void *context, struct table *draft, struct arena *arena, struct err *err)
{
    struct golden *g = context;
    FILE *in = fopen(path_of(g->name, ".columns"), "r");
    struct line line;
    uint32_t n = 0;
    if (!in) return (draft->named && name_fractions(draft)) || err_set(err, ERR_DENIED, "a log with names is complete without a dictionary");
    while (take_line(in, &line)) {
        if (strlen(line.table) != draft->name.size || memcmp(line.table, draft->name.data, draft->name.size)) continue;
        assert_true(n < draft->column_count);
        if (line.fields == 4) name_column(&line, &draft->columns[n], arena);
        else define_column(&line, &draft->columns[n], arena);
        n++;
    }
    fclose(in);
    assert_int_equal(n, draft->column_count);
    draft->named = true;
    return true;
}

/* ---- decode, compare */

static void decode(struct golden *g)
{
    FILE *in = fopen(path_of(g->name, ".binlog"), "rb");
    static uint8_t data[1 << 20];
    if (!in) fail_msg("%s is missing", path_of(g->name, ".binlog"));
    size_t size = fread(data, 1, sizeof data, in);
    fclose(in);
    struct decoder_options options = {.mariadb = true, .verify_checksums = true, .emit = take, .schema = answer, .context = g};
    struct source_pos pos = {.offset = 4, .file = "golden"};
    struct decoder *decoder = decoder_new(&options, &pos);
    struct err err = {0};
    enum decoder_note note = DECODER_NOTHING;
    size_t at = 4;
    while (at < size) {
        struct cursor length = cursor_of(slice_of(data + at + 9, 4));
        uint32_t n = cursor_u32(&length);
        assert_true(n >= 19 && n <= size - at);
        bool last = at + n == size; /* the ROTATE, which goes on to another file */
        if (!decoder_event(decoder, slice_of(data + at, n), &note, &err)) fail_msg("%s: %s", g->name, err.text);
        at += n;
        if (!last && !decoder_in_transaction(decoder)) assert_int_equal(decoder_pos(decoder)->offset, at);
    }
    assert_int_equal(note, DECODER_FILE);
    assert_int_equal(decoder_stats(decoder)->events > 0 && decoder_stats(decoder)->rows == g->rows, true);
    decoder_free(decoder);
    assert_int_equal(g->begins, g->ends);
}

static bool same_field(enum column_kind kind, const char *ours, const char *theirs)
{
    if (!strcmp(ours, theirs)) return true;
    if (!strcmp(ours, "NULL") || !strcmp(theirs, "NULL")) return false;
    if (kind == COLUMN_FLOAT) return strtof(ours, NULL) == (float)strtod(theirs, NULL);
    return kind == COLUMN_DOUBLE && strtod(ours, NULL) == strtod(theirs, NULL);
}

static size_t compare_line(struct golden *g, char *line)
{
    char *save, *name = strtok_r(line, "\t", &save), *fields[FIELDS];
    uint32_t n = 0;
    for (char *at = save; at && n < FIELDS; n++) fields[n] = strsep(&at, "\t\n");
    if (n && !*fields[n - 1]) n--; /* behind the newline */
    struct store *store = store_of(g, name, strlen(name));
    unsigned long id = strtoul(fields[0], NULL, 10);
    assert_true(id < ROWS);
    for (uint32_t i = 0; i < store->columns; i++) {
        const char *ours = store->rows[id].fields[i], *theirs = i < n ? fields[i] : "";
        if (!ours || !same_field(store->kinds[i], ours, theirs))
            fail_msg("%s: %s, id %lu, column %u: the server says %s, decoded was %s", g->name, name, id, i + 1, theirs, ours ? ours : "no row");
    }
    clear(&store->rows[id]);
    return 1;
}

static void compare(struct golden *g)
{
    static char line[LINE_MAX_BYTES];
    FILE *in = fopen(path_of(g->name, ".rows"), "r");
    size_t lines = 0;
    assert_non_null(in);
    while (fgets(line, sizeof line, in)) lines += compare_line(g, line);
    fclose(in);
    assert_true(lines > 10);
    for (size_t i = 0; i < g->count; i++)
        for (size_t id = 0; id < ROWS; id++)
            if (g->stores[i].rows[id].fields[0]) fail_msg("%s: %s has a row %zu that the server has not", g->name, g->stores[i].name, id);
}

static void finish(struct golden *g)
{
    for (size_t i = 0; i < g->count; i++)
        for (size_t id = 0; id < ROWS; id++) clear(&g->stores[i].rows[id]);
    buf_fini(&g->statements);
    free(g);
}

static struct golden *start(const char *name)
{
    struct golden *g = calloc(1, sizeof *g);
    assert_non_null(g);
    g->name = name;
    buf_init(&g->statements, 1 << 20);
    decode(g);
    return g;
}

static void test_rows(void **state)
{
    struct golden *g = start(*state);
    compare(g);
    finish(g);
}

static void test_statements(void **state)
{
    static char expected[1 << 20];
    struct golden *g = start(*state);
    FILE *in = fopen(path_of(g->name, ".statements"), "r");
    assert_non_null(in);
    size_t n = fread(expected, 1, sizeof expected - 1, in);
    fclose(in);
    expected[n] = 0;
    assert_string_equal(buf_cstr(&g->statements), expected);
    finish(g);
}

int main(int argc, char **argv)
{
    static const struct { const char *name; CMUnitTestFunction test; } cases[] = {
        {"10.11-types", test_rows}, {"11.8-types", test_rows}, {"10.11-minimal", test_rows}, {"11.8-minimal", test_rows},
        {"10.11-nolog", test_rows}, {"11.8-nolog", test_rows}, {"10.11-compressed", test_rows}, {"11.8-compressed", test_rows},
        {"10.11-statements", test_statements}, {"11.8-statements", test_statements}, {"10.11-layouts", test_rows}, {"11.8-layouts", test_rows},
        {"5.6-types", test_rows}, {"5.6-minimal", test_rows}, {"9.7-types", test_rows}, {"9.7-names", test_rows}, {"9.7-minimal", test_rows},
        {"9.7-json", test_rows}, {"9.7-payload", test_rows},
    };
    enum { CASES = sizeof cases / sizeof *cases };
    struct CMUnitTest tests[CASES];
    if (argc == 3 && !strcmp(argv[1], "--write")) {
        struct golden *g = start(argv[2]);
        fputs(buf_cstr(&g->statements), stdout);
        finish(g);
        return 0;
    }
    for (size_t i = 0; i < CASES; i++)
        tests[i] = (struct CMUnitTest){cases[i].name, cases[i].test, NULL, NULL, (void *)cases[i].name};
    return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
