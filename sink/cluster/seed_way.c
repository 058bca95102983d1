/* seed_way.c: see seed_way.h. */
#include "seed_way.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const names[SEED_WAYS] = {[SEED_CATCH_UP] = "catch-up", [SEED_REPLAY] = "log", [SEED_COPY] = "copy", [SEED_REFUSED] = "none"};

const char *seed_way_name(enum seed_way way) { return names[way]; }

struct words { char *text; size_t room; };

static bool no(struct words *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool no(struct words *why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why->text, why->room, format, args);
    va_end(args);
    return false;
}

static bool may_catch_up(const struct seed_facts *f, struct words *why)
{
    if (!f->has_position) return no(why, "it has no position of this log");
    if (f->position + 1 < f->first)
        return no(why, "its position is LSN %llu and the log begins at %llu", (unsigned long long)f->position, (unsigned long long)f->first);
    if (f->position > f->written)
        return no(why, "its position is LSN %llu and the log ends at %llu", (unsigned long long)f->position, (unsigned long long)f->written);
    if (f->differs) return no(why, "its rows are known to differ");
    return !f->stuck || no(why, "its sink cannot go on with what it holds");
}

static enum seed_way say(enum seed_way way, char *why, size_t room, const char *text)
{
    snprintf(why, room, "%s", text);
    return way;
}

enum seed_way seed_way_choose(const struct seed_facts *f, char *why, size_t room)
{
    char first[160] = "";
    if (f->donor_named) return say(SEED_COPY, why, room, "that node was named");
    if (!f->proof) return say(f->log_named ? SEED_REFUSED : SEED_COPY, why, room, "proof = false: nothing would show that the log had brought all of it");
    if (may_catch_up(f, &(struct words){first, sizeof first})) {
        snprintf(why, room, "its position is LSN %llu, and the log holds all that follows", (unsigned long long)f->position);
        return SEED_CATCH_UP;
    }
    if (!f->log_named) return say(SEED_COPY, why, room, first);
    if (*f->not_whole) snprintf(why, room, "%s, and %s", first, f->not_whole);
    else snprintf(why, room, "%s, but the log holds everything since the source's first transaction", first);
    return *f->not_whole ? SEED_REFUSED : SEED_REPLAY;
}
