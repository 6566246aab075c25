#!/usr/bin/env python3
"""Writes the table of powers of ten that base/shortest.c multiplies with; exact, because these integers have no end.

Entry i stands for 10^k, k = i - 292: the 128 leading bits of it, rounded up where it has more.
"""
import sys

K_MIN, K_MAX = -292, 324


def leading_bits(k):
    if k >= 0:
        power = 10**k
        shift = power.bit_length() - 128
        return power << -shift if shift <= 0 else -(-power >> shift)
    power = 10**-k
    # 2^shift / 10^-k lies between 2^127 and 2^128: 10^-k is no power of two.
    shift = power.bit_length() + 127
    return -(-(1 << shift) // power)


with open(sys.argv[1], "w", encoding="ascii") as out:
    out.write("// 10^k for k = %d .. %d, 128 bits each. Written by powers_of_ten.py.\n" % (K_MIN, K_MAX))
    for k in range(K_MIN, K_MAX + 1):
        bits = leading_bits(k)
        assert bits >> 127 == 1
        out.write("{ UINT64_C(0x%016x), UINT64_C(0x%016x) },\n" % (bits >> 64, bits & (2**64 - 1)))
