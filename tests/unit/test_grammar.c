/*
 * test_grammar.c: statements of the manuals of both servers: each is known, and names the tables that it changes. Left: what it is, in words of
 * test_ddl.c's; a leading M: as MySQL 9.7 reads it, A: as MariaDB 11.8, no letter: as both.
 */
#include "unit.h"

#include "ddl.h"

static struct ddl ddl;

static const char *parse(const char *text, bool mysql)
{
    static char shown[4096];
    static const char *const roles[] = {"", "nothing", "begin", "commit", "rollback", "savepoint", "release", "rollback to", "xa start", "xa end",
                                        "xa prepare", "xa commit", "xa one phase", "xa rollback"};
    struct ddl_session session = {.charset_client = 45, .version = mysql ? 90700 : 110800, .mysql = mysql};
    struct err err;
    char xid[XID_TEXT_MAX];
    if (!ddl_parse(&ddl, slice_text(text), &session, &err)) return "refused";
    if (ddl.role != DDL_STATEMENT) {
        xid_format(&ddl.xid, xid);
        snprintf(shown, sizeof shown, "%s%s%s", roles[ddl.role], *xid ? " " : "", xid);
        return shown;
    }
    struct cursor in = cursor_of(buf_bytes(&ddl.tables));
    struct slice database, table;
    int n = snprintf(shown, sizeof shown, "%s%s%s:", ddl.temporary ? "temporary " : "", statement_kind_name(ddl.kind), ddl.from_query ? " from query" : "");
    while (statement_tables_next(&in, &database, &table))
        n += snprintf(shown + n, sizeof shown - (size_t)n, " %.*s.%.*s", SLICE_ARG(database), SLICE_ARG(table));
    assert_false(in.failed || cursor_left(&in));
    return shown;
}

struct example { char server; const char *expected, *text; };

