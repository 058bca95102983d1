/*
 * secret.c: where passwords come from. In this order: password or password_file, defaults_file (a my.cnf), the
 * environment (WOLFCDC_SOURCE_PASSWORD, WOLFCDC_SINK_<NAME>_PASSWORD), systemd's credentials (source.password,
 * sink-<name>.password). Never the command line, which everyone on the machine can read.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MY_CNF_MAX = 64 * 1024 };

/* A regular file's bytes, NUL-terminated, at most room - 1. Warns when others can read it. */
static bool file_text(const char *path, char *text, size_t room, struct err *err)
{
    struct stat st;
    ssize_t n = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return err_set_number(err, ERR_CONFIG, (unsigned)errno, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) err_set(err, ERR_CONFIG, "%s: not a regular file", path);
    else if ((size_t)st.st_size >= room) err_set(err, ERR_CONFIG, "%s: larger than %zu bytes", path, room - 1);
    else if ((n = read(fd, text, room - 1)) < 0)
        err_set_number(err, ERR_CONFIG, (unsigned)errno, "%s: %s", path, strerror(errno));
    close(fd);
    if (n < 0) return false;
    text[n] = 0;
    if (strlen(text) != (size_t)n) return err_set(err, ERR_CONFIG, "%s: contains a NUL byte", path);
    if (st.st_mode & (S_IROTH | S_IWOTH))
        log_warning("config.secret", "file=%s mode=%04o text=\"others can read this file: chmod 600\"", path,
                    (unsigned)st.st_mode & 07777);
    return true;
}

bool secret_file(const char *path, char text[CONFIG_SECRET_MAX], struct err *err)
{
    if (!file_text(path, text, CONFIG_SECRET_MAX, err)) return false;
    text[strcspn(text, "\r\n")] = 0;
    return true;
}

/* ---- my.cnf ---- */

/* Keys of [client] that we take over; the field's offset is in struct server_settings. */
static const struct {
    const char *name;
    size_t offset;
} my_keys[] = {
    {"user", offsetof(struct server_settings, user)},       {"password", offsetof(struct server_settings, password)},
    {"host", offsetof(struct server_settings, host)},       {"socket", offsetof(struct server_settings, socket)},
    {"ssl-ca", offsetof(struct server_settings, ssl_ca)},   {"ssl-cert", offsetof(struct server_settings, ssl_cert)},
    {"ssl-key", offsetof(struct server_settings, ssl_key)},
};

static char *trim(char *text)
{
    while (isspace((unsigned char)*text)) text++;
    size_t n = strlen(text);
    while (n && isspace((unsigned char)text[n - 1])) text[--n] = 0;
    return text;
}

static char *unquote(char *text)
{
    size_t n = strlen(text);
    if (n >= 2 && (*text == '"' || *text == '\'') && text[n - 1] == *text) {
        text[n - 1] = 0;
        return text + 1;
    }
    return text;
}

static void my_key(struct settings *settings, struct server_settings *server, char *name, char *value, bool port_open)
{
    for (char *c = name; *c; c++)
        if (*c == '_') *c = '-';
    if (!strcmp(name, "port") && port_open && strtoul(value, NULL, 10) > 0 && strtoul(value, NULL, 10) < 65536)
        server->port = (unsigned)strtoul(value, NULL, 10);
    for (size_t i = 0; i < sizeof my_keys / sizeof *my_keys; i++) {
        const char *now, *text;
        char *field = (char *)server + my_keys[i].offset;
        if (strcmp(name, my_keys[i].name)) continue;
        memcpy(&now, field, sizeof now);
        bool way = !strcmp(name, "socket") || !strcmp(name, "host");
        if (now || (way && (server->host || server->socket))) return; /* what our own file says counts */
        text = arena_text(&settings->arena, slice_text(value));
        memcpy(field, &text, sizeof text);
    }
}

static bool my_cnf(struct settings *settings, struct server_settings *server, struct err *err)
{
    char *text = malloc(MY_CNF_MAX), *rest = text, *line;
    bool client = false, port_open = !server->host; /* its port belongs to its host */
    if (!text) abort();
    if (!file_text(server->defaults_file, text, MY_CNF_MAX, err)) {
        free(text);
        return false;
    }
    while ((line = strsep(&rest, "\n"))) {
        line = trim(line);
        if (*line == '[') client = !strncmp(line, "[client]", 8) || !strncmp(line, "[client-mariadb]", 16);
        char *equals = strchr(line, '=');
        if (!client || *line == '#' || *line == ';' || !equals) continue;
        *equals = 0;
        my_key(settings, server, trim(line), unquote(trim(equals + 1)), port_open);
    }
    explicit_bzero(text, MY_CNF_MAX);
    free(text);
    return true;
}

/* ---- environment and credentials ---- */

static void keep_password(struct settings *settings, struct server_settings *server, const char *text)
{
    server->password = arena_text(&settings->arena, slice_text(text));
}

static void from_environment(struct settings *settings, struct server_settings *server, const char *name)
{
    char variable[128];
    snprintf(variable, sizeof variable, "WOLFCDC_%s_PASSWORD", name);
    for (char *c = variable; *c; c++) *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    const char *text = getenv(variable);
    if (text) keep_password(settings, server, text);
}

static bool from_credential(struct settings *settings, struct server_settings *server, const char *name, struct err *err)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    char path[4400], text[CONFIG_SECRET_MAX];
    if (!dir) return true;
    snprintf(path, sizeof path, "%s/%s.password", dir, name);
    if (access(path, F_OK)) return true;
    if (!secret_file(path, text, err)) return false;
    keep_password(settings, server, text);
    explicit_bzero(text, sizeof text);
    return true;
}

static bool from_file(struct settings *settings, struct server_settings *server, struct err *err)
{
    char text[CONFIG_SECRET_MAX];
    if (!secret_file(server->password_file, text, err)) return false;
    keep_password(settings, server, text);
    explicit_bzero(text, sizeof text);
    return true;
}

void secrets_read(struct settings *settings, struct server_settings *server, const char *name,
                  const struct secret_lines *lines, struct problems *problems)
{
    struct err err = {0};
    bool has_hosts = server == &settings->source.server && settings->source.hosts.count;
    if (server->password_file && !from_file(settings, server, &err))
        problem(problems, lines->password_file, "password_file", "%s: allowed is a readable file whose first line is the password",
                err.text);
    if (server->defaults_file && !my_cnf(settings, server, &err))
        problem(problems, lines->defaults_file, "defaults_file", "%s: allowed is a readable my.cnf", err.text);
    if (!server->password) from_environment(settings, server, name);
    if (!server->password && !from_credential(settings, server, name, &err))
        problem(problems, lines->section, name, "systemd credential: %s", err.text);
    if (server->defaults_file && !err.code && !server->host && !server->socket && !has_hosts)
        problem(problems, lines->defaults_file, "host", "neither this file nor the defaults_file says which server");
    if (server->defaults_file && !err.code && !server->user)
        problem(problems, lines->defaults_file, "user", "neither this file nor the defaults_file says which account");
}

/* A password in the configuration itself makes that file a secret. */
void secrets_warn(const struct settings *settings)
{
    struct stat st;
    bool inside = settings->source.server.password != NULL;
    for (size_t i = 0; i < settings->sink_count; i++) inside |= settings->sinks[i].server.password != NULL;
    if (inside && stat(settings->file, &st) == 0 && st.st_mode & (S_IROTH | S_IWOTH))
        log_warning("config.secret", "file=%s text=\"holds a password and others can read it: chmod 600, or use password_file\"",
                    settings->file);
}
