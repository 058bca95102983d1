/*
 * httpstore: a server that keeps WolfScale's documented REST contract (/write/insert, update, delete, upsert, ddl) and stores: each request
 * is one transaction on a MariaDB, with a row in wolfcdc.httpstore that carries its LSN and its Idempotency-Key; a request that comes again
 * with its key gets the first one's answer. One connection to the database; HTTP connections are served side by side.
 *
 * --mode MODE[:N][,MODE[:N]…]: what it does instead, one mode after the other, each for N writes (for ever without N), then it stores.
 * POST /mode/MODE[:N][,…] sets the same while it runs; GET /count says how many writes were asked for.
 *
 *   stub       answers success and lsn 1, stores nothing: what WolfScale nodes up to 5.5.7 do
 *   lost       the same with an LSN that moves        no-leader  503 NO_LEADER          forward    502 FORWARD_ERROR
 *   kept       stores, but deletes nothing            frozen     stores, lsn 7          routing    500 ROUTING_ERROR
 *   redirect   307 to --leader                        error      500                    slow       stores, answers 1 s later
 *   cut        stores, ends the connection in its answer    drop   ends it without storing
 *   html       200 with a page                        half       stores, answers half a JSON
 *   lsn        stores, answers an lsn of 2^64         elsewhere  DDL is run in no database at all and called a success
 */
#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <strings.h>

#include "buf.h"
#include "json.h"
#include "tool.h"

enum { PATH_MAX_BYTES = 200, KEY_MAX = 120, ER_DUP_ENTRY = 1062, TEXT_MAX = 512, MEMBERS_MAX = 5000 };
static const size_t SQL_MAX = 1u << 30;

static struct {
    struct tool_server server;
    const char *leader, *token, *certificate, *key;
    uint64_t port, body_max;
    bool ignore_keys;
} options = {.server = {.user = "admin", .password = "admin"}, .body_max = 2u << 20};

/* shared, under lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static MYSQL *db;
static char modes[TEXT_MAX];
static uint64_t fake_lsn;
static _Atomic uint64_t requests;

/* ---- JSON: checked and compacted, then cut into members, so that numbers stay the text they are ---- */

struct member { char *name; struct slice value; };
struct members { size_t count; struct member items[MEMBERS_MAX]; };

static size_t value_end(struct slice doc, size_t at)
{
    unsigned depth = 0;
    bool quoted = false;
    for (; at < doc.size; at++) {
        uint8_t b = doc.data[at];
        if (quoted) {
            if (b == '\\') at++;
            else if (b == '"') quoted = false;
        } else if (b == '"') quoted = true;
        else if (!depth && (b == ',' || b == '}' || b == ']' || b == ':')) break;
        else if (b == '{' || b == '[') depth++;
        else if (b == '}' || b == ']') depth--;
    }
    return at;
}

static unsigned hex4(const uint8_t *at)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) value = value << 4 | (unsigned)(at[i] <= '9' ? at[i] - '0' : (at[i] | 32) - 'a' + 10);
    return value;
}

static void put_utf8(struct buf *out, uint32_t c)
{
    if (c < 0x80) buf_u8(out, (uint8_t)c);
    else if (c < 0x800) buf_u8(out, (uint8_t)(0xc0 | c >> 6));
    else if (c < 0x10000) buf_u8(out, (uint8_t)(0xe0 | c >> 12));
    else buf_u8(out, (uint8_t)(0xf0 | c >> 18)), buf_u8(out, (uint8_t)(0x80 | (c >> 12 & 63)));
    if (c >= 0x800) buf_u8(out, (uint8_t)(0x80 | (c >> 6 & 63)));
    if (c >= 0x80) buf_u8(out, (uint8_t)(0x80 | (c & 63)));
}

/* A JSON string's text, NUL-terminated and with what NULs it has itself; *size without the last. Owned; NULL: it is no string. The
   document was checked. */
