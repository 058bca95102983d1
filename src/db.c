/*
 * db.c: see db.h. The only file that includes the client library.
 *
 * Replies of statements in flight are parsed here from the raw packets, because the library's own reading of results
 * allows one statement at a time. The sequence number that the library expects in a packet is set by us before each
 * reply: every reply starts again at 1, whatever was sent in between.
 */
#include "db.h"

#include <assert.h>
#include <mysql.h>
#include <errmsg.h>
#include <ma_pvio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arena.h"
#include "cursor.h"

enum {
    DB_RESULT_MAX = 64 << 20,
    DB_SQL_MAX = 64 << 20,
    DB_NAME_MAX = 320,
    DB_CONNECT_TIMEOUT_MS = 10000,
    DEAD_PEER_S = 15,
    DB_PACKET_MAX = 1 << 30,
    DB_CLIENT_DEPRECATE_EOF = 1 << 24,
    DB_COLUMNS_MAX = 4096,
    OPTION_PREVENTS = 1290,
    ACCESS_DENIED = 1045,
    /* mysql_net_read_packet gives this (an unsigned int's -1) in an unsigned long, also where long has 64 bits */
    DB_STATUS_IN_TRANSACTION = 1,
};
static const unsigned long PACKET_FAILED = 0xffffffffUL;

struct db {
    MYSQL *mysql;
    int stop_fd;            /* a duplicate: stays valid for db_shutdown when the library has closed its own */
    bool tls;
    struct db_version version;
    char name[DB_NAME_MAX];
    char user[128];
};

/* What an error number lets the caller do, and what the operator can. Numbers that are not here stop. */
static const struct {
    unsigned number;
    enum err_code code;
    const char *remedy;
} causes[] = {
    {1045, ERR_DENIED, "check user and password (password_file), and the host part of the account"},
    {1698, ERR_DENIED, "check user and password_file: the server wants a password, or a socket login of that system user"},
    {1044, ERR_DENIED, "GRANT the account the privilege on that database"},
    {1142, ERR_DENIED, "GRANT the account the privilege that is named"},
    {1143, ERR_DENIED, "GRANT the account the privilege that is named"},
    {1227, ERR_DENIED, "GRANT the account the privilege that is named"},
    {1370, ERR_DENIED, "GRANT the account the privilege that is named"},
    {1130, ERR_DENIED, "create the account for the host that we connect from"},
    {3159, ERR_DENIED, "the server takes only encrypted connections (require_secure_transport): set ssl = true, and ssl_ca to the file of its "
                       "certificate authority"},
    {1820, ERR_DENIED, "set a new password for the account"},
    {1862, ERR_DENIED, "the account's password has expired: set a new one"},
    {4151, ERR_DENIED, "the account is locked: ALTER USER ... ACCOUNT UNLOCK"},
    {1524, ERR_DENIED, "the account's authentication plugin is not loaded on the server"},
    {1251, ERR_DENIED, "the account's authentication method is not known to the client library"},
    {CR_AUTH_PLUGIN_CANNOT_LOAD, ERR_DENIED, "install the client's authentication plugins (Debian: libmariadb3)"},
    {2061, ERR_DENIED, "use TLS (ssl = true) or another authentication plugin"},
    {CR_SSL_CONNECTION_ERROR, ERR_DENIED,
     "check ssl_ca, ssl_cert, ssl_key and that the server's certificate is for this host name"},
    {CR_CONNECTION_ERROR, ERR_RETRY, "is the server running, and address and port (or the socket's path) right?"},
    {CR_CONN_HOST_ERROR, ERR_RETRY, "is the server running, the port right and the way open?"},
    {CR_UNKNOWN_HOST, ERR_RETRY, "the host name cannot be resolved"},
    {CR_SERVER_GONE_ERROR, ERR_RETRY, NULL},
    {CR_SERVER_LOST, ERR_RETRY, NULL},
    {CR_SERVER_HANDSHAKE_ERR, ERR_RETRY, NULL},
    {CR_MALFORMED_PACKET, ERR_RETRY, NULL},
    {CR_OUT_OF_MEMORY, ERR_LIMIT, NULL},
    {CR_NET_PACKET_TOO_LARGE, ERR_LIMIT, NULL},
    {2055, ERR_RETRY, NULL},
    {1040, ERR_RETRY, "max_connections of the server is reached"},
    {1203, ERR_RETRY, "max_user_connections of the account is reached"},
    {1226, ERR_RETRY, "a resource limit of the account is reached"},
    {1129, ERR_RETRY, "the server has blocked this host: FLUSH HOSTS there"},
    {1043, ERR_RETRY, NULL},
    {1047, ERR_RETRY, NULL}, /* also: a Galera node that is not synced */
    {1053, ERR_RETRY, NULL},
    {1077, ERR_RETRY, NULL},
    {1079, ERR_RETRY, NULL},
    {1152, ERR_RETRY, NULL},
    {1158, ERR_RETRY, NULL},
    {1159, ERR_RETRY, NULL},
    {1160, ERR_RETRY, NULL},
    {1161, ERR_RETRY, NULL},
    {1184, ERR_RETRY, NULL},
    {1205, ERR_RETRY, NULL},
    {1213, ERR_RETRY, NULL},
    {1317, ERR_RETRY, NULL},
    {1020, ERR_RETRY, NULL},
    {1927, ERR_RETRY, NULL},
    {1969, ERR_RETRY, NULL},
    {3024, ERR_RETRY, NULL},
    {1836, ERR_RETRY, "the server was started read-only"},
    {1153, ERR_LIMIT, "raise max_allowed_packet on the server"},
    {1197, ERR_LIMIT, "raise max_binlog_cache_size on the server"},
};

