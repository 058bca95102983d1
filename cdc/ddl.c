/* ddl.c: see ddl.h. Two tables: the first word of a statement, and what CREATE, ALTER, DROP and RENAME act on. */
#include "ddl.h"

#include <strings.h>

#include "charset.h"

struct parse {
    struct tokens t;
    struct ddl *out;
    uint16_t charset;
    bool bad_name; /* not valid in its character set */
};

typedef void parse_fn(struct parse *p);

void ddl_init(struct ddl *ddl)
{
    *ddl = (struct ddl){0};
    buf_init(&ddl->tables, DDL_TABLES_MAX);
    buf_init(&ddl->savepoint, 4096);
}

void ddl_fini(struct ddl *ddl)
{
    buf_fini(&ddl->tables);
    buf_fini(&ddl->savepoint);
}

/* ---- names ---- */

static void unquote(const struct token *token, struct buf *out)
{
    for (size_t i = 0; i < token->text.size; i++) {
        buf_u8(out, token->text.data[i]);
        if (token->quote && token->text.data[i] == token->quote) i++;
    }
}

static bool is_ascii(struct slice s)
{
    for (size_t i = 0; i < s.size; i++)
        if (s.data[i] >= 0x80) return false;
    return true;
}

/* A name as the table maps carry it: UTF-8, without quotes. */
static void put_name(struct parse *p, const struct token *token, struct buf *out)
{
    struct buf raw, text;
    buf_init(&raw, DDL_TABLES_MAX);
    buf_init(&text, DDL_TABLES_MAX);
    unquote(token, &raw);
    if (p->charset && !is_ascii(buf_bytes(&raw))) {
        struct charset_cache *cache = charset_cache_new();
        if (!charset_to_utf8(cache, p->charset, buf_bytes(&raw), &text)) p->bad_name = true;
        charset_cache_free(cache);
        buf_varint_bytes(out, buf_bytes(&text));
    } else {
        buf_varint_bytes(out, buf_bytes(&raw));
    }
    buf_fini(&raw);
    buf_fini(&text);
}

static bool at_name(const struct parse *p) { return p->t.now.kind == TOKEN_WORD || p->t.now.kind == TOKEN_NAME; }

/* [database .] name; false and nothing put when there is no name. */
static bool take_table(struct parse *p)
{
    struct token first = {.kind = TOKEN_NAME}, second;
    if (!tokens_is_sign(&p->t, '.')) {
        if (!at_name(p)) return false;
        first = p->t.now;
        tokens_next(&p->t);
    }
    second = first;
    if (tokens_skip_sign(&p->t, '.')) {
        if (!at_name(p)) return false;
        second = p->t.now;
        tokens_next(&p->t);
        put_name(p, &first, &p->out->tables);
    } else {
        buf_varint(&p->out->tables, 0);
    }
    put_name(p, &second, &p->out->tables);
    return true;
}

static void take_database(struct parse *p)
{
    if (!at_name(p)) { /* ALTER DATABASE without a name: the session's */
        buf_varint(&p->out->tables, 0);
    } else {
        put_name(p, &p->t.now, &p->out->tables);
        tokens_next(&p->t);
    }
    buf_varint(&p->out->tables, 0);
}

static void take_list(struct parse *p)
{
    do {
        if (!take_table(p)) return;
    } while (tokens_skip_sign(&p->t, ','));
}

static void skip_if_exists(struct parse *p)
{
    if (!tokens_skip(&p->t, "IF")) return;
    tokens_skip(&p->t, "NOT");
    tokens_skip(&p->t, "EXISTS");
}

/* ---- CREATE, ALTER, DROP: what follows the object's word ---- */

static void one_name(struct parse *p)
{
    skip_if_exists(p);
    take_table(p);
}

static void names(struct parse *p)
{
    skip_if_exists(p);
    take_list(p);
}

/* MySQL's ENCRYPTION = 'N'; alone the word can be a name. */
static bool is_encryption(const struct parse *p)
{
    struct tokens t = p->t;
    if (!tokens_skip(&t, "ENCRYPTION")) return false;
    return tokens_is_sign(&t, '=') || t.now.kind == TOKEN_STRING;
}

