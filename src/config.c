/*
 * config.c: the configuration file into struct settings. See settings.h, and config.def: every rule about a single key is in
 * that table; rules between keys are code, in rules.c. All problems are gathered before the answer, so
 * that the operator repairs a file once.
 */
#include "config.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "toml.h"

/* The field of a key has the type that its kind writes: checked when this file is compiled. */
#define FIELD(s, f) (((struct s##_settings *)0)->f)
#define IS_TEXT(s, f) _Generic(FIELD(s, f), const char *: 1, default: 0)
#define CHECK_TEXT(s, f) IS_TEXT(s, f)
#define CHECK_PATH(s, f) IS_TEXT(s, f)
#define CHECK_SECRET(s, f) IS_TEXT(s, f)
#define CHECK_WORD(s, f) IS_TEXT(s, f)
#define CHECK_CHOICE(s, f) _Generic(FIELD(s, f), enum log_level: 1, enum log_format: 1, enum db_driver: 1, default: 0)
#define CHECK_NUMBER(s, f) _Generic(FIELD(s, f), unsigned: 1, uint64_t: 1, default: 0)
#define CHECK_BOOL(s, f) _Generic(FIELD(s, f), bool: 1, default: 0)
#define CHECK_LIST(s, f) _Generic(FIELD(s, f), struct strings: 1, default: 0)
#define CHECK_NODES(s, f) _Generic(FIELD(s, f), struct nodes: 1, default: 0)
#define SECTION(...)
#define KEY(s, name, type, field, ...) \
    _Static_assert(sizeof(char[CHECK_##type(s, field) ? 1 : -1]) == 1, "config.def: type of " #s "." #field);
#include "config.def"
#undef KEY
#undef SECTION
#undef SERVER_KEYS

const struct config_key config_keys[] = {
#define SECTION(...)
#define KEY(s, name, type, field, initial, min, max, allowed, help) \
    {#s, name, CONFIG_##type, offsetof(struct s##_settings, field), sizeof FIELD(s, field), initial, min, max, allowed, help},
#include "config.def"
#undef KEY
#undef SECTION
#undef SERVER_KEYS
};
const size_t config_key_count = sizeof config_keys / sizeof *config_keys;

enum { OFFSET_source = offsetof(struct settings, source), OFFSET_wal = offsetof(struct settings, wal),
       OFFSET_sink = offsetof(struct settings, sinks), OFFSET_api = offsetof(struct settings, api),
       OFFSET_filter = offsetof(struct settings, filter), OFFSET_logging = offsetof(struct settings, logging) };

const struct config_section config_sections[] = {
#define SECTION(name, type, help) {#name, OFFSET_##name, sizeof(struct type), help},
#define KEY(...)
#include "config.def"
#undef KEY
#undef SECTION
#undef SERVER_KEYS
};
const size_t config_section_count = sizeof config_sections / sizeof *config_sections;

enum { SUGGEST_MAX = 3 };
_Static_assert(sizeof config_keys / sizeof *config_keys <= CONFIG_KEYS_MAX, "CONFIG_KEYS_MAX");

void problem(struct problems *problems, unsigned line, const char *key, const char *format, ...)
{
    char text[ERR_TEXT_MAX], where[32] = "";
    struct err *err = problems->err;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (line) snprintf(where, sizeof where, ":%u", line);
    if (problems->count++ == 0) err_set(err, ERR_CONFIG, "%s", "");
    if (!err) return;
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, "%s%s%s: %s%s%s", used ? "\n" : "", problems->file, where, key,
             *key ? ": " : "", text);
}

/* ---- what is allowed ---- */

static void list_words(const char *words, char *text, size_t room)
{
    size_t n = 0;
    text[0] = 0;
    for (const char *at = words; *at && n < room;) {
        size_t size = strcspn(at, "|");
        n += (size_t)snprintf(text + n, room - n, "%s\"%.*s\"", at == words ? "" : at[size] ? ", " : " or ", (int)size, at);
        at += size + (at[size] == '|');
    }
}

void config_allowed(const struct config_key *key, char *text, size_t room)
{
    const char *space = *key->allowed ? " " : "";
    switch (key->type) {
    case CONFIG_WORD:
    case CONFIG_CHOICE: list_words(key->allowed, text, room); break;
    case CONFIG_BOOL: snprintf(text, room, "true or false"); break;
    case CONFIG_NUMBER:
        snprintf(text, room, "a number%s%s, %" PRIu64 " to %" PRIu64, *space ? " of " : "", key->allowed, key->min, key->max);
        break;
    case CONFIG_LIST: snprintf(text, room, "a list of %" PRIu64 " to %" PRIu64 " strings", key->min, key->max); break;
    case CONFIG_NODES:
        snprintf(text, room, "a list of %" PRIu64 " to %" PRIu64 " nodes, each \"host\", \"host:port\" or { host = \"…\", port = 3306, "
                 "api_port = 8080, proxy_port = 8007 }", key->min, key->max);
        break;
    case CONFIG_PATH: snprintf(text, room, "a path of at most %" PRIu64 " bytes", key->max); break;
    case CONFIG_TEXT:
    case CONFIG_SECRET: snprintf(text, room, "a string of %" PRIu64 " to %" PRIu64 " bytes", key->min, key->max); break;
    }
}

/* Index of the word among "a|b|c", or -1. */
static int word_index(const char *words, const char *word)
{
    int index = 0;
    for (const char *at = words; *at; index++) {
        size_t size = strcspn(at, "|");
        if (strlen(word) == size && memcmp(at, word, size) == 0) return index;
        at += size + (at[size] == '|');
    }
    return -1;
}

/* ---- did you mean ---- */

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Levenshtein's distance, of names that are short; a long one is far from everything. */
static size_t distance(const char *a, const char *b)
{
    size_t row[65], n = strlen(b);
    if (n > 64 || strlen(a) > 64) return 99;
    for (size_t j = 0; j <= n; j++) row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t above = row[j];
            row[j] = least(least(above, row[j - 1]) + 1, corner + (a[i - 1] != b[j - 1]));
            corner = above;
        }
    }
    return row[n];
}

struct guess {
    const char *name;
    size_t distance;
};

static void guess(struct guess *guess, const char *wrong, const char *name)
{
    size_t d = distance(wrong, name);
    if (d >= guess->distance) return;
    *guess = (struct guess){name, d};
}

static const char *closest_key(const char *section, const char *wrong)
{
    struct guess best = {NULL, SUGGEST_MAX + 1};
    for (size_t i = 0; i < config_key_count; i++)
        if (!strcmp(config_keys[i].section, section)) guess(&best, wrong, config_keys[i].name);
    return best.name;
}

static const char *closest_section(const char *wrong)
{
    struct guess best = {NULL, SUGGEST_MAX + 1};
    for (size_t i = 0; i < config_section_count; i++) guess(&best, wrong, config_sections[i].name);
    return best.name;
}

/* ---- one value ---- */

static const char *keep(struct settings *settings, const char *text)
{
    return arena_text(&settings->arena, slice_text(text));
}

/* Relative to the file's directory; "~/" is home; "-" (standard output) stays. */
static const char *keep_path(struct reading *in, const char *path)
{
    const char *slash = strrchr(in->problems.file, '/'), *home = getenv("HOME");
    char whole[8192];
    if (!strncmp(path, "~/", 2) && home) snprintf(whole, sizeof whole, "%s%s", home, path + 1);
    else if (path[0] == '/' || !strcmp(path, "-") || !slash) snprintf(whole, sizeof whole, "%s", path);
    else snprintf(whole, sizeof whole, "%.*s/%s", (int)(slash - in->problems.file), in->problems.file, path);
    return keep(in->settings, whole);
}

static bool set_text(struct reading *in, const struct config_key *key, void *to, const struct toml_item *item)
{
    if (item->type != TOML_STRING || strlen(item->text) < key->min || strlen(item->text) > key->max) return false;
    const char *text = key->type == CONFIG_PATH ? keep_path(in, item->text) : keep(in->settings, item->text);
    memcpy(to, &text, sizeof text);
    return true;
}

static bool set_word(struct reading *in, const struct config_key *key, void *to, const struct toml_item *item)
{
    if (item->type != TOML_STRING || word_index(key->allowed, item->text) < 0) return false;
    const char *text = keep(in->settings, item->text);
    memcpy(to, &text, sizeof text);
    return true;
}

static bool set_choice(struct reading *in, const struct config_key *key, void *to, const struct toml_item *item)
{
    (void)in;
    int index = item->type == TOML_STRING ? word_index(key->allowed, item->text) : -1;
    if (index < 0) return false;
    assert(key->size == sizeof index);
    memcpy(to, &index, sizeof index);
    return true;
}

static bool set_number(struct reading *in, const struct config_key *key, void *to, const struct toml_item *item)
{
    (void)in;
    if (item->type != TOML_INTEGER || item->integer < 0) return false;
    uint64_t value = (uint64_t)item->integer;
    if (value < key->min || value > key->max) return false;
    memcpy(to, &value, key->size); /* little-endian: the low bytes */
    return true;
}

static bool set_bool(struct reading *in, const struct config_key *key, void *to, const struct toml_item *item)
{
    (void)in;
    (void)key;
    if (item->type != TOML_BOOLEAN) return false;
    *(bool *)to = item->integer != 0;
    return true;
}

static bool set_list(struct reading *in, const struct config_key *key, void *to, const struct toml_item *item)
{
    if (item->type == TOML_OTHER && !strcmp(item->text, "[]") && key->min == 0) return true;
    if (item->type != TOML_STRINGS || item->item_count < key->min || item->item_count > key->max) return false;
    struct strings list = {item->item_count, arena_alloc(&in->settings->arena, (item->item_count + 1) * sizeof(char *))};
    for (size_t i = 0; i < list.count; i++) list.items[i] = keep(in->settings, item->items[i]);
    memcpy(to, &list, sizeof list);
    return true;
}

static bool node_text(struct reading *in, struct node_settings *node, const char *text)
{
    char host[256];
    if (!settings_host(text, node->port, host, sizeof host, &node->port)) return false;
    node->host = keep(in->settings, host);
    return true;
}

static bool node_field(struct reading *in, struct node_settings *node, const struct toml_field *field)
{
    if (!*field->key) return field->type == TOML_STRING && node_text(in, node, field->text);
    if (!strcmp(field->key, "host")) {
        if (field->type != TOML_STRING || !*field->text || strlen(field->text) > 255) return false;
        node->host = keep(in->settings, field->text);
        return true;
    }
    unsigned *port = !strcmp(field->key, "port") ? &node->port : !strcmp(field->key, "api_port") ? &node->api_port
                   : !strcmp(field->key, "proxy_port") ? &node->proxy_port : NULL;
    if (!port || field->type != TOML_INTEGER || field->integer < 1 || field->integer > 65535) return false;
    *port = (unsigned)field->integer;
    return true;
}

static bool set_nodes(struct reading *in, const struct config_key *key, void *to, const struct toml_item *item)
{
    struct node_settings items[NODES_LISTED_MAX];
    size_t count = item->item_count;
    for (size_t i = 0; i < item->field_count; i++) count = item->fields[i].element + 1;
    if ((item->type != TOML_STRINGS && item->type != TOML_TABLES) || count < key->min || count > key->max) return false;
    assert(count <= NODES_LISTED_MAX);
    for (size_t i = 0; i < count; i++) items[i] = (struct node_settings){NULL, 3306, 8080, 8007};
    for (size_t i = 0; i < item->item_count; i++)
        if (!node_text(in, &items[i], item->items[i])) return false;
    for (size_t i = 0; i < item->field_count; i++)
        if (!node_field(in, &items[item->fields[i].element], &item->fields[i])) return false;
    for (size_t i = 0; i < count; i++)
        if (!items[i].host) return false;
    struct nodes list = {count, arena_alloc(&in->settings->arena, (count + 1) * sizeof *items)};
    memcpy(list.items, items, count * sizeof *items);
    memcpy(to, &list, sizeof list);
    return true;
}

typedef bool set_fn(struct reading *in, const struct config_key *key, void *to, const struct toml_item *item);
static set_fn *const setters[] = {
    [CONFIG_TEXT] = set_text,     [CONFIG_PATH] = set_text,     [CONFIG_SECRET] = set_text, [CONFIG_WORD] = set_word,
    [CONFIG_CHOICE] = set_choice, [CONFIG_NUMBER] = set_number, [CONFIG_BOOL] = set_bool,   [CONFIG_LIST] = set_list,
    [CONFIG_NODES] = set_nodes,
};

/* A default goes the same way as a value of the file. */
static void set_default(struct reading *in, const struct config_key *key, void *to)
{
    struct toml_item item = {.type = TOML_STRING, .text = key->initial};
    if (!key->initial) return;
    if (key->type == CONFIG_NUMBER) {
        item.type = TOML_INTEGER;
        item.integer = strtoll(key->initial, NULL, 10);
    }
    if (key->type == CONFIG_BOOL) {
        item.type = TOML_BOOLEAN;
        item.integer = !strcmp(key->initial, "true");
    }
    bool good = setters[key->type](in, key, to, &item);
    assert(good);
}

/* ---- sections and keys ---- */

static struct instance *instance_new(struct reading *in, const struct config_section *section, char *base, unsigned line)
{
    struct instance *instance = &in->instances[in->count++];
    assert(in->count <= sizeof in->instances / sizeof *in->instances);
    *instance = (struct instance){.section = section, .base = base, .line = line};
    for (size_t i = 0; i < config_key_count; i++)
        if (!strcmp(config_keys[i].section, section->name)) set_default(in, &config_keys[i], base + config_keys[i].offset);
    return instance;
}

static const struct config_section *section_named(const char *name)
{
    for (size_t i = 0; i < config_section_count; i++)
        if (!strcmp(config_sections[i].name, name)) return &config_sections[i];
    return NULL;
}

struct instance *instance_of(struct reading *in, const char *section, size_t index)
{
    for (size_t i = 0; i < in->count; i++)
        if (!strcmp(in->instances[i].section->name, section) && index-- == 0) return &in->instances[i];
    return NULL;
}

static void section_begin(struct reading *in, const struct toml_item *item)
{
    const struct config_section *section = section_named(item->section);
    if (!section) {
        const char *close = closest_section(item->section);
        problem(&in->problems, item->line, "", "unknown section [%.*s]%s%s%s", CONFIG_SHOWN_MAX, item->section,
                close ? "; did you mean [" : "", close ? close : "", close ? "]?" : "");
        return;
    }
    bool is_sink = !strcmp(section->name, "sink");
    if (is_sink != item->repeated) {
        problem(&in->problems, item->line, "", is_sink ? "[%s] must be written [[%s]]: there may be several"
                : "[[%s]] must be written [%s]: there is only one", section->name, section->name);
        return;
    }
    if (!is_sink) {
        instance_of(in, section->name, 0)->line = item->line;
        return;
    }
    if (in->settings->sink_count == SINKS_MAX) {
        if (item->index == SINKS_MAX) problem(&in->problems, item->line, "", "more than %d [[sink]]", SINKS_MAX);
        return;
    }
    instance_new(in, section, (char *)&in->settings->sinks[in->settings->sink_count++], item->line);
}

static void value_wrong(struct reading *in, const struct config_key *key, const struct toml_item *item)
{
    char allowed[300];
    config_allowed(key, allowed, sizeof allowed);
    if (key->type == CONFIG_SECRET) problem(&in->problems, item->line, key->name, "allowed is %s", allowed);
    else if (item->type == TOML_STRING)
        problem(&in->problems, item->line, key->name, "\"%.*s\": allowed is %s", CONFIG_SHOWN_MAX, item->text, allowed);
    else problem(&in->problems, item->line, key->name, "%.*s is %s: allowed is %s", CONFIG_SHOWN_MAX, item->text,
                 item->type_name, allowed);
}

static void key_read(struct reading *in, const struct toml_item *item)
{
    struct instance *instance = instance_of(in, item->section, item->index);
    if (!instance) {
        if (!*item->section)
            problem(&in->problems, item->line, item->key, "stands outside of every section");
        return; /* the section was refused, and that was said */
    }
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (strcmp(key->section, item->section) || strcmp(key->name, item->key)) continue;
        instance->lines[i] = item->line;
        if (!setters[key->type](in, key, instance->base + key->offset, item)) value_wrong(in, key, item);
        return;
    }
    const char *close = closest_key(item->section, item->key);
    problem(&in->problems, item->line, item->key, "unknown key in [%s]%s%s%s", item->section, close ? "; did you mean " : "",
            close ? close : "", close ? "?" : "; see man 5 wolfcdc.toml");
}