static char *text_of(struct slice string, size_t *size)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    struct buf out;
    if (string.size < 2 || string.data[0] != '"') return NULL;
    buf_init(&out, SQL_MAX);
    for (size_t i = 1; i + 1 < string.size; i++) {
        uint8_t b = string.data[i];
        if (b != '\\') {
            buf_u8(&out, b);
            continue;
        }
        b = string.data[++i];
        const char *known = strchr(from, b);
        if (b != 'u') {
            buf_u8(&out, known ? (uint8_t)to[known - from] : b);
            continue;
        }
        uint32_t c = hex4(string.data + i + 1);
        i += 4;
        if (c >= 0xd800 && c < 0xdc00 && string.data[i + 1] == '\\') {
            c = 0x10000 + ((c & 0x3ff) << 10 | (hex4(string.data + i + 3) & 0x3ff));
            i += 6;
        }
        put_utf8(&out, c);
    }
    if (size) *size = out.size;
    buf_u8(&out, 0);
    return (char *)out.data;
}

static bool read_members(struct slice object, struct members *members)
{
    members->count = 0;
    if (object.size < 2 || object.data[0] != '{') return false;
    for (size_t at = 1; at < object.size && object.data[at] == '"';) {
        size_t end = value_end(object, at);
        if (members->count == MEMBERS_MAX) return false;
        struct member *m = &members->items[members->count++];
        m->name = text_of(slice_of(object.data + at, end - at), NULL);
        at = end + 1;
        end = value_end(object, at);
        m->value = slice_of(object.data + at, end - at);
        at = end + 1;
    }
    return true;
}

static void free_members(struct members *members)
{
    for (size_t i = 0; i < members->count; i++) free(members->items[i].name);
    members->count = 0;
}

static struct slice member(const struct members *members, const char *name)
{
    for (size_t i = 0; i < members->count; i++)
        if (members->items[i].name && strcmp(members->items[i].name, name) == 0) return members->items[i].value;
    return (struct slice){NULL, 0};
}

/* ---- SQL ---- */

static void put_name(struct buf *sql, const char *name)
{
    buf_u8(sql, '`');
    for (; *name; name++) {
        if (*name == '`') buf_u8(sql, '`');
        buf_u8(sql, (uint8_t)*name);
    }
    buf_u8(sql, '`');
}

static void put_quoted(struct buf *sql, struct slice text)
{
    uint8_t *to = NULL;
    buf_text(sql, "_utf8mb4'");
    to = buf_reserve(sql, text.size * 2 + 1);
    if (to) sql->size += mysql_real_escape_string(db, (char *)to, (const char *)text.data, text.size);
    buf_text(sql, "'");
}