static void one_database(struct parse *p)
{
    skip_if_exists(p);
    if (p->out->kind == STATEMENT_ALTER_DATABASE) {
        static const char *const options[] = {"DEFAULT", "CHARACTER", "CHARSET", "COLLATE", "COMMENT", "READ"};
        for (size_t i = 0; i < sizeof options / sizeof *options; i++)
            if (tokens_is(&p->t, options[i])) p->t.now.kind = TOKEN_END; /* no name: the session's */
        if (is_encryption(p)) p->t.now.kind = TOKEN_END;
    }
    take_database(p);
}

/* What may stand for SELECT: TABLE t, and VALUES ROW (…) besides a partition's VALUES IN and VALUES LESS THAN. */
static bool is_query(struct parse *p)
{
    if (tokens_is(&p->t, "SELECT") || tokens_is(&p->t, "TABLE")) return true;
    return tokens_skip(&p->t, "VALUES") && (tokens_is(&p->t, "ROW") || tokens_is_sign(&p->t, '('));
}

static void create_table(struct parse *p)
{
    skip_if_exists(p);
    take_table(p);
    tokens_skip_sign(&p->t, '(');
    p->out->from_query = tokens_is(&p->t, "LIKE");
    for (; p->t.now.kind != TOKEN_END && !p->out->from_query; tokens_next(&p->t)) p->out->from_query = is_query(p);
}

/* The start of one of ALTER TABLE's comma-separated changes. */
static void alter_change(struct parse *p)
{
    if (!tokens_skip(&p->t, "RENAME")) return;
    if (tokens_is(&p->t, "COLUMN") || tokens_is(&p->t, "INDEX") || tokens_is(&p->t, "KEY")) return;
    if (!tokens_skip(&p->t, "TO") && !tokens_skip(&p->t, "AS")) tokens_skip_sign(&p->t, '=');
    take_table(p);
}

static void alter_table(struct parse *p)
{
    unsigned depth = 0;
    skip_if_exists(p);
    take_table(p);
    if (tokens_skip(&p->t, "WAIT")) tokens_next(&p->t);
    else tokens_skip(&p->t, "NOWAIT");
    alter_change(p);
    while (p->t.now.kind != TOKEN_END) {
        bool comma = tokens_is_sign(&p->t, ','), table = tokens_is(&p->t, "TABLE");
        if (tokens_is_sign(&p->t, '(')) depth++;
        if (tokens_is_sign(&p->t, ')') && depth) depth--;
        tokens_next(&p->t);
        if (depth) continue;
        if (comma) alter_change(p);
        if (table) take_table(p); /* EXCHANGE PARTITION … WITH TABLE, CONVERT … TABLE */
    }
}

static void rename_tables(struct parse *p)
{
    skip_if_exists(p);
    do {
        if (!take_table(p)) return;
        if (tokens_skip(&p->t, "WAIT")) tokens_next(&p->t);
        else tokens_skip(&p->t, "NOWAIT");
        if (!tokens_skip(&p->t, "TO") || !take_table(p)) return;
    } while (tokens_skip_sign(&p->t, ','));
}

/* INDEX i … ON t, TRIGGER x … ON t: the table after the first ON; without one (DROP TRIGGER), the object's own name. */
static void name_after_on(struct parse *p)
{
    struct tokens start;
    skip_if_exists(p);
    start = p->t;
    while (p->t.now.kind != TOKEN_END && !tokens_is(&p->t, "ON")) tokens_next(&p->t);
    if (!tokens_skip(&p->t, "ON")) p->t = start;
    take_table(p);
}

static void no_name(struct parse *p) { (void)p; }