static void item_read(void *context, const struct toml_item *item)
{
    if (item->key) key_read(context, item);
    else section_begin(context, item);
}

/* ---- the file ---- */

static void instances_start(struct reading *in)
{
    for (size_t i = 0; i < config_section_count; i++)
        if (strcmp(config_sections[i].name, "sink"))
            instance_new(in, &config_sections[i], (char *)in->settings + config_sections[i].offset, 0);
}

static void server_secrets(struct reading *in, const struct instance *at, struct server_settings *server, const char *name)
{
    struct secret_lines lines = {at->line, line_of(at, "password_file"), line_of(at, "defaults_file")};
    secrets_read(in->settings, server, name, &lines, &in->problems);
}

static void all_secrets(struct reading *in)
{
    char name[80];
    struct settings *s = in->settings;
    secrets_warn(s);
    server_secrets(in, instance_of(in, "source", 0), &s->source.server, "source");
    for (size_t i = 0; i < s->sink_count; i++) {
        if (!strcmp(s->sinks[i].type, "jsonl")) continue;
        snprintf(name, sizeof name, "sink-%s", s->sinks[i].name ? s->sinks[i].name : "");
        server_secrets(in, instance_of(in, "sink", i), &s->sinks[i].server, name);
    }
}

static bool parse(const char *path, struct slice text, bool secrets, struct settings **out, struct err *err)
{
    struct settings *settings = calloc(1, sizeof *settings);
    struct reading *in = calloc(1, sizeof *in);
    char message[400];
    unsigned line;
    struct err local;
    if (!settings || !in) abort();
    arena_init(&settings->arena);
    settings->file = keep(settings, path);
    *in = (struct reading){.problems = {settings->file, 0, err ? err : &local}, .settings = settings};
    instances_start(in);
    if (!toml_walk((const char *)text.data, text.size, item_read, in, &line, message, sizeof message))
        problem(&in->problems, line, "", "not TOML: %s", message);
    else {
        rules_check(in);
        if (secrets) all_secrets(in);
        if (!in->problems.count) clusters_expand(settings);
    }
    bool good = in->problems.count == 0;
    free(in);
    if (good) *out = settings;
    else settings_free(settings);
    return good;
}

