#!/usr/bin/env python3
"""A fleet in the bulk import format: N twins of ten numeric properties, two relationships each, drawn from a seed.

   make_fleet.py N FILE
"""
import random, sys

n, path = int(sys.argv[1]), sys.argv[2]
rng = random.Random(1)
names = ["temperature", "pressure", "flow", "speed", "power", "current", "voltage", "vibration", "level", "load"]
contents = ",".join(f'{{"@type":"Property","name":"{name}","schema":"double"}}' for name in names)
with open(path, "w", buffering=1 << 20) as out:
    out.write('{"Section":"Header"}\n{"fileVersion":"1.0.0","author":"make_fleet"}\n{"Section":"Models"}\n')
    out.write('{"@context":"dtmi:dtdl:context;3","@id":"dtmi:bench:Pump;1","@type":"Interface","contents":[' + contents +
              ',{"@type":"Relationship","name":"feeds"},{"@type":"Relationship","name":"near"}]}\n{"Section":"Twins"}\n')
    for i in range(n):
        values = ",".join(f'"{name}":{rng.randrange(100000) / 1000}' for name in names)
        out.write(f'{{"$dtId":"pump{i}","$metadata":{{"$model":"dtmi:bench:Pump;1"}},{values}}}\n')
    out.write('{"Section":"Relationships"}\n')
    for i in range(n):
        for name, to in (("feeds", (i * 7 + 1 + rng.randrange(50)) % n), ("near", (i + 1 + rng.randrange(n - 1)) % n)):
            if to == i: to = (i + 1) % n
            out.write(f'{{"$sourceId":"pump{i}","$relationshipId":"{name}","$targetId":"pump{to}","$relationshipName":"{name}"}}\n')
