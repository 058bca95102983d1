/*
 * leader_nodes.c: each node's own MariaDB, spoken to directly. What stands there, beside the rows:
 *
 *   wolfcdc.position   as the nodes' own sinks keep it: written here only after the proof, so that both ways share one truth
 *   wolfcdc.marker     written through the proxy, read here: what was sent before it has been tried on this node
 *   wolfcdc.pushed     the tables that the leader's log has statements for. A row without a name: statements may be on their way that
 *                      nobody has proven. Written directly, before anything is pushed, and never through the proxy
 */
#include <stdio.h>
#include <stdlib.h>

#include "applier.h"
#include "clock.h"
#include "leader.h"

enum { CONNECT_TIMEOUT_MS = 2500, PING_US = 15000000, PRUNE_US = 60000000, LOCK_S = 10, DIRECT_FLIGHT = 64 };

static const char create_marker[] =
    "(log_uuid CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
    "sink VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, number BIGINT UNSIGNED NOT NULL, PRIMARY KEY (log_uuid, sink)) "
    "ENGINE=InnoDB COMMENT='wolfcdc: how far statements have come through the leader'";
static const char create_pushed[] =
    "(log_uuid CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
    "sink VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, name VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "
    "PRIMARY KEY (log_uuid, sink, name)) ENGINE=InnoDB COMMENT='wolfcdc: tables that went through the leader'";

static bool create_tables(struct db *db, struct err *err)
{
    static const struct own_table tables[] = {{"marker", create_marker}, {"pushed", create_pushed}};
    return own_tables_create(db, tables, sizeof tables / sizeof *tables, err);
}

static bool open_one(struct leader *l, size_t i, struct err *err)
{
    struct db_options options = {0};
    const struct sink_settings *settings = sink_settings(l->nodes[i].member);
    struct db *db;
    settings_server(&settings->server, l->nodes[i].name, &options);
    options.read_timeout_ms = LEAD_READ_MS;
    options.found_rows = true;
    if (options.connect_timeout_ms > CONNECT_TIMEOUT_MS) options.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    if (!db_open(&options, &db, err)) return false;
    pthread_mutex_lock(&l->lock);
    l->nodes[i].db = db;
    pthread_mutex_unlock(&l->lock);
    return db_exec_bytes(db, slice_text(context_own), err) &&
           db_exec(db, err, "SET autocommit=1, tx_isolation='READ-COMMITTED', innodb_lock_wait_timeout=%d, in_predicate_conversion_threshold=0", LOCK_S) &&
           create_tables(db, err);
}

bool lead_nodes_open(struct leader *l, struct err *err)
{
    for (size_t i = 0; i < l->count; i++)
        if (!open_one(l, i, err)) return false;
    l->used_us = clock_us();
    return true;
}

void lead_nodes_close(struct leader *l)
{
    for (size_t i = 0; i < l->count; i++) {
        pthread_mutex_lock(&l->lock);
        struct db *db = l->nodes[i].db;
        l->nodes[i].db = NULL;
        pthread_mutex_unlock(&l->lock);
        db_close(db);
    }
}

bool lead_nodes_exec(struct leader *l, struct slice sql, struct err *err)
{
    struct err first = {0}, local = {0};
    size_t sent = 0;
    while (sent < l->count && db_send(l->nodes[sent].db, DB_COM_QUERY, sql, &first)) sent++;
    for (size_t i = 0; i < sent; i++)
        if ((!lead_await(l, l->nodes[i].db, LEAD_READ_MS, &local) || !db_reply(l->nodes[i].db, NULL, &local)) && first.code == ERR_NONE) {
            first = local;
            err_context(&first, "node %s", l->nodes[i].name);
        }
    l->used_us = clock_us();
    if (first.code == ERR_NONE) return true;
    if (err) *err = first;
    return false;
}

/* ---- positions ---- */

