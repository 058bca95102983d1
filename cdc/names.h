/*
 * names.h: names of databases and tables as their server compares them: byte by byte, or without regard to case (lower_case_table_names, with which a map has
 * `orders` where a statement may say Orders). Source: MariaDB and MySQL manuals, "Identifier Case Sensitivity".
 */
#ifndef WOLFCDC_NAMES_H
#define WOLFCDC_NAMES_H
#include "slice.h"

/* UTF-8. */
bool names_equal(struct slice a, struct slice b, bool fold);
/* In place, as a server with lower_case_table_names=1 keeps it; what would become longer or shorter stays. */
void names_lower(uint8_t *name, size_t size);
/* Equal names have equal numbers, folded or not. Goes on from `hash`. */
uint32_t names_hash(struct slice name, uint32_t hash);

#endif
