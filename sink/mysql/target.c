/*
 * target.c: see target.h. Everything comes from information_schema with both names given, which opens that one table only; the foreign
 * keys come all at once, because who refers to a table is not to be had any cheaper.
 */
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { TARGETS_MAX = 65536, SQL_MAX = 8192 };

struct relation { struct slice database, child, parent_database, parent; bool cascades, related; /* related: its child may be reached by a cascade */ };

struct targets {
    struct target_table *first;
    size_t count;
    bool relations_known, fold_names;
    struct arena arena; /* of the relations */
    size_t relation_count;
    struct relation *relations;
};

struct targets *targets_new(void)
{
    struct targets *targets = calloc(1, sizeof *targets);
    if (!targets) abort();
    arena_init(&targets->arena);
    return targets;
}

void targets_forget(struct targets *targets)
{
    while (targets->first) {
        struct target_table *table = targets->first;
        targets->first = table->next;
        arena_fini(&table->arena);
        free(table);
    }
    targets->count = 0;
    targets->relations_known = false;
    arena_reset(&targets->arena);
}

void targets_free(struct targets *targets)
{
    if (!targets) return;
    targets_forget(targets);
    arena_fini(&targets->arena);
    free(targets);
}

static struct slice text_of(struct arena *arena, const struct db_result *result, uint64_t row, uint32_t column)
{
    size_t size = 0;
    const char *value = db_value(result, row, column, &size);
    return value ? arena_copy(arena, slice_of(value, size)) : (struct slice){NULL, 0};
}

static bool same(struct slice a, struct slice b, bool fold)
{
    if (a.size != b.size) return false;
    return a.size == 0 || (fold ? strncasecmp((const char *)a.data, (const char *)b.data, a.size) == 0 : slice_equal(a, b));
}

int target_column(const struct target_table *table, struct slice name)
{
    for (uint32_t i = 0; i < table->column_count; i++)
        if (same(table->columns[i].name, name, true)) return (int)i;
    return -1;
}

/* A row that a cascade deletes may be a parent itself: its children are reached as well, or hold the whole up. */
static void spread(struct targets *targets)
{
    struct relation *all = targets->relations;
    bool fold = targets->fold_names, more = true;
    for (size_t i = 0; i < targets->relation_count; i++) all[i].related = all[i].cascades;
    while (more) {
        more = false;
        for (size_t i = 0; i < targets->relation_count; i++)
            for (size_t k = 0; k < targets->relation_count && !all[i].related; k++) {
                const struct relation *from = &all[k];
                if (!from->related) continue;
                all[i].related = (same(all[i].parent_database, from->database, fold) && same(all[i].parent, from->child, fold)) ||
                                 (same(all[i].parent_database, from->parent_database, fold) && same(all[i].parent, from->parent, fold));
                more |= all[i].related;
            }
    }
}

static bool load_relations(struct targets *targets, struct db *db, struct err *err)
{
    struct db_result *r;
    char fold[8];
    bool found;
    if (!db_scalar(db, fold, sizeof fold, &found, err, "SELECT @@lower_case_table_names")) return false;
    if (!db_query(db, &r, err, "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME, "
                  "UPDATE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') OR DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') "
                  "FROM information_schema.REFERENTIAL_CONSTRAINTS")) return false;
    targets->fold_names = fold[0] != '0';
    targets->relations = arena_alloc(&targets->arena, (r->row_count + 1) * sizeof *targets->relations);
    targets->relation_count = r->row_count;
    for (uint64_t i = 0; i < r->row_count; i++)
        targets->relations[i] = (struct relation){text_of(&targets->arena, r, i, 0), text_of(&targets->arena, r, i, 1),
                                                  text_of(&targets->arena, r, i, 2), text_of(&targets->arena, r, i, 3),
                                                  .cascades = strcmp(db_value(r, i, 4, NULL), "0") != 0};
    spread(targets);
    targets->relations_known = true;
    db_result_free(r);
    return true;
}

static void note_relations(const struct targets *targets, struct target_table *table)
{
    bool fold = targets->fold_names;
    for (size_t i = 0; i < targets->relation_count; i++) {
        const struct relation *r = &targets->relations[i];
        bool child = same(r->database, table->database, fold) && same(r->child, table->name, fold);
        bool parent = same(r->parent_database, table->database, fold) && same(r->parent, table->name, fold);
        table->foreign |= child || parent;
        table->cascading |= parent && r->cascades;
        table->cascaded |= child && r->cascades;
        table->related |= (child || parent) && r->related;
    }
}

/* " WHERE TABLE_SCHEMA='…' AND TABLE_NAME='…'" */
static const char *where(const struct target_table *table, const char *prefix, struct buf *sql)
{
    buf_printf(sql, " WHERE %s_SCHEMA=", prefix);
    db_quote(sql, table->database);
    buf_printf(sql, " AND %s_%s=", prefix, prefix[0] == 'T' ? "NAME" : "TABLE");
    db_quote(sql, table->name);
    return buf_cstr(sql);
}

