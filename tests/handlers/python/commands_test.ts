import { assertEquals, assertRejects } from "@std/assert";
import { RemoteError } from "../../../lib/errors.ts";
import { open } from "./open.ts";

const ARGUMENTS = `
from __future__ import annotations
import dataclasses, datetime, decimal, enum, functools, pathlib, typing
from random import randint
from typing import Any, Dict, List, Literal, Optional, Tuple, Union

@dataclasses.dataclass
class Range:
    low: float
    high: float = 10.0

class Mode(enum.Enum):
    OFF = "off"
    ON = 1

if typing.TYPE_CHECKING:
    from nowhere import Thing

def plain(a, b=3, *, c=4): return [a, b, c]
def f(x: float): return [type(x).__name__, x]
def i(x: int): return x
def b(x: bool): return x
def s(x: str): return x
def l(x: List[int]): return x
def d(x: Dict[str, float]): return x
def t(x: Tuple[int, str]): return list(x)
def lit(x: Literal["low", "high", 3]): return x
def opt(x: Optional[int] = None): return x
def implicit(x: int = None): return x
def union(x: Union[int, str]): return x
def data(x: Range): return [x.low, x.high]
def ranges(x: List[Range]): return len(x)
def mode(x: Mode): return x.name
def anything(x: Any, y: Thing = None): return x
def raw(x: bytes): return len(x)
def rest(**fields): return fields
def first(a=1, b=2, /): return [a, b]
class _Odd:
    __hash__ = None
    def __eq__(self, other): raise ValueError("not to be compared")
def odd(x: _Odd(), y: "0 to 30 V" = 1, z: {"unit": "V"} = 2): return x
class Options(typing.TypedDict):
    gain: float
class Pair(typing.NamedTuple):
    a: int
    b: str = "x"
def options(x: Options): return x
def pair(x: Pair): return x.a
def each(a: int, **x: float): return x
def when(x: datetime.datetime, y: datetime.timedelta = None): return [x.year, y]
def where(x: pathlib.PurePosixPath): return x.name
def exact(x: decimal.Decimal): return str(x)
def chosen(x: Mode = Mode.ON): return x
part = functools.partial(plain, c=5)
class _Device:
    def measure(self, x: float): return x
_device = _Device()
measure = _device.measure
def own(id, command_id): return [id, command_id]
_private = 1
def _hidden(): pass
`;

