/*
 * binlog_files.h: the driver whose source is a row of saved binlog files: source_driver (source.h) without a server. It sends what a server
 * would send from a position on: the file's name first, then its events, without the transactions that the position has. Behind the last
 * file it ends, where a server is configured to go on with, or waits for the file to grow and for the next one.
 */
#ifndef WOLFCDC_BINLOG_FILES_H
#define WOLFCDC_BINLOG_FILES_H
#include "source.h"

extern const struct source_driver source_files;
/* Finds the files, and looks into the first and the last of them. ERR_CONFIG: there is none, or not a whole row. */
MUST_CHECK bool source_files_open(const struct source_settings *settings, struct source **source, struct err *err);
/* Whether the settings name a server besides. */
bool source_has_server(const struct source_settings *settings);

#endif
