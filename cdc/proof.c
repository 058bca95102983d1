/* proof.c: see proof.h. */
#include "proof.h"

bool proof_from(const struct proof *proof, const struct gtid_set *after, struct gtid_set *from, struct err *err)
{
    struct gtid_set set = *after;
    if (!proof->previous.seq) gtid_set_remove(&set, proof->gtid.domain);
    else if (!gtid_set_put(&set, proof->previous, err)) return false;
    *from = set;
    return true;
}

bool proof_reached(const struct proof *proof, const struct gtid_set *end)
{
    return gtid_set_get(end, proof->gtid.domain).seq >= proof->gtid.seq;
}

static bool same_gtid(const struct gtid *a, const struct gtid *b)
{
    return a->domain == b->domain && a->server == b->server && a->seq == b->seq;
}

enum proof_verdict proof_take(struct proof *proof, const struct change *change, struct err *err)
{
    char log[GTID_TEXT_MAX], source[GTID_TEXT_MAX];
    if (change->kind != CHANGE_COMMIT) return PROOF_MORE;
    if (change->gtid.domain != proof->gtid.domain) {
        proof->skipped++;
        return PROOF_MORE;
    }
    gtid_format(&proof->gtid, log);
    gtid_format(&change->gtid, source);
    if (!same_gtid(&proof->gtid, &change->gtid)) {
        err_set(err, ERR_STOP, "the log's last transaction is %s, the source has %s in its place", log, source);
        return PROOF_DIFFERENT;
    }
    if (change->commit->crc != proof->crc) {
        err_set(err, ERR_STOP, "transaction %s has other contents on the source than in the log (checksum %08x, in the log %08x)", log,
                change->commit->crc, proof->crc);
        return PROOF_DIFFERENT;
    }
    return PROOF_EQUAL;
}