static atomic_ullong fault_countdown;

void db_fault_at(uint64_t nth) { fault_countdown = nth; }

/* One test per call of the interface: a plain load while no fault is asked for. */
static bool fault(const struct db *db, struct err *err)
{
    if (__builtin_expect(atomic_load_explicit(&fault_countdown, memory_order_relaxed) == 0, 1)) return false;
    if (atomic_fetch_sub(&fault_countdown, 1) != 1) return false;
    if (db) shutdown(db->stop_fd, SHUT_RDWR);
    err_set_number(err, ERR_RETRY, CR_SERVER_LOST, "%s: connection lost (injected fault)", db ? db->name : "connect");
    return true;
}

static bool fail_number(const char *name, struct err *err, unsigned number, const char *tried, const char *text, bool open)
{
    enum err_code code = ERR_STOP;
    const char *remedy = NULL;
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        if (causes[i].number != number) continue;
        code = causes[i].code;
        remedy = causes[i].remedy;
        break;
    }
    /* a TLS error of an established session is only a broken connection */
    if (number == CR_SSL_CONNECTION_ERROR && open) {
        code = ERR_RETRY;
        remedy = NULL;
    }
    /* the option in the way is named in every language; of those that 1290 can name, this one is lifted while the server runs */
    if (number == OPTION_PREVENTS && strstr(text, "read-only")) {
        code = ERR_RETRY;
        remedy = "SET GLOBAL read_only=OFF, or GRANT READ_ONLY ADMIN ON *.* to our account";
    }
    return err_set_number(err, code, number, "%s: %s: %s (%u)%s%s", name, tried, text, number, remedy ? "; " : "",
                          remedy ? remedy : "");
}

static bool fail(struct db *db, struct err *err, const char *tried)
{
    return fail_number(db->name, err, mysql_errno(db->mysql), tried, mysql_error(db->mysql), true);
}

/* ---- opening ---- */

static void parse_version(const char *text, struct db_version *version)
{
    memset(version, 0, sizeof *version);
    if (!text) text = "";
    if (!strncmp(text, "5.5.5-", 6)) text += 6;
    snprintf(version->text, sizeof version->text, "%s", text);
    version->flavour = strcasestr(text, "maria") ? DB_MARIADB : DB_MYSQL;
    if (sscanf(text, "%u.%u.%u", &version->major, &version->minor, &version->patch) < 2)
        version->major = version->minor = version->patch = 0;
}

