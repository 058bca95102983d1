/*
 * command.h: wolfctl's commands: one table (commands.def), one function each. The options are read once, for all of them.
 */
#ifndef WOLFCDC_COMMAND_H
#define WOLFCDC_COMMAND_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "client.h"

#define PASS "…" /* the arguments are the command's own */

struct call { /* one invocation */
    const char *socket, *config, *sink, *gtid, *timeout, *from, *endpoint;
    bool json, yes, dry_run, watch;
    int count;   /* arguments after the words */
    char **args;
};
typedef int command_fn(struct call *call); /* returns an exit code: program.h */

struct command {
    const char *words;
    command_fn *run;
    const char *arguments, *options, *help;
};
extern const struct command commands[];
extern const size_t command_count;

struct command_option {
    char letter;
    const char *name, *argument, *help; /* argument NULL: none */
};
extern const struct command_option command_options[];
extern const size_t command_option_count;

/* The part of argv that is a command's own: argv[0] is its words. Returns an exit code. */
int walctl_main(int argc, char **argv);
int setup_main(int argc, char **argv);
int decode_main(int argc, char **argv);
/* `wolfctl nodes …`, in nodesctl.c. */
int nodes_list(const struct call *call);
int nodes_verify(const struct call *call);
int nodes_repair(const struct call *call);
int nodes_seed(const struct call *call);
/* `wolfctl … --endpoint URL`: a WolfScale node instead of the agent. */
int endpoint_list(const struct call *call);
int endpoint_status(const struct call *call);
int endpoint_stats(const struct call *call);
int endpoint_reset(const struct call *call);
int endpoint_migrate(const struct call *call);
/* `wolfctl schema …`, in schemactl.c: what GET /schema answered, as SQL; a file's definition of a table as one statement (owned, free), or NULL
   and what is wrong with it. */
bool schema_print(FILE *out, struct slice json);
char *schema_of_file(const char *table, const char *path, struct err *err);
/* `wolfctl sink adopt`, in adopt.c. */
int adopt_run(struct call *call);
/* Before something that cannot be taken back: true when the operator agreed. Else *status is the exit code. In confirm.c. */
bool command_confirm(const struct call *call, const char *what, int *status);

#endif
