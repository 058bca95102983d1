/* test_metrics.c: what Prometheus reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "metrics.h"

static struct buf out;

static const char *text(void)
{
    buf_clear(&out);
    metrics_prometheus(&out);
    return buf_cstr(&out);
}

static void expect(const char *line)
{
    if (!strstr(text(), line)) fail_msg("no %s in\n%s", line, text());
}

static void counters_and_gauges(void **state)
{
    (void)state;
    metric_add(METRIC_RECEIVED_EVENTS, 5);
    metric_add(METRIC_RECEIVED_EVENTS, 2);
    metric_set(METRIC_WRITTEN_LSN, 99);
    assert_int_equal(metric_get(METRIC_RECEIVED_EVENTS), 7);
    expect("# TYPE wolfcdc_received_events_total counter\nwolfcdc_received_events_total 7\n");
    expect("# TYPE wolfcdc_wal_written_lsn gauge\nwolfcdc_wal_written_lsn 99\n");
    expect("# HELP wolfcdc_wal_written_lsn ");
}

static void sinks_carry_their_name(void **state)
{
    (void)state;
    sink_metric_add(1, SINK_METRIC_APPLIED_ROWS, 3);
    assert_null(strstr(text(), "sink_applied_rows_total{"));
    metrics_name_sink(1, "new");
    expect("wolfcdc_sink_applied_rows_total{sink=\"new\"} 3\n");
    assert_int_equal(sink_metric_get(1, SINK_METRIC_APPLIED_ROWS), 3);
    assert_int_equal(sink_metric_get(0, SINK_METRIC_APPLIED_ROWS), 0);
}

static void histograms_add_up(void **state)
{
    (void)state;
    metric_observe_us(METRIC_FSYNC, 16);        /* the first bucket's limit belongs to it */
    metric_observe_us(METRIC_FSYNC, 17);
    metric_observe_us(METRIC_FSYNC, 1000);
    metric_observe_us(METRIC_FSYNC, 900000000); /* above all */
    expect("wolfcdc_wal_fsync_seconds_bucket{le=\"0.000016\"} 1\n");
    expect("wolfcdc_wal_fsync_seconds_bucket{le=\"0.000032\"} 2\n");
    expect("wolfcdc_wal_fsync_seconds_bucket{le=\"0.001024\"} 3\n");
    expect("wolfcdc_wal_fsync_seconds_bucket{le=\"33.554432\"} 3\n");
    expect("wolfcdc_wal_fsync_seconds_bucket{le=\"+Inf\"} 4\n");
    expect("wolfcdc_wal_fsync_seconds_count 4\n");
    expect("wolfcdc_wal_fsync_seconds_sum 900.001033\n");
    sink_metric_observe_us(1, SINK_METRIC_COMMIT, 20);
    expect("wolfcdc_sink_commit_seconds_bucket{sink=\"new\",le=\"0.000032\"} 1\n");
    expect("wolfcdc_sink_commit_seconds_count{sink=\"new\"} 1\n");
}

static void json_is_whole(void **state)
{
    (void)state;
    buf_clear(&out);
    metrics_json(&out);
    const char *json = buf_cstr(&out);
    assert_int_equal(json[0], 0x7b);
    assert_non_null(strstr(json, "\"received_events_total\":7,"));
    assert_non_null(strstr(json, "\"wal_fsync_seconds\":{\"count\":4,\"sum\":900.001033}"));
    assert_non_null(strstr(json, "\"sinks\":{\"new\":{\"applied_transactions_total\":0,\"applied_rows_total\":3,"));
}

int main(void)
{
    buf_init(&out, 1 << 20);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_and_gauges),
        cmocka_unit_test(sinks_carry_their_name),
        cmocka_unit_test(histograms_add_up),
        cmocka_unit_test(json_is_whole),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_fini(&out);
    return failed;
}