bool db_version_at_least(const struct db_version *version, unsigned major, unsigned minor)
{
    return version->major != major ? version->major > major : version->minor >= minor;
}

static unsigned seconds_of(uint32_t ms) { return (ms + 999) / 1000; }

static bool wants_tls(const struct db_options *options)
{
    return options->ssl || options->ssl_ca || options->ssl_cert || options->ssl_key;
}

static void set_tls(MYSQL *mysql, const struct db_options *options)
{
    bool tls = wants_tls(options);
    my_bool enforce = tls, verify = tls && options->ssl_verify_server_cert;
    /* with a CA the library checks the chain whatever it is told */
    if (tls) mysql_ssl_set(mysql, options->ssl_key, options->ssl_cert, verify ? options->ssl_ca : NULL, NULL, NULL);
    mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &enforce);
    mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}

static void set_options(MYSQL *mysql, const struct db_options *options)
{
    unsigned connect = seconds_of(options->connect_timeout_ms ? options->connect_timeout_ms : DB_CONNECT_TIMEOUT_MS);
    unsigned read = seconds_of(options->read_timeout_ms), no_infile = 0;
    unsigned protocol = options->socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    size_t packet = DB_PACKET_MAX;
    my_bool off = 0;
    mysql_optionsv(mysql, MYSQL_OPT_PROTOCOL, &protocol); /* "localhost" with a port means TCP here */
    mysql_optionsv(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
    if (read) {
        mysql_optionsv(mysql, MYSQL_OPT_READ_TIMEOUT, &read);
        mysql_optionsv(mysql, MYSQL_OPT_WRITE_TIMEOUT, &read);
    }
    mysql_optionsv(mysql, MYSQL_OPT_RECONNECT, &off);
    mysql_optionsv(mysql, MYSQL_OPT_LOCAL_INFILE, &no_infile); /* a server could ask for our files otherwise */
    mysql_optionsv(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_optionsv(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
    mysql_optionsv(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "wolfcdc");
    if (options->plugin_dir) mysql_optionsv(mysql, MYSQL_PLUGIN_DIR, options->plugin_dir);
    set_tls(mysql, options);
}

/* libmariadb loads a login plugin when a server first asks for it, and fails a second thread that does so at that moment with
   "already loaded" (1045). So they are loaded before the first connection. One that is not installed is not missed here: the
   connection that needs it says so. */
static void load_login_plugins(MYSQL *mysql)
{
    enum { LOGIN_PLUGIN = 2 }; /* MYSQL_CLIENT_AUTHENTICATION_PLUGIN, in a header that Debian installs without what it includes */
    static const char *const names[] = {"client_ed25519", "caching_sha2_password", "sha256_password"};
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bool loaded;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; !loaded && i < sizeof names / sizeof *names; i++)
        mysql_load_plugin(mysql, names[i], LOGIN_PLUGIN, 0);
    loaded = true;
    pthread_mutex_unlock(&lock);
}

static void name_of(const struct db_options *options, char *name, size_t room)
{
    const char *label = options->name ? options->name : "server";
    if (options->socket) snprintf(name, room, "%s socket %s", label, options->socket);
    else if (options->host && strstr(label, options->host)) snprintf(name, room, "%s", label);
    else snprintf(name, room, "%s %s:%u", label, options->host ? options->host : "localhost", options->port);
}

/* Statements go out at once; a peer that has vanished without a word is noticed in DEAD_PEER_S seconds, not when a read times out. */
static void tend_socket(int fd)
{
    static const struct { int level, name, value; } settings[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1}, {SOL_SOCKET, SO_KEEPALIVE, 1}, {IPPROTO_TCP, TCP_KEEPIDLE, DEAD_PEER_S / 3},
        {IPPROTO_TCP, TCP_KEEPINTVL, DEAD_PEER_S / 3}, {IPPROTO_TCP, TCP_KEEPCNT, 2}, {IPPROTO_TCP, TCP_USER_TIMEOUT, DEAD_PEER_S * 1000},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        (void)setsockopt(fd, settings[i].level, settings[i].name, &settings[i].value, sizeof settings[i].value);
}

static bool finish_open(struct db *db, const struct db_options *options, struct err *err)
{
    db->tls = mysql_get_ssl_cipher(db->mysql) != NULL;
    if (wants_tls(options) && !db->tls)
        return err_set(err, ERR_DENIED, "%s: TLS is required by the configuration, and the server offered none", db->name);
    int fd = mysql_get_socket(db->mysql);
    db->stop_fd = dup(fd);
    if (db->stop_fd < 0) return err_set(err, ERR_RETRY, "%s: cannot duplicate the socket", db->name);
    if (!options->socket) tend_socket(fd);
    parse_version(mysql_get_server_info(db->mysql), &db->version);
    return true;
}

/* To whoever comes without TLS where it is required MariaDB says no more than "access denied". */
static void name_tls(const struct db_options *options, struct err *err)
{
    if (!err || err->number != ACCESS_DENIED || wants_tls(options) || options->socket) return;
    struct err said = *err;
    err_set_number(err, said.code, said.number, "%s; or the account or the server (require_secure_transport) takes only TLS: set ssl = true and ssl_ca", said.text);
}

bool db_open(const struct db_options *options, struct db **out, struct err *err)
{
    struct db *db = calloc(1, sizeof *db);
    char tried[200];
    if (!db) abort();
    db->stop_fd = -1;
    name_of(options, db->name, sizeof db->name);
    snprintf(db->user, sizeof db->user, "%s", options->user ? options->user : "");
    snprintf(tried, sizeof tried, "connect as '%s'%s", db->user, wants_tls(options) ? " with TLS" : "");
    if (fault(NULL, err)) goto failed;
    db->mysql = mysql_init(NULL);
    if (!db->mysql) abort();
    set_options(db->mysql, options);
    load_login_plugins(db->mysql);
    if (!mysql_real_connect(db->mysql, options->socket ? NULL : options->host, options->user, options->password, options->database,
                            options->port, options->socket, options->found_rows ? CLIENT_FOUND_ROWS : 0)) {
        fail_number(db->name, err, mysql_errno(db->mysql), tried, mysql_error(db->mysql), false);
        name_tls(options, err);
        goto failed;
    }
    if (!finish_open(db, options, err)) goto failed;
    *out = db;
    return true;
failed:
    db_close(db);
    return false;
}

void db_close(struct db *db)
{
    if (!db) return;
    if (db->mysql) mysql_close(db->mysql);
    if (db->stop_fd >= 0) close(db->stop_fd);
    free(db);
}

void db_shutdown(struct db *db) { shutdown(db->stop_fd, SHUT_RDWR); }
const struct db_version *db_version(const struct db *db) { return &db->version; }
uint32_t db_thread_id(const struct db *db) { return (uint32_t)mysql_thread_id(db->mysql); }
bool db_is_tls(const struct db *db) { return db->tls; }
void db_library_init(void) { mysql_library_init(0, NULL, NULL); }
void db_library_end(void) { mysql_library_end(); }

/* ---- ordinary statements ---- */

/* The first words of a statement, for messages: never its values, which may be secrets or rows. */
static void words_of(struct slice sql, char *out, size_t room)
{
    size_t n = 0;
    while (n < sql.size && n + 1 < room && n < 32 && sql.data[n] >= 0x20 && sql.data[n] < 0x7f && sql.data[n] != '\'' &&
           sql.data[n] != '(' && sql.data[n] != '=')
        n++;
    memcpy(out, sql.data, n);
    out[n] = 0;
}

static bool run(struct db *db, struct slice sql, struct err *err)
{
    char words[40];
    if (fault(db, err)) return false;
    if (!mysql_real_query(db->mysql, (const char *)sql.data, (unsigned long)sql.size)) return true;
    words_of(sql, words, sizeof words);
    return fail(db, err, words);
}

static bool drain(struct db *db, struct err *err)
{
    for (;;) {
        MYSQL_RES *result = mysql_use_result(db->mysql);
        if (result) mysql_free_result(result);
        else if (mysql_errno(db->mysql)) return fail(db, err, "read the result");
        int more = mysql_next_result(db->mysql);
        if (more < 0) return true;
        if (more > 0) return fail(db, err, "read the next result");
    }
}

bool db_exec_bytes(struct db *db, struct slice sql, struct err *err)
{
    return run(db, sql, err) && drain(db, err);
}

static char *format_sql(const char *format, va_list args, size_t *size)
{
    char *text = NULL;
    int n = vasprintf(&text, format, args);
    if (n < 0) abort();
    assert(n < DB_SQL_MAX);
    *size = (size_t)n;
    return text;
}

bool db_exec(struct db *db, struct err *err, const char *format, ...)
{
    size_t size;
    va_list args;
    va_start(args, format);
    char *sql = format_sql(format, args, &size);
    va_end(args);
    bool ok = db_exec_bytes(db, slice_of(sql, size), err);
    free(sql);
    return ok;
}

struct result_rows {
    struct arena arena;
    struct slice *cells; /* row_count × column_count; data NULL: SQL NULL */
    size_t count, room;
    char **names;
};

static void add_cell(struct result_rows *rows, const char *data, size_t size)
{
    if (rows->count == rows->room) {
        rows->room = rows->room ? rows->room * 2 : 64;
        rows->cells = reallocarray(rows->cells, rows->room, sizeof *rows->cells);
        if (!rows->cells) abort();
    }
    struct slice cell = {NULL, 0};
    if (data) cell = slice_of(arena_text(&rows->arena, slice_of(data, size)), size);
    rows->cells[rows->count++] = cell;
}

static bool take_rows(struct db *db, MYSQL_RES *from, struct db_result *result, struct err *err)
{
    struct result_rows *rows = result->rows;
    size_t total = 0;
    MYSQL_ROW row;
    while ((row = mysql_fetch_row(from))) {
        const unsigned long *sizes = mysql_fetch_lengths(from);
        for (uint32_t i = 0; i < result->column_count; i++) {
            add_cell(rows, row[i], sizes[i]);
            total += sizes[i] + 32;
        }
        result->row_count++;
        if (total > DB_RESULT_MAX) {
            shutdown(db->stop_fd, SHUT_RDWR); /* else freeing the result would read the rest of it */
            return err_set(err, ERR_LIMIT, "%s: a result is larger than %d MiB", db->name, DB_RESULT_MAX >> 20);
        }
    }
    return mysql_errno(db->mysql) ? fail(db, err, "read rows") : true;
}

static bool take_result(struct db *db, struct db_result **out, struct err *err)
{
    MYSQL_RES *from = mysql_use_result(db->mysql);
    if (!from) {
        if (mysql_errno(db->mysql)) return fail(db, err, "read the result");
        return err_set(err, ERR_STOP, "%s: the statement gave no result set", db->name);
    }
    struct db_result *result = calloc(1, sizeof *result);
    struct result_rows *rows = calloc(1, sizeof *rows);
    if (!result || !rows) abort();
    arena_init(&rows->arena);
    result->rows = rows;
    result->column_count = mysql_num_fields(from);
    rows->names = arena_alloc(&rows->arena, result->column_count * sizeof *rows->names);
    for (uint32_t i = 0; i < result->column_count; i++)
        rows->names[i] = arena_text(&rows->arena, slice_text(mysql_fetch_field_direct(from, i)->name));
    bool ok = take_rows(db, from, result, err);
    mysql_free_result(from);
    if (ok) *out = result;
    else db_result_free(result);
    return ok;
}

bool db_query(struct db *db, struct db_result **result, struct err *err, const char *format, ...)
{
    size_t size;
    va_list args;
    va_start(args, format);
    char *sql = format_sql(format, args, &size);
    va_end(args);
    bool ok = run(db, slice_of(sql, size), err) && take_result(db, result, err);
    free(sql);
    return ok;
}

bool db_ask(struct db *db, struct slice sql, struct err *err)
{
    if (fault(db, err)) return false;
    return !mysql_send_query(db->mysql, (const char *)sql.data, (unsigned long)sql.size) || fail(db, err, "ask");
}

bool db_answer(struct db *db, struct db_result **result, struct err *err)
{
    if (fault(db, err)) return false;
    if (mysql_read_query_result(db->mysql)) return fail(db, err, "read the answer");
    return take_result(db, result, err);
}

const char *db_value(const struct db_result *result, uint64_t row, uint32_t column, size_t *size)
{
    assert(row < result->row_count && column < result->column_count);
    const struct result_rows *rows = result->rows;
    struct slice cell = rows->cells[row * result->column_count + column];
    if (size) *size = cell.size;
    return (const char *)cell.data;
}

const char *db_column_name(const struct db_result *result, uint32_t column)
{
    assert(column < result->column_count);
    return ((const struct result_rows *)result->rows)->names[column];
}

int db_column_index(const struct db_result *result, const char *name)
{
    for (uint32_t i = 0; i < result->column_count; i++)
        if (!strcasecmp(db_column_name(result, i), name)) return (int)i;
    return -1;
}

void db_result_free(struct db_result *result)
{
    if (!result) return;
    struct result_rows *rows = result->rows;
    arena_fini(&rows->arena);
    free(rows->cells);
    free(rows);
    free(result);
}

static bool lend_rows(struct db *db, MYSQL_RES *from, db_row_fn *fn, void *context, struct err *err)
{
    uint32_t columns = mysql_num_fields(from);
    struct slice *values = calloc(columns ? columns : 1, sizeof *values);
    MYSQL_ROW row;
    bool ok = true;
    if (!values) abort();
    while (ok && (row = mysql_fetch_row(from))) {
        const unsigned long *sizes = mysql_fetch_lengths(from);
        for (uint32_t i = 0; i < columns; i++) values[i] = slice_of(row[i], row[i] ? sizes[i] : 0);
        ok = fn(context, columns, values, err);
        if (!ok) shutdown(db->stop_fd, SHUT_RDWR); /* else freeing the result would read the rest of it */
    }
    if (ok && mysql_errno(db->mysql)) ok = fail(db, err, "read rows");
    free(values);
    return ok;
}

bool db_rows(struct db *db, struct slice sql, db_row_fn *row, void *context, struct err *err)
{
    if (!run(db, sql, err)) return false;
    MYSQL_RES *from = mysql_use_result(db->mysql);
    if (!from) {
        if (mysql_errno(db->mysql)) return fail(db, err, "read the result");
        return err_set(err, ERR_STOP, "%s: the statement gave no result set", db->name);
    }
    bool ok = lend_rows(db, from, row, context, err);
    mysql_free_result(from);
    return ok;
}

bool db_scalar(struct db *db, char *out, size_t room, bool *found, struct err *err, const char *format, ...)
{
    struct db_result *result;
    size_t size;
    va_list args;
    va_start(args, format);
    char *sql = format_sql(format, args, &size);
    va_end(args);
    bool ok = run(db, slice_of(sql, size), err) && take_result(db, &result, err);
    free(sql);
    if (!ok) return false;
    const char *value = result->row_count && result->column_count ? db_value(result, 0, 0, NULL) : NULL;
    if (found) *found = value != NULL;
    snprintf(out, room, "%s", value ? value : "");
    db_result_free(result);
    return true;
}

void db_quote(struct buf *out, struct slice text)
{
    static const char special[] = "\0\n\r\\'\"\x1a", shown[] = "0nr\\'\"Z";
    buf_u8(out, '\'');
    for (size_t i = 0; i < text.size; i++) {
        const char *at = memchr(special, text.data[i], sizeof special - 1);
        if (at) {
            buf_u8(out, '\\');
            buf_u8(out, (uint8_t)shown[at - special]);
        } else {
            buf_u8(out, text.data[i]);
        }
    }
    buf_u8(out, '\'');
}

void db_quote_name(struct buf *out, struct slice name)
{
    buf_u8(out, '`');
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '`') buf_u8(out, '`');
        buf_u8(out, name.data[i]);
    }
    buf_u8(out, '`');
}

