/*
 * db_mysqlclient.c: MySQL's libmysqlclient behind db_library.h, as the module wolfcdc-mysqlclient.so. It logs in where libmariadb has no plugin
 * for the account, and reads the binary log with the library's documented mysql_binlog_open and mysql_binlog_fetch. What it cannot do: log in to
 * accounts with mysql_native_password (gone in 9.0), commands of ours over TLS, statements in flight, and another read timeout after the connection is made.
 */
#include "db_library.h"

#include <assert.h>
#include <errno.h>
#include <mysql.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct link {
    MYSQL *mysql;
    MYSQL_RPL stream;
    char *file;      /* the stream's, kept as long as it */
};
#define MYSQL_OF(l) (((struct link *)(l))->mysql)
#include "db_calls.h"

/* Without TLS where none is asked for, as libmariadb does it; the password is then encrypted with the server's RSA key. */
static void set_tls(MYSQL *mysql, const struct db_options *options)
{
    bool tls = db_wants_tls(options), get_key = true;
    unsigned mode = !tls ? SSL_MODE_DISABLED : options->ssl_verify_server_cert ? SSL_MODE_VERIFY_IDENTITY : SSL_MODE_REQUIRED;
    mysql_options(mysql, MYSQL_OPT_SSL_MODE, &mode);
    mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &get_key);
    /* without a file of its own libmariadb takes the system's authorities, too */
    if (mode == SSL_MODE_VERIFY_IDENTITY) mysql_options(mysql, options->ssl_ca ? MYSQL_OPT_SSL_CA : MYSQL_OPT_SSL_CAPATH, options->ssl_ca ? options->ssl_ca : "/etc/ssl/certs");
    if (options->ssl_cert) mysql_options(mysql, MYSQL_OPT_SSL_CERT, options->ssl_cert);
    if (options->ssl_key) mysql_options(mysql, MYSQL_OPT_SSL_KEY, options->ssl_key);
}

static void set_options(MYSQL *mysql, const struct db_options *options)
{
    enum { PACKET_MAX = 1 << 30 };
    unsigned connect = calls_seconds(options->connect_timeout_ms), no_infile = 0;
    unsigned read = calls_seconds(options->patience_ms > options->read_timeout_ms ? options->patience_ms : options->read_timeout_ms);
    unsigned protocol = options->socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    unsigned long packet = PACKET_MAX;
    mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
    if (read) {
        mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &read);
        mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &read);
    }
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no_infile);
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
    mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "wolfcdc");
    set_tls(mysql, options);
}

static void *new_link(void)
{
    struct link *link = calloc(1, sizeof *link);
    if (!link || !(link->mysql = mysql_init(NULL))) abort();
    return link;
}

static void free_link(void *l)
{
    struct link *link = l;
    mysql_close(link->mysql); /* ends the stream as well */
    free(link->file);
    free(link);
}

static bool connect_link(void *link, const struct db_options *options)
{
    set_options(MYSQL_OF(link), options);
    return mysql_real_connect(MYSQL_OF(link), options->socket ? NULL : options->host, options->user, options->password, options->database,
                              options->port, options->socket, options->found_rows ? CLIENT_FOUND_ROWS : 0) != NULL;
}

static void facts_of(void *link, struct db_link_facts *facts)
{
    MYSQL *mysql = MYSQL_OF(link);
    *facts = (struct db_link_facts){.version = mysql_get_server_info(mysql), .fd = mysql->net.fd, .tls = mysql_get_ssl_cipher(mysql) != NULL,
                                    .thread_id = (uint32_t)mysql_thread_id(mysql)};
}

/* The library has no call for a command of our own (registering as a replica, acknowledging), and the table that its own calls are made of differs between
   its releases. So the packet is written to the socket, where that is what the server reads. */
static bool has_commands(void *link) { return !mysql_get_ssl_cipher(MYSQL_OF(link)); }

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size) {
        ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

static bool send_command(void *link, unsigned command, struct slice payload, bool reply)
{
    enum { COMMAND_MAX = 4096 };
    MYSQL *mysql = MYSQL_OF(link);
    size_t size = payload.size + 1;
    uint8_t packet[4 + COMMAND_MAX] = {(uint8_t)size, (uint8_t)(size >> 8), 0, 0, (uint8_t)command};
    assert(size <= COMMAND_MAX && has_commands(link));
    memcpy(packet + 5, payload.data, payload.size);
    /* broken: the library finds that out at its next read, and has the words for it */
    bool sent = write_all(mysql->net.fd, packet, 4 + size);
    if (!reply) return true;
    mysql->net.pkt_nr = 1;
    return sent && !mysql_read_query_result(mysql);
}

/* Behind an event that it wants acknowledged the server counts its packets anew, as if it had read the answer. */
static void reply_due(void *link) { MYSQL_OF(link)->net.pkt_nr = 1; }

static bool dump(void *l, const struct db_dump *dump)
{
    struct link *link = l;
    free(link->file);
    link->file = strdup(dump->file);
    if (!link->file) abort();
    link->stream = (MYSQL_RPL){
        .file_name = link->file, .file_name_length = strlen(link->file), .start_position = dump->offset, .server_id = dump->server_id,
        .flags = dump->flags | (dump->by_set ? MYSQL_RPL_GTID : 0), .gtid_set_encoded_size = dump->set.size, .gtid_set_arg = (void *)(uintptr_t)dump->set.data,
    };
    return !mysql_binlog_open(link->mysql, &link->stream);
}

static bool next_packet(void *l, struct slice *packet)
{
    static const uint8_t eof[] = {0xfe};
    struct link *link = l;
    if (mysql_binlog_fetch(link->mysql, &link->stream)) return false;
    *packet = link->stream.size ? (struct slice){link->stream.buffer, link->stream.size} : (struct slice){eof, sizeof eof};
    return true;
}

/* What it has read ahead is not shown: "no" is then one early flush. */
static bool is_readable(void *link) { return !MYSQL_OF(link)->net.vio; }

/* Taken over when the connection was made: db_options.patience_ms. */
static void set_read_timeout(void *link, uint32_t ms) { (void)link, (void)ms; }

extern const struct db_library wolfcdc_db_library;
__attribute__((visibility("default"))) const struct db_library wolfcdc_db_library = {
    .interface = DB_LIBRARY_INTERFACE,
    .name = "libmysqlclient",
    DB_CALLS,
    .new = new_link,
    .connect = connect_link,
    .free = free_link,
    .facts = facts_of,
    .has_commands = has_commands,
    .command = send_command,
    .dump = dump,
    .packet = next_packet,
    .readable = is_readable,
    .read_timeout = set_read_timeout,
    .reply_due = reply_due,
};
