/*
 * replay: the main() of a fuzz target in a build without libFuzzer. Every file of the corpora on the command line (files or
 * directories) is given to the target as it is, and then MUTATIONS times (environment; 300) with seeded damage: bits flipped, bytes
 * set to edge values, pieces cut out, doubled and cut off. The seed is printed; SEED repeats a run.
 */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { INPUT_MAX = 1 << 20, DAMAGE_MAX = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state;
static unsigned long mutations = 300, files, runs;

static uint64_t next(void) /* splitmix64 */
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static size_t below(size_t limit) { return limit ? next() % limit : 0; }

/* An exact copy on the heap, so that a sanitizer sees a read past its end. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) abort();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    runs++;
}

static void flip(uint8_t *data, size_t *size) { if (*size) data[below(*size)] ^= (uint8_t)(1u << below(8)); }

static void edge(uint8_t *data, size_t *size)
{
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xfb, 0xfc, 0xfd, 0xfe, 0xff};
    if (*size) data[below(*size)] = values[below(sizeof values)];
}

static void cut_off(uint8_t *data, size_t *size)
{
    (void)data;
    *size = below(*size + 1);
}

static void cut_out(uint8_t *data, size_t *size)
{
    size_t from = below(*size), count = below(*size - from < 64 ? *size - from : 64);
    memmove(data + from, data + from + count, *size - from - count);
    *size -= count;
}

static void twice(uint8_t *data, size_t *size)
{
    size_t from = below(*size), count = below(*size - from < 64 ? *size - from : 64);
    if (*size + count > INPUT_MAX) return;
    memmove(data + from + count, data + from, *size - from);
    *size += count;
}

static void mutate(const uint8_t *data, size_t size)
{
    static void (*const ways[])(uint8_t *, size_t *) = {flip, flip, edge, edge, cut_off, cut_out, twice};
    static uint8_t work[INPUT_MAX];
    for (unsigned long i = 0; i < mutations; i++) {
        size_t left = size;
        memcpy(work, data, size);
        for (size_t damage = below(DAMAGE_MAX) + 1; damage > 0; damage--) ways[below(sizeof ways / sizeof *ways)](work, &left);
        run(work, left);
    }
}

static void file(const char *path)
{
    static uint8_t data[INPUT_MAX];
    FILE *in = fopen(path, "rb");
    if (!in) {
        perror(path);
        exit(1);
    }
    size_t size = fread(data, 1, sizeof data, in);
    fclose(in);
    files++;
    run(data, size);
    mutate(data, size);
}

static void folder(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char whole[PATH_MAX];
        snprintf(whole, sizeof whole, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') file(whole);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
}

int main(int argc, char **argv)
{
    struct stat info;
    if (getenv("MUTATIONS")) mutations = strtoul(getenv("MUTATIONS"), NULL, 10);
    state = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 10) : 1;
    printf("SEED=%llu MUTATIONS=%lu\n", (unsigned long long)state, mutations);
    run((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        if (stat(argv[i], &info) != 0) {
            perror(argv[i]);
            return 1;
        }
        S_ISDIR(info.st_mode) ? folder(argv[i]) : file(argv[i]);
    }
    printf("%lu files, %lu runs\n", files, runs);
    return files > 0 ? 0 : 1;
}
