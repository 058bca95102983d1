/*
 * db.c: see db.h. The client library is behind db_library.h.
 *
 * Replies of statements in flight are parsed here from the raw packets, because the library's own reading of results
 * allows one statement at a time. The sequence number that the library expects in a packet is set by us before each
 * reply: every reply starts again at 1, whatever was sent in between.
 */
#include "db.h"

#include <assert.h>
#include <dlfcn.h>
#include <errmsg.h>
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
#include "db_library.h"
#include "log.h"

enum {
    DB_RESULT_MAX = 64 << 20,
    DB_SQL_MAX = 64 << 20,
    DB_NAME_MAX = 320,
    DB_CONNECT_TIMEOUT_MS = 10000,
    DEAD_PEER_S = 15,
    DB_COLUMNS_MAX = 4096,
    OPTION_PREVENTS = 1290,
    ACCESS_DENIED = 1045,
    NOT_SUPPORTED_AUTH = 1251,
    AUTH_PLUGIN_ERROR = 2061,
    DB_STATUS_IN_TRANSACTION = 1,
};

struct db {
    const struct db_library *library;
    void *link;
    int stop_fd;            /* a duplicate: stays valid for db_shutdown when the library has closed its own */
    bool tls, short_eof;
    uint32_t thread_id;
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
    {NOT_SUPPORTED_AUTH, ERR_DENIED, "the account's authentication method is not known to the client library"},
    {CR_AUTH_PLUGIN_CANNOT_LOAD, ERR_DENIED, "install the client's authentication plugins (Debian: libmariadb3)"},
    {AUTH_PLUGIN_ERROR, ERR_DENIED, "use TLS (ssl = true) or another authentication plugin"},
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
    if (number == CR_AUTH_PLUGIN_CANNOT_LOAD && strstr(text, "parsec"))
        remedy = "the client's part of it is in Debian's libmariadb3 from 11.8 on: install that, or unpack its parsec.so, and name its directory in the agent's environment as "
                 "MARIADB_PLUGIN_DIR; or give the account another authentication plugin";
    return err_set_number(err, code, number, "%s: %s: %s (%u)%s%s", name, tried, text, number, remedy ? "; " : "",
                          remedy ? remedy : "");
}

static bool fail(struct db *db, struct err *err, const char *tried)
{
    return fail_number(db->name, err, db->library->number(db->link), tried, db->library->text(db->link), true);
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
    struct db_link_facts facts;
    db->library->facts(db->link, &facts);
    db->tls = facts.tls;
    db->short_eof = facts.short_eof;
    db->thread_id = facts.thread_id;
    if (db_wants_tls(options) && !db->tls)
        return err_set(err, ERR_DENIED, "%s: TLS is required by the configuration, and the server offered none", db->name);
    db->stop_fd = dup(facts.fd);
    if (db->stop_fd < 0) return err_set(err, ERR_RETRY, "%s: cannot duplicate the socket", db->name);
    if (!options->socket) tend_socket(facts.fd);
    parse_version(facts.version, &db->version);
    return true;
}

/* To whoever comes without TLS where it is required MariaDB says no more than "access denied". */
static void name_tls(const struct db_options *options, struct err *err)
{
    if (!err || err->number != ACCESS_DENIED || db_wants_tls(options) || options->socket) return;
    struct err said = *err;
    err_set_number(err, said.code, said.number, "%s; or the account or the server (require_secure_transport) takes only TLS: set ssl = true and ssl_ca", said.text);
}

/* libmariadb says "access denied" also where it has no plugin for the account's way to log in. */
static unsigned connect_number(unsigned number, const char *text)
{
    return number == ACCESS_DENIED && strstr(text, "could not be loaded") ? CR_AUTH_PLUGIN_CANNOT_LOAD : number;
}

