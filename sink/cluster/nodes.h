/*
 * nodes.h: what the nodes of a WolfScale cluster say of themselves over HTTP, and what follows from it. Reading the answers and judging
 * them are pure functions (node_read.c, nodes.c); asking is node_poll's work. Source: what a running 5.5.7 cluster answers.
 *
 * A node speaks for itself in /status and /stats and of the others in /cluster. None of it is proof: `/health` is a constant, an isolated
 * leader still counts a quorum, a leader's own last_applied_lsn is stale. So a *leader* is only the node that says is_leader, names
 * itself as leader_id, and that every other node which answers names too.
 */
#ifndef WOLFCDC_NODES_H
#define WOLFCDC_NODES_H
#include "buf.h"
#include "err.h"

enum {
    NODES_MAX = 16,
    NODE_PEERS_MAX = 32,      /* entries of one node's /cluster: with the synthetic "peer-…" of nodes that it has not heard */
    NODE_ID_MAX = 128,
    NODE_HOST_MAX = 256,
    NODE_PORT_API = 8080, NODE_PORT_PROXY = 8007, NODE_PORT_DB = 3306,
    NODE_PATIENCE_MS = 10000, /* a healthy idle leader was seen to take 4.7 s */
    NODE_POLL_MS = 300,
    NODE_ANSWER_MAX = 4 << 20,
    NODE_GONE_MS = 6000,      /* without any answer */
    NODE_FLIPS = 3,           /* other leaders named within NODE_FLIP_MS: two leaders */
    NODE_FLIP_MS = 5000,
    NODE_LAG_MS = 5000        /* its LSN stands while the leader's is ahead: lagging */
};

/* Where a node is. Names and addresses are the configuration's; borrowed. */
struct node_address { const char *host; unsigned port, api_port, proxy_port; };

/* What a node says of another (or of itself) in /cluster. */
struct node_peer {
    char id[NODE_ID_MAX], address[NODE_ID_MAX]; /* address: "host:7654", of the cluster protocol */
    char status[24], role[24];
    uint64_t lsn;
};

/* Why a round brought nothing. REFUSED is known at once: nothing listens there, or the way to it is shut. MUTE: silence. NONSENSE: bytes
   that no node says. */
enum node_trouble { NODE_FINE, NODE_REFUSED, NODE_MUTE, NODE_NONSENSE };

/* One node's latest answers. */
struct node_answer {
    uint64_t since_us;        /* clock_us() when it was asked for the first time; 0: not yet */
    bool asked;               /* at least one round is over */
    bool reached;             /* the last round was answered, whole and readable */
    uint64_t answered_us;     /* clock_us() of the last good round; 0: never */
    uint32_t took_ms;         /* of that round */
    enum node_trouble trouble; /* of the last round */
    char problem[200];        /* of the last round, when it was not good: "answers HTML instead of JSON", "connection refused" … */
    char ip[64];              /* what the name resolved to, in the last good round; "" not known */
    char id[NODE_ID_MAX], leader_id[NODE_ID_MAX]; /* leader_id "": names none */
    bool is_leader;
    uint64_t applied_lsn;     /* /status last_applied_lsn: a follower's own word */
    uint64_t current_lsn;     /* /stats current_lsn: on a leader, its log's end; on a follower its last applied */
    size_t peer_count;
    struct node_peer peers[NODE_PEERS_MAX];
    /* history, kept by node_note */
    char led_by[NODE_ID_MAX]; /* the last leader that it named; naming none does not change it */
    char led_before[NODE_ID_MAX]; /* and the one before that */
    uint64_t flips_us[NODE_FLIPS];   /* when it named another than before, newest first */
    uint64_t lsn_max, moved_us;      /* greatest LSN seen, and when current_lsn last changed */
    uint64_t mark_us, mark_lsn, old_lsn; /* old_lsn: current_lsn as it was NODE_LAG_MS to twice that ago */
    uint64_t noted_lsn;       /* current_lsn of the round before */
    bool fell;                /* current_lsn went backwards in the last good round */
};

enum node_state { NODE_UNKNOWN, NODE_UP, NODE_LAGGING, NODE_GONE, NODE_FOREIGN, NODE_UNREADABLE, NODE_STATES };
enum cluster_state { CLUSTER_UNKNOWN, CLUSTER_LED, CLUSTER_LEADERLESS, CLUSTER_CHANGING, CLUSTER_SPLIT, CLUSTER_FOREIGN, CLUSTER_STATES };

