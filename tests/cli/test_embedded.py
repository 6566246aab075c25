#!/usr/bin/env python3
"""The examples of include/gemel, compiled against what `meson install` installs, and run on a plant.

   test_embedded.py BUILD CC
"""
import json, os, re, subprocess, sys, tempfile

build, compiler = os.path.abspath(sys.argv[1]), sys.argv[2:]
MODEL = {"@context": "dtmi:dtdl:context;3", "@id": "dtmi:t:Decay;1", "@type": "Interface",
         "contents": [{"@type": "Property", "name": name, "schema": "double", "writable": True} for name in "xk"]}
TWINS = '{"Section":"Twins"}\n{"$dtId":"t1","$metadata":{"$model":"dtmi:t:Decay;1"},"x":2,"k":1}\n'
CLASS = """model Decay
  parameter Real k = 1;
  Real x(start=1, fixed=true);
equation
  der(x) = -k*x;
  annotation(__gemel(interface="dtmi:t:Decay;1"));
end Decay;
"""

def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, **more)
    if done.returncode != 0: sys.exit(f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout

def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file: file.write(text)

with tempfile.TemporaryDirectory() as place:
    plant = os.path.join(place, "plant")
    write(os.path.join(plant, "models/decay.json"), json.dumps(MODEL))
    write(os.path.join(plant, "twins/all.ndjson"), TWINS)
    write(os.path.join(plant, "behaviors/decay.mo"), CLASS)
    run("meson", "install", "-C", build, "--no-rebuild", "--destdir", place, "--tags", "devel")
    found = [os.path.join(folder, "gemel.pc") for folder, _, names in os.walk(place) if "gemel.pc" in names]
    prefix = run("meson", "introspect", build, "--buildoptions")
    prefix = next(o["value"] for o in json.loads(prefix) if o["name"] == "prefix")
    env = dict(os.environ, PKG_CONFIG_PATH=os.path.dirname(found[0]))
    flags = run("pkg-config", "--cflags", "--libs", f"--define-variable=prefix={place}{prefix}", "gemel", env=env).split()
    headers = os.path.join(place + prefix, "include/gemel")
    results = {}
    assert sorted(os.listdir(headers)) == ["futures.h", "plant.h", "twins.h"]
    for name in ("plant.h", "twins.h", "futures.h"):  # what twins.h writes is durable: futures.h begins there
        text = open(os.path.join(headers, name), encoding="utf-8").read()
        example = re.search(r"\* EXAMPLE\n(.*?)\n \* END", text, re.S)
        if not example: sys.exit(f"{name} has no example")
        source, program = os.path.join(place, "example_" + name[:-2] + ".c"), os.path.join(place, "example_" + name[:-2])
        write(source, "\n".join(line[7:] for line in example[1].split("\n")) + "\n")
        run(*compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", source, "-o", program, *flags)
        results[name] = run(program, plant)
    assert json.loads(results["plant.h"])["name"] == "plant", results["plant.h"]
    level, rows, past = results["twins.h"].strip().split("\n", 2)
    assert float(level) == 2.5, level
    assert json.loads(rows)["value"][0]["$dtId"] == "t1", rows
    assert "2.5" in past, past
    futures = json.loads(results["futures.h"])
    assert futures["lanes"] == 256 and futures["outputs"]["t1.x"]["quantiles"]["0.5"][0] == 2.5, futures
print(f"{len(results)} examples compiled and run")