Deno.test("a command in Python gets the message's fields as arguments, checked by their annotations", async () => {
  await using opened = await open(ARGUMENTS);
  const good: [string, string, string][] = [
    ["f", '{"x":1}', '["float",1.0]'],
    ["f", '{"x":1.5}', '["float",1.5]'],
    ["i", '{"x":123456789012345678901234567890}', "123456789012345678901234567890"],
    ["b", '{"x":true}', "true"],
    ["s", '{"x":"µ"}', '"µ"'],
    ["l", '{"x":[1,2]}', "[1,2]"],
    ["d", '{"x":{"a":1}}', '{"a":1.0}'],
    ["t", '{"x":[1,"a"]}', '[1,"a"]'],
    ["lit", '{"x":3}', "3"],
    ["opt", '{"x":null}', "undefined"],
    ["opt", "{}", "undefined"],
    ["implicit", '{"x":null}', "undefined"],
    ["union", '{"x":"a"}', '"a"'],
    ["union", '{"x":7}', "7"],
    ["data", '{"x":{"low":1}}', "[1.0,10.0]"],
    ["ranges", '{"x":[{"low":1},{"low":2,"high":3}]}', "2"],
    ["mode", '{"x":"off"}', '"OFF"'],
    ["mode", '{"x":"ON"}', '"ON"'],
    ["anything", '{"x":{"y":[1]}}', '{"y":[1]}'],
    ["raw", '{"x":"AAE="}', "2"],
    ["rest", '{"a":1,"b":[2],"id":9}', '{"a":1,"b":[2]}'],
    ["first", '{"a":1}', "[1,2]"],
    ["first", '{"b":3}', "[1,3]"],
    ["own", '{"id":5}', '[5,"own"]'],
    ["odd", '{"x":1}', "1"],
    ["options", '{"x":{"gain":2}}', '{"gain":2.0}'],
    ["pair", '{"x":{"a":1}}', "1"],
    ["each", '{"a":1,"b":2}', '{"b":2.0}'],
    ["when", '{"x":"2024-01-31T12:30:00","y":1.5}', "[2024,1.5]"],
    ["where", '{"x":"/a/b"}', '"b"'],
    ["exact", '{"x":1.10}', '"1.1"'],
    ["chosen", "{}", "1"],
    ["part", '{"a":1}', "[1,3,5]"],
    ["measure", '{"x":1}', "1.0"],
    ["plain", '{"a":1,"c":2}', "[1,3,2]"],
  ];
  for (const [name, fields, result] of good) {
    assertEquals(String(await ask(opened, name, fields)), result, `${name} ${fields}`);
  }
  const bad: [string, string, string][] = [
    ["f", '{"x":"1"}', 'Cannot call f(x: float): argument "x" is "1": expected float'],
    ["f", '{"x":true}', 'Cannot call f(x: float): argument "x" is true: expected float'],
    ["i", '{"x":1.5}', 'Cannot call i(x: int): argument "x" is 1.5: expected int'],
    ["b", '{"x":1}', 'Cannot call b(x: bool): argument "x" is 1: expected bool'],
    ["s", '{"x":null}', 'Cannot call s(x: str): argument "x" is null: expected str'],
    [
      "l",
      '{"x":[1,"b"]}',
      'Cannot call l(x: List[int]): argument "x[1]" is "b": expected int',
    ],
    [
      "lit",
      '{"x":"mid"}',
      'Cannot call lit(x: Literal["low", "high", 3]): argument "x" is "mid": expected one of "low", "high", 3',
    ],
    [
      "union",
      '{"x":[]}',
      'Cannot call union(x: Union[int, str]): argument "x" is []: expected int or str',
    ],
    [
      "data",
      '{"x":{"low":"a"}}',
      'Cannot call data(x: Range): argument "x.low" is "a": expected float',
    ],
    [
      "data",
      '{"x":{"low":1,"hi":2}}',
      'Cannot call data(x: Range): argument "x.hi" is not known: Range has low, high',
    ],
    [
      "data",
      '{"x":{"high":2}}',
      'Cannot call data(x: Range): argument "x.low" is missing: Range has low, high',
    ],
    [
      "opt",
      '{"x":"a"}',
      'Cannot call opt(x: Optional[int] = None): argument "x" is "a": expected int or null',
    ],
    [
      "implicit",
      '{"x":"a"}',
      'Cannot call implicit(x: int = None): argument "x" is "a": expected int or null',
    ],
    [
      "options",
      '{"x":{"gain":"a"}}',
      'Cannot call options(x: Options): argument "x.gain" is "a": expected float',
    ],
    ["pair", '{"x":{}}', 'Cannot call pair(x: Pair): argument "x.a" is missing: Pair has a, b'],
    [
      "each",
      '{"a":1,"b":"c"}',
      'Cannot call each(a: int, **x: float): argument "b" is "c": expected float',
    ],
    [
      "when",
      '{"x":"now"}',
      'Cannot call when(x: datetime.datetime, y: datetime.timedelta = None): argument "x" is "now": expected datetime (a string, as in 2024-01-31T12:30:00)',
    ],
    [
      "chosen",
      '{"x":"no"}',
      'Cannot call chosen(x: Mode = Mode.ON): argument "x" is "no": expected one of "off", 1',
    ],
    ["plain", "{}", 'Cannot call plain(a, b=3, *, c=4): argument "a" is missing'],
    [
      "plain",
      '{"a":1,"volts":2}',
      'Cannot call plain(a, b=3, *, c=4): argument "volts" is not known',
    ],
  ];
  for (const [name, fields, message] of bad) {
    const error = await assertRejects(() => ask(opened, name, fields), RemoteError);
    assertEquals(error.message.replaceAll("'", '"'), message);
  }
  const names = (await opened.module.describe()).map(({ name }) => name);
  const others = ["_hidden", "Range", "Any", "randint"];
  assertEquals(names.filter((name) => others.includes(name)), []);
});