static bool read_one(struct leader *l, struct lead_node *node, struct err *err)
{
    struct db_result *r;
    if (!db_query(node->db, &r, err, "SELECT last_lsn, begin_lsn, gtids FROM wolfcdc.position WHERE log_uuid='%s' AND sink='%s' "
                  "ORDER BY previous_lsn DESC LIMIT 1", l->uuid, l->settings->position_name)) return false;
    bool found = r->row_count > 0;
    node->position = found ? strtoull(db_value(r, 0, 0, NULL), NULL, 10) : 0;
    node->seeded = found && node->position == 0;
    bool inside = found && strtoull(db_value(r, 0, 1, NULL), NULL, 10) != 0, ok = true;
    if (node->seeded) ok = gtid_set_parse(slice_text(db_value(r, 0, 2, NULL)), &node->adopted, err);
    db_result_free(r);
    if (!ok) return err_context(err, "wolfcdc.position of node %s", node->name);
    return !inside || err_set(err, ERR_RETRY, "node %s stands within a transaction that is delivered in parts", node->name);
}

/* After wolfctl sink adopt each may have another part of what the log begins with: their own sinks leave that out, this one cannot. */
static bool adopted_alike(const struct leader *l, struct err *err)
{
    const struct lead_node *first = &l->nodes[0];
    for (size_t i = 1; i < l->count; i++) {
        const struct lead_node *n = &l->nodes[i];
        if (n->seeded != first->seeded || (n->seeded && !gtid_set_equal(&n->adopted, &first->adopted)))
            return err_set(err, ERR_RETRY, "the nodes were adopted at different places: their own sinks bring them to one");
    }
    return true;
}

bool lead_nodes_positions(struct leader *l, struct err *err)
{
    for (size_t i = 0; i < l->count; i++)
        if (!read_one(l, &l->nodes[i], err)) return false;
    return adopted_alike(l, err);
}

/* In one statement: the row that sink_adopt wrote has the key of the first one. */
static void put_position(struct leader *l, const struct lead_node *node, uint64_t lsn, const char *gtids, struct buf *sql)
{
    buf_clear(sql);
    buf_printf(sql, "%s INTO wolfcdc.position (log_uuid, sink, previous_lsn, last_lsn, begin_lsn, gtids) VALUES ('%s', '%s', %llu, %llu, 0, '%s')",
               node->seeded ? "REPLACE" : "INSERT", l->uuid, l->settings->position_name, (unsigned long long)node->position, (unsigned long long)lsn, gtids);
}

/* Nothing is committed before every node has taken all of it; then one after the other, and what that leaves undone the nodes' own sinks find. */
static bool send_direct(struct leader *l, uint32_t first, uint32_t last, struct err *err)
{
    struct lead_batch *b = &l->batch;
    for (size_t n = 0; n < l->count; n++)
        for (uint32_t i = first; i < last; i++)
            if (!db_send(l->nodes[n].db, DB_COM_QUERY, b->directs[i].sql, err)) return false;
    for (size_t n = 0; n < l->count; n++)
        for (uint32_t i = first; i < last; i++) {
            struct db_reply reply;
            const struct lead_direct *d = &b->directs[i];
            if (!lead_await(l, l->nodes[n].db, LEAD_READ_MS, err) || !db_reply(l->nodes[n].db, &reply, err))
                return err_context(err, "node %s, LSN %llu", l->nodes[n].name, (unsigned long long)d->lsn);
            if (reply.affected != 1 || (reply.warnings && !d->lenient))
                return err_set(err, ERR_RETRY, "node %s, LSN %llu: a change of %.*s met %llu rows, with %u warnings", l->nodes[n].name,
                               (unsigned long long)d->lsn, SLICE_ARG(d->table->sql.name), (unsigned long long)reply.affected, reply.warnings);
        }
    return true;
}

static bool open_transaction(struct leader *l, struct err *err)
{
    struct lead_batch *b = &l->batch;
    if (!b->direct_count) return true;
    if (!lead_nodes_exec(l, slice_text("START TRANSACTION"), err)) return false;
    for (uint32_t i = 0; i < b->direct_count; i += DIRECT_FLIGHT)
        if (!send_direct(l, i, i + DIRECT_FLIGHT < b->direct_count ? i + DIRECT_FLIGHT : b->direct_count, err)) return false;
    return true;
}

