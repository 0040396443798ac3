import { defineCommand } from "../cli/command.ts";
import { renderMarkdown } from "../cli/markdown.ts";

/** A text import, as the runtime gives it. */
type TextModule = Promise<{ readonly default: string }>;

/** The guides by topic, in the order in which they are listed; each is read when it is asked for. */
const guides: Readonly<Record<string, () => TextModule>> = {
  villas: () => import("../guides/villas.md", { with: { type: "text" } }),
  formats: () => import("../guides/formats.md", { with: { type: "text" } }),
  scope: () => import("../guides/scope.md", { with: { type: "text" } }),
  json: () => import("../guides/json.md", { with: { type: "text" } }),
  struct: () => import("../guides/struct.md", { with: { type: "text" } }),
  record: () => import("../guides/record.md", { with: { type: "text" } }),
  gateways: () => import("../guides/gateways.md", { with: { type: "text" } }),
  sockets: () => import("../guides/sockets.md", { with: { type: "text" } }),
  python: () => import("../guides/python.md", { with: { type: "text" } }),
  scripting: () => import("../guides/scripting.md", { with: { type: "text" } }),
  service: () => import("../guides/service.md", { with: { type: "text" } }),
  servers: () => import("../guides/servers.md", { with: { type: "text" } }),
  tls: () => import("../guides/tls.md", { with: { type: "text" } }),
  testing: () => import("../guides/testing.md", { with: { type: "text" } }),
  library: () => import("../guides/library.md", { with: { type: "text" } }),
  doctor: () => import("../guides/doctor.md", { with: { type: "text" } }),
  install: () => import("../guides/install.md", { with: { type: "text" } }),
};

/** The topics there are. */
export const topics: readonly string[] = Object.keys(guides);

/** Columns of text that are easily read; a wider terminal stays empty on the right. */
const MOST_COLUMNS = 100;

/** `labwire guide`. */
export const guide = defineCommand({
  name: "guide",
  summary: "show what goes beyond --help: tasks step by step, with programs to copy",
  details: [
    "Without a topic the topics are listed. In a file or a pipe a guide is plain Markdown.",
  ],
  positionals: [{ name: "TOPIC", help: topics.join(", "), choices: topics }],
  options: {},
  examples: [
    { text: "Which guides there are", command: "labwire guide" },
    { text: "Commands for equipment", command: "labwire guide json" },
    { text: "A guide as a file", command: "labwire guide service > service.md" },
  ],
  async run({ out, say, columns }, _options, [topic]) {
    if (topic === undefined) {
      for (const name of topics) out.line(`${name.padEnd(12)}${titleOf(await read(name))}`);
      if (out.terminal) say.info("labwire guide TOPIC shows one of them.");
      return;
    }
    const text = await read(topic);
    const shown = out.terminal
      ? renderMarkdown(text, {
        width: Math.min(columns(), MOST_COLUMNS),
        colour: out.colour,
        links: (target) =>
          /^(\w+)\.md$/.test(target) ? `labwire guide ${target.slice(0, -3)}` : target,
      })
      : text;
    out.bytes(new TextEncoder().encode(shown));
  },
});

async function read(topic: string): Promise<string> {
  return (await guides[topic]!()).default;
}

/** What a guide is about: its heading without the topic before the colon. */
function titleOf(text: string): string {
  return /^# \w+: (.*)$/m.exec(text)![1]!;
}
