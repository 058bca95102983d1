/*
 * jsonget PATH <document: prints one value of a JSON document, for the shell scripts of the tests. PATH is a chain of keys
 * and indices, "sinks.0.state". A text is printed bare, anything else as JSON. Exit 1 when there is none.
 */
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
    if (cJSON_IsString(value)) {
        puts(value->valuestring);
        return;
    }
    char *text = cJSON_PrintUnformatted(value);
    puts(text ? text : "");
    cJSON_free(text);
}

int main(int argc, char **argv)
{
    static char document[DOCUMENT_MAX];
    if (argc != 2) {
        fputs("usage: jsonget PATH <document\n", stderr);
        return 2;
    }
    size_t size = fread(document, 1, sizeof document - 1, stdin);
    document[size] = 0;
    cJSON *root = cJSON_Parse(document);
    const cJSON *at = root;
    for (char *key = strtok(argv[1], "."); at && key; key = strtok(NULL, ".")) at = step(at, key);
    if (at) print(at);
    cJSON_Delete(root);
    return at ? 0 : 1;
}
