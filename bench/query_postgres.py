#!/usr/bin/env python3
"""The same fleet in gemel and in PostgreSQL, asked the same: filters with and without an index, walks along relationships.

   query_postgres.py BUILD [TWINS] [--json FILE]

PostgreSQL runs as a private cluster in a temporary folder, on a Unix socket, not as root. Everything is in its cache
before it is measured; the best of a few runs counts on both sides. gemel is asked over HTTP, PostgreSQL through psql
with its own timing (no network, no parsing of results), so the comparison is in its favour.
"""
import http.client, json, os, pwd, re, shutil, subprocess, sys, tempfile, time

args = [a for a in sys.argv[1:] if a != "--json"]
out_file = args.pop() if "--json" in sys.argv else None
build, twins = args[0], int(args[1]) if len(args) > 1 else 1000000
here = os.path.dirname(os.path.abspath(__file__))
bindir = next((d for d in (subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True).stdout.strip(), "/usr/lib/postgresql/15/bin",
                           "/usr/local/bin", "/usr/bin") if d and os.path.exists(os.path.join(d, "initdb"))), None)
if bindir is None: sys.exit("no PostgreSQL here (initdb was not found)")
home = tempfile.mkdtemp(prefix="gemel-bench-")
user = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
RUNS = 5

def demote():
    if os.getuid() == 0: os.setgid(user.pw_gid); os.setuid(user.pw_uid)

def pg(*words, **more):
    return subprocess.run([os.path.join(bindir, words[0]), *words[1:]], preexec_fn=demote, check=True, capture_output=True, text=True, cwd=home,
                          env={**os.environ, "HOME": home}, **more)

