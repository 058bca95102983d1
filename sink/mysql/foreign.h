/*
 * foreign.h: a DDL statement in the words of another flavour than the target's: what of it the target has other words for that mean exactly the same, and
 * what it would pass over without a word. Pure.
 */
#ifndef WOLFCDC_FOREIGN_H
#define WOLFCDC_FOREIGN_H
#include "change.h"
#include "settings.h"

struct foreign_target { bool mysql; uint32_t version; /* 101119 for 10.11.19 */ };

struct foreign {
    bool mapped;            /* the text is another one now */
    bool passed_over;       /* the source executed words that the target takes for a comment, or the other way round */
    char what[200];         /* the words that were mapped; or the first that is passed over */
};

/* *out: the statement in the target's words, by the rules of this file and the operator's own ("word=word"). */
void foreign_map(const struct statement *statement, const struct foreign_target *target, const struct strings *own, struct buf *out, struct foreign *result);
/* Whether a server's error says that it does not know the words, or has no such thing; not that a table is there already, or is none. */
bool foreign_refused(unsigned number);
/* "word=word", of the operator's. */
bool foreign_word_is_valid(const char *text);

#endif
