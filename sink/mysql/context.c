/*
 * context.c: see context.h. Numbers go as the server accepts them: charsets and collations by their ids, sql_mode as its bits.
 */
#include "context.h"

#include <stdio.h>
#include <strings.h>

#include "charset.h"
#include "db.h"
#include "value.h"

enum { FLAGS2_AUTO_IS_NULL = 0x4000, FLAGS2_NO_CHECK_CONSTRAINT = 0x8000, FLAGS2_EXPLICIT_TIMESTAMP = 0x01000000, FLAGS2_NO_FOREIGN_KEY_CHECKS = 0x04000000,
       FLAGS2_RELAXED_UNIQUE = 0x08000000, FLAGS2_IF_EXISTS = 0x10000000, FLAGS2_INSERT_HISTORY = 0x40000000 };

bool context_inserts_history(const struct statement *s)
{
    return !s->flavour.size && s->context & CONTEXT_FLAGS2 && s->flags2 & FLAGS2_INSERT_HISTORY;
}

bool context_checked(const struct statement *s, bool mysql)
{
    return s->context & CONTEXT_CHECKED || (!mysql && !s->flavour.size && s->context & CONTEXT_FLAGS2 && s->flags2 & FLAGS2_NO_CHECK_CONSTRAINT);
}

struct statement context_unchecked(const struct statement *s)
{
    struct statement unchecked = *s;
    unchecked.context |= CONTEXT_FLAGS2;
    unchecked.flags2 |= FLAGS2_NO_CHECK_CONSTRAINT;
    return unchecked;
}

const char context_own[] =
    "SET NAMES binary, autocommit=0, time_zone='+00:00', "
    "sql_mode='STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', foreign_key_checks=1, unique_checks=1, "
    "check_constraint_checks=1, sql_auto_is_null=0, timestamp=DEFAULT, wait_timeout=60, "
    "auto_increment_increment=DEFAULT, auto_increment_offset=DEFAULT, lc_time_names=DEFAULT, collation_server=DEFAULT, "
    "sql_if_exists=0, sql_safe_updates=0, max_statement_time=0, system_versioning_alter_history=KEEP, explicit_defaults_for_timestamp=DEFAULT";

/* What MySQL has since which version. There is no way to switch CHECK constraints off. */
static const struct { unsigned since; const char *sql; } own_mysql[] = {
    {0, "SET NAMES binary, autocommit=0, time_zone='+00:00', sql_mode='STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', "
        "foreign_key_checks=1, unique_checks=1, sql_auto_is_null=0, timestamp=DEFAULT, wait_timeout=60, auto_increment_increment=DEFAULT, "
        "auto_increment_offset=DEFAULT, lc_time_names=DEFAULT, collation_server=DEFAULT, sql_safe_updates=0"},
    {507, ", max_execution_time=0"},
    {800, ", information_schema_stats_expiry=0"},
};

void context_session(unsigned mysql, struct buf *out)
{
    if (!mysql) buf_text(out, context_own);
    for (size_t i = 0; mysql && i < sizeof own_mysql / sizeof *own_mysql; i++)
        if (mysql >= own_mysql[i].since) buf_text(out, own_mysql[i].sql);
}

static bool is_known(const struct collations *known, uint32_t id) { return known->names && id < COLLATION_NAMES && known->names[id][0]; }

/* By name where the target has one: it takes not every number (2304, the default of 11.8, is refused). */
static void put_collation(const char *variable, uint16_t id, const struct collations *known, bool foreign, struct buf *out)
{
    const char *charset = charset_name(id);
    if (is_known(known, id)) buf_printf(out, ", %s=%s", variable, known->names[id]);
    /* MariaDB's own collations, as those of its UCA 14, and MySQL's, as utf8mb4_0900_ai_ci: the default of their character set comes nearest, and a
       table that names none has the database's anyway */
    else if (charset && foreign) buf_printf(out, ", character_set_%s=%s", variable + sizeof "collation_" - 1, charset);
    else buf_printf(out, ", %s=%u", variable, id);
}

