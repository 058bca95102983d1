/* randschema_define.c: tables of every type, key and character set that the server has, and what ALTER does to them. */
#include "randschema.h"

static bool mysql_since(unsigned version) { return !server.maria && server.version >= version; }
static bool own(void) { return !server.common; }

/* A name, mostly a plain one. */
static void put_name(char name[NAME_ROOM], char letter)
{
    static const char *const odd[] = {"é", " x", "-", "select", "Ж", "''", "日"};
    if (chance(88)) snprintf(name, NAME_ROOM, "%c%u", letter, serial);
    else snprintf(name, NAME_ROOM, "%c%s%u", letter, ONE_OF(odd), serial);
    serial++;
}

/* ---- types ---- */

static void put_charset(struct buf *sql)
{
    static const char *const both[] = {"utf8mb4 COLLATE utf8mb4_general_ci", "utf8mb4 COLLATE utf8mb4_bin", "utf8mb4 COLLATE utf8mb4_unicode_ci",
        "utf8mb4 COLLATE utf8mb4_swedish_ci", "latin1", "latin1 COLLATE latin1_bin", "latin1 COLLATE latin1_general_cs", "latin2", "ucs2", "utf16", "utf16le", "utf32",
        "cp1251", "koi8r", "sjis", "cp932", "ujis", "euckr", "gbk", "big5", "ascii", "utf8mb3", "greek", "tis620", "latin1 COLLATE latin1_german2_ci", "cp1250 COLLATE cp1250_czech_cs",
        "gb2312", "hebrew", "cp1256", "cp850", "dec8", "koi8u", "armscii8", "eucjpms", "latin5", "latin7", "cp866", "swe7", "macroman", "binary"};
    static const char *const maria_only[] = {"utf8mb4 COLLATE utf8mb4_nopad_bin", "utf8mb4 COLLATE utf8mb4_general_nopad_ci", "latin1 COLLATE latin1_swedish_nopad_ci",
        "utf8mb4 COLLATE utf8mb4_uca1400_ai_ci", "utf8mb4 COLLATE utf8mb4_uca1400_nopad_as_cs"};
    static const char *const mysql_only[] = {"utf8mb4 COLLATE utf8mb4_0900_ai_ci", "utf8mb4 COLLATE utf8mb4_0900_as_cs", "utf8mb4 COLLATE utf8mb4_0900_bin", "gb18030",
        "utf8mb4 COLLATE utf8mb4_ja_0900_as_cs"};
    if (chance(35)) return;
    buf_text(sql, " CHARACTER SET ");
    if (server.common || chance(80)) buf_text(sql, ONE_OF(both));
    else if (server.maria) buf_text(sql, ONE_OF(maria_only));
    else buf_text(sql, mysql_since(800) ? ONE_OF(mysql_only) : "utf8");
}

static void put_integer(struct buf *sql, bool for_key)
{
    static const char *const ints[] = {"TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT"};
    buf_printf(sql, "%s%s", ONE_OF(ints), chance(40) ? " UNSIGNED" : "");
    if (!for_key && chance(10)) buf_printf(sql, " NOT NULL DEFAULT %u", below(9));
    else if (!for_key && chance(4)) buf_text(sql, " ZEROFILL");
}

static void put_string(struct buf *sql, bool for_key)
{
    buf_printf(sql, "VARCHAR(%u)", 1 + below(for_key ? 40 : chance(10) ? 3000 : 300));
    put_charset(sql);
    if (!for_key && chance(10)) buf_text(sql, " DEFAULT 'd x'");
}

static void put_decimal(struct buf *sql)
{
    unsigned p = 1 + below(40);
    buf_printf(sql, "DECIMAL(%u,%u)", p, below(p < 30 ? p + 1 : 31));
}

static void put_real(struct buf *sql)
{
    static const char *const reals[] = {"FLOAT", "DOUBLE", "FLOAT(7,3)", "DOUBLE(20,5)", "FLOAT(30)"};
    buf_text(sql, ONE_OF(reals));
}

static void put_timestamp(struct buf *sql)
{
    unsigned fsp = below(7);
    if (chance(20)) buf_printf(sql, "TIMESTAMP(%u)", fsp); /* what that is, explicit_defaults_for_timestamp says */
    else if (chance(70)) buf_printf(sql, "TIMESTAMP(%u) NULL", fsp);
    else buf_printf(sql, "TIMESTAMP(%u) NOT NULL DEFAULT CURRENT_TIMESTAMP(%u) ON UPDATE CURRENT_TIMESTAMP(%u)", fsp, fsp, fsp);
}