/* ---- statements in flight ---- */

static bool send_packet(struct db *db, unsigned command, struct slice payload, struct err *err)
{
    /* with length 0 the library would take strlen of the text */
    const char *bytes = payload.size ? (const char *)payload.data : "";
    if (!db->mysql->methods->db_command(db->mysql, (enum enum_server_command)command, bytes, payload.size, 1, NULL)) return true;
    return fail(db, err, "send");
}

bool db_send(struct db *db, unsigned command, struct slice payload, struct err *err)
{
    return !fault(db, err) && send_packet(db, command, payload, err);
}

/* A reply's packet. ERR packets and broken connections are the error. */
static bool read_packet(struct db *db, struct slice *packet, struct err *err, const char *tried)
{
    unsigned long size = mysql_net_read_packet(db->mysql);
    if (size == PACKET_FAILED) return fail(db, err, tried);
    *packet = slice_of(db->mysql->net.read_pos, size);
    return true;
}

static bool read_first(struct db *db, struct slice *packet, struct err *err, const char *tried)
{
    db->mysql->net.pkt_nr = 1;
    return read_packet(db, packet, err, tried);
}

static bool skip_definitions(struct db *db, unsigned count, struct err *err);

/* Rows that nobody asked for: SELECT of a function that writes, DELETE … RETURNING, logged as text. Read to their end, or every
   later reply would be taken for another's. */
