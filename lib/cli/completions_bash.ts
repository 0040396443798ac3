import type { CompletionNode, CompletionValue } from "./completion_tree.ts";

/**
 * Writes completions for bash 3.2 and later, without the package bash-completion.
 *
 * @param nodes What may follow what.
 * @returns A script to be sourced.
 */
export function bashCompletions(nodes: readonly CompletionNode[]): string {
  return `# Completions of labwire for bash: eval "$(labwire completions bash)"

# Sets what may follow the words in $1: words, options, and those options that have a value.
_labwire_node() {
  case $1 in
${nodes.map(nodeCase).join("\n")}
  esac
}

# Sets what the value of an option, or an argument by its number, can be: words of a list, or files.
_labwire_value() {
  case "$1 $2" in
${nodes.flatMap(valueCases).join("\n")}
  esac
}

_labwire() {
  local cur=\${COMP_WORDS[COMP_CWORD]} node="" next="" options="" valued="" values="" files=""
  local option="" argument=0 ended="" word i
  COMPREPLY=()
  _labwire_node ""
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $ended != "" ]]; then
      argument=$((argument + 1))
    elif [[ $word == -- ]]; then
      ended=yes
    elif [[ $word == -* ]]; then
      if [[ " $valued " == *" $word "* ]]; then
        i=$((i + 1))
        # Readline takes "--name=value" for three words.
        [[ \${COMP_WORDS[i]} == "=" && $i -lt $COMP_CWORD ]] && i=$((i + 1))
        [[ $i -ge $COMP_CWORD ]] && option=$word
      fi
    elif [[ " $next " == *" $word "* ]]; then
      node="\${node:+$node }$word"
      next="" options="" valued=""
      _labwire_node "$node"
    else
      argument=$((argument + 1))
    fi
  done
  [[ $cur == "=" ]] && cur=""
  if [[ $option != "" ]]; then
    _labwire_value "$node" "$option"
  elif [[ $cur == -* && $ended == "" ]]; then
    values=$options
  else
    values=$next
    [[ $next == "" ]] && _labwire_value "$node" "$argument"
  fi
  local IFS=$' \\t\\n'
  if [[ $files != "" ]]; then
    IFS=$'\\n'
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$cur"))
  else
    COMPREPLY=($(compgen -W "$values" -- "$cur"))
  fi
}

complete -F _labwire labwire`;
}

function nodeCase({ words, next, options }: CompletionNode): string {
  const flags = options.flatMap(({ name, short }) => [
    `--${name}`,
    ...short === undefined ? [] : [`-${short}`],
  ]);
  const valued = options.filter(({ value }) => value !== undefined).map(({ name }) => `--${name}`);
  return `    ${quote(words.join(" "))})
      next=${quote(next.map(([word]) => word).join(" "))}
      options=${quote(flags.join(" "))}
      valued=${quote(valued.join(" "))}
      ;;`;
}

function valueCases({ words, options, args }: CompletionNode): string[] {
  const node = words.join(" ");
  const ofOptions = options.flatMap(({ name, value }) =>
    value === undefined || value.kind === "text"
      ? []
      : [valueCase(quote(`${node} --${name}`), value)]
  );
  // The last pattern of a variadic argument matches those before it too: theirs come first.
  const ofArguments = args.map(({ variadic, value }, i) =>
    valueCase(variadic ? `${quote(`${node} `)}[0-9]*` : quote(`${node} ${i}`), value)
  );
  return [...ofOptions, ...ofArguments];
}

function valueCase(pattern: string, value: CompletionValue): string {
  if (value.kind === "choices") {
    return `    ${pattern}) values=${quote(value.choices.join(" "))} ;;`;
  }
  return `    ${pattern})${value.kind === "file" ? " files=yes" : ""} ;;`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
