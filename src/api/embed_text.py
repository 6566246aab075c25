#!/usr/bin/env python3
"""Turns a text file into a C function that returns it.    embed_text.py FUNCTION HEADER IN OUT.c"""
import sys

function, header, source, out = sys.argv[1:]
data = open(source, "rb").read()
# String literals compile many times faster than lists of numbers.
lines = ['    "' + "".join(f"\\{b:03o}" for b in data[i:i + 96]) + '"' for i in range(0, len(data), 96)]
with open(out, "w") as f:
    f.write(f'#include "{header}"\n\nstatic const char text[] =\n' + "\n".join(lines) +
            f";\n\ngm_str {function}(void) {{ return (gm_str){{ text, sizeof text - 1 }}; }}\n")