static bool open_with(const struct db_library *library, const struct db_options *options, struct db **out, struct err *err)
{
    struct db *db = calloc(1, sizeof *db);
    struct db_options made = *options;
    char tried[200];
    if (!db) abort();
    db->stop_fd = -1;
    db->library = library;
    name_of(options, db->name, sizeof db->name);
    snprintf(db->user, sizeof db->user, "%s", options->user ? options->user : "");
    snprintf(tried, sizeof tried, "connect as '%s'%s", db->user, db_wants_tls(options) ? " with TLS" : "");
    if (!made.connect_timeout_ms) made.connect_timeout_ms = DB_CONNECT_TIMEOUT_MS;
    if (fault(NULL, err)) goto failed;
    db->link = library->new();
    if (!library->connect(db->link, &made)) {
        const char *text = library->text(db->link);
        fail_number(db->name, err, connect_number(library->number(db->link), text), tried, text, false);
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

/* The module is looked for where the dynamic linker looks: the run path of the programs names the directory it is installed in. */
static const struct db_library *load_mysqlclient(struct err *err)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static const struct db_library *loaded;
    pthread_mutex_lock(&lock);
    void *module = loaded ? NULL : dlopen("wolfcdc-mysqlclient.so", RTLD_NOW | RTLD_LOCAL);
    const struct db_library *found = module ? dlsym(module, DB_LIBRARY_SYMBOL) : NULL;
    if (loaded) {
    } else if (!found) {
        const char *why = dlerror();
        (void)!err_set(err, ERR_CONFIG, "the driver mysqlclient is not here (%s): build wolfcdc with --with-mysqlclient", why ? why : "no module");
    } else if (found->interface != DB_LIBRARY_INTERFACE) {
        (void)!err_set(err, ERR_CONFIG, "the driver mysqlclient is of another version of wolfcdc: install the one that belongs to this program");
    } else {
        loaded = found;
        loaded->init();
    }
    found = loaded;
    pthread_mutex_unlock(&lock);
    return found;
}

/* libmysqlclient 9 knows no mysql_native_password, which is what a MariaDB and a MySQL before 8 give their accounts. */
static void name_native(const struct db_options *options, struct err *err)
{
    if (!err || err->number != CR_AUTH_PLUGIN_CANNOT_LOAD || !strstr(err->text, "mysql_native_password")) return;
    char text[ERR_TEXT_MAX];
    snprintf(text, sizeof text, "%s", err->text);
    char *remedy = strstr(text, "; ");
    if (remedy) *remedy = 0;
    err_set_number(err, err->code, err->number, "%s; libmysqlclient 9 cannot log in to an account with mysql_native_password%s", text,
                   options->driver == DB_DRIVER_MYSQLCLIENT ? ": set driver = \"libmariadb\" (or leave it out), or give the account caching_sha2_password" : "");
}

static bool open_mysqlclient(const struct db_options *options, struct db **out, struct err *err)
{
    const struct db_library *library = load_mysqlclient(err);
    if (!library) return false;
    if (open_with(library, options, out, err)) return true;
    name_native(options, err);
    return false;
}

static bool is_login_unknown(const struct err *err)
{
    return err->number == CR_AUTH_PLUGIN_CANNOT_LOAD || err->number == NOT_SUPPORTED_AUTH || err->number == AUTH_PLUGIN_ERROR;
}

static bool open_either(const struct db_options *options, struct db **out, struct err *err)
{
    struct err first = {0}, second = {0};
    if (open_with(&db_libmariadb, options, out, &first)) return true;
    if (is_login_unknown(&first) && open_mysqlclient(options, out, &second)) {
        log_info("db.driver", "server=\"%s\" driver=libmysqlclient reason=\"%s\"", (*out)->name, first.text);
        return true;
    }
    if (!second.code) return err_set_number(err, first.code, first.number, "%s", first.text);
    return err_set_number(err, first.code, first.number, "%s; libmysqlclient, which is tried then: %s", first.text, second.text);
}

bool db_open(const struct db_options *options, struct db **db, struct err *err)
{
    switch (options->driver) {
    case DB_DRIVER_LIBMARIADB: return open_with(&db_libmariadb, options, db, err);
    case DB_DRIVER_MYSQLCLIENT: return open_mysqlclient(options, db, err);
    case DB_DRIVER_AUTO: break;
    }
    return open_either(options, db, err);
}

void db_close(struct db *db)
{
    if (!db) return;
    if (db->link) db->library->free(db->link);
    if (db->stop_fd >= 0) close(db->stop_fd);
    free(db);
}

void db_shutdown(struct db *db) { shutdown(db->stop_fd, SHUT_RDWR); }
const struct db_version *db_version(const struct db *db) { return &db->version; }
uint32_t db_thread_id(const struct db *db) { return db->thread_id; }
bool db_is_tls(const struct db *db) { return db->tls; }
const char *db_library_name(const struct db *db) { return db->library->name; }
void db_library_init(void) { db_libmariadb.init(); }
void db_library_end(void) { db_libmariadb.end(); }

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
    if (db->library->query(db->link, sql)) return true;
    words_of(sql, words, sizeof words);
    return fail(db, err, words);
}

