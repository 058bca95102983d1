/* Net changes: what is left of several changes of one row; and a model: whatever a source may do to a table with two unique keys,
   the net in its fixed order (or, where it declines, the rest in the source's order) leads a target to the same rows without ever
   meeting a key that is there already or a row that is missing. */
#include "sink_unit.h"

enum { IDS = 6, VALUES = 8, CHANGES = 14, RUNS = 20000 };

static struct table *table;
static struct plan *plan;

static bool add(struct net *net, enum change_kind kind, struct row before, struct row after)
{
    struct value b[3], a[3];
    struct change change = {.kind = kind, .table = table, .before = before, .after = after};
    if (kind != CHANGE_INSERT) assert_true(row_values(table, &before, b));
    if (kind != CHANGE_DELETE) assert_true(row_values(table, &after, a));
    return net_add(net, plan, &change, b, a);
}

static void test_merging(void **state)
{
    (void)state;
    uint8_t i1[64], i2[64], i3[64];
    struct row none = {.image = {NULL, 0}}, r1 = sink_row(1, 1, "a", i1), r2 = sink_row(1, 1, "b", i2), r3 = sink_row(1, 1, "c", i3);
    struct net net;
    net_init(&net);
    assert_true(add(&net, CHANGE_UPDATE, r1, r2));
    assert_true(add(&net, CHANGE_UPDATE, r2, r3));
    assert_int_equal(net.count, 1);
    assert_int_equal(net.rows[0].state, NET_UPDATE);
    assert_true(slice_equal(net.rows[0].before.image, r1.image));
    assert_true(slice_equal(net.rows[0].after.image, r3.image));
    assert_true(add(&net, CHANGE_DELETE, r3, none));
    assert_int_equal(net.rows[0].state, NET_DELETE);
    assert_true(add(&net, CHANGE_INSERT, none, r2));
    assert_int_equal(net.rows[0].state, NET_UPDATE);
    assert_false(add(&net, CHANGE_INSERT, none, r2)); /* it is there */
    net_reset(&net);
    assert_true(add(&net, CHANGE_INSERT, none, r1));
    assert_true(add(&net, CHANGE_DELETE, r1, none));
    assert_int_equal(net.rows[0].state, NET_ABSENT);
    assert_false(add(&net, CHANGE_DELETE, r1, none));
    net_fini(&net);
}

static void test_declines(void **state)
{
    (void)state;
    uint8_t i1[64], i2[64], i3[64];
    struct row none = {.image = {NULL, 0}}, r1 = sink_row(1, 1, "a", i1), u2 = sink_row(1, 2, "a", i2), id2 = sink_row(2, 1, "a", i3);
    struct net net;
    net_init(&net);
    assert_false(add(&net, CHANGE_UPDATE, r1, u2));  /* another unique key changes */
    assert_false(add(&net, CHANGE_UPDATE, r1, id2)); /* the key changes */
    assert_true(add(&net, CHANGE_DELETE, r1, none));
    assert_false(add(&net, CHANGE_INSERT, none, u2)); /* comes back with another u */
    assert_true(add(&net, CHANGE_INSERT, none, id2));
    struct row part = r1;
    part.present = unit_hex("03");
    part.image.size = 9;
    assert_false(add(&net, CHANGE_DELETE, part, none)); /* not all columns */
    net_fini(&net);
}

static void test_fold(void **state)
{
    (void)state;
    struct buf a, b;
    buf_init(&a, 100);
    buf_init(&b, 100);
    assert_true(net_fold(slice_text("Abc "), false, &a) && net_fold(slice_text("aBC"), false, &b));
    assert_true(slice_equal(buf_bytes(&a), buf_bytes(&b)));
    buf_clear(&a);
    buf_clear(&b);
    assert_true(net_fold(slice_text("Abc"), true, &a) && net_fold(slice_text("abc"), true, &b));
    assert_false(slice_equal(buf_bytes(&a), buf_bytes(&b)));
    assert_false(net_fold(slice_text("\xc3\xa4"), false, &a));
    assert_true(net_fold(slice_text("\xc3\xa4"), true, &a));
    buf_fini(&a);
    buf_fini(&b);
}

struct model { bool there[IDS]; uint32_t u[IDS], s[IDS]; };

static bool taken(const struct model *m, uint32_t u, unsigned but)
{
    for (unsigned i = 0; i < IDS; i++)
        if (i != but && m->there[i] && m->u[i] == u) return true;
    return false;
}