static bool is(const char *value, const char *word) { return value && strcasecmp(value, word) == 0; }

static bool load_table(struct target_table *table, struct db *db, const char *at, struct err *err)
{
    struct db_result *r;
    if (!db_query(db, &r, err, "SELECT t.TABLE_TYPE, t.ENGINE, t.TABLE_ROWS, (SELECT e.TRANSACTIONS FROM information_schema.ENGINES e "
                  "WHERE e.ENGINE=t.ENGINE) FROM information_schema.TABLES t%s", at)) return false;
    table->exists = r->row_count > 0;
    if (table->exists) {
        const char *type = db_value(r, 0, 0, NULL), *engine = db_value(r, 0, 1, NULL), *rows = db_value(r, 0, 2, NULL);
        table->view = is(type, "VIEW");
        table->versioned = is(type, "SYSTEM VERSIONED");
        table->sequence = is(type, "SEQUENCE");
        table->transactional = is(db_value(r, 0, 3, NULL), "YES");
        table->rows = rows ? strtoull(rows, NULL, 10) : 0;
        snprintf(table->engine, sizeof table->engine, "%s", engine ? engine : "none");
    }
    db_result_free(r);
    return true;
}

static bool load_columns(struct target_table *table, struct db *db, const char *at, struct err *err)
{
    struct db_result *r;
    if (!db_query(db, &r, err, "SELECT COLUMN_NAME, IS_NULLABLE, COLUMN_TYPE, COLLATION_NAME, EXTRA, DATA_TYPE, COLUMN_DEFAULT FROM "
                  "information_schema.COLUMNS%s ORDER BY ORDINAL_POSITION", at)) return false;
    table->column_count = (uint32_t)r->row_count;
    table->columns = arena_alloc(&table->arena, (r->row_count + 1 + 2) * sizeof *table->columns); /* and a hidden period */
    for (uint32_t i = 0; i < table->column_count; i++) {
        struct target_column *c = &table->columns[i];
        const char *type = db_value(r, i, 2, NULL), *collation = db_value(r, i, 3, NULL), *extra = db_value(r, i, 4, NULL);
        size_t n = collation ? strlen(collation) : 0;
        static const char *const shapes[] = {"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring",
                                             "multipolygon", "geometrycollection", "geomcollection"};
        c->name = text_of(&table->arena, r, i, 0);
        c->nullable = is(db_value(r, i, 1, NULL), "YES");
        c->is_unsigned = type && strstr(type, " unsigned");
        c->text = collation != NULL;
        c->bytewise = !collation || is(collation, "binary") || (n > 4 && strcmp(collation + n - 4, "_bin") == 0);
        /* with the blank: MySQL says DEFAULT_GENERATED of a default that is an expression */
        c->generated = extra && (strcasestr(extra, " GENERATED") || strcasestr(extra, "PERSISTENT"));
        c->counts = extra && strcasestr(extra, "auto_increment");
        c->no_default = !c->nullable && !c->generated && !db_value(r, i, 6, NULL) && !c->counts &&
                        !is(db_value(r, i, 5, NULL), "enum"); /* whose default is its first label */
        c->null_default = c->nullable && !c->generated && !db_value(r, i, 6, NULL);
        c->json = is(db_value(r, i, 5, NULL), "json");
        c->real = is(db_value(r, i, 5, NULL), "float") || is(db_value(r, i, 5, NULL), "double");
        table->computes |= c->generated;
        for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) c->geometry |= is(db_value(r, i, 5, NULL), shapes[k]);
    }
    db_result_free(r);
    return true;
}

/* Hidden where the definition does not name them; then `row_start` and `row_end` can be named all the same. */
static bool load_period(struct target_table *table, struct db *db, const char *at, struct err *err)
{
    static const char *const hidden[] = {"row_start", "row_end"};
    struct db_result *r;
    if (!table->versioned) return true;
    table->computes = true; /* and the last partition for history warns when it is over its interval */
    if (!db_query(db, &r, err, "SELECT COLUMN_NAME, GENERATION_EXPRESSION FROM information_schema.COLUMNS%s AND GENERATION_EXPRESSION IN "
                  "('ROW START', 'ROW END')", at)) return false;
    table->period[0] = table->period[1] = -1;
    for (uint64_t i = 0; i < r->row_count; i++) {
        size_t size = 0;
        const char *name = db_value(r, i, 0, &size);
        table->period[is(db_value(r, i, 1, NULL), "ROW END")] = target_column(table, slice_of(name, size));
    }
    db_result_free(r);
    table->by_transaction = table->period[1] >= 0 && table->columns[table->period[1]].is_unsigned;
    for (int i = 0; i < 2; i++) {
        if (table->period[i] >= 0) continue;
        table->period[i] = (int)table->column_count;
        table->columns[table->column_count++] = (struct target_column){.name = slice_text(hidden[i]), .generated = true, .bytewise = true};
    }
    return true;
}