static bool drain(struct db *db, struct err *err)
{
    for (;;) {
        void *result = db->library->result(db->link);
        if (result) db->library->result_free(result);
        else if (db->library->number(db->link)) return fail(db, err, "read the result");
        int more = db->library->next_result(db->link);
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

static void add_cell(struct result_rows *rows, struct slice value)
{
    if (rows->count == rows->room) {
        rows->room = rows->room ? rows->room * 2 : 64;
        rows->cells = reallocarray(rows->cells, rows->room, sizeof *rows->cells);
        if (!rows->cells) abort();
    }
    struct slice cell = {NULL, 0};
    if (value.data) cell = slice_of(arena_text(&rows->arena, value), value.size);
    rows->cells[rows->count++] = cell;
}

/* A result set, row by row; the values are borrowed until the next row. */
static bool each_row(struct db *db, void *from, db_row_fn *fn, void *context, struct err *err)
{
    uint32_t columns = db->library->columns(from);
    struct slice *values = calloc(columns ? columns : 1, sizeof *values);
    bool ok = true;
    if (!values) abort();
    while (ok && db->library->row(from, values)) {
        ok = fn(context, columns, values, err);
        if (!ok) shutdown(db->stop_fd, SHUT_RDWR); /* else freeing the result would read the rest of it */
    }
    if (ok && db->library->number(db->link)) ok = fail(db, err, "read rows");
    free(values);
    return ok;
}

static bool result_of(struct db *db, void **from, struct err *err)
{
    *from = db->library->result(db->link);
    if (*from) return true;
    if (db->library->number(db->link)) return fail(db, err, "read the result");
    return err_set(err, ERR_STOP, "%s: the statement gave no result set", db->name);
}

struct taking { const struct db *db; struct db_result *result; size_t total; };

static bool take_row(void *context, uint32_t columns, const struct slice *values, struct err *err)
{
    struct taking *taking = context;
    for (uint32_t i = 0; i < columns; i++) {
        add_cell(taking->result->rows, values[i]);
        taking->total += values[i].size + 32;
    }
    taking->result->row_count++;
    return taking->total <= DB_RESULT_MAX || err_set(err, ERR_LIMIT, "%s: a result is larger than %d MiB", taking->db->name, DB_RESULT_MAX >> 20);
}

static bool take_result(struct db *db, struct db_result **out, struct err *err)
{
    void *from;
    if (!result_of(db, &from, err)) return false;
    struct db_result *result = calloc(1, sizeof *result);
    struct result_rows *rows = calloc(1, sizeof *rows);
    if (!result || !rows) abort();
    arena_init(&rows->arena);
    result->rows = rows;
    result->column_count = db->library->columns(from);
    rows->names = arena_alloc(&rows->arena, result->column_count * sizeof *rows->names);
    for (uint32_t i = 0; i < result->column_count; i++)
        rows->names[i] = arena_text(&rows->arena, slice_text(db->library->column_name(from, i)));
    struct taking taking = {.db = db, .result = result};
    bool ok = each_row(db, from, take_row, &taking, err);
    db->library->result_free(from);
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
    return db->library->ask(db->link, sql) || fail(db, err, "ask");
}

bool db_answer(struct db *db, struct db_result **result, struct err *err)
{
    if (fault(db, err)) return false;
    if (!db->library->answer(db->link)) return fail(db, err, "read the answer");
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

bool db_rows(struct db *db, struct slice sql, db_row_fn *row, void *context, struct err *err)
{
    void *from;
    if (!run(db, sql, err) || !result_of(db, &from, err)) return false;
    bool ok = each_row(db, from, row, context, err);
    db->library->result_free(from);
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
    return db->library->command(db->link, command, payload, false) || fail(db, err, "send");
}

bool db_send(struct db *db, unsigned command, struct slice payload, struct err *err)
{
    assert(db->library->reply_begins);
    return db_tell(db, command, payload, err);
}

bool db_tell(struct db *db, unsigned command, struct slice payload, struct err *err) { return !fault(db, err) && send_packet(db, command, payload, err); }

bool db_has_commands(const struct db *db) { return !db->library->has_commands || db->library->has_commands(db->link); }

bool db_command(struct db *db, unsigned command, struct slice payload, struct err *err)
{
    if (db->library->reply_begins) return db_tell(db, command, payload, err) && db_reply(db, NULL, err);
    return !fault(db, err) && (db->library->command(db->link, command, payload, true) || fail(db, err, "reply"));
}

/* A reply's packet. ERR packets and broken connections are the error. */
static bool read_packet(struct db *db, struct slice *packet, struct err *err, const char *tried)
{
    return db->library->packet(db->link, packet) || fail(db, err, tried);
}

static bool read_first(struct db *db, struct slice *packet, struct err *err, const char *tried)
{
    db->library->reply_begins(db->link);
    return read_packet(db, packet, err, tried);
}

static bool skip_definitions(struct db *db, unsigned count, struct err *err);

/* Rows that nobody asked for: SELECT of a function that writes, DELETE … RETURNING, logged as text. Read to their end, or every
   later reply would be taken for another's. */
static bool drain_rows(struct db *db, uint64_t columns, struct db_reply *got, struct err *err)
{
    struct slice packet = {NULL, 0};
    if (columns > DB_COLUMNS_MAX) return err_set(err, ERR_CORRUPT, "%s: a result set of %llu columns", db->name, (unsigned long long)columns);
    if (!skip_definitions(db, (unsigned)columns, err)) return false;
    do {
        if (!read_packet(db, &packet, err, "reply")) return false;
    } while (!packet.size || packet.data[0] != 0xfe || packet.size >= (db->short_eof ? 9 : 0xffffff));
    struct cursor in = cursor_of(packet);
    *got = (struct db_reply){0};
    cursor_u8(&in);
    if (db->short_eof) {
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
    bool eof = count && db->short_eof;
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

bool db_dump(struct db *db, const struct db_dump *dump, struct err *err)
{
    struct buf packet;
    if (db->library->dump) return !fault(db, err) && (db->library->dump(db->link, dump) || fail(db, err, "ask for the binary log"));
    buf_init(&packet, 64 << 10);
    if (dump->by_set) {
        buf_le(&packet, dump->flags, 2);
        buf_le(&packet, dump->server_id, 4);
        buf_le(&packet, strlen(dump->file), 4);
        buf_slice(&packet, slice_text(dump->file));
        buf_le(&packet, dump->offset, 8);
        buf_le(&packet, dump->set.size, 4);
        buf_slice(&packet, dump->set);
    } else {
        buf_le(&packet, dump->offset, 4);
        buf_le(&packet, dump->flags, 2);
        buf_le(&packet, dump->server_id, 4);
        buf_slice(&packet, slice_text(dump->file));
    }
    bool ok = db_tell(db, dump->by_set ? DB_COM_BINLOG_DUMP_GTID : DB_COM_BINLOG_DUMP, buf_bytes(&packet), err);
    buf_fini(&packet);
    return ok;
}

bool db_packet(struct db *db, struct slice *packet, bool *eof, struct err *err)
{
    if (fault(db, err)) return false;
    if (!read_packet(db, packet, err, "read the binary log")) return false;
    *eof = packet->size && packet->size < 9 && packet->data[0] == 0xfe;
    return true;
}

void db_reply_due(struct db *db)
{
    if (db->library->reply_due) db->library->reply_due(db->link);
}

static bool readable(struct db *db, int ms)
{
    /* Only when what the library has read ahead is used up is the kernel asked, so once per 16 KiB at most. Bytes that TLS holds
       decrypted are not seen here: "no" is then one early flush. */
    if (db->library->readable(db->link)) return true;
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

void db_read_timeout(struct db *db, uint32_t ms) { db->library->read_timeout(db->link, ms); }
