#!/usr/bin/env python3
"""Includes go one way, and every header compiles alone (unless its first line says that it is a template).

   includes.py ROOT CC     prints what breaks the rule and exits 1; prints a count otherwise
"""
import os, re, subprocess, sys, concurrent.futures

ALLOWED = {
    "base": [], "model": ["base"], "log": ["base"], "state": ["base", "model", "log"], "history": ["base", "model", "log"],
    "engine": ["base", "model", "log", "state", "history"],
    "thread": ["base", "model", "log", "state"],
    "aas": ["base", "model", "log", "state", "thread"],
    "query": ["base", "model", "log", "state", "history", "engine"],
    "rollup": ["base", "model", "log", "state", "history", "engine", "query"],
    "physics": ["base", "model"],
    "futures": ["base", "model", "log", "state", "history", "engine", "query", "physics"],
    "reliability": ["base", "model", "log", "state", "history", "engine"],
    "failure": ["base", "model", "log", "state", "history", "engine", "query", "thread", "reliability"],
    "insight": ["base", "model", "log", "state", "history", "engine", "query", "physics", "futures"],
    "control": ["base", "model", "log", "state", "history", "engine", "query", "physics", "futures", "failure", "insight"],
    "access": ["base", "model", "log", "state", "history", "engine", "query"],
    "link": ["base", "model", "log", "state", "history", "engine", "access"],
    "api": ["base", "model", "log", "state", "history", "engine", "query", "rollup", "physics", "futures", "reliability", "failure",
            "insight", "control", "thread", "aas", "access", "link"],
    "cli": ["base", "model", "log", "state", "history", "engine", "query", "rollup", "physics", "futures", "reliability", "failure",
            "insight", "control", "thread", "aas", "access", "link", "api"],
}
root, cc = sys.argv[1], sys.argv[2:]
bad, headers, files = [], [], 0
for folder, _, names in os.walk(os.path.join(root, "src")):
    here = os.path.relpath(folder, os.path.join(root, "src")).split(os.sep)[0]
    for name in names:
        if not name.endswith((".c", ".h")): continue
        path = os.path.join(folder, name)
        files += 1
        # A template is a piece of source that others include with different meanings of its words; it says so.
        template = name.endswith(".h") and "template" in open(path, encoding="utf-8").readline()
        if name.endswith(".h") and not template: headers.append(path)
        if here not in ALLOWED:
            bad.append(f"{path}: the folder {here} has no place in the include order"); continue
        for number, line in enumerate(open(path, encoding="utf-8"), 1):
            m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not m: continue
            there = m[1].split("/")[0]
            if "/" not in m[1]: continue  # a generated header beside it
            if there != here and there not in ALLOWED[here] and there != "gemel":
                bad.append(f"{path}:{number}: {here} may not include {m[1]}")

# The public headers: as C11, without anything of ours in sight but themselves.
for folder, _, names in os.walk(os.path.join(root, "include")):
    headers += [os.path.join(folder, name) for name in names if name.endswith(".h")]

def alone(path):
    p = subprocess.run([*cc, "-std=gnu11", "-D_GNU_SOURCE", "-fsyntax-only", "-I", os.path.join(root, "src"), "-I",
                        os.path.join(root, "include"), "-x", "c", path], capture_output=True, text=True)
    return f"{path} does not compile alone:\n{p.stderr}" if p.returncode else None

with concurrent.futures.ThreadPoolExecutor(2) as pool:
    bad += [b for b in pool.map(alone, sorted(headers)) if b]
print("\n".join(bad) if bad else f"{files} files, {len(headers)} headers: all in order")
sys.exit(1 if bad else 0)
