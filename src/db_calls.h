/*
 * db_calls.h: the calls of db_library.h that read alike in libmariadb and libmysqlclient. Compiled once against the header of each, by a file that has
 * included it and defined MYSQL_OF(link).
 */
static unsigned calls_number(void *link) { return mysql_errno(MYSQL_OF(link)); }
static const char *calls_text(void *link) { return mysql_error(MYSQL_OF(link)); }

static bool calls_query(void *link, struct slice sql) { return !mysql_real_query(MYSQL_OF(link), (const char *)sql.data, (unsigned long)sql.size); }
static bool calls_ask(void *link, struct slice sql) { return !mysql_send_query(MYSQL_OF(link), (const char *)sql.data, (unsigned long)sql.size); }
static bool calls_answer(void *link) { return !mysql_read_query_result(MYSQL_OF(link)); }
static void *calls_result(void *link) { return mysql_use_result(MYSQL_OF(link)); }
static int calls_next_result(void *link) { return mysql_next_result(MYSQL_OF(link)); }

static uint32_t calls_columns(void *result) { return mysql_num_fields(result); }
static const char *calls_column_name(void *result, uint32_t column) { return mysql_fetch_field_direct(result, column)->name; }
static void calls_result_free(void *result) { mysql_free_result(result); }

static bool calls_row(void *result, struct slice *values)
{
    MYSQL_ROW row = mysql_fetch_row(result);
    if (!row) return false;
    const unsigned long *sizes = mysql_fetch_lengths(result);
    uint32_t columns = mysql_num_fields(result);
    for (uint32_t i = 0; i < columns; i++) values[i] = (struct slice){(const uint8_t *)row[i], row[i] ? sizes[i] : 0};
    return true;
}

static void calls_init(void) { mysql_library_init(0, NULL, NULL); }
static void calls_end(void) { mysql_library_end(); }

static unsigned calls_seconds(uint32_t ms) { return (ms + 999) / 1000; }

#define DB_CALLS \
    .init = calls_init, .end = calls_end, .number = calls_number, .text = calls_text, .query = calls_query, .ask = calls_ask, \
    .answer = calls_answer, .result = calls_result, .next_result = calls_next_result, .columns = calls_columns, \
    .column_name = calls_column_name, .row = calls_row, .result_free = calls_result_free
