/*
 * standin: stands in for one WolfScale node in tests: see standin.h.
 *
 *   standin -c wolfscale.toml [-l LEVEL] start [--bootstrap]      the real program's command line
 */
#include "standin.h"

#include <curl/curl.h>
#include <errno.h>
#include <mysql.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "announce.h"
#include "api.h"
#include "applier.h"
#include "journal.h"
#include "log.h"
#include "members.h"
#include "peers.h"
#include "pool.h"
#include "proxy.h"

static _Noreturn void usage(void)
{
    fprintf(stderr, "usage: standin -c wolfscale.toml [-l LEVEL] start [--bootstrap]\n");
    exit(2);
}

static const char *arguments(int argc, char **argv, bool *bootstrap)
{
    const char *path = "wolfscale.toml";
    enum log_level level = LOG_LEVEL_INFO;
    int at = 1;
    for (; at + 1 < argc && *argv[at] == '-'; at += 2) {
        if (!strcmp(argv[at], "-c") || !strcmp(argv[at], "--config")) path = argv[at + 1];
        else if (strcmp(argv[at], "-l") != 0 || !log_level_parse(argv[at + 1], &level)) usage();
    }
    if (at >= argc || strcmp(argv[at++], "start") != 0) usage();
    *bootstrap = at < argc && !strcmp(argv[at], "--bootstrap");
    if (at + *bootstrap != argc) usage();
    log_init(level, LOG_FORMAT_TEXT);
    return path;
}

/* Without a bootstrap flag, a node leads from the start when it has no peers, or an id below every peer's ADDRESS. */
static bool leads_from_start(const struct conf *conf)
{
    for (unsigned i = 0; i < conf->peer_count; i++)
        if (strcmp(conf->id, conf->peers[i]) >= 0) return conf->bootstrap;
    return true;
}

/* A leader does not start without its database. */
static bool database_there(const struct conf *conf, struct err *err)
{
    MYSQL *mysql = local_connect(conf, NULL, err);
    if (!mysql) return err_context(err, "database");
    mysql_close(mysql);
    return true;
}

static bool start(struct node *node, struct err *err)
{
    const struct conf *conf = node->conf;
    if (mkdir(conf->data_dir, 0755) && errno != EEXIST) return err_set(err, ERR_STOP, "%s: error %d", conf->data_dir, errno);
    node->started_as_leader = leads_from_start(conf);
    if (node->started_as_leader && !database_there(conf, err)) return false;
    if (!journal_open(conf->data_dir, conf->flush_ms, conf->segment_mb, &node->journal, err)) return false;
    if (!applier_open(conf, &node->applier, err)) return false;
    uint64_t lsn = node->started_as_leader ? journal_lsn(node->journal) : applier_reported(node->applier);
    node->members = members_new(conf, node->started_as_leader, lsn);
    return peers_start(node, err) && proxy_start(node, err) && (!conf->api_enabled || api_start(node, err));
}

int main(int argc, char **argv)
{
    static struct conf conf;
    static struct node node = {.conf = &conf};
    struct err err = {0};
    bool bootstrap = false;
    sigset_t ends;
    int signal_number = 0;
    const char *path = arguments(argc, argv, &bootstrap);
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    mysql_library_init(0, NULL, NULL);
    bool good = conf_read(path, &conf, &err);
    conf.bootstrap |= bootstrap;
    if (!good || !start(&node, &err)) {
        fprintf(stderr, "standin: %s\n", err.text);
        return 1;
    }
    announce_start(&node);
    log_info("standin.started", "id=%s leading=%s", conf.id, node.started_as_leader ? "yes" : "no");
    sigwait(&ends, &signal_number);
    _exit(0); /* as with a power cut: what is not flushed is lost */
}
