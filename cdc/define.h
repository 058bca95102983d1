/*
 * define.h: CREATE TABLE and ALTER TABLE into definitions. Private to definition.h's files.
 */
#ifndef WOLFCDC_DEFINE_H
#define WOLFCDC_DEFINE_H
#include "definition.h"
#include "token.h"

enum { DEFINE_NAME_MAX = 64 * 4 + 1 };

/* A name as UTF-8, without quotes. False: not one, too long, or not valid in the charset. */
MUST_CHECK bool define_name(const struct token *token, uint16_t charset, char name[DEFINE_NAME_MAX]);
/* Stands behind the table's name: "(…) options". NULL: it cannot be told what it defines; *t then stands where reading ended. */
struct definition *define_create(struct tokens *t, uint16_t charset, const char *database, const char *name);
/* Stands behind the table's name in ALTER TABLE. A new definition, of *database and *name where it renames (else they are left). NULL: what it
   becomes cannot be told. */
struct definition *define_alter(struct tokens *t, uint16_t charset, const struct definition *old, char database[DEFINE_NAME_MAX],
                                char name[DEFINE_NAME_MAX]);
/* A copy under another name. */
struct definition *define_copy(const struct definition *old, const char *database, const char *name);

#endif
