#!/usr/bin/env python3
"""Builds the console with Vite and turns it into one C file of constant bytes.

   embed.py NPM_TREE WORK_DIR OUT.c OUT.d      OUT.d lists what the result depends on, for ninja

Fonts, pages and scripts are kept both plain and gzipped, when that is smaller.
"""
import gzip, hashlib, os, subprocess, sys

tree, work, out, deps = sys.argv[1:]
MIME = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
        ".svg": "image/svg+xml", ".png": "image/png", ".json": "application/json", ".wasm": "application/wasm"}
dist = os.path.join(work, "dist")
build = subprocess.run(["node", os.path.join(tree, "node_modules", "vite", "bin", "vite.js"), "build", "--outDir", os.path.abspath(dist),
                        "--emptyOutDir", "--logLevel", "warn"], cwd=tree, capture_output=True, text=True)
if build.returncode != 0:
    sys.exit(build.stdout + build.stderr)

def c_bytes(data):
    # String literals compile many times faster than lists of numbers.
    lines = []
    for i in range(0, len(data), 96):
        lines.append('    "' + "".join(f"\\{b:03o}" for b in data[i:i + 96]) + '"')
    return "\n".join(lines) or '    ""'

files = sorted(os.path.join(folder, name) for folder, _, names in os.walk(dist) for name in names)
body, table = [], []
for i, path in enumerate(files):
    data = open(path, "rb").read()
    packed = gzip.compress(data, 9, mtime=0)
    name = os.path.relpath(path, dist).replace(os.sep, "/")
    mime = MIME.get(os.path.splitext(path)[1], "application/octet-stream")
    tag = hashlib.sha256(data).hexdigest()[:16]
    body.append(f"static const char plain_{i}[] =\n{c_bytes(data)};")
    zipped = "NULL, 0"
    if len(packed) < len(data):
        body.append(f"static const char gzip_{i}[] =\n{c_bytes(packed)};")
        zipped = f"(const uint8_t *)gzip_{i}, {len(packed)}"
    table.append(f'    {{ "{name}", "{mime}", (const uint8_t *)plain_{i}, {len(data)}, {zipped}, "\\"{tag}\\"" }},')
with open(out, "w") as f:
    f.write('// Made by web/embed.py from the files below web/.\n#include "cli/console.h"\n\n' + "\n".join(body) +
            "\n\nstatic const gm_asset files[] = {\n" + "\n".join(table) +
            "\n};\n\nconst gm_asset *gm_console_assets(size_t *out_count)\n{\n    *out_count = sizeof files / sizeof files[0];\n    return files;\n}\n")

sources = [os.path.join(tree, n) for n in ("index.html", "package.json", "package-lock.json", "vite.config.ts", "tsconfig.json", "embed.py")]
sources += [os.path.join(folder, name) for folder, _, names in os.walk(os.path.join(tree, "src")) for name in names]
with open(deps, "w") as f:
    f.write(out + ": " + " ".join(s.replace(" ", "\\ ") for s in sorted(sources)) + "\n")
