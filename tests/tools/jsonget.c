/*
 * jsonget PATH... <document: prints values of a JSON document, one a line, for the shell scripts of the tests. PATH is a chain of
 * keys and indices, "sinks.0.state". A text is printed bare, anything else as JSON, nothing as an empty line. Exit 1 when one of
 * them is not there.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

enum { DOCUMENT_MAX = 16 * 1024 * 1024 };

static const cJSON *step(const cJSON *at, const char *key)
{
    if (!cJSON_IsArray(at)) return cJSON_GetObjectItemCaseSensitive(at, key);
    char *end = NULL;
    long index = strtol(key, &end, 10);
    return *key && !*end && index >= 0 ? cJSON_GetArrayItem(at, (int)index) : NULL;
}

static void print(const cJSON *value)
{
    if (!value || cJSON_IsString(value)) {
        puts(value ? value->valuestring : "");
        return;
    }
    char *text = cJSON_PrintUnformatted(value);
    puts(text ? text : "");
    cJSON_free(text);
}

static bool get(const cJSON *root, char *path)
{
    const cJSON *at = root;
    for (char *key = strtok(path, "."); at && key; key = strtok(NULL, ".")) at = step(at, key);
    print(at);
    return at != NULL;
}

int main(int argc, char **argv)
{
    static char document[DOCUMENT_MAX];
    if (argc < 2) {
        fputs("usage: jsonget PATH... <document\n", stderr);
        return 2;
    }
    size_t size = fread(document, 1, sizeof document - 1, stdin);
    document[size] = 0;
    cJSON *root = cJSON_Parse(document);
    bool all = true;
    for (int i = 1; i < argc; i++) all = get(root, argv[i]) && all;
    cJSON_Delete(root);
    return all ? 0 : 1;
}