static void put_charsets(const struct statement *s, const struct collations *known, struct buf *out)
{
    bool foreign = known->mysql ? !s->flavour.size : s->flavour.size != 0;
    if (s->context & CONTEXT_CHARSET) {
        if (is_known(known, s->charset_client)) buf_printf(out, ", character_set_client=%s", known->charsets[s->charset_client]);
        else if (foreign && charset_name(s->charset_client)) buf_printf(out, ", character_set_client=%s", charset_name(s->charset_client));
        else buf_printf(out, ", character_set_client=%u", s->charset_client);
        put_collation("collation_connection", s->collation_connection, known, foreign, out);
        put_collation("collation_server", s->collation_server, known, foreign, out);
    }
    if (s->context & CONTEXT_CHARSET_DATABASE && s->charset_database) put_collation("collation_database", s->charset_database, known, foreign, out);
    if (s->context & CONTEXT_LC_TIME_NAMES) buf_printf(out, ", lc_time_names=%u", s->lc_time_names);
}

/* Bits of one number mean the same to both up to the 31st, and those that MySQL 8 has no more are refused by it. What MySQL does to fractions of
   seconds that are too long for a column is what MariaDB does when told to, and the other way round. */
static uint64_t mode_of(const struct statement *s, unsigned mysql)
{
    static const uint64_t gone = 0x1003ff00 | 0x10 /* IGNORE_BAD_TABLE_OPTIONS */, theirs_truncate = UINT64_C(1) << 32, ours_round = UINT64_C(1) << 34;
    bool from_mysql = s->flavour.size != 0;
    uint64_t both = s->sql_mode & 0xffffffff;
    if (!mysql && !from_mysql) return s->sql_mode;
    bool rounds = from_mysql ? !(s->sql_mode & theirs_truncate) : s->sql_mode & ours_round;
    if (!mysql) return both | (rounds ? ours_round : 0);
    return (both & (mysql >= 800 ? ~gone : ~UINT64_C(0x10))) | (mysql >= 800 && !rounds ? theirs_truncate : 0);
}

bool context_stamps(const struct statement *s, bool otherwise)
{
    return s->context & CONTEXT_FLAGS2 ? s->flags2 & FLAGS2_EXPLICIT_TIMESTAMP : otherwise;
}

static void put_flags(const struct statement *s, unsigned mysql, struct buf *out)
{
    if (!(s->context & CONTEXT_FLAGS2)) return;
    if (mysql) {
        buf_printf(out, ", foreign_key_checks=%d, unique_checks=%d, sql_auto_is_null=%d", !(s->flags2 & FLAGS2_NO_FOREIGN_KEY_CHECKS),
                   !(s->flags2 & FLAGS2_RELAXED_UNIQUE), !!(s->flags2 & FLAGS2_AUTO_IS_NULL));
        /* since 5.7, and not within a transaction: for DML see session_between */
        if (mysql >= 507 && s->kind != STATEMENT_DML) buf_printf(out, ", explicit_defaults_for_timestamp=%d", context_stamps(s, true));
        return;
    }
    buf_printf(out, ", foreign_key_checks=%d, unique_checks=%d, sql_auto_is_null=%d, sql_if_exists=%d, "
               "explicit_defaults_for_timestamp=%d", !(s->flags2 & FLAGS2_NO_FOREIGN_KEY_CHECKS), !(s->flags2 & FLAGS2_RELAXED_UNIQUE),
               !!(s->flags2 & FLAGS2_AUTO_IS_NULL), !!(s->flags2 & FLAGS2_IF_EXISTS), !!(s->flags2 & FLAGS2_EXPLICIT_TIMESTAMP));
    buf_printf(out, ", check_constraint_checks=%d", !(s->flags2 & FLAGS2_NO_CHECK_CONSTRAINT));
    if (context_inserts_history(s)) buf_text(out, ", system_versioning_insert_history=1");
}

