/* catalog.c: see definition.h: the definitions of many tables, by name, and what statements make of them. */
#include <stdlib.h>
#include <strings.h>

#include "define.h"
#include "names.h"

enum { BUCKETS = 1024 };

struct entry {
    struct definition *now;    /* NULL: forgotten; its version goes on */
    char *database, *name;
    uint64_t version;
    struct entry *next;
};

struct catalog {
    struct entry *buckets[BUCKETS];
    size_t count;
    bool folds;
    catalog_change_fn *changed;
    void *context;
};

struct catalog *catalog_new(void)
{
    struct catalog *catalog = calloc(1, sizeof *catalog);
    if (!catalog) abort();
    return catalog;
}

void catalog_free(struct catalog *catalog)
{
    if (!catalog) return;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct entry *e = catalog->buckets[i], *next; e; e = next) {
            next = e->next;
            definition_free(e->now);
            free(e->database);
            free(e->name);
            free(e);
        }
    free(catalog);
}

void catalog_watch(struct catalog *catalog, catalog_change_fn *fn, void *context)
{
    catalog->changed = fn;
    catalog->context = context;
}

size_t catalog_count(const struct catalog *catalog) { return catalog->count; }

static bool is_same(const struct entry *a, const struct entry *b)
{
    return names_equal(slice_text(a->database), slice_text(b->database), true) && names_equal(slice_text(a->name), slice_text(b->name), true);
}

/* Which of two that are one table now is the true one, nobody knows. */
void catalog_fold(struct catalog *catalog, bool folds)
{
    catalog->folds = false;
    for (size_t i = 0; folds && i < BUCKETS; i++)
        for (struct entry *e = catalog->buckets[i]; e; e = e->next)
            for (struct entry *other = e->next; other; other = other->next) {
                if (!is_same(e, other)) continue;
                catalog_remove(catalog, slice_text(e->database), slice_text(e->name));
                catalog_remove(catalog, slice_text(other->database), slice_text(other->name));
            }
    catalog->folds = folds;
}

static struct entry **place_of(const struct catalog *catalog, struct slice database, struct slice name)
{
    uint32_t hash = names_hash(name, names_hash(database, 2166136261u));
    struct entry **at = (struct entry **)&catalog->buckets[hash % BUCKETS];
    while (*at && !(names_equal(database, slice_text((*at)->database), catalog->folds) && names_equal(name, slice_text((*at)->name), catalog->folds))) at = &(*at)->next;
    return at;
}

const struct definition *catalog_find(const struct catalog *catalog, struct slice database, struct slice name)
{
    const struct entry *e = *place_of(catalog, database, name);
    return e ? e->now : NULL;
}

const struct definition *catalog_at(const struct catalog *catalog, size_t n)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (const struct entry *e = catalog->buckets[i]; e; e = e->next)
            if (e->now && !n--) return e->now;
    return NULL;
}

static void tell(struct catalog *catalog, const struct entry *e)
{
    if (catalog->changed) catalog->changed(catalog->context, e->database, e->name, e->now);
}

void catalog_put(struct catalog *catalog, struct definition *definition)
{
    struct entry **at = place_of(catalog, slice_text(definition->database), slice_text(definition->name));
    if (!*at) {
        struct entry *made = calloc(1, sizeof *made);
        if (!made) abort();
        made->database = strdup(definition->database);
        made->name = strdup(definition->name);
        if (!made->database || !made->name) abort();
        *at = made;
    }
    struct entry *e = *at;
    if (strcmp(e->database, definition->database) || strcmp(e->name, definition->name)) { /* one table is written in one way */
        struct definition *named = define_copy(definition, e->database, e->name);
        definition_free(definition);
        definition = named;
    }
    catalog->count += !e->now;
    definition_free(e->now);
    e->now = definition;
    if (definition->version <= e->version) definition->version = e->version + 1;
    e->version = definition->version;
    tell(catalog, e);
}

void catalog_remove(struct catalog *catalog, struct slice database, struct slice name)
{
    struct entry *e = *place_of(catalog, database, name);
    if (!e || !e->now) return;
    definition_free(e->now);
    e->now = NULL;
    catalog->count--;
    tell(catalog, e);
}

bool catalog_apply(const struct catalog *catalog, struct table *draft, struct arena *arena, struct err *err)
{
    const struct definition *d = catalog_find(catalog, draft->database, draft->name);
    return !d || definition_apply(d, draft, arena, err);
}

/* ---- statements ---- */

