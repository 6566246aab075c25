#!/usr/bin/env python3
"""What a client of the API waits for: a whole ontology in one POST, GET of a twin beside a minimal handler, GET while
telemetry pours in, and the folder of DTDL cases.

   api_numbers.py BUILD [TWINS] [--seconds S] [--ontology FILE.json.gz] [--cases FOLDER] [--json FILE]

GET: requests per second of two kinds of twin (10 properties; 26 properties) over keep-alive connections, as a ratio to a
libmicrohttpd handler that answers the same bytes (bench/http_get.c). Under load: the latency of GET on one connection,
the time between its requests being a millisecond, while bench/mqtt-load publishes 100,000 messages a second.
"""
import argparse, glob, gzip, http.client, json, os, re, shutil, statistics, subprocess, sys, tempfile, time

arguments = argparse.ArgumentParser()
arguments.add_argument("build")
arguments.add_argument("twins", nargs="?", type=int, default=1000000)
arguments.add_argument("--seconds", type=float, default=5)
arguments.add_argument("--ontology", default="../shared/data/ontologies/willow-building.v3.json.gz")
arguments.add_argument("--cases", default="../shared/data/dtdl-cases")
arguments.add_argument("--json")
a = arguments.parse_args()
here = os.path.dirname(os.path.abspath(__file__))
work = tempfile.mkdtemp(prefix="gemel-bench-")
gemel = os.path.join(a.build, "gemel")
results, server = {}, None

def tell(name, value, text):
    results[name] = value
    print(f"{name:44} {text}", flush=True)

def post(link, path, body, kind="application/json"):
    link.request("POST", path, body, {"Content-Type": kind})
    answer = link.getresponse()
    text = answer.read()
    if answer.status not in (200, 201): sys.exit(f"{path}: {answer.status} {text[:300]}")
    return text

def wide_twins():
    """100 twins of a model with 26 properties, and 1000 that telemetry goes to."""
    names = [chr(97 + i) * 6 for i in range(26)]
    model = {"@context": "dtmi:dtdl:context;3", "@id": "dtmi:bench:Wide;1", "@type": "Interface",
             "contents": [{"@type": "Property", "name": n, "schema": "double"} for n in names]}
    device = {"@context": "dtmi:dtdl:context;3", "@id": "dtmi:bench:Device;1", "@type": "Interface",
              "contents": [{"@type": "Telemetry", "name": n, "schema": "double"} for n in ("temp", "hum", "p")]}
    lines = [{"Section": "Header"}, {"fileVersion": "1.0.0"}, {"Section": "Models"}, model, device, {"Section": "Twins"}]
    lines += [{"$dtId": f"wide{i}", "$metadata": {"$model": "dtmi:bench:Wide;1"}, **{n: i + k / 7 for k, n in enumerate(names)}} for i in range(100)]
    lines += [{"$dtId": f"d{i}", "$metadata": {"$model": "dtmi:bench:Device;1"}} for i in range(1000)]
    return "\n".join(json.dumps(line) for line in lines) + "\n"

def latencies(address, path, seconds):
    link, times, end = http.client.HTTPConnection(address), [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        link.request("GET", path)
        link.getresponse().read()
        times.append((time.perf_counter() - start) * 1000)
        time.sleep(0.001)
    return sorted(times)

try:
    fleet, plant = os.path.join(work, "fleet.ndjson"), os.path.join(work, "plant")
    os.makedirs(plant)
    subprocess.run([sys.executable, os.path.join(here, "make_fleet.py"), str(a.twins), fleet], check=True)
    start = time.perf_counter()
    subprocess.run([gemel, "import", plant, fleet], check=True, stdout=subprocess.DEVNULL)
    tell("import_s", time.perf_counter() - start, f"{time.perf_counter() - start:.1f} s for {a.twins} twins")
    os.remove(fleet)
    server = subprocess.Popen([gemel, "serve", plant, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    line = server.stdout.readline()
    address, mqtt = re.search(r"http=(\S+)", line)[1], re.search(r"mqtt=(\S+)", line)[1]
    link = http.client.HTTPConnection(address)
    post(link, "/v1/import", wide_twins(), "application/x-ndjson")

    if os.path.exists(a.ontology):
        body = gzip.open(a.ontology).read()
        start = time.perf_counter()
        post(link, "/models?api-version=2023-10-31", body)
        took = (time.perf_counter() - start) * 1000
        tell("ontology_ms", took, f"{took:.0f} ms for {body.count(b'dtmi:dtdl:context')} interfaces, {len(body) / 1e6:.1f} MB")
    cases = [f for f in glob.glob(os.path.join(a.cases, "**", "*.json"), recursive=True)]
    if cases:
        start = time.perf_counter()
        subprocess.run([gemel, "check", "--dtdl-case", *cases], check=True, stdout=subprocess.DEVNULL)
        took = (time.perf_counter() - start) * 1000
        tell("dtdl_cases_ms", took, f"{took:.0f} ms for {len(cases)} files")
    for name, twin in (("get_fleet", "pump777"), ("get_26_properties", "wide7")):
        out = os.path.join(work, "get.json")
        subprocess.run([os.path.join(a.build, "bench", "http-get"), address, twin, str(a.seconds), "--json", out], check=True, stdout=subprocess.DEVNULL)
        got = json.load(open(out))
        tell(name, got, f"{got['gemel']:.0f}/s beside {got['minimal']:.0f}/s: ratio {got['ratio']:.2f}")
    load = subprocess.Popen([os.path.join(a.build, "bench", "mqtt-load"), mqtt, "--connections", "4", "--window", "500", "--seconds",
                             str(a.seconds + 1), "--rate", "100000", "--topic", "gemel/d%u/telemetry"], stdout=subprocess.PIPE, text=True)
    time.sleep(0.5)
    times = latencies(address, "/digitaltwins/pump777?api-version=2023-10-31", a.seconds)
    rate  = json.loads(load.communicate()[0])
    p50, p99 = statistics.median(times), times[len(times) * 99 // 100]
    tell("get_under_telemetry", {"p50_ms": p50, "p99_ms": p99, "load": rate}, f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, worst {times[-1]:.2f} ms; {rate}")
    if a.json: json.dump(results, open(a.json, "w"))
finally:
    if server is not None: server.terminate(); server.wait()
    shutil.rmtree(work, ignore_errors=True)
