/* query.c: see query.h. Status variables are a table: code → how long it is and where it goes. */
#include "query.h"

#include <stdlib.h>

void context_init(struct context *context)
{
    *context = (struct context){0};
    buf_init(&context->user_vars, STATEMENT_USER_VARS_MAX);
}

void context_fini(struct context *context) { buf_fini(&context->user_vars); }

void context_clear(struct context *context)
{
    context->parts = 0;
    buf_clear(&context->user_vars);
}

bool context_intvar(struct context *context, struct slice body, struct err *err)
{
    enum { LAST_INSERT_ID = 1, INSERT_ID = 2 };
    struct cursor in = cursor_of(body);
    uint8_t type = cursor_u8(&in);
    uint64_t value = cursor_u64(&in);
    if (in.failed || (type != LAST_INSERT_ID && type != INSERT_ID)) return err_set(err, ERR_CORRUPT, "an INTVAR of type %u", type);
    *(type == INSERT_ID ? &context->insert_id : &context->last_insert_id) = value;
    context->parts |= type == INSERT_ID ? CONTEXT_INSERT_ID : CONTEXT_LAST_INSERT_ID;
    return true;
}

bool context_rand(struct context *context, struct slice body, struct err *err)
{
    struct cursor in = cursor_of(body);
    context->rand_seed1 = cursor_u64(&in);
    context->rand_seed2 = cursor_u64(&in);
    context->parts |= CONTEXT_RAND;
    return !in.failed || err_set(err, ERR_CORRUPT, "a RAND that is cut short");
}

bool context_user_var(struct context *context, struct slice body, struct err *err)
{
    struct cursor in = cursor_of(body);
    struct slice name = cursor_bytes(&in, cursor_u32(&in));
    if (!cursor_u8(&in)) { /* not NULL: type, collation, value */
        cursor_u8(&in);
        cursor_u32(&in);
        cursor_bytes(&in, cursor_u32(&in));
    }
    if (in.failed || !name.size) return err_set(err, ERR_CORRUPT, "a USER_VAR that is cut short");
    buf_varint_bytes(&context->user_vars, body);
    if (context->user_vars.full)
        return err_set(err, ERR_LIMIT, "user variables of one statement beyond %d bytes (STATEMENT_USER_VARS_MAX)", STATEMENT_USER_VARS_MAX);
    context->parts |= CONTEXT_USER_VARS;
    return true;
}

/* ---- status variables ---- */

typedef void status_fn(struct cursor *in, struct statement *s);

static void status_flags2(struct cursor *in, struct statement *s) { s->flags2 = cursor_u32(in); }
static void status_sql_mode(struct cursor *in, struct statement *s) { s->sql_mode = cursor_u64(in); }
static void status_text(struct cursor *in, struct statement *s) { (void)s; cursor_bytes(in, cursor_u8(in)); }
static void status_time_zone(struct cursor *in, struct statement *s) { s->time_zone = cursor_bytes(in, cursor_u8(in)); }
static void status_lc_time_names(struct cursor *in, struct statement *s) { s->lc_time_names = cursor_u16(in); }
static void status_charset_database(struct cursor *in, struct statement *s) { s->charset_database = cursor_u16(in); }
static void status_microseconds(struct cursor *in, struct statement *s) { s->microseconds = (uint32_t)cursor_le(in, 3); }
static void status_u1(struct cursor *in, struct statement *s) { (void)s; cursor_u8(in); }
static void status_u2(struct cursor *in, struct statement *s) { (void)s; cursor_u16(in); }
static void status_u4(struct cursor *in, struct statement *s) { (void)s; cursor_u32(in); }
static void status_u8(struct cursor *in, struct statement *s) { (void)s; cursor_u64(in); }

static void status_catalog_old(struct cursor *in, struct statement *s)
{
    status_text(in, s);
    cursor_u8(in);
}

static void status_auto_increment(struct cursor *in, struct statement *s)
{
    s->auto_increment_increment = cursor_u16(in);
    s->auto_increment_offset = cursor_u16(in);
}

static void status_charset(struct cursor *in, struct statement *s)
{
    s->charset_client = cursor_u16(in);
    s->collation_connection = cursor_u16(in);
    s->collation_server = cursor_u16(in);
}

static void status_invoker(struct cursor *in, struct statement *s)
{
    status_text(in, s);
    status_text(in, s);
}

static void status_databases(struct cursor *in, struct statement *s)
{
    enum { TOO_MANY = 254 };
    uint8_t count = cursor_u8(in);
    (void)s;
    if (count == TOO_MANY) return;
    for (uint8_t i = 0; i < count && !in->failed; i++)
        while (cursor_left(in) && cursor_u8(in)) continue;
}

/* MySQL 5.7 and later; said as MariaDB says it, in flags2. */
enum { FLAGS2_EXPLICIT_TIMESTAMP = 0x01000000, EXPLICIT_TIMESTAMP_SAID = 1 << 30 };
static void status_explicit_timestamp(struct cursor *in, struct statement *s)
{
    if (cursor_u8(in)) s->flags2 |= FLAGS2_EXPLICIT_TIMESTAMP;
}

