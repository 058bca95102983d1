/* confirm.c: what cannot be taken back is asked for: see command.h. */
#include <stdio.h>
#include <unistd.h>

#include "command.h"
#include "program.h"

bool command_confirm(const struct call *call, const char *what, int *status)
{
    char line[16];
    *status = PROGRAM_DONE;
    if (call->yes && !call->dry_run) return true;
    printf("%s\n", what);
    if (call->dry_run) {
        puts("Nothing was done (--dry-run).");
        return false;
    }
    *status = PROGRAM_USAGE;
    if (!isatty(STDIN_FILENO)) {
        fputs("wolfctl: this cannot be taken back: add --yes to do it, --dry-run to look\n", stderr);
        return false;
    }
    fputs("Do it? [y/N] ", stdout);
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y')) return true;
    puts("Nothing was done.");
    *status = PROGRAM_UNMET;
    return false;
}
