import type { CompletionNode, CompletionOption, CompletionValue } from "./completion_tree.ts";

/**
 * Writes completions for fish 3 and later.
 *
 * @param nodes What may follow what.
 * @returns A script to be sourced, or to be put into `~/.config/fish/completions/labwire.fish`.
 */
export function fishCompletions(nodes: readonly CompletionNode[]): string {
  const known = nodes.filter(({ words }) => words.length > 0).map(({ words }) => words.join(" "));
  const valued = nodes.flatMap(({ words, options }) =>
    options.filter(({ value }) => value !== undefined)
      .map(({ name }) => [...words, `--${name}`].join(" "))
  );
  return `# Completions of labwire for fish: labwire completions fish | source

set -g __labwire_known ${known.map(quote).join(" ")}
set -g __labwire_valued ${valued.map(quote).join(" ")}

# Whether the words so far are those in the first argument, followed by as many arguments as the second says
function __labwire_at
    set -l words
    set -l count 0
    set -l skip no
    set -l ended no
    for token in (commandline -opc)[2..-1]
        if test $skip = yes
            set skip no
        else if test $ended = yes
            set count (math $count + 1)
        else if test "$token" = --
            set ended yes
        else if string match -q -- '-*' $token
            contains -- (string join ' ' -- $words $token) $__labwire_valued; and set skip yes
        else if contains -- (string join ' ' -- $words $token) $__labwire_known
            set -a words $token
        else
            set count (math $count + 1)
        end
    end
    test "$(string join ' ' -- $words)" = "$argv[1]"; or return
    test (count $argv) -lt 2; or test $count -eq $argv[2]; or test "$argv[3]" = on -a $count -gt $argv[2]
end

complete -c labwire -f
${nodes.flatMap(nodeLines).join("\n")}`;
}

function nodeLines({ words, next, options, args }: CompletionNode): string[] {
  const at = (more = "") =>
    `complete -c labwire -n ${quote(`__labwire_at ${quote(words.join(" "))}${more}`)}`;
  return [
    ...next.map(([word, help]) => `${at(" 0")} -a ${word} -d ${quote(help)}`),
    ...args.flatMap(({ value, name, variadic }, i) =>
      value.kind === "text"
        ? []
        : [`${at(` ${i}${variadic ? " on" : ""}`)} ${candidates(value)} -d ${quote(name)}`]
    ),
    ...options.map((option) => `${at()} ${optionWords(option)}`),
  ];
}

function optionWords({ name, short, help, value }: CompletionOption): string {
  const names = `${short === undefined ? "" : `-s ${short} `}-l ${name}`;
  const words = value === undefined ? "" : ` -r ${candidates(value)}`;
  return `${names}${words} -d ${quote(help)}`;
}

function candidates(value: CompletionValue): string {
  if (value.kind === "choices") return `-f -a ${quote(value.choices.join(" "))}`;
  return value.kind === "file" ? "-F" : "-f";
}

function quote(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}
