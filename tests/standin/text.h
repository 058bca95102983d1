/* text.h: what a node reads out of a statement's text. Pure. */
#ifndef STANDIN_TEXT_H
#define STANDIN_TEXT_H
#include "slice.h"

bool text_utf8(struct slice text);
/* The proxy's test: the first word behind blanks and comments (an executable comment is one, too) is a writing one. */
bool text_writes(struct slice sql);
/* A follower's cut at every ';' outside quotes and comments: `--` needs no blank, a backslash always escapes. Takes the next
   statement that is not empty off *in; false at the end. */
bool text_next(struct slice *in, struct slice *statement);
/* Whether a statement begins with these words, behind blanks and comments. */
bool text_begins(struct slice sql, const char *words);

#endif
