/* client.c: see client.h. */
#include "client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "program.h"
#include "settings.h"

enum { CONNECT_TIMEOUT_S = 5, URL_MAX = 1 << 19 /* a table's definition is the longest */ };

bool client_find(const char *socket_path, const char *config, char **found, struct err *err)
{
    struct settings *settings = NULL;
    if (socket_path) {
        *found = strdup(socket_path);
        return true;
    }
    if (config && !settings_peek(config, &settings, err)) return false;
    /* the default configuration may be unreadable for who asks; then the socket is where it is by default */
    if (!config && access(PROGRAM_CONFIG, R_OK) == 0 && !settings_peek(PROGRAM_CONFIG, &settings, err)) return false;
    *found = strdup(settings ? settings->api.socket : PROGRAM_SOCKET);
    settings_free(settings);
    return true;
}

/* curl says "could not connect" for every cause; the socket itself says which. */
static bool unreachable(const char *path, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    errno = ECONNREFUSED;
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) errno = ECONNRESET;
    int failed = errno;
    if (fd >= 0) close(fd);
    if (failed == EACCES)
        return err_set(err, ERR_DENIED, "%s: not allowed; run as root, or as a member of the group that owns it", path);
    return err_set(err, ERR_RETRY,
                   "no agent answers on %s (%s); is wolfcdc running (systemctl status wolfcdc)? --config or --socket finds "
                   "another one", path, strerror(failed));
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct buf *body = context;
    buf_put(body, data, size * count);
    return body->full ? 0 : size * count;
}

static bool url_make(CURL *curl, const struct client_call *call, char url[URL_MAX], struct err *err)
{
    int n = snprintf(url, URL_MAX, "http://localhost%s", call->path);
    const char *mark = "?";
    for (size_t i = 0; i < CLIENT_PARAMS_MAX; i++) {
        if (!call->params[i].value) continue;
        char *value = curl_easy_escape(curl, call->params[i].value, 0);
        if (!value) abort();
        n += snprintf(url + n, (size_t)(URL_MAX - n), "%s%s=%s", mark, call->params[i].name, value);
        curl_free(value);
        mark = "&";
        if (n >= URL_MAX) return err_set(err, ERR_LIMIT, "%s: longer than any name is", call->params[i].name);
    }
    return true;
}

bool client_do(const char *socket_path, const struct client_call *call, struct client_answer *answer, struct err *err)
{
    char url[URL_MAX];
    CURL *curl = curl_easy_init();
    if (!curl) abort();
    bool good = url_make(curl, call, url, err);
    if (!good) goto out;
    buf_init(&answer->body, CLIENT_ANSWER_MAX);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, call->timeout_s);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer->body);
    if (call->post) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, 0L);
    }
    CURLcode failed = curl_easy_perform(curl);
    good = !failed;
    if (failed == CURLE_COULDNT_CONNECT) unreachable(socket_path, err);
    else if (failed) err_set(err, ERR_RETRY, "%s: %s", socket_path, curl_easy_strerror(failed));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    if (!good) buf_fini(&answer->body);
out:
    curl_easy_cleanup(curl);
    return good;
}
