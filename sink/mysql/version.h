/*
 * version.h: rows of tables WITH SYSTEM VERSIONING. The source's log has what such a statement did to the rows that are stored, history among
 * them; a target keeps its history by itself, exactly so when the statement is said to it again at the same time:
 *
 *   the log has                                       said as
 *   INSERT of a row that is current                   INSERT at its row_start
 *   UPDATE of one, current afterwards, with a new     UPDATE at that, when the next change has told whether the source made a row of history
 *     row_start                                       of it, which ends there: then that is passed over, and the target must make one (its row_start
 *                                                     is earlier); else it must not
 *   UPDATE with the row_start it had                  UPDATE at that: it makes no row of history
 *   UPDATE that sets row_end                          DELETE at that time, of a row that is not younger
 *   DELETE of one (the clock was before its row_start)  DELETE at the earliest of all times
 *   INSERT of history, not made by an UPDATE          INSERT with system_versioning_insert_history, both columns given
 *   DELETE of history, rows of it                     one DELETE HISTORY BEFORE what follows the last of their row_ends, and the count of them
 *
 * So no row of history is lost where the target's row is another than the source's (it was copied without its history): it is "not there".
 */
#ifndef WOLFCDC_VERSION_H
#define WOLFCDC_VERSION_H
#include "plan.h"

enum version_act { VERSION_ROW, VERSION_OLD, VERSION_GONE }; /* a statement as any other; history inserted; history deleted */
struct version {
    enum version_act act;
    enum change_kind kind;
    enum shape_mode mode;
    uint64_t us;          /* VERSION_ROW: the session's time, 0: any. Else the row's end */
    bool waits;           /* for the next change: whether that is the row of history which ends at `us` */
};

/* Pure. ERR_UNSUPPORTED for what no statement does. */
MUST_CHECK bool version_read(const struct plan *plan, enum change_kind kind, const struct value *before, const struct value *after, struct version *version,
                             struct err *err);
/* DELETE HISTORY of what ended at `us` or earlier. */
void version_purge_sql(const struct plan *plan, uint64_t us, struct buf *sql);

#endif