static bool drain_rows(struct db *db, uint64_t columns, struct db_reply *got, struct err *err)
{
    struct slice packet = {NULL, 0};
    bool short_eof = !(db->mysql->client_flag & db->mysql->server_capabilities & DB_CLIENT_DEPRECATE_EOF);
    if (columns > DB_COLUMNS_MAX) return err_set(err, ERR_CORRUPT, "%s: a result set of %llu columns", db->name, (unsigned long long)columns);
    if (!skip_definitions(db, (unsigned)columns, err)) return false;
    do {
        if (!read_packet(db, &packet, err, "reply")) return false;
    } while (!packet.size || packet.data[0] != 0xfe || packet.size >= (short_eof ? 9 : 0xffffff));
    struct cursor in = cursor_of(packet);
    *got = (struct db_reply){0};
    cursor_u8(&in);
    if (short_eof) {
        got->warnings = cursor_u16(&in);
        got->status = cursor_u16(&in);
    } else {
        got->affected = cursor_lenenc(&in);
        got->insert_id = cursor_lenenc(&in);
        got->status = cursor_u16(&in);
        got->warnings = cursor_u16(&in);
    }
    got->in_transaction = got->status & DB_STATUS_IN_TRANSACTION;
    return !in.failed || err_set(err, ERR_CORRUPT, "%s: a short end of a result set", db->name);
}