static void put_numbers(const struct statement *s, struct buf *out)
{
    if (s->context & CONTEXT_AUTO_INCREMENT)
        buf_printf(out, ", auto_increment_increment=%u, auto_increment_offset=%u", s->auto_increment_increment, s->auto_increment_offset);
    if (s->context & CONTEXT_INSERT_ID) buf_printf(out, ", insert_id=%llu", (unsigned long long)s->insert_id);
    if (s->context & CONTEXT_LAST_INSERT_ID) buf_printf(out, ", last_insert_id=%llu", (unsigned long long)s->last_insert_id);
    if (s->context & CONTEXT_RAND)
        buf_printf(out, ", rand_seed1=%llu, rand_seed2=%llu", (unsigned long long)s->rand_seed1, (unsigned long long)s->rand_seed2);
}

enum { VAR_STRING, VAR_REAL, VAR_INT, VAR_ROW, VAR_DECIMAL };

static bool put_var_string(struct slice value, uint32_t collation, const struct collations *known, struct buf *out)
{
    if (!is_known(known, collation)) return false;
    buf_printf(out, "_%s X'", known->charsets[collation]);
    for (size_t i = 0; i < value.size; i++) buf_printf(out, "%02x", value.data[i]);
    buf_printf(out, "' COLLATE %s", known->names[collation]);
    return true;
}

static bool put_var_value(unsigned type, uint32_t collation, struct slice value, bool is_unsigned, const struct collations *known,
                          struct buf *out)
{
    char text[VALUE_TEXT_MAX];
    uint64_t bits = 0;
    double real;
    if (type == VAR_STRING) return put_var_string(value, collation, known, out);
    if (type == VAR_DECIMAL) {
        if (value.size < 3 || value.data[0] > 65 || value.data[1] > value.data[0] ||
            value.size - 2 < value_decimal_size(value.data[0], value.data[1])) return false;
        struct slice packed = {value.data + 2, value.size - 2};
        buf_put(out, text, value_decimal_text(packed, value.data[0], value.data[1], text));
        return true;
    }
    if (value.size != 8) return false;
    memcpy(&bits, value.data, 8);
    memcpy(&real, value.data, 8);
    if (type == VAR_REAL) buf_printf(out, "%.17ge0", real);
    else if (type == VAR_INT && is_unsigned) buf_printf(out, "%llu", (unsigned long long)bits);
    else if (type == VAR_INT) buf_printf(out, "%lld", (long long)bits);
    return type == VAR_REAL || type == VAR_INT;
}

static bool put_var(struct slice body, const struct collations *known, struct buf *out)
{
    struct cursor in = cursor_of(body);
    struct slice name = cursor_bytes(&in, cursor_u32(&in));
    bool is_null = cursor_u8(&in);
    buf_text(out, ", @");
    db_quote_name(out, name);
    buf_u8(out, '=');
    if (is_null) buf_text(out, "NULL");
    if (is_null || in.failed) return !in.failed;
    unsigned type = cursor_u8(&in);
    uint32_t collation = cursor_u32(&in);
    struct slice value = cursor_bytes(&in, cursor_u32(&in));
    bool is_unsigned = cursor_left(&in) && (cursor_u8(&in) & 1);
    return !in.failed && put_var_value(type, collation, value, is_unsigned, known, out);
}

bool context_sql(const struct statement *s, const struct collations *collations, struct buf *out)
{
    buf_printf(out, "SET timestamp=%u.%06u", s->timestamp, s->microseconds % 1000000);
    if (s->context & CONTEXT_SQL_MODE) buf_printf(out, ", sql_mode=%llu", (unsigned long long)mode_of(s, collations->mysql));
    put_charsets(s, collations, out);
    put_flags(s, collations->mysql, out);
    put_numbers(s, out);
    if (s->context & CONTEXT_TIME_ZONE && s->time_zone.size) {
        buf_text(out, ", time_zone=");
        db_quote(out, s->time_zone);
    }
    if (!(s->context & CONTEXT_USER_VARS)) return !out->full;
    struct cursor in = cursor_of(s->user_vars);
    while (cursor_left(&in)) {
        struct slice body = cursor_varint_bytes(&in);
        if (in.failed || !put_var(body, collations, out)) return false;
    }
    return !out->full;
}

/* ---- events ---- */

