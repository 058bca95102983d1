/* proof.c: see proof.h. */
#include "proof.h"

static bool from_domain(const struct proof *proof, struct source_pos *from, struct err *err)
{
    if (proof->previous.seq) return gtid_set_put(&from->gtids, proof->previous, err);
    gtid_set_remove(&from->gtids, proof->gtid.domain);
    return true;
}

/* Its GTID is the place where it begins. */
static bool from_file(const struct proof *proof, struct source_pos *from, struct err *err)
{
    source_file_name(from->file, proof->gtid.server, from->file);
    from->offset = proof->gtid.seq;
    from->gtids.count = 0;
    return gtid_set_put(&from->gtids, proof->gtid, err);
}

bool proof_from(const struct proof *proof, const struct source_pos *after, struct source_pos *from, struct err *err)
{
    source_pos_copy(from, after);
    switch (proof->gtid.kind) {
    case GTID_MYSQL: return gtid_set_drop(&from->gtids, &proof->gtid, err);
    case GTID_FILE: return from_file(proof, from, err);
    case GTID_MARIADB: case GTID_KINDS: break;
    }
    return from_domain(proof, from, err);
}

bool proof_reached(const struct proof *proof, const struct gtid_set *end) { return gtid_set_has(end, &proof->gtid); }

/* Whether the log's last transaction may still come after this one: it is of another domain; or of MySQL, where a server may have had this one, which is not in
   the log yet, before ours. */
static bool may_follow(const struct gtid *log, const struct gtid *seen)
{
    return log->kind == GTID_MYSQL ? !gtid_equal(log, seen) : !gtid_same_stream(log, seen);
}

enum proof_verdict proof_take(struct proof *proof, const struct change *change, struct err *err)
{
    char log[GTID_TEXT_MAX], source[GTID_TEXT_MAX];
    if (change->kind != CHANGE_COMMIT) return PROOF_MORE;
    if (may_follow(&proof->gtid, &change->gtid)) {
        proof->skipped++;
        return PROOF_MORE;
    }
    gtid_format(&proof->gtid, log);
    gtid_format(&change->gtid, source);
    if (!gtid_equal(&proof->gtid, &change->gtid)) {
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