const RESULTS = `
import collections, dataclasses, datetime, decimal, enum, math, pathlib, sys
@dataclasses.dataclass
class Reading:
    volts: float
    at: datetime.datetime
class Mode(enum.Enum):
    ON = "on"
def nothing(): pass
def numbers(): return [1, -0.0, 1.0, 2**70, True, None, 0.1]
def data(): return Reading(1.5, datetime.datetime(2026, 1, 2, 3, 4, 5))
def kinds(): return {"mode": Mode.ON, "raw": b"\\x00\\x01", "c": 1+2j, "set": {1}, "path": pathlib.PurePosixPath("/a"),
                     "day": datetime.date(2026, 1, 2), "tuple": (1, 2), 3: "three", "wait": datetime.timedelta(seconds=1.5),
                     "range": range(2), "deque": collections.deque([1]), "keys": {"a": 1}.keys()}
def nan(): return {"volts": [1.0, math.nan]}
def inf(): return {"a b": -math.inf}
def surrogate(): return ["ok", "half \\ud800"]
def cycle():
    a = {}
    a["self"] = [a]
    return a
def deep():
    a = []
    for _ in range(100000): a = [a]
    return a
def strange(): return {"x": object()}
def generator(): return (i for i in range(3))
def keys(): return {(1, 2): 3}
def exact(): return decimal.Decimal("1.10")
def huge(): return "x" * 100_000_000
class Own(Exception): pass
def raises(): raise Own("30 V is the limit")
def key(): return {}["volts"]
def silent(): raise ValueError
def leaves(): raise SystemExit("no such channel")
def breaks(): raise KeyboardInterrupt
async def later():
    import asyncio
    await asyncio.sleep(0.001)
    return "later"
async def leaves_later(): sys.exit(3)
async def fails():
    raise ValueError("async")
def memory(): return bytearray(1 << 60)
def recursion(): return recursion()
`;

Deno.test("a command in Python answers with what JSON has of its result, or an error that says where it has none", async () => {
  await using opened = await open(RESULTS);
  const good: [string, string][] = [
    ["nothing", "undefined"],
    ["numbers", "[1,-0.0,1.0,1180591620717411303424,true,null,0.1]"],
    ["data", '{"volts":1.5,"at":"2026-01-02T03:04:05"}'],
    [
      "kinds",
      '{"mode":"on","raw":"AAE=","c":{"real":1.0,"imag":2.0},"set":[1],"path":"/a","day":"2026-01-02","tuple":[1,2],"3":"three","wait":1.5,"range":[0,1],"deque":[1],"keys":["a"]}',
    ],
    ["later", '"later"'],
  ];
  for (const [name, result] of good) assertEquals(String(await opened.call(name)), result);
  const bad: [string, string][] = [
    ["nan", "Cannot write result as JSON: result.volts[1] is NaN, which JSON does not have"],
    ["inf", 'Cannot write result as JSON: result["a b"] is -Infinity, which JSON does not have'],
    [
      "surrogate",
      "Cannot write result as JSON: result[1] has half a character (U+D800, a lone surrogate), which UTF-8 does not have",
    ],
    ["cycle", "Cannot write result as JSON: result contains itself"],
    ["deep", "Cannot write result as JSON: it nests too deep"],
    ["strange", "Cannot write result as JSON: result.x is an object, which JSON does not have"],
    [
      "generator",
      "Cannot write result as JSON: result is a generator, which JSON does not have: return a list",
    ],
    ["keys", "Cannot write result as JSON: result has a tuple as a key: expected a string"],
    [
      "exact",
      "Cannot write result as JSON: result is a Decimal, which JSON does not have: return float() or str() of it",
    ],
    ["huge", "Cannot send result of 100000002 bytes: expected at most 16777216"],
    ["raises", "30 V is the limit"],
    ["key", "KeyError: 'volts'"],
    ["silent", "ValueError"],
    ["leaves", "no such channel"],
    ["breaks", "KeyboardInterrupt"],
    ["leaves_later", "The handler called sys.exit(3)"],
    ["fails", "async"],
    ["memory", "MemoryError"],
  ];
  for (const [name, message] of bad) {
    const error = await assertRejects(() => opened.call(name), RemoteError);
    assertEquals(error.message, message);
  }
  const { message } = await assertRejects(() => opened.call("recursion"), RemoteError);
  assertEquals(message.startsWith("maximum recursion depth exceeded"), true);
  assertEquals(opened.problems, []);
  assertEquals(opened.module.counters.restarts, 0);
});

Deno.test("__all__ of a module in Python says which functions are commands, imported ones too", async () => {
  await using opened = await open(`
from os.path import join
__all__ = ["get", "join", "nowhere"]
def get(): return 1
def helper(): return 2
`);
  assertEquals((await opened.module.describe()).map(({ name }) => name), ["join", "get"]);
  assertEquals(await ask(opened, "join", '{"a":"b"}'), '"b"');
});

/** Calls a command with fields written as JSON. */
function ask({ module }: Awaited<ReturnType<typeof open>>, name: string, fields: string) {
  const text = fields === "{}"
    ? `{"command_id":"${name}"}`
    : `{"command_id":"${name}",${fields.slice(1)}`;
  const commands = module.exports.commands as Record<string, (...args: unknown[]) => unknown>;
  const result = commands[name]!(undefined, { bytes: new TextEncoder().encode(text) });
  return (result as Promise<{ text: string } | undefined>).then((result) => result?.text);
}
