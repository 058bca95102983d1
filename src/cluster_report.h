/* cluster_report.h: GET /nodes: the truth about every node of every cluster. Its keys are NODE_KEY of keys.def. */
#ifndef WOLFCDC_CLUSTER_REPORT_H
#define WOLFCDC_CLUSTER_REPORT_H
#include "buf.h"
#include "sink.h"

void cluster_report(struct sinks *sinks, struct buf *out);

#endif