bool db_reply(struct db *db, struct db_reply *reply, struct err *err)
{
    struct slice packet = {NULL, 0};
    struct db_reply got;
    if (fault(db, err) || !read_first(db, &packet, err, "reply")) return false;
    struct cursor in = cursor_of(packet);
    uint8_t kind = cursor_u8(&in);
    if (!in.failed && kind) {
        in.at--;
        uint64_t columns = cursor_lenenc(&in);
        if (in.failed) return err_set(err, ERR_CORRUPT, "%s: an impossible reply", db->name);
        if (!drain_rows(db, columns, &got, err)) return false;
        if (reply) *reply = got;
        return true;
    }
    got.affected = cursor_lenenc(&in);
    got.insert_id = cursor_lenenc(&in);
    got.status = cursor_u16(&in);
    got.warnings = cursor_u16(&in);
    got.in_transaction = got.status & DB_STATUS_IN_TRANSACTION;
    if (in.failed) return err_set(err, ERR_CORRUPT, "%s: a short OK packet of %zu bytes", db->name, packet.size);
    if (reply) *reply = got;
    return true;
}

/* Definitions of parameters or columns that follow a PREPARE's OK, of no use to us. */
static bool skip_definitions(struct db *db, unsigned count, struct err *err)
{
    struct slice packet = {NULL, 0};
    bool eof = count && !(db->mysql->client_flag & db->mysql->server_capabilities & DB_CLIENT_DEPRECATE_EOF);
    for (unsigned i = 0; i < count + eof; i++)
        if (!read_packet(db, &packet, err, "prepare")) return false;
    return true;
}

