/* schemactl.c: `wolfctl schema` and the verbs of the API behind it: the definitions of tables whose binary log has no names. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "agent.h"
#include "command.h"
#include "history.h"
#include "json.h"
#include "verbs.h"

enum { SQL_MAX = 1 << 26, REQUEST_SQL_MAX = 1 << 17 };

/* ---- the API ---- */

static const char *origin_name(const struct definition *d)
{
    static const char *const names[] = {[DEFINITION_SERVER] = "server", [DEFINITION_DDL] = "ddl", [DEFINITION_FILE] = "file", [DEFINITION_SET] = "set"};
    return names[d->origin];
}

static void put_definition(void *context, const struct definition *d)
{
    struct json *json = context;
    char name[600];
    struct buf sql;
    snprintf(name, sizeof name, "%s.%s", d->database, d->name);
    buf_init(&sql, SQL_MAX);
    definition_print(d, &sql);
    json_open(json, '{');
    json_name(json, "table");
    json_string(json, name);
    json_name(json, "version");
    json_unsigned(json, d->version);
    json_name(json, "origin");
    json_string(json, origin_name(d));
    json_name(json, "lsn");
    json_unsigned(json, d->lsn);
    json_name(json, "file");
    json_string(json, d->pos ? d->pos->file : "");
    json_name(json, "pos");
    json_unsigned(json, d->pos ? d->pos->offset : 0);
    json_name(json, "sql");
    json_string(json, buf_cstr(&sql));
    json_close(json, '}');
    buf_fini(&sql);
}

void verb_schema(struct request *request)
{
    struct json json = json_on(&request->answer);
    json_open(&json, '{');
    json_name(&json, "tables");
    json_open(&json, '[');
    history_show(cdc_history(request->agent->cdc), request_param(request, "table"), put_definition, &json);
    json_close(&json, ']');
    json_close(&json, '}');
}

static void done(struct request *request, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void done(struct request *request, const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct json json = json_on(&request->answer);
    json_open(&json, '{');
    json_name(&json, "done");
    json_string(&json, text);
    json_close(&json, '}');
}

void verb_schema_set(struct request *request)
{
    const char *table = request_param(request, "table"), *sql = request_param(request, "sql");
    struct err err = {0};
    if (!table || !sql) {
        request_error(request, 400, "name it: table=DB.TABLE, and its CREATE TABLE: sql=…", "which table, and which definition?");
    } else if (!history_set(cdc_history(request->agent->cdc), table, slice_text(sql), &err)) {
        request_error(request, err.code == ERR_CONFIG ? 400 : 409, "wolfctl schema show prints what is known, in the form that is wanted", "%s", err.text);
    } else {
        log_warning("control.schema", "set=%s", table);
        cdc_resume(request->agent->cdc);
        done(request, "the definition of %.200s is set", table);
    }
}

void verb_schema_refresh(struct request *request)
{
    const char *table = request_param(request, "table");
    size_t count = history_refresh(cdc_history(request->agent->cdc), table);
    log_info("control.schema", "refresh=%s count=%zu", table ? table : "*", count);
    cdc_resume(request->agent->cdc);
    done(request, "%zu definition%s forgotten; the source is asked again", count, count == 1 ? "" : "s");
}

/* ---- wolfctl ---- */

static const char *text_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static double number_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

bool schema_print(FILE *out, struct slice bytes)
{
    cJSON *all = cJSON_ParseWithLength((const char *)bytes.data, bytes.size);
    const cJSON *tables = cJSON_GetObjectItemCaseSensitive(all, "tables"), *one;
    bool good = cJSON_IsArray(tables);
    if (good && !cJSON_GetArraySize(tables)) fputs("no definition is kept: the binary log names the columns itself, or no row of a table without names has come\n", out);
    if (good)
        cJSON_ArrayForEach(one, tables)
            fprintf(out, "-- %s, version %.0f, from %s, since LSN %.0f (%s:%.0f)\n%s", text_of(one, "table"), number_of(one, "version"), text_of(one, "origin"),
                    number_of(one, "lsn"), text_of(one, "file"), number_of(one, "pos"), text_of(one, "sql"));
    cJSON_Delete(all);
    return good;
}

static bool read_text(const char *path, struct buf *text, struct err *err)
{
    FILE *in = fopen(path, "rbe");
    if (!in) return err_set_number(err, ERR_CONFIG, (unsigned)errno, "%s", strerror(errno));
    for (size_t got = 1; got;) {
        uint8_t *at = buf_reserve(text, 1 << 16);
        if (!at) break;
        got = fread(at, 1, 1 << 16, in);
        text->size += got;
    }
    bool good = !ferror(in) && !text->full;
    fclose(in);
    return good || err_set(err, ERR_CONFIG, text->full ? "it is larger than 64 MiB" : "it cannot be read");
}

/* Read here first, so that what is wrong with it is usage; and sent in its shortest form. */
char *schema_of_file(const char *table, const char *path, struct err *err)
{
    struct catalog *catalog = catalog_new();
    struct buf text, sql;
    size_t count = 0;
    char *made = NULL, database[300];
    const char *dot = strchr(table, '.');
    buf_init(&text, SQL_MAX);
    buf_init(&sql, REQUEST_SQL_MAX);
    snprintf(database, sizeof database, "%.*s", dot ? (int)(dot - table) : 0, table);
    if (!dot || !read_text(path, &text, err)) {
        if (!dot) err_set(err, ERR_CONFIG, "\"%.200s\": a table is written as DB.TABLE", table);
    } else if (catalog_read(catalog, buf_bytes(&text), database, DEFINITION_SET, &count, err)) {
        const struct definition *d = catalog_find(catalog, slice_text(database), slice_text(dot + 1));
        if (d) definition_print(d, &sql);
        if (!d) err_set(err, ERR_CONFIG, "there is no CREATE TABLE of %.200s in it", table);
        else if (sql.full) err_set(err, ERR_LIMIT, "the definition of %.200s is longer than 128 KiB", table);
        else made = strdup(buf_cstr(&sql));
    }
    buf_fini(&text);
    buf_fini(&sql);
    catalog_free(catalog);
    return made;
}
