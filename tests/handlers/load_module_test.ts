import { assert, assertEquals, assertMatch } from "@std/assert";
import { begun, servers } from "../cli/handler_servers.ts";
import { labwire } from "../cli/run.ts";

const compiled = Deno.env.get("LABWIRE_BIN") !== undefined;

/** A folder with files. */
async function folderWith(files: Record<string, string | Uint8Array>) {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  for (const [name, text] of Object.entries(files)) {
    if (typeof text === "string") await Deno.writeTextFile(`${folder}/${name}`, text);
    else await Deno.writeFile(`${folder}/${name}`, text);
  }
  return {
    path: (name: string) => `${folder}/${name}`,
    folder,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

const files = {
  "text.txt": "hello text",
  "data.json": '{"a":1}',
  "noending": "export default () => {};",
  "binary.js": new Uint8Array([0xff, 0xfe, 0]),
  "syntax.js": "export default () => {\n  let x = ;\n};\n",
  "throws.js": 'const a = 1;\nthrow new Error("on loading");\n',
  "missing.js": 'import "./nosuch.js";\n',
  "bare.js": 'import x from "lodash";\nexport default () => x;\n',
  "package.js": 'import x from "npm:nosuch-package-of-labwire@9";\nexport default () => x;\n',
  "common.js": "exports.a = 1;\n",
  "types.ts": "export default (s: number) => s;\n",
};

const KINDS = compiled
  ? /^expected a file that ends in \.py, \.js or \.mjs$/
  : /^expected a file that ends in \.py, \.js, \.mjs or \.ts$/;

const refused: [file: string, why: RegExp][] = [
  [".", /^it is a directory, expected a file that ends in \.py, \.js(,| or) \.mjs( or \.ts)?$/],
  ["text.txt", KINDS],
  ["data.json", KINDS],
  ["noending", KINDS],
  ["nosuch.js", /^no such file$/],
  ["npm:foo", /^expected the path of a file on this computer, neither a package nor a URL$/],
  ["jsr:@a/b", /^expected the path of a file on this computer, neither a package nor a URL$/],
  ["http://127.0.0.1:1/x.js", /^expected the path of a file on this computer, neither a/],
  ["binary.js", /^it is no text in UTF-8$/],
  ["syntax.js", /^(Expression expected|Unexpected token ';') \(syntax\.js:2:11\)$/],
  ["throws.js", /^on loading \(throws\.js:2:7\)$/],
  ["missing.js", /^cannot find module "nosuch\.js"( \(missing\.js:1:8\))?$/],
  [
    "bare.js",
    /^cannot load module "lodash": [^\n]* such as "\.\/module\.js"( \(bare\.js:1:15\))?$/,
  ],
  ["common.js", /^exports is not defined: a handler is a module with import and export \(/],
];

const commands = [["json-server", "--port", "0"], ["villas-echo"], ["socket-server"]];

for (const [i, [file, why]] of refused.entries()) {
  const command = commands[i % commands.length]!; // all load handlers by the same function
  Deno.test(`--handler ${file} is refused in plain words`, async () => {
    await using folder = await folderWith(files);
    const { code, stdout, stderr } = await labwire([...command, "--handler", file], {
      cwd: folder.folder,
    });
    assertEquals([code, stdout], [2, ""]);
    const start = `error: Cannot load handler "${file}": `;
    assertEquals(stderr.slice(0, start.length), start);
    assertMatch(stderr.slice(start.length).trimEnd(), why);
  });
}

Deno.test({
  name: "The executable says that it loads neither TypeScript nor packages",
  ignore: !compiled,
  fn: async () => {
    await using folder = await folderWith(files);
    for (
      const [file, why] of [
        ["types.ts", /the compiled program runs JavaScript only; rename it to \.js/],
        [
          "package.js",
          /cannot load module "nosuch-package-of-labwire@9": the compiled program loads/,
        ],
      ] as const
    ) {
      const { code, stderr } = await labwire(["villas-echo", "--handler", folder.path(file)]);
      assertEquals(code, 2);
      assertMatch(stderr, why);
    }
  },
});

const failing = `export default function handle() {
  console.error("begun");
  throw new TypeError("not today");
}
export const interact = handle;
`;
const later = `import { fail } from "./fail.js";
export default function handle() {
  console.error("begun");
  setTimeout(() => fail("in a timer"), 0);
  Promise.resolve().then(() => fail("in a promise"));
}
export const interact = handle;
`;
const fail = `export function fail(text) {
  throw new Error(text);
}
`;

for (const server of servers) {
  const name = server.args.filter((arg) => /^[a-z]+(-[a-z]+)?$/.test(arg)).join(" ");

  Deno.test(`${name} says in which file and line a handler threw`, async () => {
    await using folder = await folderWith({
      "bad.js": failing,
      "later.js": later,
      "fail.js": fail,
    });
    await using it = await begun(server, folder.path("bad.js"));
    const [, place] = await it.program.until("stderr", /warning: .*not today \((.*)\)\n/);
    assertEquals(place, `${folder.path("bad.js")}:3:9`);
    await using other = await begun(server, folder.path("later.js"));
    await other.program.until("stderr", /Unhandled rejection: in a promise/);
    await other.program.until("stderr", /Unhandled error: in a timer/);
    const { stderr } = other.program;
    const places = [...stderr.matchAll(/warning: Unhandled .* \((.*)\)\n/g)];
    assertEquals(places.map(([, place]) => place), Array(2).fill(`${folder.path("fail.js")}:2:9`));
    assert(!/\n\s+at /.test(stderr));
  });
}