/* kinds[]: CREATE, ALTER, DROP. 0: no such statement. */
static const struct object {
    const char *word;
    enum statement_kind kinds[3];
    parse_fn *parse[3];
} objects[] = {
    {"TABLE", {STATEMENT_CREATE_TABLE, STATEMENT_ALTER_TABLE, STATEMENT_DROP_TABLE}, {create_table, alter_table, names}},
    {"TABLES", {0, 0, STATEMENT_DROP_TABLE}, {NULL, NULL, names}},
    {"INDEX", {STATEMENT_CREATE_INDEX, 0, STATEMENT_DROP_INDEX}, {name_after_on, NULL, name_after_on}},
    {"KEY", {STATEMENT_CREATE_INDEX, 0, STATEMENT_DROP_INDEX}, {name_after_on, NULL, name_after_on}},
    {"DATABASE", {STATEMENT_CREATE_DATABASE, STATEMENT_ALTER_DATABASE, STATEMENT_DROP_DATABASE}, {one_database, one_database, one_database}},
    {"SCHEMA", {STATEMENT_CREATE_DATABASE, STATEMENT_ALTER_DATABASE, STATEMENT_DROP_DATABASE}, {one_database, one_database, one_database}},
    {"VIEW", {STATEMENT_VIEW, STATEMENT_VIEW, STATEMENT_VIEW}, {one_name, one_name, names}},
    {"TRIGGER", {STATEMENT_TRIGGER, 0, STATEMENT_TRIGGER}, {name_after_on, NULL, one_name}},
    {"EVENT", {STATEMENT_EVENT, STATEMENT_EVENT, STATEMENT_EVENT}, {one_name, one_name, one_name}},
    {"PROCEDURE", {STATEMENT_ROUTINE, STATEMENT_ROUTINE, STATEMENT_ROUTINE}, {one_name, one_name, one_name}},
    {"FUNCTION", {STATEMENT_ROUTINE, STATEMENT_ROUTINE, STATEMENT_ROUTINE}, {one_name, one_name, one_name}},
    {"PACKAGE", {STATEMENT_ROUTINE, STATEMENT_ROUTINE, STATEMENT_ROUTINE}, {one_name, one_name, one_name}},
    {"SEQUENCE", {STATEMENT_SEQUENCE, STATEMENT_SEQUENCE, STATEMENT_SEQUENCE}, {one_name, one_name, names}},
    {"USER", {STATEMENT_ACCOUNT, STATEMENT_ACCOUNT, STATEMENT_ACCOUNT}, {no_name, no_name, no_name}},
    {"ROLE", {STATEMENT_ACCOUNT, STATEMENT_ACCOUNT, STATEMENT_ACCOUNT}, {no_name, no_name, no_name}},
    {"LIBRARY", {STATEMENT_ROUTINE, STATEMENT_ROUTINE, STATEMENT_ROUTINE}, {one_name, one_name, one_name}},
    {"INSTANCE", {0, STATEMENT_TABLE_ADMIN, 0}, {NULL, no_name, NULL}},
    {"RESOURCE", {STATEMENT_TABLE_ADMIN, STATEMENT_TABLE_ADMIN, STATEMENT_TABLE_ADMIN}, {no_name, no_name, no_name}},
    {"REFERENCE", {STATEMENT_OTHER, 0, STATEMENT_OTHER}, {no_name, NULL, no_name}}, /* SPATIAL REFERENCE SYSTEM */
    {"CATALOG", {STATEMENT_OTHER, STATEMENT_OTHER, STATEMENT_OTHER}, {no_name, no_name, no_name}},
    {"SERVER", {STATEMENT_OTHER, STATEMENT_OTHER, STATEMENT_OTHER}, {no_name, no_name, no_name}},
    {"TABLESPACE", {STATEMENT_OTHER, STATEMENT_OTHER, STATEMENT_OTHER}, {no_name, no_name, no_name}},
    {"LOGFILE", {STATEMENT_OTHER, STATEMENT_OTHER, STATEMENT_OTHER}, {no_name, no_name, no_name}},
};

static void skip_definer(struct parse *p)
{
    tokens_skip_sign(&p->t, '=');
    tokens_next(&p->t); /* the user, or CURRENT_USER */
    if (tokens_skip_sign(&p->t, '(')) tokens_skip_sign(&p->t, ')');
    if (tokens_skip_sign(&p->t, '@')) tokens_next(&p->t);
}

/* What may stand between CREATE and the object. */
static bool skip_option(struct parse *p)
{
    static const char *const words[] = {"OR", "REPLACE", "UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", "AGGREGATE", "ONLINE", "OFFLINE",
                                        "IGNORE", "SQL", "UNDO", "PUBLIC", "JSON", "RELATIONAL", "DUALITY",
                                        "MATERIALIZED", "EXTERNAL"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (tokens_skip(&p->t, words[i])) return true;
    if (tokens_skip(&p->t, "TEMPORARY")) return p->out->temporary = true;
    if (tokens_skip(&p->t, "DEFINER")) {
        skip_definer(p);
        return true;
    }
    if (tokens_skip(&p->t, "SECURITY")) {
        tokens_next(&p->t);
        return true;
    }
    if (tokens_skip(&p->t, "ALGORITHM")) {
        tokens_skip_sign(&p->t, '=');
        tokens_next(&p->t);
        return true;
    }
    return false;
}

static void parse_object(struct parse *p, unsigned verb)
{
    while (skip_option(p)) continue;
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        const struct object *object = &objects[i];
        if (!object->kinds[verb] || !tokens_skip(&p->t, object->word)) continue;
        if (object->kinds[verb] == STATEMENT_ROUTINE) tokens_skip(&p->t, "BODY");
        p->out->kind = object->kinds[verb];
        object->parse[verb](p);
        return;
    }
}