/* Rows first … last - 1 of the result are one index. */
static void add_key(struct target_table *table, const struct db_result *r, uint64_t first, uint64_t last)
{
    struct target_key key = {.primary = is(db_value(r, first, 0, NULL), "PRIMARY"), .not_null = true};
    key.columns = arena_alloc(&table->arena, (last - first) * sizeof *key.columns);
    for (uint64_t i = first; i < last; i++) {
        size_t size = 0;
        const char *name = db_value(r, i, 1, &size);
        int column = name ? target_column(table, slice_of(name, size)) : -1;
        if (table->versioned && column >= 0 && column == table->period[1]) continue; /* among what is current, the rest is unique */
        if (column < 0 || db_value(r, i, 2, NULL) || !is(db_value(r, i, 3, NULL), "BTREE")) {
            table->other_unique = true;
            return;
        }
        if (table->columns[column].nullable || table->columns[column].generated || table->columns[column].geometry)
            key.not_null = false;
        key.columns[key.count++] = (uint16_t)column;
    }
    struct target_key *to = &table->keys[table->key_count++];
    if (key.primary && table->key_count > 1) {
        *to = table->keys[0];
        to = &table->keys[0];
    }
    *to = key;
}

static bool load_keys(struct target_table *table, struct db *db, const char *at, struct err *err)
{
    struct db_result *r;
    if (!db_query(db, &r, err, "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART, INDEX_TYPE, NON_UNIQUE FROM information_schema.STATISTICS%s AND "
                  "(NON_UNIQUE=0 OR COLUMN_NAME IS NULL) ORDER BY INDEX_NAME, SEQ_IN_INDEX", at)) return false;
    table->keys = arena_alloc(&table->arena, (r->row_count + 1) * sizeof *table->keys);
    for (uint64_t i = 0, first = 0; i < r->row_count; i++) {
        const char *name = db_value(r, i, 0, NULL), *next = i + 1 < r->row_count ? db_value(r, i + 1, 0, NULL) : NULL;
        table->computes |= !db_value(r, i, 1, NULL);
        if (next && strcmp(name, next) == 0) continue;
        if (is(db_value(r, i, 4, NULL), "0")) add_key(table, r, first, i + 1);
        first = i + 1;
    }
    db_result_free(r);
    return true;
}

static bool load_triggers(struct target_table *table, struct db *db, struct err *err)
{
    struct buf sql;
    char count[24];
    bool found;
    buf_init(&sql, SQL_MAX);
    bool ok = db_scalar(db, count, sizeof count, &found, err, "SELECT COUNT(*) FROM information_schema.TRIGGERS%s",
                        where(table, "EVENT_OBJECT", &sql));
    buf_fini(&sql);
    if (ok) table->triggers = strcmp(count, "0") != 0;
    return ok;
}

static bool load(struct targets *targets, struct target_table *table, struct db *db, struct err *err)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    const char *at = where(table, "TABLE", &sql);
    bool ok = load_table(table, db, at, err);
    if (ok && table->exists)
        ok = load_columns(table, db, at, err) && load_period(table, db, at, err) && load_keys(table, db, at, err) && load_triggers(table, db, err);
    buf_fini(&sql);
    if (!ok) return false;
    note_relations(targets, table);
    return true;
}

bool targets_get(struct targets *targets, struct db *db, struct slice database, struct slice name,
                 const struct target_table **out, struct err *err)
{
    for (struct target_table *t = targets->first; t; t = t->next)
        if (slice_equal(t->name, name) && slice_equal(t->database, database)) return *out = t, true;
    if (targets->count >= TARGETS_MAX) /* forgetting one would leave plans that point to it */
        return err_set(err, ERR_LIMIT, "more than %d tables (TARGETS_MAX) since the last DDL statement", TARGETS_MAX);
    if (!targets->relations_known && !load_relations(targets, db, err)) return err_context(err, "reading the target's foreign keys");
    struct target_table *table = calloc(1, sizeof *table);
    if (!table) abort();
    arena_init(&table->arena);
    table->database = arena_copy(&table->arena, database);
    table->name = arena_copy(&table->arena, name);
    table->mysql = db_version(db)->flavour == DB_MYSQL;
    if (!load(targets, table, db, err)) {
        arena_fini(&table->arena);
        free(table);
        return err_context(err, "reading the target's definition of %.*s.%.*s", SLICE_ARG(database), SLICE_ARG(name));
    }
    table->next = targets->first;
    targets->first = table;
    targets->count++;
    *out = table;
    return true;
}