static int sextet(uint8_t c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* {"base64":"…"} as X'…' */
static bool put_base64(struct buf *sql, struct slice object)
{
    static const char head[] = "{\"base64\":\"", hex[] = "0123456789abcdef";
    size_t n = sizeof head - 1, end = object.size < n + 2 ? 0 : object.size - 2;
    if (!end || memcmp(object.data, head, n) != 0) return false;
    uint32_t bits = 0, count = 0;
    buf_text(sql, "X'");
    for (; n < end && object.data[n] != '='; n++) {
        int value = sextet(object.data[n]);
        if (value < 0) return false;
        bits = bits << 6 | (uint32_t)value;
        if ((count += 6) >= 8) {
            count -= 8;
            uint8_t byte = (uint8_t)(bits >> count);
            buf_u8(sql, (uint8_t)hex[byte >> 4]);
            buf_u8(sql, (uint8_t)hex[byte & 15]);
        }
    }
    buf_u8(sql, '\'');
    return true;
}

static bool put_value(struct buf *sql, struct slice value)
{
    if (!value.size || value.data[0] == '[') return false;
    if (value.data[0] == '{') return put_base64(sql, value);
    if (value.data[0] != '"') { /* number, true, false, null */
        buf_slice(sql, value);
        return true;
    }
    size_t size;
    char *text = text_of(value, &size);
    if (!text) return false;
    put_quoted(sql, slice_of(text, size));
    free(text);
    return true;
}

/* "database.table", each part in backticks where it has a point or a backtick in it. */
static bool put_table(struct buf *sql, struct slice value)
{
    char *text = text_of(value, NULL), *at = text;
    unsigned parts = 0;
    for (; at && *at; parts++) {
        size_t n = strcspn(at, ".");
        if (parts) buf_u8(sql, '.');
        if (*at == '`') {
            n = 1;
            while (at[n] && (at[n] != '`' || at[n + 1] == '`')) n += at[n] == '`' ? 2 : 1;
            buf_put(sql, at, ++n);
        } else {
            char saved = at[n];
            at[n] = 0;
            put_name(sql, at);
            at[n] = saved;
        }
        at += n;
        if (*at == '.') at++;
    }
    free(text);
    return parts == 2;
}

/* Types matter where a value is compared: text would be compared with a DECIMAL as two doubles are, and 0.1 with a FLOAT never. */
static enum enum_field_types type_of(const struct buf *table, const char *column)
{
    struct buf sql;
    enum enum_field_types type = MYSQL_TYPE_STRING;
    buf_init(&sql, SQL_MAX);
    buf_text(&sql, "SELECT ");
    put_name(&sql, column);
    buf_printf(&sql, " FROM %.*s LIMIT 0", SLICE_ARG(buf_bytes(table)));
    if (mysql_real_query(db, (const char *)sql.data, sql.size) == 0) {
        MYSQL_RES *result = mysql_store_result(db);
        if (result) type = mysql_fetch_field_direct(result, 0)->type;
        mysql_free_result(result);
    }
    buf_fini(&sql);
    return type;
}

static bool put_where(struct buf *sql, const struct buf *table, const struct members *key)
{
    for (size_t i = 0; i < key->count; i++) {
        struct slice value = key->items[i].value;
        enum enum_field_types type = type_of(table, key->items[i].name);
        buf_text(sql, i ? " AND " : " WHERE ");
        put_name(sql, key->items[i].name);
        buf_text(sql, slice_is(value, "null") ? " <=> " : " = ");
        if (type == MYSQL_TYPE_NEWDECIMAL && value.size > 2 && value.data[0] == '"') value = slice_of(value.data + 1, value.size - 2);
        if (type == MYSQL_TYPE_FLOAT) buf_text(sql, "CAST(");
        if (!put_value(sql, value)) return false;
        if (type == MYSQL_TYPE_FLOAT) buf_text(sql, " AS FLOAT)");
    }
    return key->count > 0;
}

static bool put_assignments(struct buf *sql, const struct members *set)
{
    for (size_t i = 0; i < set->count; i++) {
        buf_text(sql, i ? ", " : " SET ");
        put_name(sql, set->items[i].name);
        buf_u8(sql, '=');
        if (!put_value(sql, set->items[i].value)) return false;
    }
    return set->count > 0;
}

static void put_updates(struct buf *sql, struct slice columns, const struct members *values)
{
    cJSON *list = cJSON_ParseWithLength((const char *)columns.data, columns.size), *one;
    bool first = true;
    buf_text(sql, " ON DUPLICATE KEY UPDATE ");
    cJSON_ArrayForEach(one, list) {
        if (!cJSON_IsString(one)) continue;
        if (!first) buf_text(sql, ", ");
        first = false;
        put_name(sql, one->valuestring);
        buf_text(sql, "=VALUES(");
        put_name(sql, one->valuestring);
        buf_u8(sql, ')');
    }
    if (first) { /* nothing to change: the row is there */
        put_name(sql, values->items[0].name);
        buf_u8(sql, '=');
        put_name(sql, values->items[0].name);
    }
    cJSON_Delete(list);
}

/* The statement of a request; false: its body is none of ours. */
static bool make_sql(const char *verb, const struct members *body, struct buf *sql)
{
    struct members *one = calloc(1, sizeof *one), *two = calloc(1, sizeof *two);
    struct buf table;
    if (!one || !two) abort();
    buf_init(&table, 4096);
    bool ok = put_table(&table, member(body, "table"));
    bool upsert = strcmp(verb, "upsert") == 0;
    if (ok && (upsert || strcmp(verb, "insert") == 0)) {
        buf_printf(sql, "INSERT INTO %.*s", SLICE_ARG(buf_bytes(&table)));
        ok = read_members(member(body, "values"), one) && put_assignments(sql, one);
        if (ok && upsert) put_updates(sql, member(body, "update_columns"), one);
    } else if (ok && strcmp(verb, "update") == 0) {
        buf_printf(sql, "UPDATE %.*s", SLICE_ARG(buf_bytes(&table)));
        ok = read_members(member(body, "set"), one) && put_assignments(sql, one) && read_members(member(body, "where_key"), two) &&
             put_where(sql, &table, two);
    } else if (ok && strcmp(verb, "delete") == 0) {
        buf_printf(sql, "DELETE FROM %.*s", SLICE_ARG(buf_bytes(&table)));
        ok = read_members(member(body, "where_key"), one) && put_where(sql, &table, one);
    } else {
        ok = false;
    }
    free_members(one);
    free_members(two);
    free(one);
    free(two);
    buf_fini(&table);
    return ok && !sql->full;
}

/* ---- the database ---- */

static bool connected(void)
{
    if (db && mysql_ping(db) == 0) return true;
    if (db) mysql_close(db);
    db = tool_connect(&options.server, NULL);
    if (!db) return false;
    mysql_set_character_set(db, "utf8mb4");
    return mysql_query(db, "SET time_zone='+00:00', sql_mode='ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', sql_log_bin=0") == 0 &&
           mysql_query(db, "CREATE DATABASE IF NOT EXISTS wolfcdc") == 0 &&
           mysql_query(db, "CREATE TABLE IF NOT EXISTS wolfcdc.httpstore (lsn BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, "
                       "k VARCHAR(120) CHARACTER SET ascii COLLATE ascii_bin UNIQUE, at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6))") == 0;
}

struct reply { unsigned status; char text[TEXT_MAX]; };

static void reply_error(struct reply *reply, unsigned status, const char *error, const char *code)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "error", error);
    cJSON_AddStringToObject(json, "code", code);
    reply->status = status;
    if (!cJSON_PrintPreallocated(json, reply->text, TEXT_MAX, 0)) snprintf(reply->text, TEXT_MAX, "{\"error\":\"?\",\"code\":\"%s\"}", code);
    cJSON_Delete(json);
}

