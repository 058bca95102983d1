/*
 * token.h: SQL text into tokens, as the server's lexer cuts it. Borrowed from the text.
 */
#ifndef WOLFCDC_TOKEN_H
#define WOLFCDC_TOKEN_H
#include "slice.h"

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_NAME /* quoted */, TOKEN_STRING, TOKEN_SIGN };

struct token {
    enum token_kind kind;
    uint8_t quote;     /* NAME, STRING */
    struct slice text; /* without quotes, doubled quotes left as they are; SIGN: one byte */
};

struct tokens {
    const uint8_t *at, *end;
    struct token now;
    unsigned depth;    /* open executable comments */
    uint32_t version;
    bool mysql;
    bool ansi_quotes, no_backslash;
    uint8_t (*lead)(uint8_t byte); /* the charset's double bytes; NULL: none that matter */
};

struct ddl_session { /* how the text is to be read */
    uint64_t sql_mode;
    uint16_t charset_client; /* a collation's id; 0: unknown, taken as UTF-8 */
    uint32_t version;        /* 101119 for 10.11.19: which executable comments were executed; 0: all */
    bool mysql;              /* a MySQL server's: its own executable comments were executed, those of MariaDB alone were not */
};
/* Stands on the first token. */
struct tokens tokens_of(struct slice text, const struct ddl_session *session);
void tokens_next(struct tokens *t);
/* The current token is this word (unquoted, any case). */
bool tokens_is(const struct tokens *t, const char *word);
bool tokens_is_sign(const struct tokens *t, char sign);
/* Steps over the word if it is there. */
bool tokens_skip(struct tokens *t, const char *word);
bool tokens_skip_sign(struct tokens *t, char sign);

#endif
