/** `--plot` in a real terminal, and where there is none. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { needs } from "../interop/peer.ts";
import { labwire, programCommand } from "./run.ts";

const { ignore, note } = needs("tmux");

/** A terminal of its own. */
class Terminal implements AsyncDisposable {
  readonly #name = `labwire-${crypto.randomUUID()}`;

  async tmux(...args: string[]): Promise<string> {
    const { stdout } = await new Deno.Command("tmux", {
      args: ["-L", this.#name, "-f", "/dev/null", ...args],
      env: { TERM: "xterm-256color", LC_ALL: "C.UTF-8", SHELL: "/bin/sh" },
    }).output();
    return new TextDecoder().decode(stdout);
  }

  /** Waits until the screen matches. */
  async until(pattern: RegExp): Promise<string> {
    const end = performance.now() + 30_000;
    while (true) {
      const screen = await this.tmux("capture-pane", "-p");
      if (pattern.test(screen)) return screen;
      assert(performance.now() < end, `In vain awaited: ${pattern} on\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tmux("kill-server");
  }
}

Deno.test({
  name: `--plot draws in the terminal, listens to keys, and follows its size${note}`,
  ignore,
  async fn() {
    await using terminal = new Terminal();
    const [program, args] = programCommand();
    const out = await Deno.makeTempFile();
    const command = [
      ...[program, ...args, "villas-signal", "sine", "--rate", "200", "--no-return", "--plot"],
      ...["--listen", "127.0.0.1:0", "--to", "127.0.0.1:9"],
    ];
    const line = `trap : INT; ${
      command.map((word) => `'${word}'`).join(" ")
    } > ${out}; echo code $?; cat`;
    await terminal.tmux("new-session", "-d", "-x", "90", "-y", "24", line);
    await terminal.until(/^live, 10 s, [^]*1 signal0 [^]*[⠁-⣿][^]*−10 s +0 s$/m);
    await terminal.until(/^ +1 /m);
    await terminal.tmux("send-keys", "+");
    await terminal.until(/^live, 5 s, /m);
    await terminal.tmux("send-keys", "Space");
    await terminal.until(/^paused, /m);
    await terminal.tmux("send-keys", "Space", "1");
    await terminal.until(/^live[^]*\(hidden\)/m);
    await terminal.tmux("resize-window", "-x", "60", "-y", "14");
    await terminal.until(/^live[^]*−5 s {30,}0 s$/m);
    await terminal.tmux("send-keys", "C-c");
    await terminal.until(/^\d+ sent[^]*code 0$/m);
    assertEquals(await Deno.readTextFile(out), "", "nothing of it on stdout");
    await Deno.remove(out);
  },
});

Deno.test("where standard error is no terminal, --plot says so, and the rest goes on", async () => {
  const { code, stdout, stderr } = await labwire([
    ...["villas-signal", "sine", "--limit", "2", "--no-return", "--plot"],
    ...["--listen", "127.0.0.1:0", "--to", "127.0.0.1:9"],
  ]);
  assertEquals([code, stdout], [0, ""]);
  assertMatch(stderr, /warning: Cannot plot: standard error is not a terminal\n/);
});