struct reading {
    struct catalog *catalog;
    struct tokens t;
    uint16_t charset;
    char database[DEFINE_NAME_MAX]; /* of names without one */
    enum definition_origin origin;
    bool from_log;    /* what IF NOT EXISTS defines may have been there before */
    size_t defined;
    bool unreadable;  /* a CREATE TABLE that says nothing certain */
};

struct names { char database[DEFINE_NAME_MAX], name[DEFINE_NAME_MAX]; };

static bool take_table(struct reading *r, struct names *names)
{
    memcpy(names->database, r->database, sizeof names->database);
    if (!define_name(&r->t.now, r->charset, names->name)) return false;
    tokens_next(&r->t);
    if (!tokens_skip_sign(&r->t, '.')) return true;
    memcpy(names->database, names->name, sizeof names->database);
    bool good = define_name(&r->t.now, r->charset, names->name);
    tokens_next(&r->t);
    return good;
}

static bool skip_if_exists(struct reading *r)
{
    if (!tokens_skip(&r->t, "IF")) return false;
    tokens_skip(&r->t, "NOT");
    tokens_skip(&r->t, "EXISTS");
    return true;
}

static const struct definition *known(const struct reading *r, const struct names *names)
{
    return catalog_find(r->catalog, slice_text(names->database), slice_text(names->name));
}

static void forget(struct reading *r, const struct names *names)
{
    catalog_remove(r->catalog, slice_text(names->database), slice_text(names->name));
}

static void put(struct reading *r, struct definition *d)
{
    d->origin = r->origin;
    catalog_put(r->catalog, d);
    r->defined++;
}

static void create(struct reading *r)
{
    struct names names, like;
    if (tokens_skip(&r->t, "OR")) tokens_skip(&r->t, "REPLACE");
    if (!tokens_skip(&r->t, "TABLE")) return; /* TEMPORARY, VIEW, INDEX … */
    bool conditional = skip_if_exists(r);
    if (!take_table(r, &names)) return;
    if (conditional && (known(r, &names) || r->from_log)) return;
    struct tokens inside = r->t;
    bool bracket = tokens_skip_sign(&inside, '(') && tokens_is(&inside, "LIKE");
    if (bracket) r->t = inside;
    if (tokens_skip(&r->t, "LIKE")) {
        const struct definition *from = take_table(r, &like) ? known(r, &like) : NULL;
        if (from) put(r, define_copy(from, names.database, names.name));
        else forget(r, &names);
        return;
    }
    struct definition *made = names.database[0] ? define_create(&r->t, r->charset, names.database, names.name) : NULL;
    if (made) {
        put(r, made);
        return;
    }
    r->unreadable = true;
    forget(r, &names);
}

static void alter(struct reading *r)
{
    struct names names, to;
    tokens_skip(&r->t, "ONLINE");
    tokens_skip(&r->t, "OFFLINE");
    tokens_skip(&r->t, "IGNORE");
    if (!tokens_skip(&r->t, "TABLE")) return;
    skip_if_exists(r);
    if (!take_table(r, &names)) return;
    const struct definition *old = known(r, &names);
    if (!old) return;
    if (tokens_skip(&r->t, "WAIT")) tokens_next(&r->t);
    else tokens_skip(&r->t, "NOWAIT");
    to = names;
    struct definition *made = define_alter(&r->t, r->charset, old, to.database, to.name);
    if (!made) {
        forget(r, &names);
        return;
    }
    if (!strcmp(to.database, names.database) && !strcmp(to.name, names.name)) {
        put(r, made);
        return;
    }
    struct definition *moved = define_copy(made, to.database, to.name);
    definition_free(made);
    forget(r, &names);
    put(r, moved);
}

/* DROP TABLE a, b; DROP DATABASE d. */
static void drop(struct reading *r)
{
    struct names names;
    if (tokens_skip(&r->t, "DATABASE") || tokens_skip(&r->t, "SCHEMA")) {
        skip_if_exists(r);
        if (!define_name(&r->t.now, r->charset, names.database)) return;
        for (size_t i = 0; i < BUCKETS; i++)
            for (struct entry *e = r->catalog->buckets[i]; e; e = e->next)
                if (e->now && names_equal(slice_text(e->database), slice_text(names.database), r->catalog->folds)) catalog_remove(r->catalog, slice_text(e->database), slice_text(e->name));
        return;
    }
    if (!tokens_skip(&r->t, "TABLE") && !tokens_skip(&r->t, "TABLES")) return;
    skip_if_exists(r);
    do {
        if (!take_table(r, &names)) return;
        forget(r, &names);
    } while (tokens_skip_sign(&r->t, ','));
}

