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

# Sets words to those of the line up to the cursor's: readline also splits them at ":", "=" and "@".
_labwire_words() {
  local line=$COMP_LINE last=0 word i
  words=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $i -eq 0 || $line == [[:space:]]* || $word == [\\<\\>]* ]]; then
      last=\${#words[@]}
      words[last]=$word
    else
      words[last]=\${words[last]}$word
    fi
    line=\${line#*"$word"}
  done
}

# Sets start to that part of $1 which readline takes for words of their own, and does not replace.
_labwire_start() {
  local i
  start=""
  for ((i = 0; i < \${#1}; i++)); do
    [[ \${1:i:1} == [:=@] && $COMP_WORDBREAKS == *"\${1:i:1}"* ]] && start=\${1:0:i+1}
  done
}

_labwire() {
  local cur node="" next="" options="" valued="" values="" files="" start prefix=""
  local option="" argument=0 ended="" word words i
  COMPREPLY=()
  _labwire_words
  cur=\${words[\${#words[@]} - 1]}
  _labwire_node ""
  for ((i = 1; i < \${#words[@]} - 1; i++)); do
    word=\${words[i]}
    if [[ $ended != "" ]]; then
      argument=$((argument + 1))
    elif [[ $word == -- ]]; then
      ended=yes
    elif [[ $word == -* ]]; then
      if [[ " $valued " == *" $word "* ]]; then
        i=$((i + 1))
        [[ $i -eq \${#words[@]}-1 ]] && option=$word
      fi
    elif [[ " $next " == *" $word "* ]]; then
      node="\${node:+$node }$word"
      next="" options="" valued=""
      _labwire_node "$node"
    elif [[ $next != "" ]]; then
      return # there is no such command
    else
      argument=$((argument + 1))
    fi
  done
  _labwire_start "$cur"
  if [[ $option == "" && $ended == "" && $cur == --*=* && " $valued " == *" \${cur%%=*} "* ]]; then
    option=\${cur%%=*} prefix=\${cur%%=*}=
    cur=\${cur#*=}
  fi
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
    COMPREPLY=($(compgen -f -P "$prefix" -- "$cur"))
  else
    COMPREPLY=($(compgen -W "$values" -P "$prefix" -- "$cur"))
  fi
  for i in "\${!COMPREPLY[@]}"; do
    COMPREPLY[i]=\${COMPREPLY[i]#"$start"}
  done
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
