#!/usr/bin/env python3
"""Turns files into one C file of texts.    embed.py OUT.c HEADER NOUN PREFIX FILE ...

   HEADER declares  typedef struct gm_NOUN_text { gm_str file, text; } gm_NOUN_text;
                    const gm_NOUN_text *gm_NOUN_texts(size_t *out_count);
   A text's file is PREFIX and the name without its folder.
"""
import os, sys

out, header, noun, prefix, files = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:]
with open(out, "w") as f:
    f.write(f'// Made by library/embed.py.\n#include "{header}"\n\n')
    for i, path in enumerate(files):
        data = open(path, "rb").read()
        # String literals compile many times faster than lists of numbers.
        lines = ['    "' + "".join(f"\\{b:03o}" for b in data[k:k + 96]) + '"' for k in range(0, len(data), 96)]
        f.write(f"static const char text_{i}[] =\n" + "\n".join(lines) + ";\n\n")
    names = [prefix + os.path.basename(p) for p in files]
    rows = ",\n".join(f'    {{ {{ "{n}", {len(n)} }}, {{ text_{i}, sizeof text_{i} - 1 }} }}' for i, n in enumerate(names))
    f.write(f"static const gm_{noun}_text texts[] = {{\n" + rows + "\n};\n\n"
            f"const gm_{noun}_text *gm_{noun}_texts(size_t *out_count)\n{{\n    *out_count = sizeof texts / sizeof texts[0];\n    return texts;\n}}\n")
