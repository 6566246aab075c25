// thread/facts.h: records of the log and the thread that they add up to.
//
//   gm_facts_begin(&bytes);
//   gm_facts_add(&bytes, &fact);                                     // for each, in their order
//   gm_engine_submit(engine, GM_CHANGE_FACT, 0, id, name, gm_buf_view(&bytes), ask, &err);
//   gm_facts_fold(thread, ingest, &change, &err);                    // when it is durable
//
// Format: docs/formats/thread.md.
#ifndef GM_THREAD_FACTS_H
#define GM_THREAD_FACTS_H

#include "log/change.h"
#include "thread/thread.h"

enum { GM_FACTS_RECORD_MAX = 4 << 20 };  // bytes of a record

void gm_facts_begin(gm_buf *out);
void gm_facts_add(gm_buf *out, const gm_fact *fact);

// GM_CHANGE_FACT: takes the facts in their order until one is refused: GM_CONFLICT, err says which and why; those before it stand.
// GM_CHANGE_FACTS_DELETE. GM_NOMEM, GM_CORRUPT.
GM_NODISCARD gm_status gm_facts_fold(gm_thread *thread, gm_time_ns ingest, const gm_change *change, gm_error *err);

#endif
