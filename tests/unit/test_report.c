/* test_report.c: /status has exactly the keys of its table; ready means that changes flow; people get the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "show.h"

static const char *const keys[] = {
#define STATUS_KEY(name, help) name,
#include "keys.def"
};
enum { KEYS = sizeof keys / sizeof *keys };

static struct report *report;
static struct buf out;

static int set_up(void **state)
{
    (void)state;
    report = calloc(1, sizeof *report);
    buf_init(&out, 1 << 20);
    report->config = "/etc/wolfcdc/wolfcdc.toml";
    report->dir = "/var/lib/wolfcdc/wal";
    report->now_us = 1700000061000000;
    report->started_us = 1700000000000000;
    report->source.state = CDC_STREAMING;
    report->source.purge_seconds = -1;
    report->source.gtid = (struct gtid){.domain = 0, .server = 1, .seq = 42};
    report->sink_count = 1;
    report->prepared_count = 1;
    xid_set(&report->prepared[0].xid, 1, slice_text("g1"), slice_text("b"));
    report->sinks[0].name = "new";
    report->sinks[0].type = "mysql";
    report->sinks[0].state = SINK_IDLE;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(report);
    buf_fini(&out);
    return 0;
}

static void key_check(const char *prefix, const cJSON *item, bool seen[KEYS])
{
    char name[100];
    snprintf(name, sizeof name, "%s%s", prefix, item->string);
    for (size_t i = 0; i < KEYS; i++) {
        if (strcmp(keys[i], name)) continue;
        assert_false(seen[i]); /* once each */
        seen[i] = true;
        return;
    }
    fail_msg("%s is not in keys.def", name);
}

static void status_has_the_keys_of_its_table(void **state)
{
    (void)state;
    bool seen[KEYS] = {false};
    const cJSON *item, *part;
    report_status(report, &out);
    cJSON *all = cJSON_Parse(buf_cstr(&out));
    assert_non_null(all);
    cJSON_ArrayForEach(item, all)
    {
        if (!strcmp(item->string, "source")) {
            cJSON_ArrayForEach(part, item)
                if (strcmp(part->string, "xa")) key_check("source.", part, seen);
        } else if (!strcmp(item->string, "wal")) cJSON_ArrayForEach(part, item) key_check("wal.", part, seen);
        else if (!strcmp(item->string, "sinks")) cJSON_ArrayForEach(part, item->child) key_check("sinks[].", part, seen);
        else key_check("", item, seen);
    }
    item = cJSON_GetObjectItem(cJSON_GetObjectItem(all, "source"), "xa");
    cJSON_ArrayForEach(part, item->child) key_check("source.xa[].", part, seen);
    for (size_t i = 0; i < KEYS; i++)
        if (!seen[i]) fail_msg("%s is in keys.def and not in the status", keys[i]);
    assert_int_equal(cJSON_GetObjectItem(all, "uptime_seconds")->valueint, 61);
    assert_string_equal(cJSON_GetObjectItem(cJSON_GetObjectItem(all, "source"), "gtid")->valuestring, "0-1-42");
    cJSON_Delete(all);
}

static void ready_means_that_changes_flow(void **state)
{
    (void)state;
    assert_true(report_ready(report, &out));
    assert_string_equal(buf_cstr(&out), "[]");
    buf_clear(&out);
    report->sinks[0].state = SINK_CONFLICT;
    strcpy(report->sinks[0].reason, "row \"7\" is missing");
    strcpy(report->sinks[0].remedy, "wolfctl conflict skip");
    assert_false(report_ready(report, &out));
    assert_string_equal(buf_cstr(&out), "[\"sink new is conflict: row \\\"7\\\" is missing; wolfctl conflict skip\"]");
    buf_clear(&out);
    report->sinks[0].state = SINK_IDLE;
    report->source.state = CDC_PURGED;
    assert_false(report_ready(report, &out));
    assert_non_null(strstr(buf_cstr(&out), "capture is purged"));
}

static void every_state_is_named_and_explained(void **state)
{
    (void)state;
    for (int i = 0; i < CDC_STATES; i++) {
        assert_true(strlen(cdc_state_name((enum cdc_state)i)) > 3);
        assert_true(strlen(cdc_state_help((enum cdc_state)i)) > 10);
    }
    for (int i = 0; i < SINK_STATES; i++) {
        assert_true(strlen(sink_state_name((enum sink_state)i)) > 3);
        assert_true(strlen(sink_state_help((enum sink_state)i)) > 10);
    }
}

/* What show_… writes for that document. */
static char *shown(bool (*show)(FILE *, struct slice, bool), bool colours)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    assert_true(show(to, buf_bytes(&out), colours));
    fclose(to);
    return text;
}

static void people_see_the_trouble_and_its_remedy(void **state)
{
    (void)state;
    report->source.state = CDC_DIVERGED;
    strcpy(report->source.reason, "GTID 0-1-42 is another one there");
    strcpy(report->source.remedy, "compare by hand");
    report->sinks[0].lag_transactions = 12;
    report_status(report, &out);
    char *text = shown(show_status, false);
    assert_non_null(strstr(text, "source  diverged since"));
    assert_non_null(strstr(text, "GTID 0-1-42 is another one there"));
    assert_non_null(strstr(text, "compare by hand"));
    assert_non_null(strstr(text, "12 transactions"));
    assert_non_null(strstr(text, "not ready"));
    assert_null(strchr(text, '\033'));
    free(text);
    text = shown(show_status, true);
    assert_non_null(strstr(text, "\033[31mdiverged\033[0m"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(status_has_the_keys_of_its_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ready_means_that_changes_flow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_state_is_named_and_explained, set_up, tear_down),
        cmocka_unit_test_setup_teardown(people_see_the_trouble_and_its_remedy, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
