/* conf.h: the keys of wolfscale.toml that the stand-in knows; every other key is accepted and means nothing. */
#ifndef STANDIN_CONF_H
#define STANDIN_CONF_H
#include "err.h"

enum { NAME_MAX_BYTES = 128, ADDRESS_MAX = 80, PATH_MAX_BYTES = 600, PEERS_MAX = 15 };
enum { API_PORT = 8080 }; /* hard-coded where a follower calls its leader */

struct conf {
    char id[NAME_MAX_BYTES], bind[ADDRESS_MAX], advertise[ADDRESS_MAX], data_dir[PATH_MAX_BYTES];
    char db_host[ADDRESS_MAX], db_user[NAME_MAX_BYTES], db_password[NAME_MAX_BYTES];
    unsigned db_port, pool_size;
    unsigned flush_ms, segment_mb;
    bool bootstrap, never_leader, auto_discovery;
    char cluster_name[NAME_MAX_BYTES];
    char peers[PEERS_MAX][ADDRESS_MAX]; /* "host:port", this node's own too */
    unsigned peer_count, beat_ms, election_timeout_ms, election_min_ms, election_max_ms, batch_entries;
    char api_bind[ADDRESS_MAX], proxy_bind[ADDRESS_MAX];
    bool api_enabled, proxy_enabled;
};

MUST_CHECK bool conf_read(const char *path, struct conf *conf, struct err *err);
/* "host:port" into its parts; false when it is neither. */
bool conf_address(const char *text, char host[ADDRESS_MAX], unsigned *port);

#endif