bool db_prepare(struct db *db, struct slice sql, struct db_statement *statement, struct err *err)
{
    struct slice packet = {NULL, 0};
    struct db_statement got;
    if (fault(db, err) || !send_packet(db, DB_COM_STMT_PREPARE, sql, err) || !read_first(db, &packet, err, "prepare")) return false;
    struct cursor in = cursor_of(packet);
    uint8_t kind = cursor_u8(&in);
    got.id = cursor_u32(&in);
    got.columns = cursor_u16(&in);
    got.parameters = cursor_u16(&in);
    if (in.failed || kind != 0) return err_set(err, ERR_CORRUPT, "%s: an impossible reply to PREPARE", db->name);
    if (!skip_definitions(db, got.parameters, err) || !skip_definitions(db, got.columns, err)) return false;
    *statement = got;
    return true;
}

void db_statement_close(struct db *db, const struct db_statement *statement)
{
    uint8_t id[4] = {(uint8_t)statement->id, (uint8_t)(statement->id >> 8), (uint8_t)(statement->id >> 16),
                     (uint8_t)(statement->id >> 24)};
    bool sent = send_packet(db, DB_COM_STMT_CLOSE, slice_of(id, sizeof id), NULL);
    (void)sent; /* a lost connection closes it as well, and the next call reports that */
}

