/* proof_table.c: which tables there are, and what a table looks like, from information_schema. The source's word counts. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <xxhash.h>

#include "prover.h"

enum { NAMES_MAX = 200000, NO_SUCH_TABLE = 1146 };

/* ---- names ---- */

static int by_name(const void *a, const void *b)
{
    const struct proof_name *x = a, *y = b;
    int order = strcmp(x->database, y->database);
    return order ? order : strcmp(x->table, y->table);
}

static void add_name(struct proof_names *names, const char *database, const char *table)
{
    if (names->count == names->room) {
        names->room = names->room ? names->room * 2 : 64;
        names->items = reallocarray(names->items, names->room, sizeof *names->items);
        if (!names->items) abort();
    }
    struct proof_name *name = &names->items[names->count++];
    name->database = strdup(database);
    name->table = strdup(table);
    if (!name->database || !name->table) abort();
}

void proof_names_free(struct proof_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->items[i].database);
        free(names->items[i].table);
    }
    free(names->items);
    *names = (struct proof_names){0};
}

bool proof_names_have(const struct proof_names *names, const char *database, const char *table)
{
    struct proof_name name = {(char *)(uintptr_t)database, (char *)(uintptr_t)table};
    return names->count && bsearch(&name, names->items, names->count, sizeof *names->items, by_name);
}

bool proof_names_read(struct prover *p, int side, struct proof_names *names, struct err *err)
{
    struct db_result *r;
    *names = (struct proof_names){0};
    buf_clear(&p->sql);
    /* without ENGINE and TABLE_ROWS: those would open every table */
    buf_text(&p->sql, "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE='BASE TABLE' AND TABLE_SCHEMA NOT IN "
             "('mysql', 'information_schema', 'performance_schema', 'sys', 'wolfcdc')");
    if (!link_query(p, side, &p->sql, &r, err)) return false;
    bool ok = r->row_count <= NAMES_MAX;
    for (uint64_t i = 0; ok && i < r->row_count; i++) {
        const char *database = db_value(r, i, 0, NULL), *table = db_value(r, i, 1, NULL);
        if (prover_wants(p, slice_text(database), slice_text(table))) add_name(names, database, table);
    }
    db_result_free(r);
    if (names->count) qsort(names->items, names->count, sizeof *names->items, by_name);
    return ok || err_set(err, ERR_LIMIT, "more than %d tables", NAMES_MAX);
}

/* ---- one table ---- */

static uint32_t count_members(const char *column_type)
{
    uint32_t n = 1;
    bool quoted = false;
    for (; *column_type; column_type++) {
        if (*column_type == '\'') quoted = !quoted;
        else if (*column_type == ',' && !quoted) n++;
    }
    return n;
}

static const char *where(const char *database, const char *name, struct buf *out)
{
    buf_text(out, " WHERE TABLE_SCHEMA=");
    db_quote(out, slice_text(database));
    buf_text(out, " AND TABLE_NAME=");
    db_quote(out, slice_text(name));
    return buf_cstr(out);
}

static bool is_word(const char *text)
{
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && *text != '_') return false;
    return true;
}

static bool take_columns(struct proof_table *t, const struct db_result *r, struct err *err)
{
    t->column_count = (uint32_t)r->row_count;
    t->columns = arena_alloc(&t->arena, r->row_count * sizeof *t->columns);
    for (uint64_t i = 0; i < r->row_count; i++) {
        struct proof_column *c = &t->columns[i];
        const char *charset = db_value(r, i, 2, NULL), *type = db_value(r, i, 1, NULL);
        c->name = arena_copy(&t->arena, slice_text(db_value(r, i, 0, NULL)));
        c->kind = proof_kind(type);
        c->charset = arena_text(&t->arena, slice_text(charset ? charset : "binary"));
        if (!is_word(c->charset)) return err_set(err, ERR_CORRUPT, "a character set is called \"%s\"", c->charset);
        c->nullable = strcmp(db_value(r, i, 3, NULL), "YES") == 0;
        c->generated = strcmp(db_value(r, i, 4, NULL), "0") != 0;
        if (strcmp(type, "enum") == 0) c->members = count_members(db_value(r, i, 5, NULL));
    }
    return true;
}

static int column_at(const struct proof_table *t, const char *name)
{
    for (uint32_t i = 0; i < t->column_count; i++)
        if (t->columns[i].name.size == strlen(name) && !strncasecmp((const char *)t->columns[i].name.data, name, t->columns[i].name.size))
            return (int)i;
    return -1;
}

struct key_draft { const char *index; uint32_t count; uint16_t columns[PROOF_KEY_PARTS]; bool usable, primary, slow; };

/* A key in which an ENUM of many members or a SET stands orders by what no index range can be said for. */
static void add_part(struct key_draft *draft, const struct proof_table *t, const char *column, bool prefix)
{
    int at = column_at(t, column);
    if (at < 0 || prefix || draft->count == PROOF_KEY_PARTS) {
        draft->usable = false;
        return;
    }
    const struct proof_column *c = &t->columns[at];
    if (c->nullable || !c->kind->key) draft->usable = false;
    draft->slow |= c->members > 1000 || (c->kind->type && strcmp(c->kind->type, "set") == 0);
    draft->columns[draft->count++] = (uint16_t)at;
}

