import { assertEquals } from "@std/assert";
import {
  ColumnsDecoder,
  ColumnsEncoder,
  type ColumnsEncoderOptions,
  compileStruct,
  type Sample,
  StructCsv,
  StructJson,
} from "../../../../mod.ts";

const SAMPLE: Sample = {
  type: "data",
  sequence: 7n,
  origin: { sec: 1795198430, nsec: 5 },
  values: [0.1, -0, 2n ** 63n - 1n, true, { real: 1.5, imag: -0 }],
};

for (
  const [options, header, line] of [
    [{ form: "columns" }, undefined, "0.1,-0.0,9223372036854775807,true,1.5-0.0j"],
    [
      { form: "columns", names: ["a", "b,c"], timestamps: true },
      'time,a,"b,c"',
      "2026-11-20T18:13:50.000000005Z,0.1,-0.0,9223372036854775807,true,1.5-0.0j",
    ],
    [{ form: "arrays" }, undefined, '[0.1,-0.0,9223372036854775807,true,{"real":1.5,"imag":-0.0}]'],
    [
      { form: "objects", names: ["a", "b"], commandId: "set" },
      undefined,
      '{"command_id":"set","a":0.1,"b":-0.0,"signal2":9223372036854775807,"signal3":true,"signal4":{"real":1.5,"imag":-0.0}}',
    ],
    [
      { form: "objects", timestamps: true },
      undefined,
      '{"time":"2026-11-20T18:13:50.000000005Z","signal0":0.1,"signal1":-0.0,"signal2":9223372036854775807,"signal3":true,' +
      '"signal4":{"real":1.5,"imag":-0.0}}',
    ],
  ] as [ColumnsEncoderOptions, string | undefined, string][]
) {
  Deno.test(`plain records as ${JSON.stringify(options)}`, () => {
    const encoder = new ColumnsEncoder(options);
    assertEquals(encoder.header, header);
    assertEquals(encoder.encode(SAMPLE), line);
    if (options.commandId) return;
    const decoder = new ColumnsDecoder({ signals: "2fibc" });
    decoder.push(new TextEncoder().encode(`${header === undefined ? "" : `${header}\n`}${line}\n`));
    if (header !== undefined && options.names!.length < 5) return; // fewer names than values
    assertEquals(decoder.next()?.values, SAMPLE.values);
  });
}

Deno.test("what is not finite reads back, and is what struct-line takes", () => {
  const values = [NaN, Infinity, -Infinity];
  const sample: Sample = { type: "data", origin: { sec: 1, nsec: 0 }, values };
  const struct = compileStruct("<3d");
  for (const timestamps of [false, true]) {
    const rows = new ColumnsEncoder({ form: "columns", timestamps }).encode(sample);
    assertEquals(new StructCsv(struct).read(rows.split(",")), values);
    const arrays = new ColumnsEncoder({ form: "arrays", timestamps }).encode(sample);
    assertEquals(new StructJson(struct).parse(arrays), values);
    const fields = ["a", "b", "c"];
    const objects = new ColumnsEncoder({ form: "objects", timestamps, names: fields }).encode(
      sample,
    );
    assertEquals(new StructJson(struct, { fields }).parse(objects), values);
  }
});