static void status_gtid_flags(struct cursor *in, struct statement *s)
{
    enum { COMMIT_ALTER = 0x04, ROLLBACK_ALTER = 0x08 };
    (void)s;
    if (cursor_u8(in) & (COMMIT_ALTER | ROLLBACK_ALTER)) cursor_u64(in);
}

static void status_collations(struct cursor *in, struct statement *s) { s->collations = cursor_bytes(in, 4u * cursor_u8(in)); }

/* Codes below 128 mean the same for both flavours, those above are MariaDB's. */
static const struct status { status_fn *read; uint32_t part; } statuses[256] = {
    [0] = {status_flags2, CONTEXT_FLAGS2},
    [1] = {status_sql_mode, CONTEXT_SQL_MODE},
    [2] = {status_catalog_old, 0},
    [3] = {status_auto_increment, CONTEXT_AUTO_INCREMENT},
    [4] = {status_charset, CONTEXT_CHARSET},
    [5] = {status_time_zone, CONTEXT_TIME_ZONE},
    [6] = {status_text, 0},             /* catalog */
    [7] = {status_lc_time_names, CONTEXT_LC_TIME_NAMES},
    [8] = {status_charset_database, CONTEXT_CHARSET_DATABASE},
    [9] = {status_u8, 0},               /* tables of a multi-table update */
    [10] = {status_u4, 0},              /* size before a relay log's rewriting */
    [11] = {status_invoker, 0},
    [12] = {status_databases, 0},
    [13] = {status_microseconds, CONTEXT_MICROSECONDS},
    [16] = {status_explicit_timestamp, EXPLICIT_TIMESTAMP_SAID},
    [17] = {status_u8, 0},              /* XID of an atomic DDL */
    [18] = {status_u2, 0},              /* default collation for utf8mb4 */
    [19] = {status_u1, 0},              /* sql_require_primary_key */
    [20] = {status_u1, 0},              /* default_table_encryption */
    [21] = {status_u1, 0},              /* cascading triggers */
    [128] = {status_microseconds, CONTEXT_MICROSECONDS},
    [129] = {status_u8, 0},             /* XID of a DDL */
    [130] = {status_gtid_flags, 0},
    [131] = {status_collations, CONTEXT_CHARSET_COLLATIONS},
};

/* An unknown code has an unknown length: what stands behind it is left alone, never guessed. */
static bool read_status(struct slice bytes, bool mariadb, struct statement *s)
{
    struct cursor in = cursor_of(bytes);
    while (cursor_left(&in)) {
        uint8_t code = cursor_u8(&in);
        const struct status *status = &statuses[code];
        if (!status->read || (code >= 128 && !mariadb)) return true;
        status->read(&in, s);
        s->context |= status->part;
    }
    return !in.failed;
}

/* A MySQL that does not say it: 8.0 and later have their default, ON, and what an older one has it was asked for. */
static void assume_timestamp(const struct event_format *format, struct statement *s)
{
    bool said = s->context & EXPLICIT_TIMESTAMP_SAID;
    s->context &= ~(uint32_t)EXPLICIT_TIMESTAMP_SAID;
    if (!format->mariadb && !said && (format->explicit_timestamp || strtoul(format->version, NULL, 10) >= 8)) s->flags2 |= FLAGS2_EXPLICIT_TIMESTAMP;
}

/* A MariaDB 10.11.19 says it in flags2, an 11.8.6 does not; which of the others do is not known. MySQL has no way to switch them off, and had none to be
   switched off before 8.0.16. */
static void assume_checks(const struct event_format *format, struct statement *s)
{
    enum { NO_CHECKS = 0x8000, MARIADB_SAYS = 101119, MARIADB_11 = 110000, MYSQL_CHECKS = 80016 };
    uint32_t version = event_server_number(format->version);
    bool says = s->context & CONTEXT_FLAGS2 && version >= MARIADB_SAYS && version < MARIADB_11;
    if (format->mariadb ? says && !(s->flags2 & NO_CHECKS) : version >= MYSQL_CHECKS) s->context |= CONTEXT_CHECKED;
}

bool query_decode(const struct event *event, const struct event_format *format, const struct context *context,
                      struct statement *statement, struct err *err)
{
    struct cursor in = cursor_of(event->body);
    struct statement s = {.timestamp = event->timestamp, .context = context->parts, .insert_id = context->insert_id,
                          .last_insert_id = context->last_insert_id, .rand_seed1 = context->rand_seed1,
                          .rand_seed2 = context->rand_seed2, .user_vars = buf_bytes(&context->user_vars)};
    s.thread_id = cursor_u32(&in);
    cursor_u32(&in); /* execution time */
    uint8_t database = cursor_u8(&in);
    s.error_code = cursor_u16(&in);
    uint16_t status = cursor_u16(&in);
    cursor_bytes(&in, format->query_post_header - 13u);
    struct slice variables = cursor_bytes(&in, status);
    s.database = cursor_bytes(&in, database);
    cursor_u8(&in);
    s.text = cursor_rest(&in);
    if (in.failed || !read_status(variables, format->mariadb, &s)) return err_set(err, ERR_CORRUPT, "a QUERY that is cut short");
    assume_timestamp(format, &s);
    assume_checks(format, &s);
    *statement = s;
    return true;
}