static const struct example examples[] = {
    /* CREATE TABLE */
    {0, "create_table: .t", "CREATE TABLE t (a INT NOT NULL AUTO_INCREMENT PRIMARY KEY, b VARCHAR(20) DEFAULT ';', KEY (b))"},
    {0, "create_table: .t", "CREATE TABLE t (i INT) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='CREATE TABLE x SELECT'"},
    {0, "create_table: d.t", "CREATE TABLE IF NOT EXISTS `d`.`t` (a INT, b INT AS (a + 1) STORED, CHECK (a > 0))"},
    {0, "create_table from query: .n", "CREATE TABLE n LIKE o"},
    {0, "create_table from query: .n", "CREATE TABLE n (LIKE o)"},
    {0, "create_table from query: .a", "CREATE TABLE a (i INT) SELECT * FROM b"},
    {0, "create_table from query: .a", "CREATE TABLE a ENGINE=InnoDB AS SELECT b.c FROM b"},
    {0, "create_table from query: .a", "CREATE TABLE a AS WITH c AS (SELECT 1) SELECT * FROM c"},
    {0, "create_table from query: .a", "CREATE TABLE a IGNORE AS (SELECT 1)"},
    {'M', "create_table from query: .a", "CREATE TABLE a TABLE b"},
    {'M', "create_table from query: .a", "CREATE TABLE a AS VALUES ROW(1,2), ROW(3,4)"},
    {'A', "create_table from query: .a", "CREATE TABLE a AS VALUES (1,2), (3,4)"},
    {'A', "create_table: d.t", "CREATE OR REPLACE TABLE d.t (a INT) ENGINE=Aria TRANSACTIONAL=1"},
    {'A', "create_table: .t", "CREATE TABLE t (x INT) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME INTERVAL 1 MONTH (PARTITION p0 HISTORY, PARTITION pn CURRENT)"},
    {'A', "create_table: .t", "CREATE TABLE t (a INT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME(s, e)) WITH SYSTEM VERSIONING"},
    {'A', "create_table: .r", "CREATE TABLE r (d1 DATE, d2 DATE, PERIOD FOR p (d1, d2), UNIQUE (p WITHOUT OVERLAPS))"},
    {'A', "create_table: .t", "CREATE TABLE t (v VECTOR(3) NOT NULL, VECTOR INDEX (v) M=8 DISTANCE=cosine)"},
    {'A', "create_table: .t", "CREATE TABLE t (a BLOB COMPRESSED, u UUID, i INET6 DEFAULT '::', INDEX (u) IGNORED)"},
    {'M', "create_table: .t", "CREATE TABLE t (a INT INVISIBLE, j JSON, INDEX i ((CAST(j->'$.a' AS UNSIGNED ARRAY))), INDEX k (a) INVISIBLE)"},
    {'M', "create_table: .t", "CREATE TABLE t (g GEOMETRY NOT NULL SRID 4326, SPATIAL INDEX (g)) ENGINE_ATTRIBUTE='{\"a\": 1}'"},
    {'M', "create_table: .t", "CREATE TABLE t (a INT, CONSTRAINT c CHECK (a > 1) NOT ENFORCED) AUTOEXTEND_SIZE=4M ENCRYPTION='Y'"},
    {'M', "create_table: .t", "CREATE TABLE t (a INT) START TRANSACTION"},
    {'M', "create_table: .t", "CREATE TABLE `t` (\n  `my_row_id` bigint unsigned NOT NULL AUTO_INCREMENT /*!80023 INVISIBLE */,\n  a INT, PRIMARY KEY (`my_row_id`)\n)"},
    {'M', "create_table: .t", "CREATE EXTERNAL TABLE t (a INT) FILE_FORMAT=(FORMAT csv)"},
    {0, "create_table: .t", "CREATE TABLE t (a INT) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)"},
    {0, "create_table: .t", "CREATE TABLE t (a INT) PARTITION BY LIST (a) (PARTITION p0 VALUES IN (1, 2))"},
    {0, "create_table: .t", "CREATE TABLE t (a INT) PARTITION BY HASH (a) PARTITIONS 4"},
    {0, "create_table: .t", "CREATE TABLE t (a INT, FOREIGN KEY (a) REFERENCES p (id) ON DELETE CASCADE)"},
    {0, "create_table: .t", "CREATE TABLE t (a INT) UNION=(m1, m2) INSERT_METHOD=LAST ENGINE=MERGE"},
    {0, "temporary create_table: .t", "CREATE TEMPORARY TABLE t (a INT)"},
    {0, "temporary create_table from query: .t", "CREATE TEMPORARY TABLE IF NOT EXISTS t AS SELECT 1"},
    {'A', "temporary create_table: .t", "CREATE OR REPLACE TEMPORARY TABLE t (a INT)"},
    {0, "create_table: .select", "CREATE TABLE `select` (`table` INT)"},
    {0, "create_table: a`b.c.d", "CREATE TABLE `a``b`.`c.d` (x INT)"},
    {0, "create_table: .schön", "CREATE TABLE schön (x INT)"},
    {0, "create_table: .t$1", "CREATE TABLE t$1 (x INT)"},
    {0, "create_table: .t", "CREATE TABLE t(a INT);"},
    {0, "create_table: .t", "CREATE TABLE t(a INT) ; -- the end"},
    {0, "refused", "CREATE TABLE t (a INT); DROP TABLE u"},
    /* ALTER TABLE */
    {0, "alter_table: .t", "ALTER TABLE t ADD COLUMN c INT FIRST, ADD COLUMN (d INT, e INT), DROP COLUMN f"},
    {0, "alter_table: .t", "ALTER TABLE t ADD INDEX i (a), DROP INDEX j, RENAME INDEX k TO l"},
    {0, "alter_table: .t", "ALTER TABLE t MODIFY a BIGINT UNSIGNED NOT NULL AFTER b, CHANGE c d VARCHAR(10)"},
    {0, "alter_table: .t", "ALTER TABLE t ALTER COLUMN a SET DEFAULT 5, ALTER b DROP DEFAULT"},
    {0, "alter_table: .t", "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES d.p (b), DROP FOREIGN KEY g"},
    {0, "alter_table: .t", "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (a, b)"},
    {0, "alter_table: .t", "ALTER TABLE t ENGINE=InnoDB, ALGORITHM=INPLACE, LOCK=NONE"},
    {0, "alter_table: .t", "ALTER TABLE t ADD c INT, ALGORITHM=INSTANT"},
    {0, "alter_table: .t", "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"},
    {0, "alter_table: .t", "ALTER TABLE t DEFAULT CHARACTER SET latin1, AUTO_INCREMENT = 100, COMMENT 'x; RENAME TO y'"},
    {0, "alter_table: .t", "ALTER TABLE t DISABLE KEYS"},
    {0, "alter_table: .t", "ALTER TABLE t DISCARD TABLESPACE"},
    {0, "alter_table: .t", "ALTER TABLE t IMPORT TABLESPACE"},
    {0, "alter_table: .t", "ALTER TABLE t FORCE"},
    {0, "alter_table: .t", "ALTER TABLE t ORDER BY a, b"},
    {0, "alter_table: .t .u", "ALTER TABLE t RENAME TO u"},
    {0, "alter_table: .t d.u", "ALTER TABLE t RENAME = d.u"},
    {0, "alter_table: .t .u", "ALTER TABLE t ADD a INT, RENAME AS u"},
    {0, "alter_table: .t", "ALTER TABLE t RENAME COLUMN a TO b"},
    {0, "alter_table: .t", "ALTER TABLE t ADD PARTITION (PARTITION p3 VALUES LESS THAN (30))"},
    {0, "alter_table: .t", "ALTER TABLE t DROP PARTITION p0, p1"},
    {0, "alter_table: .t", "ALTER TABLE t TRUNCATE PARTITION ALL"},
    {0, "alter_table: .t", "ALTER TABLE t COALESCE PARTITION 2"},
    {0, "alter_table: .t", "ALTER TABLE t REORGANIZE PARTITION p0 INTO (PARTITION n0 VALUES LESS THAN (5), PARTITION n1 VALUES LESS THAN (10))"},
    {0, "alter_table: .t .u", "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u WITHOUT VALIDATION"},
    {0, "alter_table: .t", "ALTER TABLE t REMOVE PARTITIONING"},
    {0, "alter_table: .t", "ALTER TABLE t PARTITION BY KEY (a) PARTITIONS 8"},
    {'A', "alter_table: .t .u", "ALTER TABLE t CONVERT PARTITION p TO TABLE u"},
    {'A', "alter_table: .t d.u", "ALTER TABLE t CONVERT TABLE d.u TO PARTITION p VALUES LESS THAN (5)"},
    {'A', "alter_table: .t", "ALTER ONLINE TABLE t ADD c INT"},
    {'A', "alter_table: .t", "ALTER IGNORE TABLE t ADD UNIQUE (a)"},
    {'A', "alter_table: .t", "ALTER TABLE IF EXISTS t WAIT 10 DROP COLUMN IF EXISTS a, ADD COLUMN IF NOT EXISTS b INT"},
    {'A', "alter_table: .t", "ALTER TABLE t NOWAIT ADD SYSTEM VERSIONING"},
    {'A', "alter_table: .t", "ALTER TABLE t DROP SYSTEM VERSIONING"},
    {'A', "alter_table: .t", "ALTER TABLE t ADD PERIOD FOR SYSTEM_TIME(s, e), ADD SYSTEM VERSIONING"},
    {'A', "alter_table: .t", "ALTER TABLE t ALTER INDEX i IGNORED"},
    {'M', "alter_table: .t", "ALTER TABLE t ALTER INDEX i INVISIBLE"},
    {'M', "alter_table: .t", "ALTER TABLE t ALTER CHECK c NOT ENFORCED, DROP CHECK d, DROP CONSTRAINT e"},
    {'M', "alter_table: .t", "ALTER TABLE t ALTER COLUMN a SET VISIBLE"},
    {'M', "alter_table: .t", "ALTER TABLE t ADD INDEX ((a + b)), ADD INDEX j ((CAST(x->'$' AS CHAR(10) ARRAY)))"},
    {'M', "alter_table: .t", "ALTER TABLE t SECONDARY_ENGINE = rapid"},
    {'M', "alter_table: .t", "ALTER TABLE t SECONDARY_LOAD"},
    {'M', "alter_table: .t", "ALTER TABLE t TABLESPACE ts ENCRYPTION = 'N'"},
    /* DROP, RENAME, TRUNCATE */
    {0, "drop_table: .t", "DROP TABLE t"}, {0, "drop_table: .t d.u", "DROP TABLE IF EXISTS t, d.u CASCADE"},
    {0, "drop_table: .t", "DROP TABLE `t` /* generated by server */"}, {0, "drop_table: .a .b", "DROP TABLES a, b RESTRICT"},
    {0, "temporary drop_table: .t", "DROP TEMPORARY TABLE t"}, {0, "temporary drop_table: .a .b", "DROP TEMPORARY TABLE IF EXISTS `a`,`b`"},
    {0, "temporary drop_table: .t", "DROP /*!40005 TEMPORARY */ TABLE IF EXISTS `t`"}, {'A', "drop_table: .t", "DROP TABLE t WAIT 5"},
    {0, "refused", "DROP TABLE t; DROP TABLE u"},
    {0, "rename_table: .a .b", "RENAME TABLE a TO b"}, {0, "rename_table: .a .tmp .b .a .tmp .b", "RENAME TABLE a TO tmp, b TO a, tmp TO b"},
    {0, "rename_table: x.a y.a", "RENAME TABLES x.a TO y.a"}, {'A', "rename_table: .a .b", "RENAME TABLE IF EXISTS a NOWAIT TO b"},
    {0, "truncate: .t", "TRUNCATE t"}, {0, "truncate: d.t", "TRUNCATE TABLE d.t"}, {'A', "truncate: .t", "TRUNCATE TABLE t NOWAIT"},
    /* indexes */
    {0, "create_index: .t", "CREATE INDEX i ON t (a, b DESC)"}, {0, "create_index: .t", "CREATE UNIQUE INDEX i USING BTREE ON t (a(10))"},
    {0, "create_index: d.t", "CREATE FULLTEXT INDEX i ON d.t (a) WITH PARSER ngram"}, {0, "create_index: .t", "CREATE SPATIAL INDEX i ON t (g)"},
    {'A', "create_index: .t", "CREATE OR REPLACE UNIQUE INDEX IF NOT EXISTS i ON t (a) WAIT 1"}, {'A', "create_index: .t", "CREATE VECTOR INDEX i ON t (v) M=5"},
    {'M', "create_index: .t", "CREATE INDEX i ON t ((LOWER(a))) INVISIBLE ALGORITHM=INPLACE LOCK=NONE"}, {'M', "create_index: .t", "CREATE INDEX i ON t (a) ENGINE_ATTRIBUTE='{}'"},
    {0, "drop_index: .t", "DROP INDEX i ON t"}, {0, "drop_index: .t", "DROP INDEX `PRIMARY` ON t ALGORITHM=COPY"}, {'A', "drop_index: .t", "DROP INDEX IF EXISTS i ON t"},
    /* databases */
    {0, "create_database: d.", "CREATE DATABASE d"}, {0, "create_database: d.", "CREATE SCHEMA IF NOT EXISTS d DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"},
    {'A', "create_database: d.", "CREATE OR REPLACE DATABASE d COMMENT 'x'"}, {'M', "create_database: d.", "CREATE DATABASE d ENCRYPTION='Y'"},
    {0, "alter_database: d.", "ALTER DATABASE d CHARACTER SET latin1"}, {0, "alter_database: .", "ALTER SCHEMA DEFAULT COLLATE utf8mb4_bin"}, {0, "alter_database: .", "ALTER DATABASE COLLATE = latin1_bin"},
    {'M', "alter_database: d.", "ALTER DATABASE d READ ONLY = 1"}, {'M', "alter_database: .", "ALTER SCHEMA ENCRYPTION = 'N'"}, {'A', "alter_database: .", "ALTER DATABASE COMMENT 'x'"},
    {'A', "alter_database: #mysql50#a-b.", "ALTER DATABASE `#mysql50#a-b` UPGRADE DATA DIRECTORY NAME"},
    {0, "drop_database: d.", "DROP DATABASE d"}, {0, "drop_database: d.", "DROP SCHEMA IF EXISTS `d`"},
    /* views, triggers, events, routines */
    {0, "view: .v", "CREATE VIEW v AS SELECT * FROM t"}, {0, "view: d.v", "CREATE OR REPLACE ALGORITHM=TEMPTABLE DEFINER=`a`@`%` SQL SECURITY DEFINER VIEW d.v (x, y) AS SELECT 1, 2 WITH CHECK OPTION"},
    {0, "view: .v", "ALTER DEFINER='a'@'b' VIEW v AS SELECT 1"}, {0, "view: .v .w", "DROP VIEW IF EXISTS v, w RESTRICT"}, {'A', "view: .v", "CREATE VIEW IF NOT EXISTS v AS SELECT 1"},
    {'M', "view: .v", "CREATE OR REPLACE JSON RELATIONAL DUALITY VIEW v AS SELECT JSON_DUALITY_OBJECT('_id': id) FROM t"},
    {'M', "view: .v", "CREATE MATERIALIZED VIEW v AS SELECT 1"},
    {0, "trigger: .t", "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1"},
    {0, "trigger: d.t", "CREATE DEFINER=`r`@`localhost` TRIGGER d.tr AFTER UPDATE ON d.t FOR EACH ROW FOLLOWS x BEGIN INSERT INTO u VALUES (1); DELETE FROM v; END"},
    {'A', "trigger: .t", "CREATE OR REPLACE TRIGGER IF NOT EXISTS tr BEFORE DELETE ON t FOR EACH ROW BEGIN END"}, {'A', "trigger: .t", "CREATE TRIGGER tr AFTER INSERT OR UPDATE ON t FOR EACH ROW SET @a = 1"},
    {0, "trigger: .tr", "DROP TRIGGER tr"}, {0, "trigger: d.tr", "DROP TRIGGER IF EXISTS d.tr"},
    {0, "event: .e", "CREATE EVENT e ON SCHEDULE EVERY 1 HOUR STARTS '2026-01-01 00:00:00' DO BEGIN DELETE FROM t; TRUNCATE u; END"},
    {0, "event: .e", "CREATE DEFINER=CURRENT_USER EVENT IF NOT EXISTS e ON SCHEDULE AT NOW() ON COMPLETION PRESERVE DISABLE DO SET @a = 1"},
    {0, "event: .e", "ALTER EVENT e DISABLE"}, {0, "event: .e", "ALTER DEFINER=a@b EVENT e RENAME TO f"}, {0, "event: .e", "DROP EVENT IF EXISTS e"},
    {0, "routine: .p", "CREATE PROCEDURE p (IN a INT, OUT b INT) BEGIN DROP TABLE t; SELECT 1; END"}, {0, "routine: d.f", "CREATE DEFINER=`a`@`%` FUNCTION d.f (x INT) RETURNS INT DETERMINISTIC RETURN x"},
    {0, "routine: .f", "CREATE FUNCTION f RETURNS STRING SONAME 'f.so'"}, {0, "routine: .f", "CREATE AGGREGATE FUNCTION f RETURNS REAL SONAME 'f.so'"}, {0, "routine: .p", "ALTER PROCEDURE p COMMENT 'x'"},
    {0, "routine: .p", "DROP PROCEDURE IF EXISTS p"}, {0, "routine: .f", "DROP FUNCTION f"}, {'A', "routine: .p", "CREATE OR REPLACE PACKAGE p AS PROCEDURE a(); END"}, {'A', "routine: .p", "DROP PACKAGE BODY IF EXISTS p"},
    {'A', "routine: .p", "CREATE OR REPLACE PROCEDURE IF NOT EXISTS p() SELECT 1"}, {'M', "routine: .l", "CREATE LIBRARY l LANGUAGE JAVASCRIPT AS $$ export function f(n) { return n; } $$"}, {'M', "routine: .l", "DROP LIBRARY l"},
    {'M', "routine: .f", "CREATE FUNCTION IF NOT EXISTS f(n INT) RETURNS INT LANGUAGE JAVASCRIPT AS $$ let a = 1; return a + n; $$"},
    /* sequences */
    {'A', "sequence: .s", "CREATE SEQUENCE s START WITH 100 INCREMENT BY 10 MINVALUE 1 MAXVALUE 1000 CACHE 10 CYCLE"}, {'A', "sequence: d.s", "CREATE OR REPLACE SEQUENCE d.s"},
    {'A', "temporary sequence: .s", "CREATE TEMPORARY SEQUENCE s"}, {'A', "sequence: .s", "ALTER SEQUENCE IF EXISTS s RESTART 50"}, {'A', "sequence: .s .r", "DROP SEQUENCE IF EXISTS s, r"},
    {'A', "dml:", "SELECT SETVAL(s, 100, 0)"}, {'A', "dml:", "DO SETVAL(s, 5)"},
    /* accounts */
    {0, "account:", "CREATE USER 'a'@'%' IDENTIFIED BY 'x'"}, {0, "account:", "CREATE USER IF NOT EXISTS a@b REQUIRE SSL"}, {0, "account:", "ALTER USER a@b ACCOUNT LOCK"}, {0, "account:", "DROP USER a, b"},
    {0, "account:", "RENAME USER a TO b"}, {0, "account:", "GRANT SELECT ON d.* TO a"}, {0, "account:", "REVOKE ALL PRIVILEGES, GRANT OPTION FROM a"}, {0, "account:", "SET PASSWORD FOR a = 'x'"}, {0, "account:", "SET PASSWORD = 'x'"},
    {0, "account:", "CREATE ROLE r"}, {0, "account:", "DROP ROLE r"}, {0, "account:", "SET DEFAULT ROLE r TO a"}, {0, "account:", "GRANT r TO a WITH ADMIN OPTION"}, {'M', "account:", "ALTER USER a@b IDENTIFIED WITH 'caching_sha2_password' AS '$A$005$x'"},
    {'M', "account:", "GRANT PROXY ON a TO b"}, {'A', "account:", "CREATE OR REPLACE USER a IDENTIFIED VIA ed25519 USING 'x'"}, {'A', "account:", "CREATE OR REPLACE ROLE r WITH ADMIN a"}, {'A', "account:", "SET DEFAULT ROLE NONE FOR a"},
    /* administration, and what is no table */
    {0, "table_admin:", "ANALYZE TABLE t"}, {0, "table_admin:", "ANALYZE NO_WRITE_TO_BINLOG TABLE t"}, {0, "table_admin:", "OPTIMIZE TABLE a, b"}, {0, "table_admin:", "REPAIR TABLE t QUICK"}, {0, "table_admin:", "CHECK TABLE t"},
    {0, "table_admin:", "FLUSH PRIVILEGES"}, {0, "table_admin:", "FLUSH TABLES t"}, {0, "table_admin:", "CACHE INDEX t IN k"}, {0, "table_admin:", "RESET QUERY CACHE"}, {0, "table_admin:", "PURGE BINARY LOGS TO 'x'"},
    {'M', "table_admin:", "ANALYZE TABLE t UPDATE HISTOGRAM ON a WITH 8 BUCKETS"}, {'M', "table_admin:", "ALTER INSTANCE ROTATE INNODB MASTER KEY"}, {'M', "table_admin:", "CREATE RESOURCE GROUP g TYPE = USER"}, {0, "table_admin:", "CHECKSUM TABLE t"},
    {'M', "other:", "CREATE SPATIAL REFERENCE SYSTEM 4120 NAME 'x' DEFINITION 'y'"}, {'M', "other:", "DROP SPATIAL REFERENCE SYSTEM IF EXISTS 4120"}, {'M', "other:", "CREATE TABLESPACE ts ADD DATAFILE 'ts.ibd'"}, {'M', "other:", "ALTER UNDO TABLESPACE u SET INACTIVE"},
    {'M', "other:", "DROP UNDO TABLESPACE u"}, {'M', "other:", "INSTALL COMPONENT 'file://x'"}, {'M', "other:", "IMPORT TABLE FROM 'x.sdi'"}, {'M', "other:", "CREATE LOGFILE GROUP g ADD UNDOFILE 'u'"}, {0, "other:", "INSTALL PLUGIN p SONAME 'x'"}, {0, "other:", "UNINSTALL PLUGIN p"},
    {0, "other:", "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'h', PASSWORD 'x')"}, {0, "other:", "ALTER SERVER s OPTIONS (USER 'u')"}, {0, "other:", "DROP SERVER IF EXISTS s"}, {'A', "other:", "INSTALL SONAME 'x'"}, {'A', "other:", "CREATE OR REPLACE SERVER s FOREIGN DATA WRAPPER mariadb OPTIONS (HOST 'h')"},
    /* rows */
    {0, "dml: .t", "INSERT INTO t (a) VALUES ('; DROP TABLE x')"}, {0, "dml: .t", "INSERT IGNORE t SELECT * FROM u ON DUPLICATE KEY UPDATE a = 1"}, {0, "dml: d.t", "INSERT INTO d.t SET a = 1"}, {0, "dml: .t", "INSERT DELAYED INTO t VALUES (1)"},
    {0, "dml: .t", "REPLACE LOW_PRIORITY INTO t VALUES (1)"}, {0, "dml: .t", "UPDATE LOW_PRIORITY IGNORE t SET a = 1 ORDER BY b LIMIT 1"}, {0, "dml:", "UPDATE t, u SET t.a = u.a"}, {0, "dml:", "UPDATE t LEFT JOIN u USING (a) SET b = 1"}, {0, "dml: .t", "UPDATE t PARTITION (p0) SET a = 1"},
    {0, "dml: .t", "DELETE FROM t WHERE a = 1 LIMIT 5"}, {0, "dml: .t", "DELETE QUICK IGNORE FROM t PARTITION (p0)"}, {0, "dml:", "DELETE t FROM t JOIN u"}, {'A', "dml: .t", "DELETE FROM t RETURNING a"}, {'A', "dml: .t", "DELETE HISTORY FROM t BEFORE SYSTEM_TIME '2026-01-01'"},
    {'A', "dml: .t", "UPDATE t FOR PORTION OF p FROM '2000-01-01' TO '2018-01-01' SET a = 1"}, {'A', "dml: .t", "DELETE FROM t FOR PORTION OF p FROM '2000-01-01' TO '2018-01-01'"}, {'M', "dml:", "WITH c AS (SELECT 1 a) UPDATE t, c SET t.a = c.a"}, {'M', "dml: .t", "INSERT INTO t TABLE u"},
    {'M', "dml: .t", "INSERT INTO t VALUES ROW(1), ROW(2) AS n ON DUPLICATE KEY UPDATE a = n.a"}, {0, "dml:", "LOAD DATA LOCAL INFILE 'x' REPLACE INTO TABLE t"}, {0, "dml:", "LOAD XML INFILE 'x' INTO TABLE t"}, {0, "dml:", "CALL p(1)"}, {0, "dml:", "SELECT f(1)"},
    {'A', "dml: .t", "SET STATEMENT sort_buffer_size=1000, sql_mode='' FOR INSERT INTO t VALUES (1)"}, {'A', "alter_table: .t", "SET STATEMENT lock_wait_timeout=1 FOR ALTER TABLE t ADD a INT"},
    /* transactions */
    {0, "begin", "BEGIN"}, {0, "begin", "BEGIN WORK"}, {0, "begin", "START TRANSACTION WITH CONSISTENT SNAPSHOT"}, {0, "commit", "COMMIT"}, {0, "commit", "COMMIT WORK AND CHAIN"}, {0, "rollback", "ROLLBACK AND NO CHAIN"}, {0, "savepoint", "SAVEPOINT `x`"},
    {0, "rollback to", "ROLLBACK TO `x`"}, {0, "release", "RELEASE SAVEPOINT x"}, {0, "xa start X'6731',X'62',1", "XA START X'6731',X'62',1"}, {0, "xa start X'61',X'',1", "XA BEGIN 'a' JOIN"}, {0, "xa end X'61',X'',1", "XA END 'a' SUSPEND FOR MIGRATE"},
    {0, "xa prepare X'61',X'62',7", "XA PREPARE 'a','b',7"}, {0, "xa commit X'00FF',X'',1", "XA COMMIT X'00ff',X'',1"}, {0, "xa commit X'0102',X'',1", "XA COMMIT 0x0102"}, {0, "xa one phase X'61',X'',1", "XA COMMIT 'a' ONE PHASE"}, {0, "xa rollback X'2761',X'5C',4294967295", "XA ROLLBACK X'2761',X'5c',4294967295"},
    {0, "refused", "XA COMMIT"}, {0, "refused", "XA COMMIT X'6'',1"}, {0, "refused", "XA COMMIT 'a','b',4294967296"}, {0, "refused", "XA RECOVER"},
    /* comments: what each server executes */
    {'M', "temporary create_table: .t", "CREATE /*!80000 TEMPORARY */ TABLE t (a INT)"}, {'A', "create_table: .t", "CREATE /*!80000 TEMPORARY */ TABLE t (a INT)"}, {'M', "create_table: .t", "CREATE /*!99999 TEMPORARY */ TABLE t (a INT)"},
    {'M', "create_table: .t", "CREATE /*M! TEMPORARY */ TABLE t (a INT)"}, {'A', "temporary create_table: .t", "CREATE /*M! TEMPORARY */ TABLE t (a INT)"}, {'A', "temporary create_table: .t", "CREATE /*!100100 TEMPORARY */ TABLE t (a INT)"},
    {0, "drop_table: .t", "/* a */ DROP -- b\n TABLE # c\n t"}, {0, "drop_table: .t", "/*!40000 DROP TABLE t */"}, {0, "nothing", "/*!999999 DROP TABLE t */"}, {0, "nothing", ";"},
    {0, "truncate: .t", ";; TRUNCATE t"},
};

static void test_grammar(void **state)
{
    (void)state;
    size_t count = sizeof examples / sizeof *examples, wrong = 0;
    for (size_t i = 0; i < count; i++)
        for (int mysql = 0; mysql < 2; mysql++) {
            const struct example *e = &examples[i];
            if (e->server && (e->server == 'M') != mysql) continue;
            const char *found = parse(e->text, mysql);
            if (!strcmp(found, e->expected)) continue;
            print_error("%s\n  expected %s\n  found    %s\n", e->text, e->expected, found);
            wrong++;
        }
    assert_int_equal(wrong, 0);
    assert_true(count >= 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_grammar)};
    ddl_init(&ddl);
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    ddl_fini(&ddl);
    return result;
}