struct token { struct slice text; bool word; };

static size_t skip_quoted(struct slice text, size_t at)
{
    uint8_t quote = text.data[at++];
    while (at < text.size) {
        if (text.data[at] == '\\' && quote != '`') at++;
        else if (text.data[at] == quote) return at + 1;
        at++;
    }
    return text.size;
}

static size_t skip_comment(struct slice text, size_t at)
{
    bool block = text.data[at] == '/';
    for (at += block ? 2 : 1; at < text.size; at++) {
        if (!block && text.data[at] == '\n') return at + 1;
        if (block && text.data[at] == '*' && at + 1 < text.size && text.data[at + 1] == '/') return at + 2;
    }
    return text.size;
}

static bool is_word(uint8_t c) { return (c | 32) >= 'a' ? (c | 32) <= 'z' || c >= 128 : (c >= '0' && c <= '9') || c == '_' || c == '$'; }

/* The next token behind *at; false at the end. */
static bool next_token(struct slice text, size_t *at, struct token *token)
{
    while (*at < text.size) {
        uint8_t c = text.data[*at], d = *at + 1 < text.size ? text.data[*at + 1] : 0;
        size_t from = *at;
        if ((c == '/' && d == '*') || c == '#' || (c == '-' && d == '-')) {
            *at = skip_comment(text, *at);
            continue;
        }
        if (c <= ' ') {
            ++*at;
            continue;
        }
        if (c == '\'' || c == '"' || c == '`') *at = skip_quoted(text, *at);
        else if (is_word(c) || c == '_') while (*at < text.size && (is_word(text.data[*at]) || text.data[*at] == '_')) ++*at;
        else ++*at;
        *token = (struct token){{text.data + from, *at - from}, is_word(c) || c == '_'};
        return true;
    }
    return false;
}

static bool is_token(const struct token *t, const char *word)
{
    return t->word && t->text.size == strlen(word) && strncasecmp((const char *)t->text.data, word, t->text.size) == 0;
}

static void put_disabled(struct slice text, size_t from, size_t to, struct buf *out)
{
    buf_put(out, text.data, from);
    buf_text(out, from == text.size ? " DISABLE ON SLAVE" : "DISABLE ON SLAVE ");
    buf_put(out, text.data + to, text.size - to);
}

bool context_disable_event(struct slice text, struct buf *out)
{
    struct token t, before = {0};
    size_t at = 0;
    bool alter = false, first = true;
    while (next_token(text, &at, &t)) {
        size_t from = (size_t)(t.text.data - text.data);
        if (first) alter = is_token(&t, "ALTER");
        first = false;
        if (is_token(&t, "ENABLE") || is_token(&t, "DISABLE")) {
            size_t to = at;
            struct token on, slave;
            if (next_token(text, &at, &on) && is_token(&on, "ON") && next_token(text, &at, &slave) && !is_token(&slave, "COMPLETION"))
                to = at;
            put_disabled(text, from, to, out);
            return !out->full;
        }
        /* "ON COMPLETION", "RENAME TO": neither COMMENT nor DO can stand before. A word behind a point is a name. */
        bool name = before.text.size == 1 && before.text.data[0] == '.';
        if (!name && (is_token(&t, "COMMENT") || is_token(&t, "DO"))) {
            if (alter) break;
            put_disabled(text, from, from, out);
            return !out->full;
        }
        before = t;
    }
    if (!alter) return false;
    buf_slice(out, text); /* an ALTER that does not enable */
    return !out->full;
}

bool context_alone(struct slice text, struct buf *out)
{
    struct token t;
    size_t at = 0, depth = 0;
    while (next_token(text, &at, &t)) {
        size_t from = (size_t)(t.text.data - text.data);
        if (slice_is(t.text, "(")) depth++;
        if (slice_is(t.text, ")") && depth) depth--;
        if (depth || !is_token(&t, "START") || !next_token(text, &at, &t) || !is_token(&t, "TRANSACTION")) continue;
        buf_put(out, text.data, from);
        buf_put(out, text.data + at, text.size - at);
        return !out->full;
    }
    return false;
}
