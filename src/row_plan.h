/*
 * row_plan.h: how row_take walks the rows of one table, worked out once per definition: private to table.c and row.c.
 *
 * Columns that need nothing but their length are joined into runs, so that a row without NULLs is walked in a few steps.
 * Kinds whose bytes can be impossible (DECIMAL, temporal, ENUM) keep a step of their own, with a check.
 */
#ifndef WOLFCDC_ROW_PLAN_H
#define WOLFCDC_ROW_PLAN_H
#include "cursor.h"
#include "table.h"

/* Whether the value's bytes can be what the column says. */
typedef bool row_check_fn(const struct column *column, const uint8_t *bytes);

struct row_step {
    uint32_t fixed;      /* bytes to pass first */
    uint8_t prefix;      /* then a value with so many bytes of length; 0: none */
    uint32_t max_bytes;  /* of that value */
    row_check_fn *check; /* then a checked value of `checked` bytes; NULL: none */
    uint8_t checked;
    uint16_t column;     /* the one that is checked */
};

struct row_plan {
    uint32_t step_count;
    struct row_step *steps;  /* for a row with every column present and no NULL */
    row_check_fn **checks;   /* per column, NULL: none */
    uint32_t *max_bytes;     /* per column with a length prefix */
};

void row_plan_make(struct table *table); /* in the table's arena */

#endif
