#!/usr/bin/env python3
"""Turns the library's texts into one C file.    embed.py OUT.c FILE.mo ..."""
import os, sys

out, files = sys.argv[1], sys.argv[2:]
with open(out, "w") as f:
    f.write('// Made by library/embed.py from library/*.mo.\n#include "cli/behavior.h"\n\n')
    for i, path in enumerate(files):
        data = open(path, "rb").read()
        # String literals compile many times faster than lists of numbers.
        lines = ['    "' + "".join(f"\\{b:03o}" for b in data[k:k + 96]) + '"' for k in range(0, len(data), 96)]
        f.write(f"static const char text_{i}[] =\n" + "\n".join(lines) + ";\n\n")
    rows = ",\n".join(f'    {{ {{ "Gemel/{os.path.basename(p)}", {len("Gemel/" + os.path.basename(p))} }}, {{ text_{i}, sizeof text_{i} - 1 }} }}'
                      for i, p in enumerate(files))
    f.write("static const gm_library_text texts[] = {\n" + rows + "\n};\n\n"
            "const gm_library_text *gm_library_texts(size_t *out_count)\n{\n    *out_count = sizeof texts / sizeof texts[0];\n    return texts;\n}\n")
