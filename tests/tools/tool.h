/* tool.h: what the programs of the tests share: connection options, reading them from the command line, ending with a reason. */
#ifndef WOLFCDC_TOOL_H
#define WOLFCDC_TOOL_H
#include <errno.h>
#include <mysql.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TOOL_DONE = 0, TOOL_NOT_MET = 1, TOOL_USAGE = 2, TOOL_UNREACHABLE = 3 };

struct tool_server {
    const char *host, *socket, *user;
    char password[256];
    unsigned port;
};

static inline _Noreturn void tool_usage(const char *what, const char *value)
{
    fprintf(stderr, "%s: %s (see --help)\n", what, value);
    exit(TOOL_USAGE);
}

static inline uint64_t tool_number(const char *name, const char *text)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-') tool_usage(name, "a whole number is expected");
    return value;
}

static inline void tool_password_file(const char *path, char password[256])
{
    FILE *file = fopen(path, "r");
    if (!file) tool_usage(path, strerror(errno));
    if (!fgets(password, 256, file)) password[0] = 0;
    password[strcspn(password, "\r\n")] = 0;
    fclose(file);
}

static inline uint64_t tool_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static inline void tool_sleep_us(uint64_t us)
{
    struct timespec wait = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};
    while (nanosleep(&wait, &wait) != 0 && errno == EINTR) {}
}

/* Takes --PREFIXhost, -port, -socket, -user, -password, -password-file. False when `name` is none of them. */
static inline bool tool_server_option(struct tool_server *server, const char *prefix, const char *name, const char *value)
{
    size_t size = strlen(prefix);
    if (strncmp(name, "--", 2) != 0 || strncmp(name + 2, prefix, size) != 0) return false;
    name += 2 + size;
    if (strcmp(name, "host") == 0) server->host = value;
    else if (strcmp(name, "port") == 0) server->port = (unsigned)tool_number("port", value);
    else if (strcmp(name, "socket") == 0) server->socket = value;
    else if (strcmp(name, "user") == 0) server->user = value;
    else if (strcmp(name, "password") == 0) snprintf(server->password, sizeof server->password, "%s", value);
    else if (strcmp(name, "password-file") == 0) tool_password_file(value, server->password);
    else return false;
    return true;
}

/* NULL when it cannot be reached; *reason says why (room for 512). */
static inline MYSQL *tool_connect(const struct tool_server *server, char reason[512])
{
    MYSQL *mysql = mysql_init(NULL);
    unsigned timeout = 10;
    my_bool no = 0;
    if (!mysql) abort();
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &timeout);
    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no);
    const char *host = server->socket ? NULL : server->host ? server->host : "127.0.0.1";
    if (mysql_real_connect(mysql, host, server->user, server->password, NULL, server->port, server->socket, CLIENT_MULTI_STATEMENTS))
        return mysql;
    if (reason) snprintf(reason, 512, "%s", mysql_error(mysql));
    mysql_close(mysql);
    return NULL;
}

#endif