/* What one flavour alone has; false: nothing. */
static bool put_own_type(struct buf *sql, bool for_key)
{
    if (!own() || chance(40)) return false;
    if (server.maria && for_key) buf_text(sql, chance(40) ? "UUID" : chance(50) && server.version >= 1010 ? "INET4" : "INET6");
    else if (server.maria && chance(70)) buf_printf(sql, "%s COMPRESSED", chance(50) ? "VARCHAR(500)" : chance(50) ? "TEXT" : "BLOB");
    else if (!for_key && (server.maria ? server.version >= 1107 : server.version >= 900)) buf_printf(sql, "VECTOR(%u)", 1 + below(8));
    else return false;
    return true;
}

static void put_type(struct buf *sql, bool for_key)
{
    static const char *const texts[] = {"TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"}, *const blobs[] = {"TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB"};
    static const char *const shapes[] = {"POINT", "LINESTRING", "POLYGON", "GEOMETRY", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"};
    unsigned fsp = below(7);
    switch (below(for_key ? 12 : 22)) {
    case 0: case 1: case 2: put_integer(sql, for_key); break;
    case 3: put_decimal(sql); break;
    case 4: buf_printf(sql, "DATETIME(%u)", fsp); break;
    case 5: buf_text(sql, chance(50) ? "DATE" : "YEAR"); break;
    case 6: buf_printf(sql, "TIME(%u)", fsp); break;
    case 7: case 8: put_string(sql, for_key); break;
    case 9: buf_printf(sql, "CHAR(%u)", 1 + below(40)), put_charset(sql); break;
    case 10: buf_printf(sql, "%s(%u)", chance(50) ? "BINARY" : "VARBINARY", 1 + below(for_key ? 40 : 255)); break;
    case 11:
        if (put_own_type(sql, true)) break;
        buf_text(sql, chance(50) ? "ENUM('a','b','','é','x y')" : "SET('a','b','c','d','e','f','g','h','i')");
        break;
    case 12: put_timestamp(sql); break;
    case 13: put_real(sql); break;
    case 14: buf_printf(sql, "BIT(%u)", 1 + below(64)); break;
    case 15: case 16: buf_text(sql, ONE_OF(texts)), put_charset(sql); break;
    case 17: buf_text(sql, ONE_OF(blobs)); break;
    case 18: buf_text(sql, "ENUM('1','0','b')"); break;
    case 19: buf_text(sql, server.maria || server.version >= 507 ? "JSON" : "TEXT"); break;
    case 20: buf_text(sql, ONE_OF(shapes)); break;
    default:
        if (!put_own_type(sql, false)) buf_printf(sql, "VARBINARY(%u)", 1 + below(400));
    }
}

/* ---- tables ---- */

/* Computed from the column before it. What comes of numbers and times as text is each server's own. */
static void put_generated(struct buf *sql, const char *from)
{
    if (server.version < 507) return;
    const char *kept = chance(50) ? "STORED" : "VIRTUAL";
    if (server.common || chance(40)) buf_printf(sql, ", g%u VARCHAR(80) AS (CONCAT('x', 1)) %s", serial++, kept);
    else if (chance(50)) buf_printf(sql, ", g%u INT AS (LENGTH(`%s`)) %s", serial++, from, kept);
    else buf_printf(sql, ", g%u INT AS (ISNULL(`%s`)) %s", serial++, from, kept);
}

static void put_columns(struct buf *sql, unsigned key, char names[][NAME_ROOM])
{
    unsigned count = 1 + below(12);
    char name[NAME_ROOM];
    if (key > count) count = key;
    for (unsigned i = 0; i < count; i++) {
        put_name(name, 'c');
        buf_printf(sql, "%s`%s` ", i ? ", " : "", name);
        put_type(sql, i < key);
        if (i < key) {
            memcpy(names[i], name, sizeof name);
            buf_text(sql, " NOT NULL");
        } else if (i && chance(15) && (server.maria || mysql_since(803))) {
            buf_text(sql, " INVISIBLE");
        }
    }
    if (chance(20)) put_generated(sql, name);
}

void create_table(void)
{
    struct buf sql;
    char name[NAME_ROOM], names[4][NAME_ROOM] = {"", "", "", ""};
    unsigned shape = below(10), key = shape < 5 ? 1 : shape < 8 ? 2 + below(2) : 0;
    bool automatic = shape == 4;
    buf_init(&sql, SQL_MAX);
    put_name(name, 't');
    buf_printf(&sql, "CREATE %sTABLE `%s` (", server.maria && own() && chance(8) ? "OR REPLACE " : "", name);
    if (automatic) buf_text(&sql, "id INT UNSIGNED NOT NULL AUTO_INCREMENT, ");
    if (automatic) key = 0;
    put_columns(&sql, key, names);
    if (automatic) buf_text(&sql, ", PRIMARY KEY (id)");
    for (unsigned i = 0; i < key; i++) buf_printf(&sql, "%s`%s`%s", i ? ", " : ", PRIMARY KEY (", names[i], chance(15) && mysql_since(800) && own() ? " DESC" : "");
    if (key) buf_u8(&sql, ')');
    if (shape == 9 && own()) buf_printf(&sql, ", o%u BLOB, UNIQUE (o%u)", serial, serial);
    if (chance(15)) buf_text(&sql, ", un INT, u2 VARCHAR(20), UNIQUE (un), UNIQUE (u2, un)");
    if (chance(10)) buf_text(&sql, ", px VARCHAR(200), UNIQUE (px(10))");
    if (chance(8) && (server.maria || mysql_since(800))) buf_text(&sql, ", ck INT CHECK (ck <> 7)");
    if (chance(8) && mysql_since(801) && own()) buf_text(&sql, ", fx INT, UNIQUE ((fx + 1))");
    buf_text(&sql, ") ENGINE=InnoDB");
    if (chance(50)) buf_text(&sql, " DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci");
    if (chance(15)) buf_text(&sql, chance(50) ? " ROW_FORMAT=DYNAMIC" : " ROW_FORMAT=COMPACT");
    if (key && chance(12)) buf_printf(&sql, " PARTITION BY KEY (`%s`) PARTITIONS 3", names[0]);
    run(&sql);
    buf_fini(&sql);
}

void create_family(void)
{
    unsigned p = serial++, c = serial++;
    say("CREATE TABLE t%u (id INT PRIMARY KEY, k INT NOT NULL UNIQUE, v VARCHAR(20)) ENGINE=InnoDB", p);
    say("CREATE TABLE t%u (id INT AUTO_INCREMENT PRIMARY KEY, p INT, v VARCHAR(20), FOREIGN KEY (p) REFERENCES t%u (%s) ON DELETE %s ON UPDATE %s) ENGINE=InnoDB",
        c, p, chance(50) ? "id" : "k", chance(40) ? "CASCADE" : chance(50) ? "SET NULL" : "RESTRICT", chance(50) ? "CASCADE" : "RESTRICT");
}

const struct column *a_column(const struct table *t)
{
    for (int i = 0; i < 20; i++) {
        const struct column *c = &t->columns[below(t->count)];
        if (!c->generated) return c;
    }
    return NULL;
}

/* MariaDB takes an index without a length, and one of a shape (as MySQL 5.6 does), where MySQL does not. */
static bool indexable(const struct column *c)
{
    static const char *const words[] = {"text", "blob", "point", "linestring", "polygon", "geom", "json"};
    for (size_t i = 0; (server.common || server.rows_only) && c && i < sizeof words / sizeof *words; i++)
        if (strstr(c->kind, words[i])) return false;
    return c != NULL;
}

/* ---- what a schema goes through ---- */

typedef void ddl_fn(struct buf *sql, const struct table *t, const struct column *c);

static void add_column(struct buf *sql, const struct table *t, const struct column *c)
{
    char name[NAME_ROOM];
    put_name(name, 'c');
    buf_printf(sql, "ALTER TABLE `%s` ADD `%s` ", t->name, name);
    put_type(sql, false);
    if (chance(30)) buf_text(sql, " FIRST");
    else if (c && chance(30)) buf_printf(sql, " AFTER `%s`", c->name);
}

/* MariaDB refuses to drop a column that is in a key of several. */
static void drop_column(struct buf *sql, const struct table *t, const struct column *c)
{
    if (c && (own() || server.maria)) buf_printf(sql, "ALTER TABLE `%s` DROP `%s`", t->name, c->name);
}

static const char *nullness(const struct column *c) { return c->nullable ? " NULL" : " NOT NULL"; }

static void change_column(struct buf *sql, const struct table *t, const struct column *c)
{
    char name[NAME_ROOM];
    if (!c || (server.common && (t->in_parts || !strcmp(c->name, "ck")))) return; /* MySQL keeps a column's name while a partition or a check depends on it */
    put_name(name, 'c');
    if (chance(30) && (server.maria || mysql_since(800))) buf_printf(sql, "ALTER TABLE `%s` RENAME COLUMN `%s` TO `%s`", t->name, c->name, name);
    else buf_printf(sql, "ALTER TABLE `%s` CHANGE `%s` `%s` %s%s", t->name, c->name, name, c->type, nullness(c));
}

/* Another type of the same kind, or the same: values of one kind each flavour turns into another in its own way (a DECIMAL into a DATETIME, a YEAR into a TIME). */
static void put_kindred(struct buf *sql, const struct column *c)
{
    if (strstr(c->kind, "int")) put_integer(sql, true);
    else if (!strcmp(c->kind, "decimal")) put_decimal(sql);
    else if (!strcmp(c->kind, "varchar") || !strcmp(c->kind, "char")) put_string(sql, true);
    else if (strstr(c->kind, "binary")) buf_printf(sql, "VARBINARY(%u)", 1 + below(255));
    else buf_printf(sql, "%s%s", c->type, nullness(c)); /* MySQL makes no NULL of a TIMESTAMP anything else */
}

static void modify_column(struct buf *sql, const struct table *t, const struct column *c)
{
    if (!c || (server.common && !strcmp(c->name, "ck"))) return; /* which is the end of its check on MariaDB, and not on MySQL */
    if (!server.maria && server.version < 507 && !strcmp(c->kind, "time")) return; /* the day that a DATETIME has of it is by a time zone that 5.6 does not log (seed 2000202) */
    buf_printf(sql, "ALTER TABLE `%s` MODIFY `%s` ", t->name, c->name);
    if (server.common) put_kindred(sql, c);
    else put_type(sql, server.rows_only); /* MySQL 5.6 keeps a key of what may be NULL */
}

static void several(struct buf *sql, const struct table *t, const struct column *c)
{
    char name[NAME_ROOM];
    if (!indexable(c)) return;
    put_name(name, 'c');
    buf_printf(sql, "ALTER TABLE `%s` ADD `%s` INT NOT NULL DEFAULT %u FIRST, ADD INDEX i%u (`%s`), COMMENT 'it''s; -- so'", t->name, name, below(100), serial++, c->name);
}

static void add_index(struct buf *sql, const struct table *t, const struct column *c)
{
    if (!indexable(c)) return;
    if (chance(50)) buf_printf(sql, "ALTER TABLE `%s` ADD INDEX (`%s`)", t->name, c->name);
    else buf_printf(sql, "CREATE INDEX i%u ON `%s` (`%s`)", serial++, t->name, c->name);
}

static void add_unique(struct buf *sql, const struct table *t, const struct column *c)
{
    if (indexable(c)) buf_printf(sql, "ALTER TABLE `%s` ADD UNIQUE (`%s`)", t->name, c->name);
}

static void rename_table(struct buf *sql, const struct table *t, const struct column *c)
{
    const struct table *other = &tables[below(table_count)];
    char name[NAME_ROOM];
    (void)c;
    put_name(name, 't');
    if (other != t && chance(40)) buf_printf(sql, "RENAME TABLE `%s` TO `%s`, `%s` TO `%s`, `%s` TO `%s`", t->name, name, other->name, t->name, name, other->name);
    else if (chance(30)) buf_printf(sql, "ALTER TABLE `%s` RENAME TO `%s`", t->name, name);
    else buf_printf(sql, "RENAME TABLE `%s` TO `%s`", t->name, name);
}

static void truncate(struct buf *sql, const struct table *t, const struct column *c)
{
    (void)c;
    buf_printf(sql, "TRUNCATE TABLE `%s`", t->name);
}

/* With foreign_key_checks off a key goes that a foreign key needs. What InnoDB then makes of the child's rows depends on what it has in memory (it
   took a row without a parent; seed 500375 of MariaDB 11.8): no replica can be equal to that. And MariaDB drops one that MySQL wants to keep for it. */
static void drop_key(struct buf *sql, const struct table *t, const struct column *c)
{
    (void)c;
    if (session.foreign_keys && own()) buf_printf(sql, "ALTER TABLE `%s` DROP PRIMARY KEY", t->name);
}

static void add_key(struct buf *sql, const struct table *t, const struct column *c)
{
    if (indexable(c) && !server.common) /* MariaDB takes none of a column that is INVISIBLE */
        buf_printf(sql, "ALTER TABLE `%s` ADD PRIMARY KEY (`%s`)", t->name, c->name);
}

static void create_like(struct buf *sql, const struct table *t, const struct column *c)
{
    (void)c;
    buf_printf(sql, "CREATE TABLE t%u LIKE `%s`", serial++, t->name);
}

static bool has_kind(const struct table *t, const char *kind)
{
    for (unsigned i = 0; i < t->count; i++)
        if (strstr(t->columns[i].kind, kind)) return true;
    return false;
}

static void create_select(struct buf *sql, const struct table *t, const struct column *c)
{
    (void)c;
    if (server.common && has_kind(t, "geomcollection")) return; /* as MySQL calls it in its own words, which MariaDB has not */
    buf_printf(sql, "CREATE TABLE t%u ENGINE=InnoDB AS SELECT * FROM `%s`", serial++, t->name);
}

static void drop_table(struct buf *sql, const struct table *t, const struct column *c)
{
    (void)c;
    if (chance(30)) buf_printf(sql, "DROP TABLE `%s`", t->name);
}

static void convert(struct buf *sql, const struct table *t, const struct column *c)
{
    (void)c;
    bool text = has_kind(t, "char") || has_kind(t, "text") || has_kind(t, "enum") || has_kind(t, "set");
    if (!server.maria && server.version < 507 && !text) return; /* 5.6 then leaves the table's default as it was, later ones do not (seed 1000252) */
    buf_printf(sql, "ALTER TABLE `%s` CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_%s", t->name, chance(50) ? "general_ci" : "bin");
}

static void rebuild(struct buf *sql, const struct table *t, const struct column *c)
{
    static const char *const ways[] = {"FORCE", "ENGINE=InnoDB", "AUTO_INCREMENT=1000", "ROW_FORMAT=DYNAMIC", "COMMENT='x'"};
    (void)c;
    buf_printf(sql, "ALTER TABLE `%s` %s", t->name, ONE_OF(ways));
}

/* Which rows are in which of KEY's partitions is each flavour's own. */
static void partitions(struct buf *sql, const struct table *t, const struct column *c)
{
    if (t->in_parts) {
        if (chance(30)) buf_printf(sql, "ALTER TABLE `%s` REMOVE PARTITIONING", t->name);
        else if (own() && !server.rows_only && chance(50)) buf_printf(sql, "ALTER TABLE `%s` TRUNCATE PARTITION p0", t->name);
        else buf_printf(sql, "ALTER TABLE `%s` ADD PARTITION PARTITIONS 1", t->name);
    } else if (c) {
        buf_printf(sql, "ALTER TABLE `%s` PARTITION BY %s (`%s`) PARTITIONS %u", t->name, strstr(c->kind, "int") ? "HASH" : "KEY", c->name, 1 + below(4));
    }
}

static void view(struct buf *sql, const struct table *t, const struct column *c)
{
    if (c) buf_printf(sql, "CREATE OR REPLACE VIEW v%u AS SELECT `%s` FROM `%s`", below(3), c->name, t->name);
}

static void another(struct buf *sql, const struct table *t, const struct column *c)
{
    (void)sql, (void)t, (void)c;
    create_table();
}

static void set_default(struct buf *sql, const struct table *t, const struct column *c)
{
    if (!c || !strstr(c->kind, "char")) return;
    if (chance(50)) buf_printf(sql, "ALTER TABLE `%s` ALTER `%s` SET DEFAULT 'n'", t->name, c->name);
    else if (server.maria || !c->nullable) /* the CREATE TABLE … SELECT that MySQL writes to its log gives it one again (seed 1000805) */
        buf_printf(sql, "ALTER TABLE `%s` ALTER `%s` DROP DEFAULT", t->name, c->name);
}

static ddl_fn *const changes[] = {add_column, add_column, add_column, drop_column, change_column, change_column, modify_column, modify_column, several, add_index, add_unique,
                                  rename_table, truncate, drop_key, add_key, create_like, create_select, drop_table, convert, rebuild, partitions, view, another, set_default};

void change_schema(void)
{
    struct buf sql;
    if (!table_count) return;
    const struct table *t = &tables[below(table_count)];
    buf_init(&sql, SQL_MAX);
    ONE_OF(changes)(&sql, t, a_column(t));
    if (sql.size) run(&sql);
    buf_fini(&sql);
    learn();
}
