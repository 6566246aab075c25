// base/crc32c.h: the Castagnoli checksum of log records and stored chunks (iSCSI polynomial, RFC 3720 B.4).
#ifndef GM_BASE_CRC32C_H
#define GM_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

// crc: 0 to start, or the result so far to go on. Uses the CPU's instruction where there is one (SSE 4.2).
uint32_t gm_crc32c(uint32_t crc, const void *bytes, size_t n);

#endif
