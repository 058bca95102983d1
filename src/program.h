/* program.h: what both programs share: exit codes and the place of the configuration. */
#ifndef WOLFCDC_PROGRAM_H
#define WOLFCDC_PROGRAM_H

enum program_exit {
    PROGRAM_DONE = 0,
    PROGRAM_UNMET = 1,       /* condition not met, timed out, cannot go on */
    PROGRAM_USAGE = 2,       /* command line or configuration */
    PROGRAM_UNREACHABLE = 3, /* agent or server */
};

#define PROGRAM_CONFIG "/etc/wolfcdc/wolfcdc.toml"
#define PROGRAM_SOCKET "/run/wolfcdc/control.sock"

#endif
