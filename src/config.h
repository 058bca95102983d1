/*
 * config.h: what config.c, secret.c, the manual maker and the tests share about the configuration. The public face is settings.h.
 */
#ifndef WOLFCDC_CONFIG_H
#define WOLFCDC_CONFIG_H
#include "settings.h"

enum config_type { CONFIG_TEXT, CONFIG_PATH, CONFIG_SECRET, CONFIG_WORD, CONFIG_CHOICE, CONFIG_NUMBER, CONFIG_BOOL, CONFIG_LIST, CONFIG_NODES };
enum { CONFIG_FILE_MAX = 1024 * 1024, CONFIG_SECRET_MAX = 4096 };

struct config_key {
    const char *section, *name;
    enum config_type type;
    size_t offset, size;       /* of the field in the section's struct */
    const char *initial;       /* default as text, or NULL */
    uint64_t min, max;
    const char *allowed, *help; /* words "a|b", or the unit */
};
struct config_section {
    const char *name;
    size_t offset, size;       /* in struct settings; the sinks: of one */
    const char *help;
};
extern const struct config_key config_keys[];
extern const size_t config_key_count;
extern const struct config_section config_sections[];
extern const size_t config_section_count;

/* "a number, 1 to 65535", for messages and the manual. */
void config_allowed(const struct config_key *key, char *text, size_t room);
/* `wolfcdc --help-config`. */
void config_help(struct buf *out);

/* Problems are gathered, one a line; ERR_CONFIG once there is one. */
struct problems {
    const char *file;
    size_t count;
    struct err *err;
};
void problem(struct problems *problems, unsigned line, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A section being read: where its struct is, and the line of each key that the file has (0: not there). */
enum { CONFIG_KEYS_MAX = 160, CONFIG_SHOWN_MAX = 120 /* bytes of a wrong value */ };
struct instance {
    const struct config_section *section;
    char *base;
    unsigned line, lines[CONFIG_KEYS_MAX];
};
struct reading { /* one file */
    struct problems problems;
    struct settings *settings;
    size_t count;
    struct instance instances[SINKS_MAX + 8];
};
struct instance *instance_of(struct reading *in, const char *section, size_t index);
/* Line of a key in the file, 0 when it is not there. */
unsigned line_of(const struct instance *instance, const char *name);
/* The rules that join several keys; problems are added to those there are. */
void rules_check(struct reading *in);

/* Where a server's keys stand in the file. */
struct secret_lines {
    unsigned section, password_file, defaults_file;
};
/* Fills in the password from password_file, defaults_file, environment, systemd credential: first found counts. `name`:
   "source" or "sink-NAME". */
void secrets_read(struct settings *settings, struct server_settings *server, const char *name,
                  const struct secret_lines *lines, struct problems *problems);
/* A configuration that holds a password itself and that others can read: a warning in the log. */
void secrets_warn(const struct settings *settings);
/* First line of a file of at most CONFIG_SECRET_MAX bytes. Warns when others can read it. */
MUST_CHECK bool secret_file(const char *path, char text[CONFIG_SECRET_MAX], struct err *err);

#endif