/* ---- the first word ---- */

static void begin_create(struct parse *p) { parse_object(p, 0); }
static void begin_alter(struct parse *p) { parse_object(p, 1); }
static void begin_drop(struct parse *p) { parse_object(p, 2); }

static void begin_rename(struct parse *p)
{
    if (tokens_skip(&p->t, "TABLE") || tokens_skip(&p->t, "TABLES")) {
        p->out->kind = STATEMENT_RENAME_TABLE;
        rename_tables(p);
    } else if (tokens_is(&p->t, "USER")) {
        p->out->kind = STATEMENT_ACCOUNT;
    }
}

static void begin_truncate(struct parse *p)
{
    p->out->kind = STATEMENT_TRUNCATE;
    tokens_skip(&p->t, "TABLE");
    take_table(p);
}

static void skip_words(struct parse *p, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        if (tokens_skip(&p->t, words[i])) i = SIZE_MAX; /* in any order */
}

/* Keeps the named table only if the statement changes no other. */
static void keep_single(struct parse *p, const char *const *followers)
{
    size_t size = p->out->tables.size;
    if (!take_table(p)) return;
    tokens_skip(&p->t, "AS");
    for (int tries = 0; tries < 2; tries++) {
        if (p->t.now.kind == TOKEN_END || tokens_is_sign(&p->t, ';')) return;
        for (size_t i = 0; followers[i]; i++)
            if (tokens_is(&p->t, followers[i])) return;
        if (!at_name(p)) break;
        tokens_next(&p->t); /* an alias */
    }
    p->out->tables.size = size;
}

static void begin_insert(struct parse *p)
{
    static const char *const words[] = {"LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO", NULL};
    p->out->kind = STATEMENT_DML;
    skip_words(p, words);
    take_table(p);
}

static void begin_update(struct parse *p)
{
    static const char *const words[] = {"LOW_PRIORITY", "IGNORE", NULL}, *const followers[] = {"SET", "PARTITION", "FOR", NULL};
    p->out->kind = STATEMENT_DML;
    skip_words(p, words);
    keep_single(p, followers);
}

static void begin_delete(struct parse *p)
{
    static const char *const words[] = {"LOW_PRIORITY", "QUICK", "IGNORE", "HISTORY", NULL};
    static const char *const followers[] = {"WHERE", "ORDER", "LIMIT", "RETURNING", "PARTITION", "FOR", "BEFORE", NULL};
    p->out->kind = STATEMENT_DML;
    skip_words(p, words);
    if (tokens_skip(&p->t, "FROM")) keep_single(p, followers);
}

static void begin_dml(struct parse *p) { p->out->kind = STATEMENT_DML; }
static void begin_account(struct parse *p) { p->out->kind = STATEMENT_ACCOUNT; }
static void begin_admin(struct parse *p) { p->out->kind = STATEMENT_TABLE_ADMIN; }
static void begin_other(struct parse *p) { p->out->kind = STATEMENT_OTHER; }
static void begin_role(struct parse *p, enum ddl_role role) { p->out->role = role; }
static void begin_begin(struct parse *p) { begin_role(p, DDL_BEGIN); }
static void begin_commit(struct parse *p) { begin_role(p, DDL_COMMIT); }

/* ---- XA ---- */

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Digits into bytes, an odd one first alone. False: too many, or no digits. */
static bool take_hex(struct slice digits, struct buf *out)
{
    for (size_t i = digits.size & 1 ? 0 : 1; i < digits.size; i += 2) {
        int high = i ? hex_digit(digits.data[i - 1]) : 0, low = hex_digit(digits.data[i]);
        if (high < 0 || low < 0) return false;
        buf_u8(out, (uint8_t)(high << 4 | low));
    }
    return !out->full;
}

