/*
 * cluster_parts.h: private to the cluster.
 *
 *   cluster.c   the watch, what is shown, nodes that come and go     orders.c   the operator's orders, one at a time
 */
#ifndef WOLFCDC_CLUSTER_PARTS_H
#define WOLFCDC_CLUSTER_PARTS_H
#include <stdatomic.h>

#include "finder.h"
#include "row_proof.h"
#include "sink_state.h"

enum { STEP_MS = 200, MIB = 1 << 20, ORDER_TEXT = sizeof ((struct node_status *)0)->order_text };

struct order { enum order_state state; enum node_order what; int from; char text[ORDER_TEXT]; };

/* The nodes that are, close together, as judges and finders want them. */
struct view {
    size_t count, slots[NODES_MAX];
    struct node_address addresses[NODES_MAX];
    struct node_answer answers[NODES_MAX];
};

struct cluster {
    struct sinks *sinks;
    const struct settings *all;
    const struct sink_settings *settings; /* of any part */
    struct wal *wal;
    struct sink *leader;
    struct proof *proof; /* NULL: off */
    pthread_t watch, orders;
    bool started;

    /* A node's slot is filled before count says so, and never another's. One that is gone (was forgotten) may come back to it. */
    atomic_size_t count;
    atomic_bool gone[NODES_MAX];
    struct sink *members[NODES_MAX];
    struct node_settings nodes[NODES_MAX];
    struct node_address addresses[NODES_MAX];

    /* the watch's own */
    struct node_poll *poll;
    struct finder *finder;
    struct node_answer heard[NODES_MAX];
    struct view view;
    struct nodes_verdict judged; /* of the view */
    uint64_t limits_us;
    bool let_go[NODES_MAX];

    pthread_mutex_t lock; /* what follows */
    pthread_cond_t wake;
    bool stop;
    uint64_t round;
    unsigned changes;     /* of which nodes there are */
    bool forget[NODES_MAX]; /* the watch is to begin with it anew */
    struct node_answer answers[NODES_MAX];
    struct nodes_verdict verdict;
    const char *way;
    char way_reason[400], way_remedy[300];
    struct order order[NODES_MAX];
};

static inline bool is_gone(struct cluster *c, size_t slot) { return atomic_load(&c->gone[slot]); }

/* cluster.c */
bool cluster_stopping(struct cluster *cluster);
struct server_settings cluster_node_server(const struct cluster *cluster, size_t node);

/* orders.c: the thread's function, its argument is the cluster. */
void *cluster_orders(void *cluster);
/* proof_say of what is done for a node: shown as its order's text. */
struct ordered { struct cluster *cluster; size_t node, donor; };
void ordered_say(void *ordered, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool ordered_stopping(void *ordered);

#endif
