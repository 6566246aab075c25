// base/heap.h: what a program may ask of the C library's heap (gm_alloc_system) as a whole.
#ifndef GM_BASE_HEAP_H
#define GM_BASE_HEAP_H

// Gives whole pages that are free there back to the system: after a start, which leaves holes. Milliseconds; any thread.
void gm_heap_trim(void);

#endif
