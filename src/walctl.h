/* walctl.h: `wolfctl wal list|info|dump|verify|find`: options as parsed, and the parts of it. Works on the files alone, so
   on the log of a running agent as on a dead one. */
#ifndef WOLFCDC_WALCTL_H
#define WOLFCDC_WALCTL_H
#include "gtid.h"
#include "render.h"
#include "settings.h"

struct walctl {
    const char *dir, *config, *file;
    bool json, follow, quiet;
    uint64_t start_lsn, stop_lsn;   /* 0: not given */
    uint64_t start_us, stop_us;     /* wall clock; 0: not given */
    uint64_t pos;
    bool has_pos, has_gtid;
    struct gtid gtid;
    enum render_format format;
    struct strings tables;
    const char *patterns[PATTERNS_MAX];
    struct settings *settings;      /* NULL with --dir */
};

/* "2026-11-21 12:00:00", with T and Z if you like, UTC; a date alone; or seconds since 1970. */
MUST_CHECK bool walctl_time(const char *text, uint64_t *wall_us, struct err *err);
int walctl_dump(const struct walctl *options, struct err *err); /* an exit code; err is set unless PROGRAM_DONE */

#endif
