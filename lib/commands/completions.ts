import { defineCommand } from "../cli/command.ts";
import { completions, type Shell, SHELLS } from "../cli/completions.ts";

/** `labwire completions`. */
export const completionsCommand = defineCommand({
  name: "completions",
  summary: "write the script that makes a shell complete commands, options and values",
  positionals: [{ name: "SHELL", help: SHELLS.join(", "), required: true, choices: SHELLS }],
  options: {},
  examples: [
    {
      text: "bash: add this line to ~/.bashrc, after what sets PATH",
      command: 'eval "$(labwire completions bash)"',
    },
    {
      text: "zsh: add this line to ~/.zshrc, after compinit if that is there",
      command: 'eval "$(labwire completions zsh)"',
    },
    {
      text: "fish",
      command:
        "mkdir -p ~/.config/fish/completions && labwire completions fish > ~/.config/fish/completions/labwire.fish",
    },
    {
      text: "PowerShell: add this line to the file that $PROFILE names",
      command: "labwire completions powershell | Out-String | Invoke-Expression",
    },
  ],
  run({ out }, _options, [shell]) {
    out.text(completions(shell as Shell));
    return Promise.resolve();
  },
});
