/*
 * foreign.c: see foreign.h. The text is cut into tokens as the source cut it, and once more as the target will: a token that only one of them sees stands in an
 * executable comment of the other. The rules replace or drop tokens; all between them stays as it was written.
 *
 * There is a rule only where both mean exactly the same, or where the words say how and not what (ALGORITHM, WAIT). Collations that sort by other versions
 * of Unicode's tables are not the same: whether they will do is for the operator to say (ddl_map).
 */
#include "foreign.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "token.h"

struct mapping {
    const struct statement *statement;
    struct tokens t;          /* as the source reads it */
    struct token before;      /* the token before that */
    const uint8_t *copied;    /* the text up to here is in *out, or was left out */
    struct buf *out;
    struct foreign *result;
    const struct strings *own;
    unsigned depth;           /* of brackets */
    bool in_index;            /* within what defines an index */
    bool in_change;           /* the item at hand is ALTER's ADD or ALTER, the next word says of what */
};

/* ---- tokens ---- */

static const uint8_t *begin_of(const struct token *token) { return token->text.data - (token->quote ? 1 : 0); }
static const uint8_t *end_of(const struct token *token) { return slice_end(token->text) + (token->quote ? 1 : 0); }

static bool text_is(const struct token *token, const char *word)
{
    return token->text.size == strlen(word) && !strncasecmp((const char *)token->text.data, word, token->text.size);
}

static bool word_is(const struct token *token, const char *word) { return token->kind == TOKEN_WORD && text_is(token, word); }
static bool sign_is(const struct token *token, char sign) { return token->kind == TOKEN_SIGN && token->text.data[0] == (uint8_t)sign; }

static bool is_one_of(const struct token *token, const char *const *words)
{
    for (; *words; words++)
        if (word_is(token, *words)) return true;
    return false;
}

/* From the current token up to `to`, which is not part of it, something else. */
static void replace(struct mapping *m, const uint8_t *from, const uint8_t *to, const char *with, const char *rule)
{
    size_t used = strlen(m->result->what);
    buf_put(m->out, m->copied, (size_t)(from - m->copied));
    buf_text(m->out, with);
    m->copied = to;
    m->result->mapped = true;
    if (!strstr(m->result->what, rule))
        snprintf(m->result->what + used, sizeof m->result->what - used, "%s%s", used ? ", " : "", rule);
}

/* ---- rules: true when the tokens up to m->t are dealt with ---- */

typedef bool rule_fn(struct mapping *m);

static void replace_word(struct mapping *m, const char *with, const char *rule)
{
    replace(m, begin_of(&m->t.now), end_of(&m->t.now), with, rule);
    tokens_next(&m->t);
}

static bool after_collate(const struct mapping *m) { return word_is(&m->before, "COLLATE"); }

static bool same_collation(struct mapping *m)
{
    static const char *const pairs[][2] = {{"utf8mb4_0900_bin", "utf8mb4_nopad_bin"}}; /* by code point, without padding */
    bool from_mysql = m->statement->flavour.size != 0;
    for (size_t i = 0; after_collate(m) && i < sizeof pairs / sizeof *pairs; i++)
        if (text_is(&m->t.now, pairs[i][!from_mysql])) {
            replace_word(m, pairs[i][from_mysql], "COLLATE");
            return true;
        }
    return false;
}

/* [DEFAULT] ENCRYPTION [=] 'N': as if it were not there. */
static bool not_encrypted(struct mapping *m)
{
    struct tokens t = m->t;
    const uint8_t *from = begin_of(&t.now);
    tokens_skip(&t, "DEFAULT");
    if (!tokens_skip(&t, "ENCRYPTION")) return false;
    tokens_skip_sign(&t, '=');
    if (t.now.kind != TOKEN_STRING || !text_is(&t.now, "N")) return false;
    replace(m, from, end_of(&t.now), "", "ENCRYPTION");
    tokens_next(&t);
    m->t = t;
    return true;
}

static bool collection(struct mapping *m)
{
    if (!word_is(&m->t.now, "GEOMCOLLECTION")) return false;
    replace_word(m, "GEOMETRYCOLLECTION", "GEOMCOLLECTION");
    return true;
}

static bool hidden_index(struct mapping *m)
{
    bool hidden = word_is(&m->t.now, "INVISIBLE");
    if (!m->in_index || (!hidden && !word_is(&m->t.now, "VISIBLE"))) return false;
    replace_word(m, hidden ? "IGNORED" : "NOT IGNORED", hidden ? "INVISIBLE" : "VISIBLE");
    return true;
}

