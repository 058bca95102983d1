/*
 * http_client.c: requests over libcurl, one at a time on one connection that is kept alive, so that changes arrive in order. Knows the
 * addresses of the configuration and, after a redirect, the leader's; goes on to the next one when an answer says that this one is not
 * it. Redirects are not left to curl: the token must not go to whoever a server names, and a proven target is not any other.
 */
#include "http.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "config.h"

enum { ROW_TIMEOUT_MS = 60000, DDL_TIMEOUT_MS = 600000, TOKEN_ROOM = CONFIG_SECRET_MAX + 32 };

struct http_client {
    const struct sink_settings *settings;
    CURL *curl;
    struct buf answer;
    size_t at;                 /* of settings->url */
    char leader[HTTP_URL_MAX]; /* "" none known: settings->url[at] */
    char base[HTTP_URL_MAX];   /* lent by http_client_address */
    char authorization[TOKEN_ROOM];
    char error[CURL_ERROR_SIZE];
    atomic_bool interrupted;
};

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct buf *answer = context;
    buf_put(answer, data, size * count);
    return answer->full ? 0 : size * count;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct http_client *client = context;
    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(&client->interrupted);
}

static void set_tls(CURL *curl, const struct server_settings *server)
{
    if (server->ssl_ca) curl_easy_setopt(curl, CURLOPT_CAINFO, server->ssl_ca);
    if (server->ssl_cert) curl_easy_setopt(curl, CURLOPT_SSLCERT, server->ssl_cert);
    if (server->ssl_key) curl_easy_setopt(curl, CURLOPT_SSLKEY, server->ssl_key);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, server->ssl_verify_server_cert ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, server->ssl_verify_server_cert ? 2L : 0L);
}

struct http_client *http_client_new(const struct sink_settings *settings)
{
    struct http_client *client = calloc(1, sizeof *client);
    if (!client || !(client->curl = curl_easy_init())) abort();
    client->settings = settings;
    atomic_init(&client->interrupted, false);
    buf_init(&client->answer, HTTP_ANSWER_MAX);
    curl_easy_setopt(client->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(client->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(client->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(client->curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(client->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)settings->server.connect_timeout_ms);
    curl_easy_setopt(client->curl, CURLOPT_USERAGENT, "wolfcdc");
    curl_easy_setopt(client->curl, CURLOPT_ERRORBUFFER, client->error);
    curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &client->answer);
    curl_easy_setopt(client->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(client->curl, CURLOPT_XFERINFODATA, client);
    curl_easy_setopt(client->curl, CURLOPT_NOPROGRESS, 0L);
    set_tls(client->curl, &settings->server);
    return client;
}

void http_client_free(struct http_client *client)
{
    if (!client) return;
    curl_easy_cleanup(client->curl);
    buf_fini(&client->answer);
    explicit_bzero(client->authorization, sizeof client->authorization);
    free(client);
}

bool http_client_open(struct http_client *client, struct err *err)
{
    char token[CONFIG_SECRET_MAX];
    atomic_store(&client->interrupted, false);
    client->authorization[0] = 0;
    if (!client->settings->token_file) return true;
    if (!secret_file(client->settings->token_file, token, err)) return err_context(err, "token_file");
    snprintf(client->authorization, sizeof client->authorization, "Authorization: Bearer %s", token);
    explicit_bzero(token, sizeof token);
    return true;
}

void http_client_interrupt(struct http_client *client) { atomic_store(&client->interrupted, true); }

const char *http_client_address(struct http_client *client)
{
    snprintf(client->base, sizeof client->base, "%s", client->leader[0] ? client->leader : client->settings->url.items[client->at]);
    for (size_t n = strlen(client->base); n && client->base[n - 1] == '/';) client->base[--n] = 0;
    return client->base;
}

static void next_address(struct http_client *client)
{
    if (!client->leader[0]) client->at = (client->at + 1) % client->settings->url.count;
    client->leader[0] = 0;
}

/* ---- one request ---- */

static struct curl_slist *add_header(struct curl_slist *list, const char *line)
{
    list = curl_slist_append(list, line);
    if (!list) abort();
    return list;
}

static struct curl_slist *headers(const struct http_client *client, const char *key)
{
    char line[HTTP_KEY_MAX + 32];
    struct curl_slist *list = add_header(NULL, "Content-Type: application/json");
    list = add_header(list, "Accept: application/json");
    snprintf(line, sizeof line, "Idempotency-Key: %s", key);
    list = add_header(list, line);
    return client->authorization[0] ? add_header(list, client->authorization) : list;
}

static CURLcode perform(struct http_client *client, enum http_verb verb, const char *key, struct slice body, long *status)
{
    char url[HTTP_URL_MAX + 32];
    struct curl_slist *list = headers(client, key);
    snprintf(url, sizeof url, "%s%s", http_client_address(client), http_path(verb));
    buf_clear(&client->answer);
    client->answer.full = false;
    client->error[0] = 0;
    curl_easy_setopt(client->curl, CURLOPT_URL, url);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, verb == HTTP_DDL ? (long)DDL_TIMEOUT_MS : (long)ROW_TIMEOUT_MS);
    curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, (const char *)body.data);
    curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
    CURLcode failed = curl_easy_perform(client->curl);
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, status);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(list);
    return failed;
}