static void reply_lsn(struct reply *reply, uint64_t lsn)
{
    reply->status = 200;
    snprintf(reply->text, TEXT_MAX, "{\"success\":true,\"lsn\":%llu,\"message\":null}", (unsigned long long)lsn);
}

static bool query(const char *sql, size_t size) { return mysql_real_query(db, sql, size) == 0; }

/* The LSN that this key got before; 0: none. */
static uint64_t done_before(const char *key)
{
    char sql[TEXT_MAX];
    uint64_t lsn = 0;
    if (options.ignore_keys || !*key) return 0;
    snprintf(sql, sizeof sql, "SELECT lsn FROM wolfcdc.httpstore WHERE k='%s'", key);
    MYSQL_RES *result = query(sql, strlen(sql)) ? mysql_store_result(db) : NULL;
    MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
    if (row) lsn = strtoull(row[0], NULL, 10);
    mysql_free_result(result);
    return lsn;
}

static bool note_done(const char *key)
{
    char sql[TEXT_MAX];
    if (options.ignore_keys || !*key) snprintf(sql, sizeof sql, "INSERT INTO wolfcdc.httpstore (k) VALUES (NULL)");
    else snprintf(sql, sizeof sql, "INSERT INTO wolfcdc.httpstore (k) VALUES ('%s')", key);
    return query(sql, strlen(sql));
}

/* A row's statement and its LSN are one transaction. */
static bool store_row(const char *verb, const char *key, const struct members *body, uint64_t *lsn, struct reply *reply)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    bool fits = make_sql(verb, body, &sql);
    bool ok = fits && query("BEGIN", 5) && note_done(key);
    if (ok) *lsn = mysql_insert_id(db);
    ok = ok && query((const char *)sql.data, sql.size) && query("COMMIT", 6);
    buf_fini(&sql);
    if (!fits) reply_error(reply, 422, "not the shape that the contract asks for", "BAD_REQUEST");
    else if (!ok) reply_error(reply, 500, mysql_error(db), "WRITE_ERROR");
    if (fits && !ok) query("ROLLBACK", 8);
    return ok;
}