static bool ignored_index(struct mapping *m)
{
    struct tokens t = m->t;
    const uint8_t *from = begin_of(&t.now);
    bool shown = tokens_skip(&t, "NOT");
    if (!m->in_index || !word_is(&t.now, "IGNORED")) return false;
    replace(m, from, end_of(&t.now), shown ? "VISIBLE" : "INVISIBLE", "IGNORED");
    tokens_next(&t);
    m->t = t;
    return true;
}

static bool changes_in_place(const struct statement *s)
{
    return s->kind == STATEMENT_ALTER_TABLE || s->kind == STATEMENT_CREATE_INDEX || s->kind == STATEMENT_DROP_INDEX;
}

/* ALGORITHM [=] INSTANT, LOCK [=] NONE, with the comma on one side of it. */
static bool way_of_work(struct mapping *m)
{
    struct tokens t = m->t;
    const uint8_t *from = begin_of(&t.now);
    bool comma = sign_is(&m->before, ',');
    if (m->depth || !changes_in_place(m->statement) || !(tokens_skip(&t, "ALGORITHM") || tokens_skip(&t, "LOCK"))) return false;
    bool equals = tokens_skip_sign(&t, '=');
    if (t.now.kind != TOKEN_WORD || (!comma && !equals)) return false;
    const uint8_t *to = end_of(&t.now);
    tokens_next(&t);
    if (comma) {
        from = begin_of(&m->before);
    } else if (sign_is(&t.now, ',')) {
        to = end_of(&t.now);
        tokens_next(&t);
    }
    if (from < m->copied) from = m->copied; /* a second one behind a comma that the first has taken */
    replace(m, from, to, "", "ALGORITHM");
    m->t = t;
    return true;
}

static bool compressed_column(struct mapping *m)
{
    static const char *const types[] = {"TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", NULL};
    struct tokens t = m->t;
    if (!sign_is(&m->before, ')') && !is_one_of(&m->before, types)) return false;
    const uint8_t *from = begin_of(&t.now), *to = end_of(&t.now);
    if (!tokens_skip(&t, "COMPRESSED")) return false;
    if (tokens_skip_sign(&t, '=')) {
        to = end_of(&t.now);
        tokens_next(&t);
    }
    replace(m, from, to, "", "COMPRESSED");
    m->t = t;
    return true;
}

static bool persistent(struct mapping *m)
{
    if (!sign_is(&m->before, ')') || !word_is(&m->t.now, "PERSISTENT")) return false;
    replace_word(m, "STORED", "PERSISTENT");
    return true;
}

static bool is_number(const struct token *token)
{
    for (size_t i = 0; i < token->text.size; i++)
        if (token->text.data[i] < '0' || token->text.data[i] > '9') return false;
    return token->kind == TOKEN_WORD;
}

/* WAIT 5, NOWAIT: for how long locks are waited for. */
static bool patience(struct mapping *m)
{
    struct tokens t = m->t;
    const uint8_t *from = begin_of(&t.now), *to = end_of(&t.now);
    if (m->depth || sign_is(&m->before, '.')) return false;
    if (tokens_skip(&t, "WAIT")) {
        if (!is_number(&t.now)) return false;
        to = end_of(&t.now);
        tokens_next(&t);
    } else if (!tokens_skip(&t, "NOWAIT")) {
        return false;
    }
    replace(m, from, to, "", "WAIT");
    m->t = t;
    return true;
}

/* The operator's own: a word, or a collation's name in quotes. */
static bool own_word(struct mapping *m)
{
    if (m->t.now.kind == TOKEN_END || sign_is(&m->before, '.') || (m->t.now.kind != TOKEN_WORD && !after_collate(m))) return false;
    for (size_t i = 0; m->own && i < m->own->count; i++) {
        const char *word = m->own->items[i], *to = strchr(word, '=');
        if (!to || m->t.now.text.size != (size_t)(to - word) || strncasecmp((const char *)m->t.now.text.data, word, m->t.now.text.size)) continue;
        replace_word(m, to + 1, "ddl_map");
        return true;
    }
    return false;
}

enum { OF_MYSQL = 1, OF_MARIADB = 2 };
static const struct { unsigned from; rule_fn *apply; } rules[] = {
    {OF_MYSQL | OF_MARIADB, own_word}, {OF_MYSQL | OF_MARIADB, same_collation}, {OF_MYSQL | OF_MARIADB, way_of_work},
    {OF_MYSQL, not_encrypted}, {OF_MYSQL, collection}, {OF_MYSQL, hidden_index},
    {OF_MARIADB, ignored_index}, {OF_MARIADB, compressed_column}, {OF_MARIADB, persistent}, {OF_MARIADB, patience},
};