/* ---- the replication stream ---- */

bool db_packet(struct db *db, struct slice *packet, bool *eof, struct err *err)
{
    if (fault(db, err)) return false;
    if (!read_packet(db, packet, err, "read the binary log")) return false;
    *eof = packet->size && packet->size < 9 && packet->data[0] == 0xfe;
    return true;
}

static bool readable(struct db *db, int ms)
{
    /* The library reads ahead up to 16 KiB; what is left of that costs nothing to know. Only when it is used up is the
       kernel asked, so once per 16 KiB at most. Bytes that TLS holds decrypted are not seen here: "no" is then one
       early flush. */
    const MARIADB_PVIO *pvio = db->mysql->net.pvio;
    if (!pvio) return true; /* closed: the next read says so at once */
    if (pvio->cache && pvio->cache + pvio->cache_size > pvio->cache_pos) return true;
    struct pollfd poller = {.fd = db->stop_fd, .events = POLLIN};
    return poll(&poller, 1, ms) > 0;
}

bool db_packet_ready(struct db *db) { return readable(db, 0); }
bool db_wait(struct db *db, uint32_t ms) { return readable(db, (int)ms); }

void db_wait_with(struct db *db, int fd, uint32_t ms)
{
    struct pollfd pollers[2] = {{.fd = db->stop_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    if (!readable(db, 0)) (void)poll(pollers, 2, (int)ms);
}

void db_read_timeout(struct db *db, uint32_t ms)
{
    MARIADB_PVIO *pvio = db->mysql->net.pvio;
    unsigned seconds = seconds_of(ms);
    mysql_optionsv(db->mysql, MYSQL_OPT_READ_TIMEOUT, &seconds);
    if (pvio) pvio->timeout[PVIO_READ_TIMEOUT] = ms ? (int)ms : -1;
}