static bool use_database(struct slice value)
{
    char *name = text_of(value, NULL);
    bool ok = !name || mysql_select_db(db, name) == 0;
    free(name);
    return ok;
}

/* DDL commits by itself: a kill between it and its LSN makes it come again. */
static bool store_ddl(const char *key, const struct members *body, bool elsewhere, uint64_t *lsn, struct reply *reply)
{
    size_t size;
    char *text = text_of(member(body, "ddl"), &size);
    if (!text) {
        reply_error(reply, 422, "ddl is missing", "BAD_REQUEST");
        return false;
    }
    bool ok = elsewhere || (use_database(member(body, "database")) && query(text, size));
    ok = ok && note_done(key);
    if (ok) *lsn = mysql_insert_id(db);
    else reply_error(reply, 500, mysql_error(db), "DDL_ERROR");
    free(text);
    return ok;
}

static void store(const char *verb, const char *key, struct slice text, const char *mode, struct reply *reply)
{
    struct members *body = calloc(1, sizeof *body);
    struct buf compact;
    uint64_t lsn;
    if (!body) abort();
    buf_init(&compact, SQL_MAX);
    if (!connected()) reply_error(reply, 503, "the database does not answer", "NO_LEADER");
    else if ((lsn = done_before(key))) reply_lsn(reply, lsn);
    else if (!json_compact(text, &compact) || !read_members(buf_bytes(&compact), body)) reply_error(reply, 400, "not a JSON object", "BAD_REQUEST");
    else if (strcmp(mode, "kept") == 0 && strcmp(verb, "delete") == 0) reply_lsn(reply, ++fake_lsn + 1000000);
    else if (strcmp(verb, "ddl") == 0 ? store_ddl(key, body, strcmp(mode, "elsewhere") == 0, &lsn, reply) : store_row(verb, key, body, &lsn, reply))
        reply_lsn(reply, lsn);
    free_members(body);
    free(body);
    buf_fini(&compact);
}

/* ---- modes ---- */

/* The mode of this request, and one less of it. Under lock. */
static void take_mode(char mode[32])
{
    size_t n = strcspn(modes, ",:");
    snprintf(mode, 32, "%.*s", (int)(n < 31 ? n : 31), modes);
    if (modes[n] != ':') return;
    char *rest;
    unsigned long left = strtoul(modes + n + 1, &rest, 10);
    char tail[TEXT_MAX];
    snprintf(tail, sizeof tail, "%s", *rest == ',' ? rest + 1 : "");
    if (left > 1) snprintf(modes, sizeof modes, "%.31s:%lu%s%.400s", mode, left - 1, *tail ? "," : "", tail);
    else snprintf(modes, sizeof modes, "%s", tail);
}

static const struct { const char *name; unsigned status; const char *text; } instead[] = { /* nothing is stored */
    {"stub", 200, "{\"success\":true,\"lsn\":1,\"message\":null}"},
    {"no-leader", 503, "{\"error\":\"No leader available\",\"code\":\"NO_LEADER\"}"},
    {"forward", 502, "{\"error\":\"the leader does not answer\",\"code\":\"FORWARD_ERROR\"}"},
    {"routing", 500, "{\"error\":\"Routing error: not leader but no other leader found\",\"code\":\"ROUTING_ERROR\"}"},
    {"error", 500, "{\"error\":\"a disk that is full\",\"code\":\"WRITE_ERROR\"}"},
    {"html", 200, "<!DOCTYPE html><html><body>It works!</body></html>"},
    {"redirect", 307, ""},
};
static const struct { const char *name; const char *text; } afterwards[] = { /* it is stored */
    {"half", "{\"success\":true,\"ls"},
    {"lsn", "{\"success\":true,\"lsn\":18446744073709551616,\"message\":null}"},
    {"frozen", "{\"success\":true,\"lsn\":7,\"message\":null}"},
};

