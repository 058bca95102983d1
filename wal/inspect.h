/* inspect.h: wal_list, wal_info, wal_verify over any file system: the crash tests' too. */
#ifndef WOLFCDC_WAL_INSPECT_H
#define WOLFCDC_WAL_INSPECT_H
#include "file.h"
#include "wal.h"

MUST_CHECK bool wal_verify_files(const struct file_system *files, const char *dir,
                                 void (*progress)(void *, uint64_t done, uint64_t total), void *context,
                                 struct wal_info *info, struct err *err);

#endif