/* One part of a name: X'…' as both servers log it, 0x…, or plain text. */
static bool take_xid_part(struct parse *p, struct buf *out)
{
    struct token token = p->t.now;
    bool hex = tokens_skip(&p->t, "X") && p->t.now.kind == TOKEN_STRING;
    buf_clear(out);
    if (hex) token = p->t.now;
    else if (token.kind == TOKEN_WORD && token.text.size > 2 && !strncasecmp((const char *)token.text.data, "0x", 2)) hex = true;
    else if (token.kind != TOKEN_STRING) return false;
    if (token.kind == TOKEN_WORD) token.text = slice_of(token.text.data + 2, token.text.size - 2);
    tokens_next(&p->t);
    if (hex) return take_hex(token.text, out);
    unquote(&token, out);
    return !out->full;
}

static bool take_number(struct parse *p, uint32_t *number)
{
    uint64_t value = 0;
    if (p->t.now.kind != TOKEN_WORD) return false;
    for (size_t i = 0; i < p->t.now.text.size; i++) {
        uint8_t c = p->t.now.text.data[i];
        if (c < '0' || c > '9' || value > UINT32_MAX) return false;
        value = value * 10 + (c - '0');
    }
    *number = (uint32_t)value;
    tokens_next(&p->t);
    return value <= UINT32_MAX;
}

static void take_xid(struct parse *p)
{
    struct buf global, branch;
    uint32_t format = 1;
    buf_init(&global, XID_PART_MAX);
    buf_init(&branch, XID_PART_MAX);
    bool ok = take_xid_part(p, &global);
    if (ok && tokens_skip_sign(&p->t, ',')) {
        ok = take_xid_part(p, &branch);
        if (ok && tokens_skip_sign(&p->t, ',')) ok = take_number(p, &format);
    }
    if (!ok || !xid_set(&p->out->xid, format, buf_bytes(&global), buf_bytes(&branch))) p->out->xid.size = 0;
    buf_fini(&global);
    buf_fini(&branch);
}

static void begin_xa(struct parse *p)
{
    static const struct { const char *word; enum ddl_role role; } words[] = {
        {"START", DDL_XA_START}, {"BEGIN", DDL_XA_START}, {"END", DDL_XA_END}, {"PREPARE", DDL_XA_PREPARE}, {"COMMIT", DDL_XA_COMMIT},
        {"ROLLBACK", DDL_XA_ROLLBACK},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!tokens_skip(&p->t, words[i].word)) continue;
        take_xid(p);
        if (!p->out->xid.size) return; /* no name, or none that can be: unknown */
        begin_role(p, words[i].role == DDL_XA_COMMIT && tokens_is(&p->t, "ONE") ? DDL_XA_ONE_PHASE : words[i].role);
        return;
    }
}

static void begin_start(struct parse *p)
{
    if (tokens_is(&p->t, "TRANSACTION")) begin_role(p, DDL_BEGIN);
}

static void take_savepoint(struct parse *p, enum ddl_role role)
{
    begin_role(p, role);
    tokens_skip(&p->t, "SAVEPOINT");
    if (at_name(p)) unquote(&p->t.now, &p->out->savepoint);
}

static void begin_savepoint(struct parse *p) { take_savepoint(p, DDL_SAVEPOINT); }
static void begin_release(struct parse *p) { take_savepoint(p, DDL_RELEASE); }

static void begin_rollback(struct parse *p)
{
    begin_role(p, DDL_ROLLBACK);
    tokens_skip(&p->t, "WORK");
    if (tokens_skip(&p->t, "TO")) take_savepoint(p, DDL_ROLLBACK_TO);
}

static void begin(struct parse *p);

static void begin_set(struct parse *p)
{
    if (tokens_is(&p->t, "PASSWORD") || tokens_is(&p->t, "DEFAULT") || tokens_is(&p->t, "ROLE")) {
        begin_account(p);
    } else if (tokens_skip(&p->t, "STATEMENT")) {
        unsigned depth = 0;
        for (; p->t.now.kind != TOKEN_END && (depth || !tokens_is(&p->t, "FOR")); tokens_next(&p->t)) {
            if (tokens_is_sign(&p->t, '(')) depth++;
            if (tokens_is_sign(&p->t, ')') && depth) depth--;
        }
        if (tokens_skip(&p->t, "FOR") && !tokens_is(&p->t, "SET")) begin(p);
    }
}