static bool apply_rules(struct mapping *m)
{
    unsigned from = m->statement->flavour.size ? OF_MYSQL : OF_MARIADB;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].from & from && rules[i].apply(m)) return true;
    return false;
}

/* ---- where in the statement we are ---- */

static const char *const index_words[] = {"INDEX", "KEY", "UNIQUE", "PRIMARY", "FULLTEXT", "SPATIAL", "CONSTRAINT", NULL};

/* The items of CREATE TABLE are in its first brackets, those of ALTER TABLE in none. */
static void follow(struct mapping *m)
{
    static const char *const changes[] = {"ADD", "ALTER", NULL};
    const struct token *now = &m->t.now;
    unsigned base = m->statement->kind == STATEMENT_ALTER_TABLE ? 0 : 1;
    bool begins = m->depth == base && (sign_is(&m->before, ',') || (base && sign_is(&m->before, '(')));
    if (begins || m->in_change) m->in_index = is_one_of(now, index_words);
    m->in_change = !base && m->depth == base && is_one_of(now, changes);
    if (m->statement->kind == STATEMENT_CREATE_INDEX) m->in_index = true;
    if (sign_is(now, '(')) m->depth++;
    if (sign_is(now, ')') && m->depth) m->depth--;
}

/* Steps over the token: the target must see it as well. `theirs` is the target's reading, which follows. */
static void keep(struct mapping *m, struct tokens *theirs)
{
    const struct token *now = &m->t.now;
    while (theirs->now.kind != TOKEN_END && theirs->now.text.data < now->text.data) tokens_next(theirs);
    if (!m->result->passed_over && theirs->now.text.data != now->text.data) {
        m->result->passed_over = true;
        snprintf(m->result->what, sizeof m->result->what, "%.*s", now->text.size < 100 ? (int)now->text.size : 100, (const char *)now->text.data);
    }
    follow(m);
    if (!sign_is(now, '=') || !after_collate(m)) m->before = *now; /* COLLATE=x */
    tokens_next(&m->t);
}

/* A word that only the target sees, or that stands between two that both see. */
static void look_for_more(struct slice text, struct ddl_session ours, struct ddl_session theirs, struct foreign *result)
{
    struct tokens a = tokens_of(text, &theirs), b = tokens_of(text, &ours);
    while (!result->passed_over && a.now.kind != TOKEN_END) {
        while (b.now.kind != TOKEN_END && b.now.text.data < a.now.text.data) tokens_next(&b);
        if (b.now.kind == TOKEN_END || b.now.text.data != a.now.text.data) {
            result->passed_over = true;
            snprintf(result->what, sizeof result->what, "%.*s", a.now.text.size < 100 ? (int)a.now.text.size : 100, (const char *)a.now.text.data);
        }
        tokens_next(&a);
    }
}

void foreign_map(const struct statement *s, const struct foreign_target *target, const struct strings *own, struct buf *out, struct foreign *result)
{
    struct ddl_session ours = {.sql_mode = s->sql_mode, .charset_client = s->charset_client, .mysql = s->flavour.size != 0}, theirs = ours;
    theirs.mysql = target->mysql;
    theirs.version = target->version;
    *result = (struct foreign){0};
    struct tokens seen = tokens_of(s->text, &theirs);
    struct mapping m = {.statement = s, .t = tokens_of(s->text, &ours), .copied = s->text.data, .out = out, .result = result, .own = own};
    while (m.t.now.kind != TOKEN_END) {
        struct token last = m.t.now;
        if (apply_rules(&m)) m.before = last;
        else keep(&m, &seen);
    }
    buf_put(out, m.copied, (size_t)(slice_end(s->text) - m.copied));
    look_for_more(s->text, ours, theirs, result);
}

bool foreign_refused(unsigned number)
{
    /* syntax, character set, engine, collation, not supported, variable, key lengths, KEY parts that are NULL, spatial index, option, generated column,
       ALGORITHM and LOCK, type, functional index */
    static const unsigned numbers[] = {1064, 1115, 1286, 1273, 1235, 1193, 1170, 1171, 1252, 1253, 1911, 1901, 1845, 1846, 1478, 4161, 1128, 3757, 3758, 3759, 3761, 3762};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i] == number) return true;
    return false;
}

bool foreign_word_is_valid(const char *text)
{
    const char *to = strchr(text, '=');
    for (const char *c = text; to && c < to; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_')) return false;
    return to && to > text;
}