def psql(text):
    return pg("psql", "-h", home, "-U", "bench", "-d", "postgres", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", input=text).stdout

def measure_pg(sql):
    out = psql("\\timing on\n" + (sql + ";\n") * RUNS)
    times = [float(t) for t in re.findall(r"Time: ([0-9.]+) ms", out)]
    return min(times), out.split("\n")[0].strip()

def measure_gemel(query):
    best = 1e9
    for _ in range(RUNS):
        link = http.client.HTTPConnection(address)
        start = time.perf_counter()
        link.request("POST", "/query?api-version=2023-10-31", json.dumps({"query": query}), {"Content-Type": "application/json"})
        answer = json.loads(link.getresponse().read())
        best = min(best, (time.perf_counter() - start) * 1000)
        link.close()
    return best, str(next(iter(answer["value"][0].values()))) if answer.get("value") else str(answer)

def put_index(name, method):
    link = http.client.HTTPConnection(address)
    link.request(method, "/v1/indexes/" + name, "{}" if method == "PUT" else None, {"Content-Type": "application/json"})
    link.getresponse().read()

server = None
try:
    os.chown(home, user.pw_uid, user.pw_gid)
    fleet = os.path.join(home, "fleet.ndjson")
    subprocess.run([sys.executable, os.path.join(here, "make_fleet.py"), str(twins), fleet], check=True)
    os.makedirs(os.path.join(home, "plant"))
    start = time.perf_counter()
    subprocess.run([os.path.join(build, "gemel"), "import", os.path.join(home, "plant"), fleet], check=True, stdout=subprocess.DEVNULL)
    import_s = time.perf_counter() - start

    names, rows, edges, section = None, os.path.join(home, "t.tsv"), os.path.join(home, "r.tsv"), ""
    with open(fleet) as lines, open(rows, "w") as t, open(edges, "w") as r:
        for line in lines:
            item = json.loads(line)
            if "Section" in item: section = item["Section"]; continue
            if section == "Twins":
                names = names or [k for k in item if k[0] != "$"]
                t.write(item["$dtId"][4:] + "\t" + item["$dtId"] + "\t" + "\t".join(str(item[n]) for n in names) + "\n")
            elif section == "Relationships":
                r.write(item["$sourceId"][4:] + "\t" + item["$targetId"][4:] + "\t" + item["$relationshipName"] + "\n")
    os.remove(fleet)
    pg("initdb", "-D", os.path.join(home, "pg"), "-U", "bench", "-A", "trust", "--no-sync")
    pg("pg_ctl", "-D", os.path.join(home, "pg"), "-w", "-l", os.path.join(home, "pg.log"), "-o",
       f"-k {home} -c listen_addresses='' -c shared_buffers=1GB -c fsync=off -c work_mem=256MB -c max_parallel_workers_per_gather=2", "start")
    psql("CREATE TABLE t (n int, id text, " + ", ".join(f"{n} double precision" for n in names) + ");"
         "CREATE TABLE r (source int, target int, name text);"
         f"COPY t FROM '{rows}'; COPY r FROM '{edges}';"
         "CREATE UNIQUE INDEX ON t (n); CREATE UNIQUE INDEX ON t (id); CREATE INDEX ON r (source, name) INCLUDE (target); VACUUM ANALYZE;")

    server = subprocess.Popen([os.path.join(build, "gemel"), "serve", os.path.join(home, "plant"), "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    address = re.search(r"http=(\S+)", server.stdout.readline())[1]

    hops = "SELECT COUNT() FROM DIGITALTWINS MATCH (A)-[:feeds]->(B)-[:feeds]->(C)-[:feeds]->(D) WHERE A.$dtId = 'pump777'"
    recursive = ("WITH RECURSIVE w(n, hops) AS (SELECT n, 0 FROM t WHERE n < 10000 UNION ALL SELECT r.target, hops + 1 FROM w JOIN r "
                 "ON r.source = w.n WHERE hops < 5) SELECT count(*) FROM w WHERE hops = 5")
    table = [
        ("count, temperature > 60", "SELECT COUNT() FROM DIGITALTWINS T WHERE T.temperature > 60", "SELECT count(*) FROM t WHERE temperature > 60", None),
        ("count, temperature > 99.9", "SELECT COUNT() FROM DIGITALTWINS T WHERE T.temperature > 99.9", "SELECT count(*) FROM t WHERE temperature > 99.9", None),
        ("the same, both with an index", "SELECT COUNT() FROM DIGITALTWINS T WHERE T.temperature > 99.9", "SELECT count(*) FROM t WHERE temperature > 99.9", "temperature"),
        ("> 60, both with an index", "SELECT COUNT() FROM DIGITALTWINS T WHERE T.temperature > 60", "SELECT count(*) FROM t WHERE temperature > 60", "temperature"),
        ("3 hops from one twin", hops, "SELECT count(*) FROM t a JOIN r x ON x.source = a.n AND x.name = 'feeds' JOIN r y ON y.source = x.target AND "
         "y.name = 'feeds' JOIN r z ON z.source = y.target AND z.name = 'feeds' WHERE a.id = 'pump777'", None),
        ("5 hops from 10,000 twins", "SELECT COUNT() FROM DIGITALTWINS MATCH (A)-[*5]->(B) WHERE A.$dtId IN [" +
         ",".join(f"'pump{i}'" for i in range(10000)) + "]", recursive, None),
    ]
    print(f"{twins} twins, {2 * twins} relationships; import {import_s:.1f} s\n{'query':32} {'gemel ms':>10} {'psql ms':>10} {'ratio':>8}  answers")
    results = {"twins": twins, "import_s": import_s}
    indexed = set()
    for name, query, sql, index in table:
        if index and index not in indexed:
            put_index(index, "PUT")
            psql(f"CREATE INDEX ON t ({index}); VACUUM ANALYZE t;")
            indexed.add(index)
        ours, answer = measure_gemel(query)
        theirs, other = measure_pg(sql)
        print(f"{name:32} {ours:10.3f} {theirs:10.3f} {theirs / ours:8.1f}  {answer} {other}")
        results[name] = [ours, theirs]
    if out_file: json.dump(results, open(out_file, "w"))
finally:
    if server is not None: server.terminate(); server.wait()
    try: pg("pg_ctl", "-D", os.path.join(home, "pg"), "-m", "immediate", "stop")
    except Exception: pass
    shutil.rmtree(home, ignore_errors=True)