static bool is_better(const struct key_draft *a, const struct key_draft *b)
{
    if (!a->usable) return false;
    if (!b->usable) return true;
    return a->slow != b->slow ? !a->slow : a->primary && !b->primary;
}

static void take_key(struct proof_table *t, const struct db_result *r)
{
    struct key_draft best = {0}, draft = {0};
    for (uint64_t i = 0; i <= r->row_count; i++) {
        const char *index = i < r->row_count ? db_value(r, i, 0, NULL) : "";
        if (draft.index && strcmp(draft.index, index) != 0) {
            if (is_better(&draft, &best)) best = draft;
            draft.index = NULL;
        }
        if (i == r->row_count) break;
        if (!draft.index) draft = (struct key_draft){.index = index, .usable = true, .primary = strcmp(index, "PRIMARY") == 0};
        const char *column = db_value(r, i, 1, NULL);
        add_part(&draft, t, column ? column : "", db_value(r, i, 2, NULL) != NULL || strcasecmp(db_value(r, i, 3, NULL), "BTREE") != 0);
    }
    if (!best.usable) return;
    t->key_count = best.count;
    memcpy(t->key, best.columns, sizeof t->key);
    t->index = arena_copy(&t->arena, slice_text(best.index));
}

bool proof_table_load(struct db *db, const char *database, const char *name, struct proof_table **table, struct err *err)
{
    struct db_result *r = NULL;
    struct buf sql;
    struct proof_table *t = calloc(1, sizeof *t);
    if (!t) abort();
    arena_init(&t->arena);
    buf_init(&sql, 8192);
    t->database = arena_copy(&t->arena, slice_text(database));
    t->name = arena_copy(&t->arena, slice_text(name));
    bool ok = db_query(db, &r, err, "SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_SET_NAME, IS_NULLABLE, IS_GENERATED<>'NEVER', COLUMN_TYPE FROM "
                       "information_schema.COLUMNS%s ORDER BY ORDINAL_POSITION", where(database, name, &sql)) && take_columns(t, r, err);
    db_result_free(r);
    r = NULL;
    if (ok && t->column_count) {
        ok = db_query(db, &r, err, "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART, INDEX_TYPE FROM information_schema.STATISTICS%s AND NON_UNIQUE=0 "
                      "ORDER BY INDEX_NAME<>'PRIMARY', INDEX_NAME, SEQ_IN_INDEX", buf_cstr(&sql));
        if (ok) take_key(t, r);
        db_result_free(r);
    }
    buf_fini(&sql);
    if (!ok || !t->column_count) {
        proof_table_free(t);
        t = NULL;
    }
    if (ok) *table = t;
    return ok;
}

bool proof_table_read(struct prover *p, const char *database, const char *name, struct proof_table **table, struct err *err)
{
    struct err local = {0};
    if (!err) err = &local;
    if (!link_open(p, SIDE_SOURCE, err)) return false;
    if (proof_table_load(p->source.db, database, name, table, err)) return true;
    link_fail(p, SIDE_SOURCE, err);
    return false;
}

void proof_table_free(struct proof_table *t)
{
    if (!t) return;
    arena_fini(&t->arena);
    free(t);
}

/* ---- definitions ---- */

/* Without AUTO_INCREMENT=n, which is where the counter is, and differs by every insert that was rolled back. */
static uint64_t digest_definition(const char *text)
{
    static const char counter[] = " AUTO_INCREMENT=";
    const char *end = strstr(text, "\n) "), *at = end ? strstr(end, counter) : NULL;
    XXH64_state_t *state = XXH64_createState();
    if (!state) abort();
    XXH64_reset(state, 0);
    if (at) {
        const char *rest = at + strlen(counter);
        XXH64_update(state, text, (size_t)(at - text));
        rest += strspn(rest, "0123456789");
        XXH64_update(state, rest, strlen(rest));
    } else {
        XXH64_update(state, text, strlen(text));
    }
    uint64_t digest = XXH64_digest(state);
    XXH64_freeState(state);
    return digest;
}

bool proof_table_digest(struct prover *p, int side, const struct proof_table *t, bool whole, char digest[PROOF_HASH_SIZE + 1], struct err *err)
{
    struct db_result *r;
    struct err local = {0};
    if (!err) err = &local;
    buf_clear(&p->sql);
    if (whole) {
        buf_text(&p->sql, "SHOW CREATE TABLE ");
        proof_sql_name(&p->sql, t);
    } else {
        char database[260], name[260];
        snprintf(database, sizeof database, "%.*s", SLICE_ARG(t->database));
        snprintf(name, sizeof name, "%.*s", SLICE_ARG(t->name));
        buf_text(&p->sql, "SELECT COUNT(*), GROUP_CONCAT(MD5(CONCAT_WS(' ', COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, CHARACTER_SET_NAME, IS_GENERATED)) "
                 "ORDER BY ORDINAL_POSITION) FROM information_schema.COLUMNS");
        where(database, name, &p->sql);
    }
    digest[0] = 0;
    if (!link_query(p, side, &p->sql, &r, err)) {
        if (err->number != NO_SUCH_TABLE && err->number != 1049) return false;
        err_clear(err);
        return true;
    }
    const char *text = r->row_count ? db_value(r, 0, 1, NULL) : NULL;
    if (text) snprintf(digest, PROOF_HASH_SIZE + 1, "%016llx", (unsigned long long)digest_definition(text));
    db_result_free(r);
    return true;
}