bool settings_parse(const char *path, struct slice text, struct settings **settings, struct err *err)
{
    return parse(path, text, false, settings, err);
}

static bool file_read(const char *path, struct buf *text, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = -1;
    if (fd < 0) return err_set_number(err, ERR_CONFIG, (unsigned)errno, "%s: %s", path, strerror(errno));
    for (;;) {
        uint8_t *to = buf_reserve(text, 4096);
        n = to ? read(fd, to, 4096) : -1;
        if (n <= 0) break;
        text->size += (size_t)n;
    }
    int failed = errno;
    close(fd);
    if (text->full) return err_set(err, ERR_CONFIG, "%s: larger than %d bytes: not a configuration", path, CONFIG_FILE_MAX);
    if (n < 0) return err_set_number(err, ERR_CONFIG, (unsigned)failed, "%s: %s", path, strerror(failed));
    return true;
}

static bool read_and_parse(const char *path, bool secrets, struct settings **settings, struct err *err)
{
    struct buf text;
    buf_init(&text, CONFIG_FILE_MAX);
    bool good = file_read(path, &text, err) && parse(path, buf_bytes(&text), secrets, settings, err);
    buf_fini(&text);
    return good;
}

bool settings_read(const char *path, struct settings **settings, struct err *err)
{
    return read_and_parse(path, true, settings, err);
}

