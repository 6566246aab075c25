#!/usr/bin/env python3
"""docs/ARCHITECTURE.md walks through functions: each that it names stands in the file that it names.

   architecture.py ROOT     prints what is not there and exits 1; prints a count otherwise
"""
import os, re, sys

root = sys.argv[1]
page = open(os.path.join(root, "docs/ARCHITECTURE.md"), encoding="utf-8").read()
FILE = r"((?:web/)?[\w/]+\.(?:c|h|ts|tsx))"
bad = []

def text_of(name):
    path = os.path.join(root, name if name.startswith("web/") else "src/" + name)
    if not os.path.exists(path):
        bad.append(f"there is no file {name}")
        return ""
    return open(path, encoding="utf-8").read()

# `name` (`file`), (`name`, `file`) and `name` in `file`
places = set(re.findall(r"`(\w+)`[\s]*(?:\(|,\s|in\s)\s*`" + FILE + "`", page))
for name, file in sorted(places):
    text = text_of(file)
    if text and not re.search(rf"\b{name}\b", text): bad.append(f"{name} is not in {file}")
for file in sorted(set(re.findall("`" + FILE + "`", page))): text_of(file)

sources = "".join(open(os.path.join(folder, f), encoding="utf-8").read()
                  for folder, _, files in os.walk(os.path.join(root, "src")) for f in files if f.endswith((".c", ".h")))
known = set(re.findall(r"\bgm_\w+", sources))
names = set(re.findall(r"`(gm_\w+)`", page))
bad += [f"{n} is nowhere" for n in sorted(names - known)]
if len(places) < 40 or len(names) < 60: bad.append(f"only {len(places)} places and {len(names)} functions were read: the page's form has changed")
for line in bad: print("docs/ARCHITECTURE.md:", line)
if not bad: print(f"{len(places)} places and {len(names)} functions are where the page says")
sys.exit(1 if bad else 0)
