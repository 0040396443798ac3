import type {
  CompletionArgument,
  CompletionNode,
  CompletionOption,
  CompletionValue,
} from "./completion_tree.ts";

/**
 * Writes completions for zsh.
 *
 * @param nodes What may follow what.
 * @returns A script to be sourced, or to be put on `fpath` as `_labwire`.
 */
export function zshCompletions(nodes: readonly CompletionNode[]): string {
  return `#compdef labwire
# Completions of labwire for zsh: eval "$(labwire completions zsh)", behind compinit if it is called

${nodes.map(nodeFunction).join("\n\n")}

if [[ $funcstack[1] == _labwire ]]; then
  _labwire "$@"
else
  # A fresh ~/.zshrc does not call compinit. Its -i passes over folders that others may write to.
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
  compdef _labwire labwire
fi`;
}

/** A node's function; nodes with further words hand over to the functions of those. */
function nodeFunction(node: CompletionNode): string {
  const { words, next, options, args } = node;
  const specs = [
    ...options.map(optionSpec),
    ...next.length > 0
      ? ["'1: :->word'", "'*:: :->rest'"]
      : args.map((arg, i) => argumentSpec(arg, i)),
  ];
  const call = (flags: string) => `  _arguments ${[flags + "-S :", ...specs].join(" \\\n    ")}`;
  if (next.length === 0) return `${functionName(words)}() {\n${call("")}\n}`;
  return `${functionName(words)}() {
  local curcontext=$curcontext state line
  local -a known=(
${next.map(([word, help]) => `    ${quote(`${escapeColons(word)}:${help}`)}`).join("\n")}
  )
${call("-C ")} && return
  case $state in
    word) _describe -t commands command known ;;
    rest)
      case $line[1] in
${next.map(([word]) => `        ${quote(word)}) ${functionName([...words, word])} ;;`).join("\n")}
      esac
      ;;
  esac
}`;
}

function functionName(words: readonly string[]): string {
  return ["_labwire", ...words].join("_").replaceAll("-", "_");
}

function optionSpec(option: CompletionOption): string {
  const { name, short, help, placeholder, value, several } = option;
  const text = `[${escapeBrackets(help)}]`;
  if (value !== undefined) {
    const again = several ? "*" : "";
    return quote(`${again}--${name}=${text}:${escapeColons(placeholder!)}:${action(value)}`);
  }
  if (short === undefined) return quote(`--${name}${text}`);
  return `'(-${short} --${name})'{-${short},--${name}}${quote(text)}`;
}

function argumentSpec({ name, value, variadic }: CompletionArgument, index: number): string {
  return quote(`${variadic ? "*" : index + 1}:${escapeColons(name)}:${action(value)}`);
}

function action(value: CompletionValue): string {
  if (value.kind === "choices") return `(${value.choices.join(" ")})`;
  return value.kind === "file" ? "_files" : "";
}

function escapeBrackets(text: string): string {
  return text.replace(/[[\]\\]/g, "\\$&");
}

function escapeColons(text: string): string {
  return text.replace(/[:\\]/g, "\\$&");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