static void serve(const char *mode, const char *verb, const char *key, struct slice body, struct reply *reply)
{
    for (size_t i = 0; i < sizeof instead / sizeof *instead; i++) {
        if (strcmp(mode, instead[i].name) != 0) continue;
        reply->status = instead[i].status;
        snprintf(reply->text, TEXT_MAX, "%s", instead[i].text);
        return;
    }
    if (strcmp(mode, "lost") == 0) {
        reply_lsn(reply, ++fake_lsn);
        return;
    }
    store(verb, key, body, mode, reply);
    for (size_t i = 0; reply->status == 200 && i < sizeof afterwards / sizeof *afterwards; i++)
        if (strcmp(mode, afterwards[i].name) == 0) snprintf(reply->text, TEXT_MAX, "%s", afterwards[i].text);
}

/* ---- HTTP ---- */

struct request { struct buf body; bool too_large; };

static ssize_t cut_reader(void *context, uint64_t at, char *to, size_t room)
{
    const char *text = context;
    size_t n = strlen(text) / 2;
    if (at >= n) return MHD_CONTENT_READER_END_WITH_ERROR;
    if (room > n - at) room = n - at;
    memcpy(to, text + at, room);
    return (ssize_t)room;
}

static enum MHD_Result answer(struct MHD_Connection *connection, const struct reply *reply, const char *type, const char *path, bool cut)
{
    struct MHD_Response *response =
        cut ? MHD_create_response_from_callback(strlen(reply->text), 64, cut_reader, strdup(reply->text), free)
            : MHD_create_response_from_buffer(strlen(reply->text), (char *)(uintptr_t)reply->text, MHD_RESPMEM_MUST_COPY);
    if (!response) return MHD_NO;
    MHD_add_response_header(response, "Content-Type", type);
    if (reply->status == 307) {
        char to[TEXT_MAX];
        snprintf(to, sizeof to, "%.300s%.100s", options.leader ? options.leader : "", path);
        MHD_add_response_header(response, "Location", to);
    }
    enum MHD_Result queued = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    return queued;
}

static bool allowed(struct MHD_Connection *connection)
{
    const char *given = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    return !options.token || (given && strncmp(given, "Bearer ", 7) == 0 && strcmp(given + 7, options.token) == 0);
}

static const char *key_of(struct MHD_Connection *connection)
{
    const char *key = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Idempotency-Key");
    return key && strlen(key) < KEY_MAX && !strpbrk(key, "'\\") ? key : "";
}

static enum MHD_Result write_request(struct MHD_Connection *connection, const char *path, struct request *request)
{
    struct reply reply = {.status = 200};
    char mode[32] = "";
    const char *type = "application/json";
    if (!allowed(connection)) {
        reply_error(&reply, 401, "a token is asked for", "UNAUTHORIZED");
        return answer(connection, &reply, type, path, false);
    }
    if (request->too_large) { /* as the nodes say it: in plain text */
        reply = (struct reply){413, "Failed to buffer the request body: length limit exceeded"};
        return answer(connection, &reply, "text/plain", path, false);
    }
    pthread_mutex_lock(&lock);
    requests++;
    take_mode(mode);
    bool drop = strcmp(mode, "drop") == 0;
    if (!drop) serve(mode, path + strlen("/write/"), key_of(connection), buf_bytes(&request->body), &reply);
    pthread_mutex_unlock(&lock);
    if (strcmp(mode, "slow") == 0) tool_sleep_us(1000000);
    if (strcmp(mode, "html") == 0) type = "text/html";
    return drop ? MHD_NO : answer(connection, &reply, type, path, strcmp(mode, "cut") == 0);
}