/* Nobody answered, or not to the end. */
static enum http_fate broken(struct http_client *client, CURLcode failed, struct err *err)
{
    const char *at = http_client_address(client), *why = client->error[0] ? client->error : curl_easy_strerror(failed);
    switch (failed) {
    case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_CACERT_BADFILE: case CURLE_SSL_CERTPROBLEM: case CURLE_SSL_ISSUER_ERROR:
        err_set(err, ERR_DENIED, "%s: %s", at, why);
        return HTTP_DENIED;
    case CURLE_WRITE_ERROR:
        err_set(err, ERR_STOP, "%s: an answer of more than %d bytes: is this the API?", at, HTTP_ANSWER_MAX);
        return HTTP_WRONG;
    case CURLE_URL_MALFORMAT: case CURLE_UNSUPPORTED_PROTOCOL:
        err_set(err, ERR_CONFIG, "%s: %s", at, why);
        return HTTP_WRONG;
    default:
        err_set(err, ERR_RETRY, "%s: %s", at, why);
        next_address(client);
        return HTTP_AGAIN;
    }
}

static enum http_fate moved(struct http_client *client, enum http_verb verb, const char *said, struct err *err)
{
    char base[HTTP_URL_MAX], *to = NULL;
    const char *reason, *from = http_client_address(client);
    curl_easy_getinfo(client->curl, CURLINFO_REDIRECT_URL, &to);
    if (!http_answer_moved(&client->settings->url, from, to, http_path(verb), client->authorization[0] != 0, base, &reason)) {
        err_set(err, ERR_STOP, "%s answers %s and leads to %.200s, which is not followed: %s", from, said, to ? to : "nowhere", reason);
        return HTTP_WRONG;
    }
    err_set(err, ERR_RETRY, "%s leads to %s", from, base);
    snprintf(client->leader, sizeof client->leader, "%s", base);
    return HTTP_MOVED;
}

static enum err_code code_of(enum http_fate fate)
{
    static const enum err_code codes[] = {[HTTP_AGAIN] = ERR_RETRY, [HTTP_MOVED] = ERR_RETRY, [HTTP_FAILED] = ERR_RETRY, [HTTP_REFUSED] = ERR_STOP,
                                          [HTTP_TOO_LARGE] = ERR_LIMIT, [HTTP_DENIED] = ERR_DENIED, [HTTP_WRONG] = ERR_STOP};
    return codes[fate];
}

enum http_fate http_client_post(struct http_client *client, enum http_verb verb, const char *key, struct slice body, struct http_answer *answer,
                                struct err *err)
{
    long status = 0;
    CURLcode failed = perform(client, verb, key, body, &status);
    /* Who will not read a large body may end the connection right behind the answer that says so. */
    if (failed && status != 413) return broken(client, failed, err);
    enum http_fate fate = http_answer_read(status, buf_bytes(&client->answer), answer);
    if (fate == HTTP_STORED) return fate;
    if (fate == HTTP_MOVED) return moved(client, verb, answer->text, err);
    err_set(err, code_of(fate), "%s%s answers %s", http_client_address(client), http_path(verb), answer->text);
    if (fate == HTTP_AGAIN) next_address(client);
    return fate;
}