struct nodes_verdict {
    enum cluster_state state;
    int leader;               /* index into the answers, or -1; only with CLUSTER_LED */
    bool whole;               /* every node answers, and is Active in the leader's table */
    bool ahead;               /* the leader's current_lsn has reached every other node's own LSN, also of those that no longer answer */
    char reason[400], remedy[300]; /* remedy "": nothing to do but wait, or nothing at all */
    /* A node that is up may have a reason too: what is odd about it. */
    struct { enum node_state state; char reason[240], remedy[200]; } nodes[NODES_MAX];
};

const char *node_state_name(enum node_state state);
const char *cluster_state_name(enum cluster_state state);

/* ---- pure ---- */

/* One document each, into `answer`; false: problem is written, nothing else of `answer` is changed. Impossible values (an LSN beyond u64,
   an id that is empty or too long, a wrong type) are refused by name. In this order: /stats of another id than /status is refused. */
MUST_CHECK bool node_read_status(struct slice json, struct node_answer *answer);
MUST_CHECK bool node_read_stats(struct slice json, struct node_answer *answer);
MUST_CHECK bool node_read_cluster(struct slice json, struct node_answer *answer);
/* How far the others are in a leader's own view: `followers` of its /stats, into id, lsn and status of the peers. */
MUST_CHECK bool node_read_followers(struct slice json, struct node_peer peers[NODE_PEERS_MAX], size_t *count);
/* After a round (good or not): keeps the history. A round that was not good has its trouble and problem set. */
void node_note(struct node_answer *answer, bool good, uint64_t now_us);
/* The answers of all nodes → what the cluster is. */
void nodes_judge(const struct node_address *addresses, const struct node_answer *answers, size_t count, uint64_t now_us,
                 struct nodes_verdict *verdict);
/* A node that answers as it should, or did within NODE_GONE_MS and has not been refused since: its answers count. */
bool node_heard(const struct node_answer *answer, uint64_t now_us);
/* Nodes that those which are heard have in their tables, but that are not among the addresses (by id or by host). Borrowed from the answers;
   each once; load balancers are none. Returns how many, at most room. */
size_t nodes_unlisted(const struct node_address *addresses, const struct node_answer *answers, size_t count, uint64_t now_us,
                      const struct node_peer **found, size_t room);
/* The host of "host:7654" or "[v6]:7654" into host; false: no such form, or it does not fit. */
bool node_peer_host(const struct node_peer *peer, char *host, size_t room);
/* A node that another has in its configuration but has not heard yet is listed under a made-up id, "peer-…", with its address. */
bool node_peer_made_up(const struct node_peer *peer);

/* ---- asking ---- */

struct node_poll; /* one libcurl multi handle; one thread */
/* The addresses are copied. count <= NODES_MAX. */
struct node_poll *node_poll_new(const struct node_address *nodes, size_t count);
void node_poll_free(struct node_poll *poll);
/* One more behind them, of those that answers[] then has to be long for. Copied. */
void node_poll_add(struct node_poll *poll, const struct node_address *node);
/* No longer asked, or again. */
void node_poll_rest(struct node_poll *poll, size_t node, bool rest);
/* Drives the requests for at most wait_ms. A node's next round begins NODE_POLL_MS after its last; a slow one does not hold the others.
   True, and back at once, when some answer changed. answers[] is count long and starts as zeros, filled in as rounds end. */
bool node_poll_step(struct node_poll *poll, struct node_answer *answers, uint32_t wait_ms);
/* "http://host:8080", "host" or "host:port" of a node's API taken apart. ERR_CONFIG. */
MUST_CHECK bool node_endpoint(const char *endpoint, char *host, size_t room, unsigned *port, struct err *err);
/* One round of one node, waiting at most NODE_PATIENCE_MS: for wolfctl. ERR_RETRY: not reached; ERR_CORRUPT: nonsense. */
MUST_CHECK bool node_ask(const struct node_address *node, struct node_answer *answer, struct err *err);
/* One document of it as it is ("/stats"), appended to body. Errors as node_ask. */
MUST_CHECK bool node_fetch(const struct node_address *node, const char *path, struct buf *body, struct err *err);

#endif