static const struct first { const char *word; parse_fn *parse; } firsts[] = {
    {"CREATE", begin_create}, {"ALTER", begin_alter}, {"DROP", begin_drop}, {"RENAME", begin_rename}, {"TRUNCATE", begin_truncate},
    {"INSERT", begin_insert}, {"REPLACE", begin_insert}, {"UPDATE", begin_update}, {"DELETE", begin_delete}, {"LOAD", begin_dml},
    {"WITH", begin_dml}, {"CALL", begin_dml}, {"DO", begin_dml}, {"SELECT", begin_dml}, {"VALUES", begin_dml},
    {"BEGIN", begin_begin}, {"START", begin_start}, {"COMMIT", begin_commit}, {"ROLLBACK", begin_rollback},
    {"SAVEPOINT", begin_savepoint}, {"RELEASE", begin_release}, {"XA", begin_xa}, {"SET", begin_set},
    {"GRANT", begin_account}, {"REVOKE", begin_account}, {"ANALYZE", begin_admin}, {"OPTIMIZE", begin_admin},
    {"REPAIR", begin_admin}, {"CHECK", begin_admin}, {"FLUSH", begin_admin}, {"CACHE", begin_admin}, {"RESET", begin_admin},
    {"PURGE", begin_admin}, {"CHECKSUM", begin_admin}, {"IMPORT", begin_other}, {"INSTALL", begin_other}, {"UNINSTALL", begin_other},
};

static void begin_plain(struct parse *p)
{
    for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++)
        if (tokens_skip(&p->t, firsts[i].word)) {
            firsts[i].parse(p);
            return;
        }
}

/* What is in brackets is a query, (SELECT …); any other statement there is none that a server knows. */
static void begin(struct parse *p)
{
    bool bracketed = tokens_is_sign(&p->t, '(');
    while (tokens_skip_sign(&p->t, '(')) p->out->kind = STATEMENT_DML;
    begin_plain(p);
    if (!bracketed || (p->out->role == DDL_STATEMENT && p->out->kind == STATEMENT_DML)) return;
    p->out->role = DDL_STATEMENT;
    p->out->kind = 0;
}

/* Bodies of routines, triggers and events hold statements of their own. A row change as text may be long; the target refuses a second one there. */
static bool may_hold_more(const struct ddl *ddl)
{
    static const bool bodies[STATEMENT_KINDS] = {[STATEMENT_ROUTINE] = true, [STATEMENT_TRIGGER] = true, [STATEMENT_EVENT] = true,
                                                 [STATEMENT_DML] = true};
    return ddl->role != DDL_STATEMENT || bodies[ddl->kind];
}

/* A second statement behind a semicolon: no server writes that into one event. */
static bool is_single(const struct ddl *ddl, struct slice text, const struct ddl_session *session)
{
    if (may_hold_more(ddl) || !memchr(text.data, ';', text.size)) return true;
    struct tokens t = tokens_of(text, session);
    while (tokens_skip_sign(&t, ';')) continue;
    while (t.now.kind != TOKEN_END && !tokens_is_sign(&t, ';')) tokens_next(&t);
    while (tokens_skip_sign(&t, ';')) continue;
    return t.now.kind == TOKEN_END;
}

bool ddl_parse(struct ddl *ddl, struct slice text, const struct ddl_session *session, struct err *err)
{
    ddl->role = DDL_STATEMENT;
    ddl->kind = 0;
    ddl->temporary = ddl->from_query = false;
    ddl->xid.size = 0;
    buf_clear(&ddl->tables);
    buf_clear(&ddl->savepoint);
    struct parse p = {.t = tokens_of(text, session), .out = ddl, .charset = session->charset_client};
    while (tokens_skip_sign(&p.t, ';')) continue; /* empty statements */
    struct token first = p.t.now;
    if (first.kind == TOKEN_END) ddl->role = DDL_NOTHING;
    else begin(&p);
    if (ddl->tables.full || ddl->savepoint.full || p.bad_name)
        return err_set(err, ERR_LIMIT, p.bad_name ? "a statement names a table in bytes that are not valid in its character set"
                                                  : "a statement names more tables than fit %d bytes (DDL_TABLES_MAX)", DDL_TABLES_MAX);
    if (ddl->role != DDL_STATEMENT || ddl->kind)
        return is_single(ddl, text, session) ||
               err_set(err, ERR_UNSUPPORTED, "an event with more than one statement; what to do: run them one by one on the target, and start after it");
    return err_set(err, ERR_UNSUPPORTED, "a statement that begins with '%.*s' is unknown to this release; what to do: upgrade wolfcdc, or "
                   "start after it if it changes nothing that is wanted", first.text.size > 40 ? 40 : (int)first.text.size,
                   (const char *)first.text.data);
}
