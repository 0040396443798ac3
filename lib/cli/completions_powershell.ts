import type { CompletionNode, CompletionValue } from "./completion_tree.ts";

/**
 * Writes completions for Windows PowerShell 5.1 and PowerShell 7.
 *
 * @param nodes What may follow what.
 * @returns A script to be run in the profile.
 */
export function powershellCompletions(nodes: readonly CompletionNode[]): string {
  return `# Completions of labwire for PowerShell: labwire completions powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName labwire -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  # For the words so far: those that may follow, the options, and what values can be: text, file or some words.
  $nodes = @{
${nodes.map(nodeEntry).join("\n")}
  }
  $node = $nodes['']
  $words = @()
  $argument = 0
  $option = $null
  $ended = $false
  foreach ($element in @($commandAst.CommandElements | Select-Object -Skip 1)) {
    if ($element.Extent.EndOffset -ge $cursorPosition -and $wordToComplete -ne '') { break }
    $word = $element.Extent.Text
    if ($option) { $option = $null }
    elseif ($ended) { $argument++ }
    elseif ($word -ceq '--') { $ended = $true }
    elseif ($word.StartsWith('-')) { if ($node.takes.ContainsKey($word)) { $option = $word } }
    elseif ($node.next.Contains($word)) { $words += $word; $node = $nodes[$words -join ' '] }
    else { $argument++ }
  }
  $prefix = ''
  $text = $wordToComplete
  if (-not $option -and $text -match '^(--[a-z0-9-]+)=(.*)$' -and $node.takes.ContainsKey($Matches[1])) {
    $option = $Matches[1]
    $prefix = "$option="
    $text = $Matches[2]
  }
  $value = $null
  $found = [ordered]@{}
  if ($option) { $value = $node.takes[$option] }
  elseif ($text.StartsWith('-') -and -not $ended) { $found = $node.options }
  elseif ($node.next.Count -gt 0) { if ($argument -eq 0) { $found = $node.next } }
  elseif ($node.arguments.Count -gt 0) {
    if ($argument -lt $node.arguments.Count) { $value = $node.arguments[$argument] }
    elseif ($node.variadic) { $value = $node.arguments[-1] }
  }
  if ($value -ceq 'file') {
    foreach ($file in [System.Management.Automation.CompletionCompleters]::CompleteFilename($text)) {
      [System.Management.Automation.CompletionResult]::new(
        $prefix + $file.CompletionText, $file.ListItemText, $file.ResultType, $file.ToolTip)
    }
  }
  elseif ($value -and $value -cne 'text') {
    foreach ($word in $value.Split(' ')) { $found[$word] = $word }
  }
  foreach ($word in $found.Keys) {
    if ($word.StartsWith($text)) {
      [System.Management.Automation.CompletionResult]::new("$prefix$word", $word, 'ParameterValue', $found[$word])
    }
  }
}`;
}

function nodeEntry({ words, next, options, args }: CompletionNode): string {
  const values = options.filter(({ value }) => value !== undefined);
  const table = (rows: readonly (readonly [string, string])[]) =>
    rows.map(([name, text]) => `${quote(name)} = ${text}`).join("; ");
  return `    ${quote(words.join(" "))} = @{
      next = [ordered]@{ ${table(next.map(([word, help]) => [word, quote(help)]))} }
      options = [ordered]@{ ${table(options.map(({ name, help }) => [`--${name}`, quote(help)]))} }
      takes = @{ ${table(values.map(({ name, value }) => [`--${name}`, valueText(value!)]))} }
      arguments = @(${args.map(({ value }) => valueText(value)).join(", ")})
      variadic = $${args.at(-1)?.variadic ?? false}
    }`;
}

function valueText(value: CompletionValue): string {
  return quote(value.kind === "choices" ? value.choices.join(" ") : value.kind);
}

function quote(text: string): string {
  return `'${text.replace(/['‘’‚‛]/g, "$&$&")}'`;
}
