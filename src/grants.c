/* grants.c: see grants.h. "GRANT SELECT, INSERT (a, b) ON `db`.* TO `user`@`host` …" */
#include "grants.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Whether the level after " ON " is *.* or the database's. */
static bool level_covers(const char *level, const char *database)
{
    char want[200];
    if (!strncmp(level, "*.* ", 4)) return true;
    if (!database) return false;
    if (!strncmp(level, "`%`.* ", 6)) return true;
    int n = snprintf(want, sizeof want, "`%s`.* ", database);
    return n > 0 && (size_t)n < sizeof want && !strncmp(level, want, (size_t)n);
}

static bool in_list(const char *name, size_t size, const char *privileges)
{
    if (size == strlen("ALL PRIVILEGES") && !strncasecmp(name, "ALL PRIVILEGES", size)) return true;
    for (const char *at = privileges; *at;) {
        size_t n = strcspn(at, "|");
        if (n == size && !strncasecmp(at, name, n)) return true;
        at += n + (at[n] == '|');
    }
    return false;
}

/* "`db`.* " */
static bool level_is_other(const char *level, const char *but)
{
    const char *end = strstr(level, "`.* ");
    size_t size = strlen(but);
    if (level[0] != '`' || !end) return false;
    return (size_t)(end - level - 1) != size || memcmp(level + 1, but, size);
}

static const char *level_of(const char *line)
{
    const char *on = strncmp(line, "GRANT ", 6) ? NULL : strstr(line, " ON ");
    return on ? on + 4 : NULL;
}

static bool line_gives(const char *line, const char *privileges)
{
    const char *on = strstr(line, " ON ");
    for (const char *at = line + 6; at < on;) {
        size_t size = strcspn(at, ",(");
        if (at + size > on) size = (size_t)(on - at);
        const char *next = at + size;
        while (size && at[size - 1] == ' ') size--;
        /* a privilege on some columns only does not count */
        bool columns = *next == '(';
        if (columns) {
            next = strchr(next, ')');
            if (!next) return false;
            next++;
        } else if (in_list(at, size, privileges)) {
            return true;
        }
        at = next + strspn(next, ", ");
    }
    return false;
}

bool grants_have(const char *const *lines, size_t count, const char *privileges, const char *database)
{
    for (size_t i = 0; i < count; i++) {
        const char *level = level_of(lines[i]);
        if (level && level_covers(level, database) && line_gives(lines[i], privileges)) return true;
    }
    return false;
}

bool grants_have_somewhere(const char *const *lines, size_t count, const char *privileges, const char *but)
{
    for (size_t i = 0; i < count; i++) {
        const char *level = level_of(lines[i]);
        if (level && level_is_other(level, but) && line_gives(lines[i], privileges)) return true;
    }
    return false;
}