static void move(struct reading *r, const struct names *from, const struct names *to)
{
    const struct definition *old = known(r, from);
    struct definition *moved = old ? define_copy(old, to->database, to->name) : NULL;
    if (moved) moved->origin = old->origin;
    forget(r, from);
    if (moved) catalog_put(r->catalog, moved);
    else forget(r, to);
}

static void rename_tables(struct reading *r)
{
    struct names from, to;
    if (!tokens_skip(&r->t, "TABLE") && !tokens_skip(&r->t, "TABLES")) return;
    skip_if_exists(r);
    do {
        if (!take_table(r, &from)) return;
        if (tokens_skip(&r->t, "WAIT")) tokens_next(&r->t);
        else tokens_skip(&r->t, "NOWAIT");
        if (!tokens_skip(&r->t, "TO") || !take_table(r, &to)) return;
        move(r, &from, &to);
    } while (tokens_skip_sign(&r->t, ','));
}

static void use(struct reading *r)
{
    char name[DEFINE_NAME_MAX];
    if (define_name(&r->t.now, r->charset, name)) memcpy(r->database, name, sizeof name);
}

static const struct { const char *word; void (*run)(struct reading *r); } verbs[] = {
    {"CREATE", create}, {"ALTER", alter}, {"DROP", drop}, {"RENAME", rename_tables}, {"USE", use},
};

static void read_statement(struct reading *r)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (tokens_skip(&r->t, verbs[i].word)) {
            verbs[i].run(r);
            return;
        }
}

void catalog_statement(struct catalog *catalog, const struct statement *s, uint32_t version)
{
    struct ddl_session session = {.sql_mode = s->sql_mode, .charset_client = s->charset_client, .version = version, .mysql = s->flavour.size != 0};
    struct reading r = {.catalog = catalog, .charset = s->charset_client, .origin = DEFINITION_DDL, .from_log = true};
    if (!s->own_commit || s->error_code || s->database.size >= sizeof r.database) return;
    memcpy(r.database, s->database.data ? (const char *)s->database.data : "", s->database.size);
    r.t = tokens_of(s->text, &session);
    if (!tokens_is(&r.t, "USE")) read_statement(&r);
}

/* ---- files ---- */

static uint64_t line_of(struct slice sql, const uint8_t *at)
{
    uint64_t line = 1;
    for (const uint8_t *c = sql.data; c < at; c++) line += *c == '\n';
    return line;
}

/* The client's own DELIMITER: what stands between it and the next one is bodies of triggers and routines. */
static void skip_delimited(struct tokens *t)
{
    static const char word[] = "\nDELIMITER ";
    const uint8_t *next = memmem(t->at, (size_t)(t->end - t->at), word, sizeof word - 1);
    t->at = next ? next + sizeof word - 1 : t->end;
    while (t->at < t->end && *t->at != '\n') t->at++;
    tokens_next(t);
}

bool catalog_read(struct catalog *catalog, struct slice sql, const char *database, enum definition_origin origin, size_t *count, struct err *err)
{
    static const struct ddl_session session = {0}; /* every executable comment counts */
    struct reading r = {.catalog = catalog, .origin = origin};
    if (database && strlen(database) < sizeof r.database) strcpy(r.database, database);
    r.t = tokens_of(sql, &session);
    while (r.t.now.kind != TOKEN_END) {
        const uint8_t *begins = r.t.now.text.data;
        bool creates = tokens_is(&r.t, "CREATE");
        if (r.t.depth && tokens_is_sign(&r.t, '\\')) { /* a command for the client, in a comment: mariadb-dump's first line */
            while (r.t.depth && r.t.now.kind != TOKEN_END) tokens_next(&r.t);
            continue;
        }
        if (tokens_is(&r.t, "DELIMITER")) {
            skip_delimited(&r.t);
            continue;
        }
        read_statement(&r);
        if (creates && r.unreadable)
            return err_set(err, ERR_CONFIG, "line %llu: this CREATE TABLE cannot be read (near \"%.*s\")%s", (unsigned long long)line_of(sql, begins),
                           r.t.now.text.size < 40 ? (int)r.t.now.text.size : 40, (const char *)r.t.now.text.data,
                           r.database[0] ? "" : "; a name without a database needs a USE before it");
        while (r.t.now.kind != TOKEN_END && !tokens_is_sign(&r.t, ';')) tokens_next(&r.t);
        tokens_skip_sign(&r.t, ';');
    }
    *count = r.defined;
    return true;
}
