import { assertEquals } from "@std/assert";
import { labwire } from "./run.ts";

const said: [word: string, hint: string][] = [
  ["json", 'did you mean "json-server" or "json-client"?'],
  ["struct", 'did you mean "struct-line"?'],
  ["struct-line-pack", 'did you mean "struct-line pack"?'],
  ["vilas-eco", 'did you mean "villas-echo"?'],
  ["nosuch", "see labwire --help for those there are"],
];

for (const [word, hint] of said) {
  Deno.test(`labwire ${word} is refused, and what may have been meant is said`, async () => {
    const { code, stdout, stderr } = await labwire([word]);
    assertEquals([code, stdout, stderr], [2, "", `error: Unknown command "${word}": ${hint}\n`]);
  });
}
