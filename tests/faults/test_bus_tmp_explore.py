import time
import pytest
from support.bus import *
from support.eventually import eventually
import importlib.util, pathlib
spec = importlib.util.spec_from_file_location("dmg", pathlib.Path(__file__).with_name("test_bus_server_damage.py"))
dmg = importlib.util.module_from_spec(spec); spec.loader.exec_module(dmg)

ALL = dict(dmg.DAMAGES)
for n in ("head","blobs","log","quarantine","fleet","lease"):
    ALL["wrong type "+n] = lambda client, keys, n=n: client.set(getattr(keys, n), "something else")
ALL["blob altered"] = lambda client, keys: client.hset(keys.blobs, dmg.a_blob(client, keys), b"\x81\xa6number\x07")

@pytest.mark.parametrize("name", ALL)
def test_explore(bus, server, name):
    publisher = bus.publisher(1)
    w = bus.worker()
    bus.agree(1)
    bus.edit(publisher, 2)
    bus.agree(2)
    client = server.client(decode_responses=True)
    ALL[name](client, bus.keys)
    t=time.time()
    seen=[]
    while time.time()-t<2.5:
        s=(publisher.state, publisher.why[:150], w.state, w.number, publisher.is_active)
        if not seen or seen[-1][1]!=s: seen.append((round(time.time()-t,2),s))
        time.sleep(0.01)
    print("=====", name)
    for s in seen: print("   ", s)
    try: bus.agree(2, within_s=0.5); print("  AGREED", bus.actions())
    except AssertionError as e: print("   NOT AGREED", e)
    try:
        late=bus.worker(); print("  late", late.state, late.number)
    except Exception as e: print("  late FAILED", e)
    bus.edit(publisher, 3)
    try: bus.agree(3, within_s=2.5); print("  EDIT AGREED", bus.actions())
    except AssertionError as e: print("   EDIT NOT AGREED", e, publisher.state, publisher.why)
