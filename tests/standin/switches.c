/* switches.c: see switches.h. */
#include "switches.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "applier.h"
#include "journal.h"
#include "json.h"
#include "members.h"
#include "standin.h"

enum kind { FLAG, NUMBER, COUNT, TEXT };
typedef void order_fn(struct node *node, int64_t number, const char *text);

static void order_transaction(struct node *node, int64_t number, const char *text)
{
    (void)number;
    applier_begin(node->applier, *text ? text : NULL);
}
static void order_segment(struct node *node, int64_t number, const char *text)
{
    (void)text;
    journal_segment_left(node->journal, (uint64_t)number);
}
static void order_restart(struct node *node, int64_t number, const char *text)
{
    (void)text;
    if (number) journal_restart(node->journal, (uint64_t)number);
}
static void order_tear(struct node *node, int64_t number, const char *text)
{
    (void)text;
    journal_tear_next(node->journal, number != 0);
}
static void order_lead(struct node *node, int64_t number, const char *text)
{
    (void)text;
    members_lead(node->members, number != 0);
}
static void order_part(struct node *node, int64_t number, const char *text)
{
    (void)number;
    members_part(node->members, text);
}
static void order_name(struct node *node, int64_t number, const char *text)
{
    (void)number;
    members_rename(node->members, text);
}

static const struct row {
    const char *name;
    enum kind kind;
    order_fn *order;
    const char *meaning;
} rows[SWITCHES] = {
#define SWITCH(NAME, name, kind, value, order, meaning) {#name, kind, order, meaning},
#include "switches.def"
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    int64_t number;
    char text[SWITCH_TEXT_MAX];
} values[SWITCHES] = { /* shared, under lock */
#define SWITCH(NAME, name, kind, value, order, meaning) {value, ""},
#include "switches.def"
};

static const struct row *find(const char *name)
{
    for (size_t i = 0; i < SWITCHES; i++)
        if (!strcmp(rows[i].name, name)) return &rows[i];
    return NULL;
}

static bool read_number(const struct row *row, const char *value, int64_t *number, struct err *err)
{
    char *end = NULL;
    errno = 0;
    *number = strtoll(value, &end, 10);
    if (errno || end == value || *end || *number < 0) return err_set(err, ERR_CONFIG, "%s: not a number: %s", row->name, value);
    if (row->kind == FLAG && *number > 1) return err_set(err, ERR_CONFIG, "%s: 0 or 1", row->name);
    return true;
}

bool switch_set(struct node *node, const char *name, const char *value, struct err *err)
{
    const struct row *row = find(name);
    int64_t number = 0;
    if (!row) return err_set(err, ERR_CONFIG, "no switch %s", name);
    if (row->kind != TEXT && !read_number(row, value, &number, err)) return false;
    if (strlen(value) >= SWITCH_TEXT_MAX) return err_set(err, ERR_CONFIG, "%s: too long", name);
    pthread_mutex_lock(&lock);
    values[row - rows].number = number;
    snprintf(values[row - rows].text, SWITCH_TEXT_MAX, "%s", value);
    pthread_mutex_unlock(&lock);
    if (row->order) row->order(node, number, value);
    return true;
}

int64_t switch_number(enum switch_id id)
{
    pthread_mutex_lock(&lock);
    int64_t number = values[id].number;
    pthread_mutex_unlock(&lock);
    return number;
}

bool switch_take(enum switch_id id)
{
    pthread_mutex_lock(&lock);
    bool taken = values[id].number > 0;
    if (taken) values[id].number--;
    pthread_mutex_unlock(&lock);
    return taken;
}

void switch_list(struct buf *out)
{
    struct json json = json_on(out);
    json_open(&json, '[');
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < SWITCHES; i++) {
        json_open(&json, '{');
        json_name(&json, "name");
        json_string(&json, rows[i].name);
        json_name(&json, "value");
        if (rows[i].kind == TEXT) json_string(&json, values[i].text);
        else json_signed(&json, values[i].number);
        json_name(&json, "meaning");
        json_string(&json, rows[i].meaning);
        json_close(&json, '}');
    }
    pthread_mutex_unlock(&lock);
    json_close(&json, ']');
}
