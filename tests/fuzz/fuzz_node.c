/* fuzz_node.c: any bytes as a node's /status, /stats and /cluster: taken, or refused with a problem and nothing changed; and what is taken
   can be judged. */
#include <assert.h>
#include <string.h>

#include "nodes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool (*const readers[])(struct slice json, struct node_answer *answer) = {node_read_status, node_read_stats, node_read_cluster};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct node_address addresses[2] = {{"10.9.0.1", 3306, 8080, 8007}, {"10.9.0.2", 3306, 8080, 8007}};
    static struct node_answer answers[2], before;
    struct nodes_verdict verdict;
    const struct node_peer *found[NODE_PEERS_MAX];
    memset(answers, 0, sizeof answers);
    strcpy(answers[1].id, "node-2");
    strcpy(answers[1].leader_id, "node-1");
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        before = answers[0];
        if (readers[i](slice_of(data, size), &answers[0])) continue;
        assert(*answers[0].problem && memchr(answers[0].problem, 0, sizeof answers[0].problem));
        memcpy(before.problem, answers[0].problem, sizeof before.problem);
        assert(!memcmp(&before, &answers[0], sizeof before));
    }
    node_note(&answers[0], true, 1);
    node_note(&answers[1], true, 1);
    nodes_judge(addresses, answers, 2, 2, &verdict);
    nodes_unlisted(addresses, answers, 2, 2, found, NODE_PEERS_MAX);
    static struct node_peer peers[NODE_PEERS_MAX];
    size_t count = 0;
    if (node_read_followers(slice_of(data, size), peers, &count)) assert(count <= NODE_PEERS_MAX);
    return 0;
}
