/* forward.c: see forward.h. */
#include "forward.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf.h"
#include "json.h"

enum { TIMEOUT_S = 30, BODY_MAX = 128 * 1024 * 1024 };

static size_t on_answer(char *data, size_t size, size_t count, void *context)
{
    buf_put(context, data, size * count);
    return size * count;
}

bool forward_post(const char *host, const char *path, struct slice json, long *status, struct buf *answer, struct err *err)
{
    char url[ADDRESS_MAX + 128];
    CURL *curl = curl_easy_init();
    if (!curl) abort();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    snprintf(url, sizeof url, "http://%s:%d%s", host, API_PORT, path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)json.data);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)json.size);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    CURLcode code = curl_easy_perform(curl);
    bool answered = code == CURLE_OK && !curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
    if (!answered) err_set(err, ERR_RETRY, "error sending request for url (%s): %s", url, curl_easy_strerror(code));
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return answered;
}

bool forward_sql(const char *host, struct slice sql, bool has_database, struct slice database, struct err *err)
{
    struct buf body, answer;
    long status = 0;
    buf_init(&body, BODY_MAX);
    buf_init(&answer, FORWARD_ANSWER_MAX);
    struct json json = json_on(&body);
    json_open(&json, '{');
    json_name(&json, "sql");
    json_text(&json, sql);
    json_name(&json, "database");
    if (has_database) json_text(&json, database);
    else json_null(&json);
    json_close(&json, '}');
    bool good = forward_post(host, "/sql", buf_bytes(&body), &status, &answer, err);
    if (good && status != 200)
        good = err_set(err, ERR_RETRY, "Leader returned %ld: %.300s", status, answer.size ? buf_cstr(&answer) : "");
    if (!good) err_context(err, "Leader forwarding failed");
    buf_fini(&answer);
    buf_fini(&body);
    return good;
}
