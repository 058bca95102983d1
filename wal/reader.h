/* reader.h: what of the reader is not in wal.h. */
#ifndef WOLFCDC_WAL_READER_H
#define WOLFCDC_WAL_READER_H
#include "file.h"
#include "wal.h"

/* As wal_reader_open_dir, over another file system: the crash tests'. */
MUST_CHECK bool wal_reader_open_files(const struct file_system *files, const char *dir, uint64_t lsn,
                                      struct wal_reader **reader, struct err *err);

#endif