static void get(const struct row *row, uint32_t *id, uint32_t *u, uint32_t *s)
{
    memcpy(id, row->image.data + 1, 4);
    memcpy(u, row->image.data + 5, 4);
    *s = row->image.data[10];
}

/* What a target does, with its complaints as failures of the test. */
static void apply(struct model *m, enum change_kind kind, const struct row *before, const struct row *after)
{
    uint32_t id, u, s;
    if (kind != CHANGE_INSERT) {
        get(before, &id, &u, &s);
        assert_true(m->there[id]);
        m->there[id] = false;
    }
    if (kind == CHANGE_DELETE) return;
    get(after, &id, &u, &s);
    assert_false(m->there[id]);
    assert_false(taken(m, u, IDS));
    m->there[id] = true;
    m->u[id] = u;
    m->s[id] = s;
}

static void apply_net(struct model *m, const struct net *net)
{
    static const struct { enum net_state state; enum change_kind kind; } order[] = {
        {NET_DELETE, CHANGE_DELETE}, {NET_UPDATE, CHANGE_UPDATE}, {NET_INSERT, CHANGE_INSERT}};
    for (unsigned pass = 0; pass < 3; pass++)
        for (uint32_t i = 0; i < net->count; i++)
            if (net->rows[i].state == order[pass].state) apply(m, order[pass].kind, &net->rows[i].before, &net->rows[i].after);
}

/* A change that the source may make now; false: this one not. */
static bool random_change(const struct model *source, enum change_kind *kind, struct row *before, struct row *after, uint8_t b[64], uint8_t a[64])
{
    unsigned id = (unsigned)rand() % IDS, to = rand() % 8 ? id : (unsigned)rand() % IDS;
    uint32_t u = (uint32_t)rand() % VALUES;
    char text[2] = {(char)('a' + rand() % 26), 0}, old[2] = {(char)source->s[id], 0};
    if (source->there[id]) *before = sink_row(id, source->u[id], old, b);
    *kind = !source->there[id] ? CHANGE_INSERT : rand() % 2 ? CHANGE_DELETE : CHANGE_UPDATE;
    if (*kind == CHANGE_DELETE) return true;
    if (*kind == CHANGE_UPDATE && rand() % 4) u = source->u[id];
    if (*kind == CHANGE_INSERT) to = id;
    if ((to != id && source->there[to]) || taken(source, u, *kind == CHANGE_UPDATE ? id : IDS)) return false;
    *after = sink_row(to, u, text, a);
    return true;
}

static void test_model(void **state)
{
    (void)state;
    unsigned seed = getenv("SEED") ? (unsigned)atoi(getenv("SEED")) : 1, declined = 0;
    print_message("SEED=%u\n", seed);
    srand(seed);
    struct net net;
    net_init(&net);
    for (unsigned run = 0; run < RUNS; run++) {
        struct model source = {0}, target;
        for (unsigned i = 0; i < IDS; i++)
            if (rand() % 2) source.there[i] = true, source.u[i] = i, source.s[i] = 'z';
        target = source;
        bool ordered = false;
        net_reset(&net);
        for (unsigned n = 0; n < CHANGES; n++) {
            enum change_kind kind;
            struct row before = {.image = {NULL, 0}}, after = before;
            uint8_t b[64], a[64];
            if (!random_change(&source, &kind, &before, &after, b, a)) continue;
            apply(&source, kind, &before, &after);
            if (!ordered && !add(&net, kind, before, after)) {
                apply_net(&target, &net);
                net_reset(&net);
                ordered = true;
                declined++;
            }
            if (ordered) apply(&target, kind, &before, &after);
        }
        apply_net(&target, &net);
        for (unsigned i = 0; i < IDS; i++) {
            assert_int_equal(source.there[i], target.there[i]);
            if (source.there[i]) assert_true(source.u[i] == target.u[i] && source.s[i] == target.s[i]);
        }
    }
    assert_in_range(declined, RUNS / 10, RUNS - RUNS / 10); /* both ways were gone */
    net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_merging), cmocka_unit_test(test_declines), cmocka_unit_test(test_fold),
                                       cmocka_unit_test(test_model)};
    table = sink_table();
    if (!plan_new(table, &sink_target, false, &plan, NULL)) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    plan_free(plan);
    table_free(table);
    return failed;
}
