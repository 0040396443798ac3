/**
 * For each shell a script that calls `labwire __complete` when TAB is pressed, as `complete.ts` describes, and hands its
 * candidates to the shell.
 */
const scripts = {
  bash: `# Completions of labwire for bash: eval "$(labwire completions bash)"
_labwire() {
  local words=() word rest=\${COMP_LINE:0:COMP_POINT} start kind="" prefix="" value help i
  COMPREPLY=()
  # readline splits words at ":", "=" and "@" too; they are joined again where no space is between them.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $i -lt $COMP_CWORD ]] || word=\${rest#"\${rest%%[![:space:]]*}"} # up to the cursor
    if [[ $i -eq 0 || $rest == [[:space:]]* || $word == [\\<\\>]* ]]; then words+=("$word")
    else words[\${#words[@]}-1]+=$word; fi
    rest=\${rest#*"$word"}
  done
  # Of the last word, readline replaces only $2, and what quotes it stays.
  word=\${words[\${#words[@]}-1]} start=\${word%"$2"} start=\${start#[\\"\\']} words[\${#words[@]}-1]=$start$2
  while IFS=$'\\t' read -r value help; do
    if [[ $kind == "" ]]; then kind=$value prefix=$help; continue; fi
    [[ $word == [\\"\\']* ]] || printf -v value %q "$value"
    [[ $value != "$start$2"* ]] || COMPREPLY+=("\${value#"$start"}")
  done < <(labwire __complete $((\${#words[@]} - 2)) "\${words[@]:1}" 2>/dev/null)
  [[ $kind == files ]] || return 0
  compopt -o filenames 2>/dev/null
  value=$start$2
  while IFS= read -r value; do COMPREPLY+=("\${value#"$start"}"); done \\
    < <(compgen -f -P "$prefix" -- "\${value#"$prefix"}")
}
complete -F _labwire labwire`,

  zsh: `#compdef labwire
# Completions of labwire for zsh: eval "$(labwire completions zsh)", after compinit if that is called
_labwire() {
  local line value prefix
  local -a lines described
  lines=("\${(@f)$(labwire __complete $((CURRENT - 2)) "\${(@Q)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
  if [[ $lines[1] == files* ]]; then
    prefix=\${lines[1]#*$'\\t'}
    [[ $prefix == "" ]] || compset -P "\${(b)prefix}"
    _files
    return
  fi
  for line in "\${(@)lines[2,-1]}"; do
    value=\${line%%$'\\t'*}
    described+=("\${value//:/\\\\:}\${\${line:$#value}/$'\\t'/:}")
  done
  _describe labwire described
}
if [[ $funcstack[1] == _labwire ]]; then
  _labwire "$@"
else
  # A fresh ~/.zshrc does not call compinit. Its -i passes over folders that others may write to.
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
  compdef _labwire labwire
fi`,

  fish: `# Completions of labwire for fish: labwire completions fish | source
function __labwire_complete
    set -l words (commandline -opc)[2..-1]
    set -l current (commandline -ct)
    set -l lines (labwire __complete (count $words) $words "$current" 2>/dev/null)
    if string match -q 'files*' -- "$lines[1]"
        set -l prefix (string replace -r '^files\\t' '' -- "$lines[1]")
        set -l start (math (string length -- "$prefix") + 1)
        set -l name (string sub -s $start -- "$current")
        for file in (complete -C "__fish_command_without_completions $name")
            printf '%s\\n' "$prefix$file"
        end
    else if set -q lines[2]
        printf '%s\\n' $lines[2..-1]
    end
end
complete -c labwire -f -a '(__labwire_complete)'`,

  powershell:
    `# Completions of labwire for PowerShell: labwire completions powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName labwire -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
    Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
    ForEach-Object { $_.Extent.Text.Trim('"', "'") })
  $lines = @(labwire __complete $words.Count @words $wordToComplete 2>$null)
  $kind, $prefix = "$($lines[0])" -split "\`t", 2
  if ($kind -ceq 'files') {
    $path = $wordToComplete.Substring($prefix.Length)
    foreach ($file in [System.Management.Automation.CompletionCompleters]::CompleteFilename($path)) {
      [System.Management.Automation.CompletionResult]::new(
        $prefix + $file.CompletionText, $file.ListItemText, $file.ResultType, $file.ToolTip)
    }
    return
  }
  foreach ($line in $lines | Select-Object -Skip 1) {
    $value, $help = $line -split "\`t", 2
    if (-not $value.StartsWith($wordToComplete)) { continue }
    if (-not $help) { $help = $value }
    $text = if ($value -match '[^\\w.:/=+-]') { "'" + $value.Replace("'", "''") + "'" } else { $value }
    [System.Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', $help)
  }
}`,
};

/** A shell that completions are made for. */
export type Shell = keyof typeof scripts;

/** The shells that completions are made for. */
export const SHELLS: readonly Shell[] = Object.keys(scripts) as Shell[];

/**
 * Writes the script that makes a shell complete command lines of labwire.
 *
 * @param shell The shell.
 * @returns The script, without a newline at the end.
 */
export function completions(shell: Shell): string {
  return scripts[shell];
}