static enum MHD_Result other_request(struct MHD_Connection *connection, const char *path)
{
    struct reply reply = {.status = 200, .text = "{}"};
    if (strncmp(path, "/mode/", 6) == 0) {
        pthread_mutex_lock(&lock);
        snprintf(modes, sizeof modes, "%s", path + 6);
        pthread_mutex_unlock(&lock);
    } else if (strcmp(path, "/count") == 0) {
        snprintf(reply.text, TEXT_MAX, "{\"count\":%llu}\n", (unsigned long long)atomic_load(&requests));
    } else {
        reply_error(&reply, 404, "no such path", "NOT_FOUND");
    }
    return answer(connection, &reply, "application/json", path, false);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path, const char *method, const char *version,
                                  const char *data, size_t *size, void **own)
{
    struct request *request = *own;
    (void)context, (void)method, (void)version;
    if (!request) {
        request = calloc(1, sizeof *request);
        if (!request) return MHD_NO;
        buf_init(&request->body, options.body_max);
        *own = request;
        const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
        request->too_large = length && strtoull(length, NULL, 10) > options.body_max;
        if (request->too_large && strncmp(path, "/write/", 7) == 0) return write_request(connection, path, request); /* its body is not read */
        return MHD_YES;
    }
    if (*size) {
        buf_put(&request->body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    bool write = strncmp(path, "/write/", 7) == 0 && strlen(path) < PATH_MAX_BYTES;
    return write ? write_request(connection, path, request) : other_request(connection, path);
}

static void on_end(void *context, struct MHD_Connection *connection, void **own, enum MHD_RequestTerminationCode code)
{
    struct request *request = *own;
    (void)context, (void)connection, (void)code;
    if (!request) return;
    buf_fini(&request->body);
    free(request);
    *own = NULL;
}

/* ---- the program ---- */

static char *file_text(const char *path)
{
    struct buf text;
    FILE *file = fopen(path, "r");
    if (!file) tool_usage(path, strerror(errno));
    buf_init(&text, 1u << 20);
    for (uint8_t chunk[4096]; !feof(file) && !ferror(file);) buf_put(&text, chunk, fread(chunk, 1, sizeof chunk, file));
    fclose(file);
    char *copy = strdup(buf_cstr(&text));
    buf_fini(&text);
    return copy;
}

static const char usage[] =
    "httpstore --listen PORT --port N [--socket PATH] [--user U] [--password-file F] [--mode MODES] [--leader URL] [--token TEXT]\n"
    "          [--max-body BYTES] [--ignore-keys] [--certificate FILE --key FILE]\n";

static void read_options(int count, char **words)
{
    for (int i = 1; i < count; i++) {
        const char *name = words[i], *value = i + 1 < count ? words[i + 1] : NULL;
        if (strcmp(name, "--help") == 0) {
            fputs(usage, stdout);
            exit(TOOL_DONE);
        }
        if (strcmp(name, "--ignore-keys") == 0) {
            options.ignore_keys = true;
            continue;
        }
        if (!value) tool_usage(name, "a value is missing");
        i++;
        if (strcmp(name, "--listen") == 0) options.port = tool_number(name, value);
        else if (strcmp(name, "--mode") == 0) snprintf(modes, sizeof modes, "%s", value);
        else if (strcmp(name, "--leader") == 0) options.leader = value;
        else if (strcmp(name, "--token") == 0) options.token = value;
        else if (strcmp(name, "--max-body") == 0) options.body_max = tool_number(name, value);
        else if (strcmp(name, "--certificate") == 0) options.certificate = value;
        else if (strcmp(name, "--key") == 0) options.key = value;
        else if (!tool_server_option(&options.server, "", name, value)) tool_usage(name, "no such option");
    }
    if (!options.port || options.port > 65535) tool_usage("--listen", "which port?");
}

int main(int count, char **words)
{
    struct MHD_OptionItem tls[] = {{MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    sigset_t ends;
    int got;
    signal(SIGPIPE, SIG_IGN);
    read_options(count, words);
    address.sin_port = htons((uint16_t)options.port);
    if (options.certificate) {
        tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, file_text(options.certificate)};
        tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, file_text(options.key)};
        flags |= MHD_USE_TLS;
    }
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    struct MHD_Daemon *daemon = MHD_start_daemon(flags, (uint16_t)options.port, NULL, NULL, on_request, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_end,
                                                 NULL, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (!daemon) {
        fprintf(stderr, "httpstore: cannot listen on port %llu\n", (unsigned long long)options.port);
        return TOOL_UNREACHABLE;
    }
    sigwait(&ends, &got);
    MHD_stop_daemon(daemon);
    if (db) mysql_close(db);
    return TOOL_DONE;
}