bool settings_peek(const char *path, struct settings **settings, struct err *err)
{
    return read_and_parse(path, false, settings, err);
}

void settings_free(struct settings *settings)
{
    if (!settings) return;
    arena_fini(&settings->arena);
    free(settings);
}

void settings_server(const struct server_settings *server, const char *name, struct db_options *options)
{
    *options = (struct db_options){
        .host = server->socket ? NULL : server->host, .socket = server->socket, .port = server->port, .user = server->user,
        .password = server->password, .ssl_ca = server->ssl_ca, .ssl_cert = server->ssl_cert, .ssl_key = server->ssl_key,
        .ssl = server->ssl || server->ssl_ca || server->ssl_cert, .ssl_verify_server_cert = server->ssl_verify_server_cert,
        .connect_timeout_ms = server->connect_timeout_ms, .name = name, .driver = server->driver,
    };
}

void config_help(struct buf *out)
{
    char allowed[300];
    const char *section = "";
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (strcmp(section, key->section)) {
            section = key->section;
            bool sink = !strcmp(section, "sink");
            buf_printf(out, "%s%s[%s]%s  # %s\n", i ? "\n" : "", sink ? "[" : "", section, sink ? "]" : "",
                       section_named(section)->help);
        }
        config_allowed(key, allowed, sizeof allowed);
        bool quoted = key->initial && key->type != CONFIG_NUMBER && key->type != CONFIG_BOOL;
        buf_printf(out, "  %s\n      %s.\n      Allowed: %s. Default: %s%s%s.\n", key->name, key->help, allowed,
                   quoted ? "\"" : "", key->initial ? key->initial : "none", quoted ? "\"" : "");
    }
}
