/* sink_unit.h: a source table and the target's idea of it, made by hand: for the tests of plan and net. */
#ifndef WOLFCDC_SINK_UNIT_H
#define WOLFCDC_SINK_UNIT_H
#include "unit.h"

#include "net.h"

#define NAME(s) {(const uint8_t *)(s), sizeof(s) - 1}

/* t (id INT primary key, u INT NOT NULL unique, s VARCHAR(20)) */
static struct column sink_columns[] = {
    {.kind = COLUMN_INT, .width = 4, .sign_known = true, .name = NAME("id")},
    {.kind = COLUMN_INT, .width = 4, .sign_known = true, .name = NAME("u")},
    {.kind = COLUMN_VARCHAR, .width = 1, .max_bytes = 20, .nullable = true, .collation = 45, .name = NAME("s")},
};
static struct target_column sink_target_columns[] = {
    {.name = NAME("id")}, {.name = NAME("u")}, {.name = NAME("s"), .nullable = true, .text = true}};
static uint16_t sink_by_id[] = {0}, sink_by_u[] = {1};
static struct target_key sink_keys[] = {{.primary = true, .not_null = true, .count = 1, .columns = sink_by_id},
                                        {.not_null = true, .count = 1, .columns = sink_by_u}};
static struct target_table sink_target = {
    .database = NAME("d"), .name = NAME("t"), .exists = true, .transactional = true, .column_count = 3,
    .columns = sink_target_columns, .key_count = 2, .keys = sink_keys};

static inline struct table *sink_table(void)
{
    const char *reason = NULL;
    struct table draft = {.database = NAME("d"), .name = NAME("t"), .column_count = 3, .columns = sink_columns, .named = true};
    struct table *table = table_new(&draft, 1, &reason);
    assert_non_null(table);
    return table;
}

/* The image of (id, u, s); s NULL: SQL NULL. */
static inline struct row sink_row(uint32_t id, uint32_t u, const char *s, uint8_t image[64])
{
    size_t n = s ? strlen(s) : 0;
    image[0] = s ? 0 : 4;
    memcpy(image + 1, &id, 4);
    memcpy(image + 5, &u, 4);
    image[9] = (uint8_t)n;
    memcpy(image + 10, s ? s : "", n);
    return (struct row){.image = {image, s ? 10 + n : 9}};
}

#endif