bool lead_nodes_store(struct leader *l, const struct sink_progress *progress, const struct gtid_set *set, struct err *err)
{
    char gtids[GTID_SET_TEXT_MAX];
    gtid_set_format(set, gtids);
    if (!open_transaction(l, err)) return false;
    for (size_t i = 0; i < l->count; i++) {
        put_position(l, &l->nodes[i], progress->lsn, gtids, &l->scratch);
        if (!db_send(l->nodes[i].db, DB_COM_QUERY, buf_bytes(&l->scratch), err)) return false;
    }
    for (size_t i = 0; i < l->count; i++)
        if (!lead_await(l, l->nodes[i].db, LEAD_READ_MS, err) || !db_reply(l->nodes[i].db, NULL, err))
            return err_context(err, "position row of node %s", l->nodes[i].name);
    if (l->batch.direct_count && !lead_nodes_exec(l, slice_text("COMMIT"), err)) return false;
    for (size_t i = 0; i < l->count; i++) {
        l->nodes[i].position = progress->lsn;
        l->nodes[i].seeded = false;
    }
    l->used_us = clock_us();
    return true;
}

/* ---- what was pushed ---- */

static bool note(struct leader *l, struct slice name, bool there, struct err *err)
{
    struct buf *sql = &l->scratch;
    buf_clear(sql);
    buf_text(sql, there ? "INSERT IGNORE INTO wolfcdc.pushed VALUES (" : "DELETE FROM wolfcdc.pushed WHERE (log_uuid, sink, name)=(");
    buf_printf(sql, "'%s', '%s', ", l->uuid, l->settings->position_name);
    if (name.size) {
        buf_text(sql, "_utf8mb4");
        db_quote(sql, name);
    } else buf_text(sql, "''");
    buf_u8(sql, ')');
    return lead_nodes_exec(l, buf_bytes(sql), err);
}

bool lead_nodes_register_name(struct leader *l, struct slice database, struct slice table, struct err *err)
{
    struct buf name;
    buf_init(&name, 2048);
    buf_slice(&name, database);
    buf_u8(&name, '.');
    buf_slice(&name, table);
    bool ok = note(l, buf_bytes(&name), true, err);
    buf_fini(&name);
    return ok;
}

bool lead_nodes_register(struct leader *l, struct lead_table *table, struct err *err)
{
    const struct target_table *t = table->plan->target;
    if (!table->registered) table->registered = lead_nodes_register_name(l, t->database, t->name, err);
    return table->registered;
}

bool lead_nodes_note_open(struct leader *l, bool open, struct err *err)
{
    if (l->open_noted == open) return true;
    if (!note(l, (struct slice){NULL, 0}, open, err)) return false;
    l->open_noted = open;
    return true;
}

static void add_name(struct strings *tables, const char *name)
{
    for (size_t i = 0; i < tables->count; i++)
        if (strcmp(tables->items[i], name) == 0) return;
    tables->items = reallocarray(tables->items, tables->count + 1, sizeof *tables->items);
    if (!tables->items || !(tables->items[tables->count++] = strdup(name))) abort();
}

bool lead_nodes_left(struct leader *l, bool *open, struct strings *tables, struct err *err)
{
    *open = false;
    *tables = (struct strings){0};
    for (size_t i = 0; i < l->count; i++) {
        struct db_result *r;
        if (!db_query(l->nodes[i].db, &r, err, "SELECT name FROM wolfcdc.pushed WHERE log_uuid='%s' AND sink='%s'", l->uuid, l->settings->position_name))
            return false;
        for (uint64_t row = 0; row < r->row_count; row++) {
            const char *name = db_value(r, row, 0, NULL);
            if (*name) add_name(tables, name);
            else *open = true;
        }
        db_result_free(r);
    }
    return true;
}

/* ---- rest ---- */

/* As the nodes' own sinks do: late, and never the newest. */
static bool prune(struct leader *l, struct err *err)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < l->count; i++)
        if (l->nodes[i].position < least) least = l->nodes[i].position;
    buf_clear(&l->scratch);
    buf_printf(&l->scratch, "DELETE FROM wolfcdc.position WHERE log_uuid='%s' AND sink='%s' AND last_lsn<%llu AND "
               "committed_at<CURRENT_TIMESTAMP(6)-INTERVAL 10 MINUTE ORDER BY previous_lsn LIMIT 50000", l->uuid, l->settings->position_name,
               (unsigned long long)least);
    return lead_nodes_exec(l, buf_bytes(&l->scratch), err);
}

bool lead_nodes_tend(struct leader *l, struct err *err)
{
    uint64_t now = clock_us();
    if (now - l->pruned_us > PRUNE_US) {
        l->pruned_us = now;
        return prune(l, err);
    }
    return now - l->used_us < PING_US || lead_nodes_exec(l, slice_text("DO 1"), err);
}
