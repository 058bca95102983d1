/*
 * db_mariadb.c: libmariadb behind db_library.h. The only file that includes it. Its own reading of the replication stream is not used: the packets are
 * (see db.h).
 */
#include "db_library.h"

#include <mysql.h>
#include <ma_pvio.h>
#include <pthread.h>
#include <stdlib.h>

#define MYSQL_OF(link) ((MYSQL *)(link))
#include "db_calls.h"

enum { DB_PACKET_MAX = 1 << 30, DB_CLIENT_DEPRECATE_EOF = 1 << 24 };
/* mysql_net_read_packet gives this (an unsigned int's -1) in an unsigned long, also where long has 64 bits */
static const unsigned long PACKET_FAILED = 0xffffffffUL;

static void set_tls(MYSQL *mysql, const struct db_options *options)
{
    bool tls = db_wants_tls(options);
    my_bool enforce = tls, verify = tls && options->ssl_verify_server_cert;
    /* with a CA the library checks the chain whatever it is told */
    if (tls) mysql_ssl_set(mysql, options->ssl_key, options->ssl_cert, verify ? options->ssl_ca : NULL, NULL, NULL);
    mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &enforce);
    mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}

static void set_options(MYSQL *mysql, const struct db_options *options)
{
    unsigned connect = calls_seconds(options->connect_timeout_ms), read = calls_seconds(options->read_timeout_ms), no_infile = 0;
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
    static const char *const names[] = {"client_ed25519", "caching_sha2_password", "sha256_password", "parsec"};
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bool loaded;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; !loaded && i < sizeof names / sizeof *names; i++)
        mysql_load_plugin(mysql, names[i], LOGIN_PLUGIN, 0);
    loaded = true;
    pthread_mutex_unlock(&lock);
}

static void *new_link(void)
{
    MYSQL *mysql = mysql_init(NULL);
    if (!mysql) abort();
    return mysql;
}

static void free_link(void *link) { mysql_close(link); }

static bool connect_link(void *link, const struct db_options *options)
{
    MYSQL *mysql = link;
    set_options(mysql, options);
    load_login_plugins(mysql);
    return mysql_real_connect(mysql, options->socket ? NULL : options->host, options->user, options->password, options->database, options->port,
                              options->socket, options->found_rows ? CLIENT_FOUND_ROWS : 0) != NULL;
}

static void facts_of(void *link, struct db_link_facts *facts)
{
    MYSQL *mysql = link;
    *facts = (struct db_link_facts){
        .version = mysql_get_server_info(mysql), .fd = mysql_get_socket(mysql), .tls = mysql_get_ssl_cipher(mysql) != NULL,
        .short_eof = !(mysql->client_flag & mysql->server_capabilities & DB_CLIENT_DEPRECATE_EOF),
        .thread_id = (uint32_t)mysql_thread_id(mysql),
    };
}

static bool send_command(void *link, unsigned command, struct slice payload, bool reply)
{
    MYSQL *mysql = link;
    (void)reply;
    /* with length 0 the library would take strlen of the text */
    const char *bytes = payload.size ? (const char *)payload.data : "";
    return !mysql->methods->db_command(mysql, (enum enum_server_command)command, bytes, payload.size, 1, NULL);
}

static void reply_begins(void *link) { MYSQL_OF(link)->net.pkt_nr = 1; }

static bool next_packet(void *link, struct slice *packet)
{
    MYSQL *mysql = link;
    unsigned long size = mysql_net_read_packet(mysql);
    if (size == PACKET_FAILED) return false;
    *packet = slice_of(mysql->net.read_pos, size);
    return true;
}

/* The library reads ahead up to 16 KiB; what is left of that costs nothing to know. */
static bool is_readable(void *link)
{
    const MARIADB_PVIO *pvio = MYSQL_OF(link)->net.pvio;
    return !pvio || (pvio->cache && pvio->cache + pvio->cache_size > pvio->cache_pos);
}

static void set_read_timeout(void *link, uint32_t ms)
{
    MARIADB_PVIO *pvio = MYSQL_OF(link)->net.pvio;
    unsigned seconds = calls_seconds(ms);
    mysql_optionsv(link, MYSQL_OPT_READ_TIMEOUT, &seconds);
    if (pvio) pvio->timeout[PVIO_READ_TIMEOUT] = ms ? (int)ms : -1;
}

const struct db_library db_libmariadb = {
    .interface = DB_LIBRARY_INTERFACE,
    .name = "libmariadb",
    DB_CALLS,
    .new = new_link,
    .connect = connect_link,
    .free = free_link,
    .facts = facts_of,
    .command = send_command,
    .packet = next_packet,
    .readable = is_readable,
    .read_timeout = set_read_timeout,
    .reply_begins = reply_begins,
};
